"""The page of a trace in a browser: its analysis, keyboard, and traces of 10,000 spans."""

import asyncio
from pathlib import Path
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from playwright.async_api import Locator, expect
from samples import MS, START, TRACE, Viewer, attributes, line, request, span
from screens import Screen, Server

from support import free_port
from traceview.app import create_app
from traceview.forwarding import Forwarder

STATEMENT = (
    "SELECT a.uuid, a.message FROM activities AS a LEFT JOIN users AS u ON u.id = a.user_id "
    "WHERE a.expires_at > now() AND a.handle = $1 ORDER BY a.created_at DESC LIMIT $2"
)


def _statement(number: int, summary: str, **more: Any) -> Span:
    facts = {"db.system.name": "postgresql", "db.query.summary": summary}
    return span(number, summary, parent=2, kind=3, **{**facts, **more})


async def _send(viewer: Viewer) -> None:
    """A failed request that repeats a statement, and statements of other traces."""
    root = span(1, "GET /api/home", kind=2, ms=120, error=True)
    event = root.events.add(name="exception", time_unix_nano=START + 90 * MS)
    event.attributes.extend(
        attributes({"exception.type": "UniqueViolation", "exception.message": "duplicate key"})
    )
    service = span(2, "services.home", parent=1, start=6, ms=108)
    service.status.code = 2
    failed = _statement(3, "INSERT likes.create", start=95, ms=8, **{"error.type": "23505"})
    failed.status.code = 2
    await viewer.send(
        root,
        service,
        failed,
        _statement(4, "SELECT activities.home", start=8, ms=22, **{"db.query.text": STATEMENT}),
        *(_statement(10 + n, "SELECT users.show", start=32 + 3 * n, ms=2.5) for n in range(12)),
        span(5, "send mail", parent=1, start=115, ms=40),
    )
    await viewer.send(
        *(
            span(n, "SELECT activities.home", trace=f"{n:032x}", kind=3, ms=n * 0.225)
            for n in range(1, 101)
        )
    )
    await viewer.log(line("inserting", of=3, at=96))


def _row(screen: Screen, name: str) -> Locator:
    return screen.page.locator("[data-span]").filter(has_text=name)


async def test_a_trace_shows_where_its_time_went_and_why_it_failed(stored: Screen) -> None:
    page = stored.page
    await _send(stored.viewer)
    await stored.open(f"/trace/{TRACE}")
    await expect(page.locator(".failure")).to_have_text(
        "INSERT likes.create failed: 23505 – duplicate key"
    )
    rows = page.locator("[data-span]")
    await expect(rows).to_have_count(6)
    # The failed span is open, and the others are not.
    await expect(page.locator(".details")).to_have_count(1)
    await expect(page.locator(".details")).to_contain_text("inserting")
    steps = page.locator(".steps li")
    await expect(steps.nth(1)).to_have_text("SELECT users.show12 spans30.0 ms25 %")

    repeated = _row(stored, "12 × SELECT users.show")
    await expect(repeated).to_contain_text("30.0 ms")
    await expect(repeated).to_have_attribute("aria-expanded", "false")
    await expect(_row(stored, "services.home").locator(".gap")).to_have_count(2)
    await expect(_row(stored, "send mail").locator(".critical")).to_have_count(0)
    await expect(_row(stored, "SELECT activities.home").locator(".critical")).to_have_count(1)
    await expect(_row(stored, "SELECT activities.home").locator(".rank")).to_have_text("p97")

    await _row(stored, "SELECT activities.home").click()
    details = page.locator(".details").first
    await expect(details).to_contain_text("p97 of 101 SELECT activities.home")
    await expect(details).to_contain_text("On the critical path22.0 ms (100 %)")
    assert await details.locator(".stack").text_content() == (
        "SELECT a.uuid,\n  a.message\nFROM activities AS a\n"
        "LEFT JOIN users AS u ON u.id = a.user_id\nWHERE a.expires_at > now()\n"
        "  AND a.handle = $1\nORDER BY a.created_at DESC\nLIMIT $2"
    )
    await stored.inspect("trace-analysis")

    # What is open, folded and focused stays when spans arrive.
    await repeated.click()
    await expect(rows).to_have_count(18)
    await stored.viewer.send(span(6, "late", parent=1, start=60))
    await expect(rows).to_have_count(19)
    await expect(page.locator(".details")).to_have_count(2)
    await expect(repeated).to_be_focused()
    await page.get_by_role("button", name="INSERT likes.create").first.click()
    await expect(_row(stored, "INSERT likes.create")).to_be_focused()

    # The address has the span that was opened last, until it is closed.
    statement = _row(stored, "SELECT activities.home")
    await statement.click()
    await statement.click()
    assert page.url.endswith(f"#{4:016x}")
    await page.reload()
    await expect(statement).to_be_focused()
    await expect(page.locator(".details")).to_have_count(2)  # it, and the failed one
    await statement.click()
    assert page.url.endswith(f"/trace/{TRACE}")


