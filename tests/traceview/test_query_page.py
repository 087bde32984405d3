"""The query page in a browser: results of every kind, their links, and the selection."""

import re
import time
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import samples
from playwright.async_api import expect
from samples import Viewer, client, request, span
from screens import Screen, Server

from traceview.app import create_app
from traceview.storage.file import TraceFile
from traceview.storage.retention import FileBounds
from traceview.useful_queries import USEFUL

SLOW = 30
"""The number of the slowest request."""


@pytest.fixture(scope="module")
async def thirty_requests(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TraceFile]:
    """A file with thirty requests of the last ten minutes."""
    file = TraceFile(tmp_path_factory.mktemp("queries") / "traces.duckdb", FileBounds())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(samples, "START", time.time_ns() - 600 * 10**9)
        async with client(file=file) as http:
            await Viewer(http).send(
                *(
                    request(
                        number,
                        f"/api/{'abc'[number % 3]}",
                        500 if number % 10 == 0 else 200,
                        start=number * 15_000,
                        ms=number * number,
                        error=number % 10 == 0,
                        **{"enduser.id": f"user {number % 4}"},
                    )
                    for number in range(1, SLOW + 1)
                ),
                span(99, "SELECT things", trace=f"{SLOW:032x}", parent=SLOW, kind=3, start=450_001),
                span(1, "sweep", trace="ab" * 16, start=1000),
            )
    await file.flush()
    yield file
    file.close()


@pytest.fixture
async def asked(thirty_requests: TraceFile, screen: Screen, server: Server) -> Screen:
    """An explorer with the thirty requests, in a browser."""
    server.explorer = create_app(file=thirty_requests)
    return screen


async def ask(screen: Screen, text: str) -> None:
    await screen.open(f"/query?q={quote(text)}")


async def test_a_query_leads_to_rows_and_to_traces(asked: Screen) -> None:
    page = asked.page
    await ask(asked, "from roots | max(duration), count by route")
    rows = page.locator("#drawing tbody tr")
    await expect(rows).to_have_text(
        [
            re.compile(r"/api/a\s*900 ms\s*10"),
            re.compile(r"/api/c\s*841 ms\s*10"),
            re.compile(r"/api/b\s*784 ms\s*10"),
        ]
    )
    await page.get_by_role("link", name="count", exact=True).click()
    await expect(page.get_by_label("Query", exact=True)).to_have_value(
        "from roots | max(duration), count by route order by count"
    )
    await page.go_back()
    await expect(page.get_by_label("Query", exact=True)).to_have_value(
        "from roots | max(duration), count by route"
    )
    await rows.nth(1).get_by_role("link", name="/api/c").click()
    await expect(page.get_by_label("Query", exact=True)).to_have_value(
        'from roots where route = "/api/c"'
    )
    await expect(rows).to_have_count(10)
    await rows.first.get_by_role("link").first.click()
    await expect(page).to_have_url(re.compile(f"/trace/{29:032x}#{29:016x}"))
    await expect(page.locator(".spans [data-span]")).to_have_count(1)
    await page.go_back()
    await expect(rows).to_have_count(10)


