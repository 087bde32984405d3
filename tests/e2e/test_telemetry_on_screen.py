"""Requirement W1: one trace leads from a click to the card on another user's page.

One visit of two members sends everything that a page records, to a service with an OTLP receiver.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser, Page, Request, expect

from browsing import do_without
from e2e.screen import DIST, STREAM, Watch, hand_over, join, open_browser, settle
from fakes.honeycomb import FakeHoneycomb
from fakes.otlp import LogLine, Span
from support import Api, empty
from telemetry.serving import served

WEB = "cruddur-web"
SEARCHED = "canary-searched-k3x9"
TYPED = "canary-typed-k3x9"
POSTED = "canary-posted-k3x9"

BROKEN = f"""
addEventListener("error", () => {{ document.title = "failed"; }});
setTimeout(function fail() {{ throw new TypeError("no {TYPED} and no '{POSTED}'"); }});
"""
HIDE = """() => {
    Object.defineProperty(document, "visibilityState", { value: "hidden" });
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""


@dataclass
class Visited:
    """What the receiver got of one visit.

    Attributes:
        spans, logs: all spans and log records.
        exported: every byte.
        origin: the origin of the pages.
        sent: the requests with which the pages sent telemetry.
    """

    spans: list[Span]
    logs: list[LogLine]
    exported: bytes
    origin: str
    sent: list[Request]

    def named(self, name: str, service: str = WEB) -> list[Span]:
        return [one for one in self.spans if (one.name, one.service) == (name, service)]

    def path_of(self, last: Span) -> list[Span]:
        """Return a span and its ancestors, the first one first."""
        spans = {one.span_id: one for one in self.spans if one.trace_id == last.trace_id}
        path = [last]
        while path[0].parent_span_id is not None:
            path.insert(0, spans[path[0].parent_span_id])
        return path


@pytest.fixture(scope="module")
async def visited(
    browser: Browser,
    screen_dsn: str,
    _screen_inspector: asyncpg.Connection,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Visited]:
    """A member posts, and another one sees it, searches, and meets an error."""
    if not (DIST / "index.html").is_file():
        do_without("the front end is not built")
    directory: Path = tmp_path_factory.mktemp("telemetry")
    options = {
        "CRUDDUR_FRONTEND_DIRECTORY": str(DIST),
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_BSP_SCHEDULE_DELAY": "20",
        "OTEL_BLRP_SCHEDULE_DELAY": "20",
    }
    with (
        FakeHoneycomb() as sink,
        served(screen_dsn, directory, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, **options) as service,
    ):
        watch = Watch(service.url)
        async with httpx.AsyncClient(base_url=service.url, trust_env=False) as client:
            members = [
                await join(Api(client), _screen_inspector, handle, handle.title())
                for handle in ("worf", "odo")
            ]
        pages: list[Page] = []
        for member in members:
            context = await open_browser(browser, service)
            watch.follow(context)
            await hand_over(context, service, member)
            pages.append(await context.new_page())
            async with pages[-1].expect_response(f"**{STREAM}"):
                await pages[-1].goto("/")
            await settle(pages[-1], watch)
        for page in pages:  # the recorder is loaded when the page is idle
            await sink.arrival(lambda: len(loads(sink)) > pages.index(page))  # noqa: B023  # called at once
        his, hers = pages
        await his.get_by_label("What’s on your mind?").fill(POSTED)
        await his.get_by_role("button", name="Crud it").click()
        await expect(hers.get_by_role("article").filter(has_text=POSTED)).to_be_visible()
        await sink.arrival(lambda: [one for one in sink.spans if one.name == "render crud"])
        await hers.get_by_role("searchbox").first.fill(SEARCHED)
        await hers.keyboard.press("Enter")
        await expect(hers.get_by_role("heading", level=1)).to_contain_text("Search")
        await settle(hers, watch)
        await hers.go_back()
        await settle(hers, watch)
        await hers.get_by_label("What’s on your mind?").fill(TYPED)
        await hers.route("**/assets/broken.js", lambda route: route.fulfill(body=BROKEN))
        await hers.add_script_tag(url="/assets/broken.js")
        await expect(hers).to_have_title("failed")
        watch.troubles = [trouble for trouble in watch.troubles if TYPED not in trouble]
        await hers.evaluate(HIDE)
        await sink.arrival(
            lambda: (
                {one.attributes.get("browser.web_vital.name") for one in sink.logs}
                >= {"ttfb", "lcp", "cls", "inp"}
                and any("exception.type" in one.attributes for one in sink.logs)
                and [one for one in sink.spans if one.name == "popstate"]
            )
        )
        for page in pages:
            await page.context.close()
        sent = watch.sent("POST", "/api/telemetry")
        watch.check()
        assert sink.problems == []
        assert service.stop().code == 0
        yield Visited(sink.spans, sink.logs, sink.raw_bytes, service.url, sent)
    await empty(_screen_inspector)


def loads(sink: FakeHoneycomb) -> list[Span]:
    return [one for one in sink.spans if one.name == "documentLoad"]


def test_W1_a_trace_leads_from_a_click_to_the_card_on_another_page(visited: Visited) -> None:
    [rendered] = visited.named("render crud")
    path = visited.path_of(rendered)
    assert [(one.service, one.kind, one.name) for one in path] == [
        (WEB, "INTERNAL", "click button.button"),
        (WEB, "CLIENT", "POST /api/activities"),
        ("cruddur", "SERVER", "POST /api/activities"),
        ("cruddur", "CONSUMER", "deliver crud"),
        (WEB, "INTERNAL", "render crud"),
    ]
    statements = [
        one.name
        for one in visited.spans
        if one.parent_span_id == path[2].span_id and one.kind == "CLIENT"
    ]
    assert any(name.startswith("INSERT") for name in statements), statements
    click, call, request, delivery, _ = path
    assert click.start_ns <= call.start_ns <= request.start_ns
    assert request.start_ns <= delivery.start_ns <= rendered.start_ns <= rendered.end_ns
    assert call.attributes["http.response.status_code"] == 200
    assert call.attributes["url.full"] == f"{visited.origin}/api/activities"
    assert [event.name for event in call.events] == ["requestStart", "responseStart", "responseEnd"]
    session = click.attributes["session.id"]
    assert call.attributes["session.id"] == session
    assert rendered.attributes["session.id"] != session, "it is another page"


def test_W1_a_page_load_is_a_trace_with_its_calls(visited: Visited) -> None:
    loaded = visited.named("documentLoad")
    assert len({one.trace_id for one in loaded}) == len(loaded) == 2
    for load in loaded:
        inside = [one for one in visited.spans if one.trace_id == load.trace_id]
        calls = {one.name for one in inside if one.parent_span_id == load.span_id}
        assert {"documentFetch", "POST /api/auth/refresh", "GET /api/activities/home"} <= calls
        servers = {one.name for one in inside if one.kind == "SERVER"}
        assert {"POST /api/auth/refresh", "GET /api/activities/home"} <= servers
        assert "Chrome" in load.attributes["user_agent.original"]
        assert load.attributes["app.screen.name"] == "/"
        assert "domComplete" in [event.name for event in load.events]
        [fetched] = [one for one in inside if one.name == "documentFetch"]
        [link] = fetched.links
        [document] = [one for one in visited.spans if one.span_id == link.span_id]
        assert (document.name, document.service) == ("GET /", "cruddur")


def test_W1_interactions_that_change_the_page_are_recorded(visited: Visited) -> None:
    routes = {one.name: visited.path_of(one)[0] for one in visited.spans if "navigate" in one.name}
    assert routes.keys() == {"navigate /search", "navigate /"}
    assert routes["navigate /search"].name.startswith("submit form")
    assert routes["navigate /"].name == "popstate"
    [search] = visited.named("GET /api/activities/search")
    assert search.trace_id == routes["navigate /search"].trace_id
    [on_server] = visited.named("GET /api/activities/search", "cruddur")
    assert on_server.parent_span_id == search.span_id


def test_W1_web_vitals_and_errors_belong_to_their_page(visited: Visited) -> None:
    sessions = {one.attributes["session.id"]: one for one in visited.named("documentLoad")}
    vitals = [one for one in visited.logs if "browser.web_vital.name" in one.attributes]
    assert {one.resource["service.name"] for one in vitals} == {WEB}
    by_name = {one.attributes["browser.web_vital.name"]: one for one in vitals}
    for name in ("ttfb", "lcp"):
        attributes = by_name[name].attributes
        assert 0 < attributes["browser.web_vital.value"] < 60_000
        assert attributes["browser.web_vital.navigation_type"] == "navigate"
        assert by_name[name].span_id == sessions[attributes["session.id"]].span_id
    [error] = [one for one in visited.logs if "exception.type" in one.attributes]
    assert error.attributes["exception.type"] == "TypeError"
    assert error.attributes["exception.message"] == "no [redacted] and no [redacted]"
    assert "at fail (" in error.attributes["exception.stacktrace"]
    assert (error.severity, error.resource["service.name"]) == ("ERROR", WEB)


def test_W4_nothing_that_was_written_leaves_the_page_or_the_service(visited: Visited) -> None:
    assert visited.sent
    for canary in (POSTED, SEARCHED, TYPED):
        assert canary.encode() not in visited.exported
        for request in visited.sent:
            assert canary not in (request.post_data or "")


def test_W5_no_telemetry_is_about_the_telemetry(visited: Visited) -> None:
    assert [one for one in visited.spans if "telemetry" in one.name] == []
    assert [one for one in visited.sent if "traceparent" in one.headers] == []