async def test_a_trace_is_read_with_the_keyboard(stored: Screen) -> None:
    page = stored.page
    await _send(stored.viewer)
    await stored.open(f"/trace/{TRACE}")
    await expect(page.locator("[data-span]")).to_have_count(6)

    async def press(keys: str, name: str, **state: str) -> None:
        for key in keys.split():
            await page.keyboard.press(key)
        row = page.locator("[data-span]:focus")
        await expect(row).to_contain_text(name)
        for attribute, value in state.items():
            await expect(row).to_have_attribute(f"aria-{attribute}", value)

    await page.get_by_role("button", name="Unfold").focus()
    await press("Tab", "GET /api/home", level="1", expanded="true", rowindex="1")
    await press("ArrowDown", "services.home", level="2", posinset="1", setsize="2")
    await press("ArrowRight", "SELECT activities.home", level="3")
    await press("ArrowDown", "12 × SELECT users.show", expanded="false")
    await press("ArrowRight", "12 × SELECT users.show", expanded="true")
    await press("ArrowRight", "SELECT users.show", level="4", posinset="1", setsize="12")
    await press("ArrowLeft", "12 × SELECT users.show")
    await press("ArrowLeft", "12 × SELECT users.show", expanded="false")
    await press("ArrowLeft", "services.home")
    await press("ArrowLeft", "services.home", expanded="false")
    await expect(page.locator("[data-span]")).to_have_count(3)
    await expect(page.locator("[data-span]:focus .hidden-count")).to_have_text("+14")
    await press("End", "send mail")
    await press("ArrowDown", "send mail")
    await press("Enter", "send mail")
    await expect(page.locator(".details")).to_contain_text("no")
    await press("Enter", "send mail")
    await expect(page.locator(".details")).to_have_count(0)
    await press("Home", "GET /api/home")
    await press("ArrowUp", "GET /api/home")
    # What is in the details is reached with Tab, and keys do not move the rows there.
    await press("Enter ArrowDown", "services.home")
    await page.locator(".details summary").first.focus()
    await page.keyboard.press("End")
    await expect(page.locator(".details summary").first).to_be_focused()


async def test_a_trace_of_ten_thousand_spans_is_shown_near_the_viewport(
    stored: Screen,
) -> None:
    page = stored.page
    trace = "ab" * 16
    spans = [span(1, "root", trace=trace, kind=2, ms=10_000)]
    spans += [
        span(n, f"step {n}", trace=trace, parent=1 + (n - 2) // 50, start=n, ms=1)
        for n in range(2, 10_001)
    ]
    for start in range(0, len(spans), 2_500):
        await stored.viewer.send(*spans[start : start + 2_500])
    await stored.open(f"/trace/{trace}")
    rows = page.locator("[data-span]")
    await expect(rows.first).to_contain_text("root")
    assert await rows.count() < 100
    await expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "10000")
    height = await page.locator(".spans").evaluate("(list) => list.offsetHeight")
    assert height > 10_000 * 20
    await rows.first.focus()
    await page.keyboard.press("End")
    focused = page.locator("[data-span]:focus")
    await expect(focused).to_have_attribute("aria-rowindex", "10000")
    await expect(focused).to_be_in_viewport()
    await page.keyboard.press("ArrowUp")
    await expect(focused).to_have_attribute("aria-rowindex", "9999")
    # The row with the focus stays, however far it is.
    await page.evaluate("scrollTo(0, 0)")
    await expect(page.get_by_role("row", name="root")).to_be_in_viewport()
    await expect(focused).to_have_attribute("aria-rowindex", "9999")
    assert await rows.count() < 100
    await page.keyboard.press("ArrowDown")
    await expect(focused).to_be_in_viewport()
    assert await page.locator(".spans").evaluate("(list) => list.offsetHeight") == height
    # A link names one of them.
    await page.goto(f"/trace/{trace}#{5_000:016x}")
    await expect(focused).to_contain_text("step 5000")
    await expect(focused).to_be_in_viewport()
    await expect(page.locator(".details")).to_contain_text(f"{5_000:016x}")
    await page.get_by_role("searchbox", name="Find a span").fill("step 99")
    await expect(page.get_by_text("111 matches")).to_be_visible()
    for place in ("1 of 111", "2 of 111"):
        await page.keyboard.press("Enter")
        await expect(page.get_by_text(place)).to_be_visible()
    await expect(page.locator(".match")).to_contain_text("step 990")
    await expect(page.locator(".match")).to_be_in_viewport()
    await stored.picture("trace-long", full_page=False)  # Chromium draws up to 16,384 pixels
    await page.get_by_role("button", name="Fold", exact=True).click()
    await expect(rows).to_have_count(1)
    await expect(rows.locator(".hidden-count")).to_have_text("+9999")