async def test_a_region_of_a_heat_map_is_selected_with_every_device(asked: Screen) -> None:
    page = asked.page
    await ask(asked, "from roots | heatmap(duration) every 1m")
    plot = page.locator(".over")
    box = await plot.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 2)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 8, steps=3)
    await page.mouse.up()
    chosen = page.locator(".chosen")
    await expect(chosen).to_contain_text("of 30 rows selected")
    selected = await chosen.text_content()
    await page.get_by_role("link", name="Zoom in").click()
    await expect(chosen).to_be_hidden()
    zoomed = await page.get_by_label("Query", exact=True).input_value()
    assert re.fullmatch(
        r"from roots where duration >= \d+ns and duration < \d+ns \| heatmap\(duration\) "
        r"every 1m since \S+Z until \S+Z",
        zoomed,
    )
    total = str(selected).split(" of ")[0]
    await expect(page.locator(".readout")).to_contain_text(f"{total} row")
    await page.go_back()
    await expect(page.locator(".readout")).to_contain_text("30 rows")
    await plot.focus()
    for key in ("ArrowUp", "Shift+ArrowLeft", "Shift+ArrowUp"):
        await page.keyboard.press(key)
    await expect(chosen).to_contain_text("selected")
    await expect(page.locator(".region")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(chosen).to_be_hidden()
    await page.get_by_text("Select by numbers").click()
    await page.get_by_role("spinbutton", name="At least, ms").fill("500")
    await page.get_by_role("button", name="Select", exact=True).click()
    await expect(chosen).to_contain_text("10 of 30 rows selected")  # from 431 ms, a band
    await page.get_by_role("link", name="List the rows").click()
    await expect(page.locator("#drawing tbody tr")).to_have_count(10)


async def test_the_controls_and_the_text_edit_the_same_query(asked: Screen) -> None:
    page = asked.page
    text = page.get_by_label("Query", exact=True)
    await ask(asked, "from roots | count")
    await expect(page.locator(".values dd")).to_have_text("30")
    await page.get_by_role("button", name="Add a condition").click()
    await expect(page.get_by_label("Key of condition 1")).to_be_focused()
    await page.keyboard.type("rou")
    await expect(page.get_by_role("listbox", name="Keys").get_by_role("option")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.get_by_label("Value of condition 1").focus()
    values = page.get_by_role("listbox", name="Values").get_by_role("option")
    await expect(values).to_have_text([re.compile(f"/api/{one}10") for one in "abc"])
    await values.nth(1).click()
    await expect(text).to_have_value('from roots where route = "/api/b" | count')
    await expect(page.locator(".values dd")).to_have_text("10")
    await page.get_by_role("button", name="Add a key").click()
    await page.get_by_role("combobox", name="Group key 1").fill("status_code")
    await page.keyboard.press("Tab")
    await expect(text).to_have_value('from roots where route = "/api/b" | count by status_code')
    await expect(page.locator("#drawing tbody tr")).to_have_count(2)
    await page.get_by_label("Over time").select_option("every minute")
    await expect(page.locator(".legend-list li")).to_have_count(2)
    await page.get_by_label("Time range").select_option("Last 15 minutes")
    await expect(text).to_have_value(re.compile("since 15m$"))
    await page.get_by_role("switch", name="Background work").check()
    await expect(text).to_have_value(
        'from roots where route = "/api/b" | count by status_code every 1m since 15m '
        "with background"
    )
    await page.get_by_label("Operator of condition 1").select_option(">")
    await expect(text).to_have_value(re.compile('route > "/api/b"'))
    await page.get_by_label("Key of condition 1").fill("duration")
    await page.keyboard.press("Tab")
    await expect(page.locator("#controls-wrong")).to_contain_text("needs a unit")
    await expect(page.get_by_label("Value of condition 1")).to_have_attribute(
        "aria-invalid", "true"
    )
    for _ in range(3):
        await page.go_back()
    await expect(page.get_by_label("Time range")).to_have_value("")
    await expect(page.get_by_label("Key of condition 1")).to_have_value("route")
    await page.get_by_role("button", name="Remove condition 1").click()
    await expect(text).to_have_value("from roots | count by status_code every 1m")
    asked.expect_trouble("status of 400")


async def test_the_text_is_completed_at_the_cursor(asked: Screen) -> None:
    page = asked.page
    await page.goto("/query")
    text = page.get_by_label("Query", exact=True)
    options = page.get_by_role("listbox", name="Completions").get_by_role("option")
    await text.press_sequentially("from ro")
    await expect(options).to_have_text(["roots"])
    await page.keyboard.press("ArrowDown")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Tab")
    await expect(text).to_have_value("from roots ")
    await text.press_sequentially("where user = ")
    await expect(options.first).to_contain_text('"user ')
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(text).to_have_value(re.compile('where user = "user [0-3]" $'))
    await text.press_sequentially("| max(dur")
    await expect(options).to_have_text([re.compile("^duration")])  # no longer those for "max("
    await options.first.click()
    await expect(text).to_have_value(re.compile(r"\| max\(duration\) $"))
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    await expect(page.locator(".values dt")).to_have_text("max(duration)")


async def test_states_without_a_result(asked: Screen) -> None:
    page = asked.page
    await ask(asked, "where duration > 5 | count")
    await expect(page.locator("#ask-wrong")).to_contain_text("needs a unit, such as 200ms (column")
    await expect(page.locator(".under mark")).to_have_text("5")
    await page.get_by_label("Query", exact=True).fill("where name = sweep | count by name")
    await page.keyboard.press("Enter")
    await expect(page.locator("#outcome-notes")).to_contain_text(
        "1 row of background work left out"
    )
    await page.get_by_role("link", name="Include it").click()
    await expect(page.locator("#drawing tbody th")).to_have_text("sweep")
    await ask(asked, "from roots limit 3")
    await expect(page.locator("#outcome-notes")).to_contain_text("There are more")
    await ask(asked, "from logs")
    await expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    asked.expect_trouble("status of 400")


async def test_without_a_file_the_page_says_why(screen: Screen) -> None:
    await screen.open("/query?q=from+roots")
    await expect(screen.page.get_by_role("heading", level=2)).to_have_text(
        "Queries are not available"
    )
    await expect(screen.page.locator("#drawing")).to_contain_text(
        "traceview was started without a file"
    )
    await screen.leave()
    screen.expect_trouble("status of 409")


async def test_queries_are_found_on_a_board_and_saved_by_name(asked: Screen) -> None:
    page = asked.page
    await asked.open("/")
    await expect(page.locator("#traces li")).to_have_count(SLOW)
    await expect(page.locator("#tally")).to_contain_text("1 of background work hidden")
    await page.get_by_role("switch", name="Background work").check()
    await expect(page.locator("#traces li")).to_have_count(SLOW + 1)
    await expect(page).to_have_url(re.compile(r"\?background=1$"))
    await page.get_by_role("link", name="Slowest routes").click()
    await expect(page.locator("#drawing tbody tr")).to_have_count(3)
    await page.get_by_label("Name of the query").fill("My routes")
    await page.keyboard.press("Enter")
    await expect(page.locator("#saved-status")).to_have_text("Saved as “My routes”.")
    await page.get_by_role("navigation", name="Pages").get_by_role("link", name="Query").click()
    board = page.locator("#board")
    await expect(board.get_by_role("link")).to_have_count(len(USEFUL) + 1)
    await asked.inspect("queries")
    await board.get_by_role("link", name="My routes").click()
    await expect(page.locator("#drawing tbody tr")).to_have_count(3)
    await page.go_back()
    await board.get_by_role("button", name="Delete My routes").click()
    await expect(board.get_by_role("link")).to_have_count(len(USEFUL))


async def test_results_are_accessible(asked: Screen) -> None:
    # test_difference_page inspects a heat map.
    page = asked.page
    for name, text, shown in (
        ("series", "from roots | p95(duration), count by route every 1m", ".legend-list li"),
        ("groups", "from roots | p95(duration), count, errors by route, user", "#drawing tr"),
        ("rows", "from roots order by duration limit 5", "#drawing tr"),
    ):
        await ask(asked, text)
        await expect(page.locator(shown).first).to_be_visible()
        await asked.inspect(f"query-{name}")