DROP = """([name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name));
    for (const type of ["dragenter", "dragover", "drop"]) {
        document.body.dispatchEvent(
            new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true })
        );
        const { hidden } = document.querySelector("#drop");
        if (type === "dragover" && hidden) throw new Error("no place to drop is shown");
    }
}"""


async def test_a_trace_is_downloaded_deleted_and_uploaded_again(
    stored: Screen, tmp_path: Path
) -> None:
    page = stored.page
    await _send(stored.viewer)
    shown = await stored.viewer.trace()
    await stored.open(f"/trace/{TRACE}")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="OTLP JSON").click()
    download = await started.value
    assert download.suggested_filename == f"trace-{TRACE}.jsonl"
    saved = tmp_path / download.suggested_filename
    await download.save_as(saved)

    await page.get_by_role("link", name="Traces").first.click()
    await page.get_by_role("button", name="Delete all").click()
    await expect(page.locator("#empty")).to_be_visible()
    async with page.expect_file_chooser() as opened:
        await page.get_by_role("button", name="Upload").click()
    chooser = await opened.value
    await chooser.set_files(saved)
    uploaded = page.locator("#uploaded")
    await expect(uploaded).to_contain_text(f"trace-{TRACE}.jsonl: 17 spans, 1 log line. Open")
    assert await stored.viewer.trace() == shown
    await uploaded.get_by_role("link").click()
    await expect(page.locator(".failure")).to_contain_text("INSERT likes.create failed")

    # On any page; a bad file changes nothing, and its reason is text.
    await page.evaluate(DROP, ["<b>bad.json", saved.read_text()[:-20]])
    await expect(uploaded).to_contain_text("<b>bad.json was not uploaded: line 2: not OTLP in JSON")
    await expect(page.locator("#drop")).to_be_hidden()
    stored.expect_trouble("status of 400")
    assert await stored.viewer.trace() == shown
    await stored.picture("uploaded")
    await page.evaluate(DROP, ["good.json", saved.read_text().splitlines()[0]])
    await expect(uploaded).to_contain_text("good.json: 17 spans.")
    await page.get_by_role("button", name="Close").click()
    await expect(uploaded).to_be_hidden()

    await page.goto("/query?q=from spans where error since 2025-11-03T09:00:00Z")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="CSV").click()
    assert (await started.value).suggested_filename == "query.csv"
    await expect(page.get_by_role("link", name="OTLP JSON")).to_be_visible()


async def test_the_page_says_that_forwarding_fails(screen: Screen, server: Server) -> None:
    target = f"http://127.0.0.1:{free_port()}"
    forwarder = Forwarder(target)
    server.explorer = create_app(forwarder=forwarder)
    await screen.viewer.send(request(1, "/a"))
    while not (await screen.viewer.http.get("/healthz")).json()["forward"]["error"]:  # noqa: ASYNC110  # only there
        await asyncio.sleep(0.01)
    await screen.open("/")
    notice = screen.page.locator("#forward")
    await expect(notice).to_contain_text(f"Forwarding to {target} has a problem: ConnectError")
    await expect(notice).to_contain_text("So far: 1 waiting.")
    await expect(screen.page.locator("#traces li")).to_have_count(1)
    await forwarder.close()
