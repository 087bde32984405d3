"""Every page of the trace explorer in Chromium: it shows the data, without console errors."""

import re

from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from playwright.async_api import Route, expect
from samples import START, TRACE, line, request, span
from screens import Screen


async def test_hardening_28_an_empty_list_explains_how_to_send_traces(screen: Screen) -> None:
    await screen.open("/")
    empty = screen.page.locator("#empty")
    await expect(empty.get_by_role("heading")).to_have_text("No traces yet")
    await expect(empty.locator("pre")).to_contain_text("OTEL_EXPORTER_OTLP_ENDPOINT=http://127")
    await expect(screen.page.locator("#offline, #fault").first).to_be_hidden()
    await screen.picture("empty")


async def test_hardening_28_the_list_shows_traces_as_they_arrive(screen: Screen) -> None:
    page = screen.page
    await screen.open("/")
    await expect(page.locator("#empty")).to_be_visible()
    await screen.viewer.send(
        request(1, "/api/activities/home"), request(2, "/api/x", 500, error=True)
    )
    rows = page.locator("#traces li")
    await expect(rows).to_have_count(2)
    await expect(page.locator("#empty")).to_be_hidden()
    await expect(page.locator("#tally")).to_have_text("2 traces, 1 with errors")
    await expect(rows.nth(1)).to_contain_text("/api/activities/home")
    await screen.viewer.send(request(3, "/api/activities/<uuid>/reply", 422, method="POST"))
    await expect(rows).to_have_count(3)
    await expect(page.locator("#fault")).to_be_hidden()
    await screen.picture("list")


async def test_hardening_28_a_search_filters_the_list_and_reports_no_matches(
    screen: Screen,
) -> None:
    page = screen.page
    await screen.viewer.send(request(1, "/api/one"), request(2, "/api/two", 404))
    await screen.open("/?status=404")
    await expect(page.locator("#traces li")).to_have_count(1)
    await page.get_by_label("Status").fill("")
    await expect(page.locator("#traces li")).to_have_count(2)
    await page.get_by_label("Name or route").fill("nowhere")
    await expect(page.locator("#empty h2")).to_have_text("No trace matches")
    assert "name=nowhere" in page.url
    await screen.picture("no-match")
    await page.get_by_label("Name or route").fill("two")
    await expect(page.locator("#traces li")).to_have_count(1)
    await page.get_by_label("Errors only").check()
    await expect(page.locator("#traces li")).to_have_count(0)


async def test_hardening_28_an_invalid_search_is_explained(screen: Screen) -> None:
    await screen.open("/?status=teapot")
    await expect(screen.page.locator("#tally")).to_have_class("wrong")
    await expect(screen.page.locator("#tally")).not_to_be_empty()
    await screen.leave()
    screen.expect_trouble("status of 400")


async def test_hardening_28_a_trace_opens_folds_and_leads_back(screen: Screen) -> None:
    page = screen.page
    await screen.viewer.send(
        span(1, "POST /api/activities", kind=2, ms=20, **{"http.response.status_code": 200}),
        span(2, "INSERT x", parent=1, kind=3, start=5, ms=10, **{"db.system.name": "postgresql"}),
        span(3, "GET x", parent=1, kind=3, start=6, ms=2, error=True, **{"url.full": "http://x"}),
    )
    await screen.viewer.log(line("a crud was posted", at=4))
    await screen.open("/")
    await page.locator("#traces li a").click()
    await expect(page).to_have_url(re.compile(f"/trace/{TRACE}$"))
    spans = page.locator(".spans [data-span]")
    await expect(spans).to_have_count(3)
    await expect(page.locator(".legend")).to_contain_text("database")
    await spans.nth(1).click()
    await expect(page.locator(".details").first).to_contain_text("postgresql")
    await expect(page.get_by_text("a crud was posted").first).to_be_visible()
    await screen.picture("trace")
    await page.get_by_role("button", name="Fold", exact=True).click()
    await expect(spans).to_have_count(1)
    await page.get_by_role("button", name="Unfold").click()
    await expect(spans).to_have_count(3)
    await page.get_by_role("link", name="← Traces").click()
    await expect(page.locator("#traces li")).to_have_count(1)


async def test_hardening_28_log_lines_without_spans_are_a_trace(screen: Screen) -> None:
    await screen.viewer.log(line("all alone"))
    await screen.open("/")
    await screen.page.locator("#traces li a").click()
    await expect(screen.page.get_by_text("all alone")).to_be_visible()


async def test_hardening_28_a_missing_trace_is_requested_until_it_arrives(
    screen: Screen,
) -> None:
    await screen.open(f"/trace/{TRACE}")
    await expect(screen.page.get_by_role("heading", level=2)).to_have_text("Trace not found")
    await screen.picture("missing")
    await screen.viewer.send(span(1, "late"))
    await expect(screen.page.locator(".spans [data-span]")).to_have_count(1)
    screen.expect_trouble("status of 404")


async def test_hardening_28_metrics_are_shown_and_searched(screen: Screen) -> None:
    page = screen.page
    await screen.open("/metrics")
    await expect(page.get_by_role("heading", name="No metrics.")).to_be_visible()
    for name in ("http.server.active_requests", "app.cruds.created"):
        metric = Metric(name=name, unit="{request}")
        metric.sum.data_points.add(as_int=7, time_unix_nano=START)
        await screen.viewer.measure(metric)
    await expect(page.locator("#series tbody tr")).to_have_count(2)
    await page.get_by_label("Name or attribute").fill("cruds")
    await expect(page.locator("#series tbody tr")).to_have_count(1)
    await screen.picture("metrics")
    await page.get_by_role("link", name="Traces").click()
    await expect(page.locator("#empty")).to_be_visible()


async def test_hardening_28_traces_can_be_deleted_and_the_page_can_pause(screen: Screen) -> None:
    page = screen.page
    await screen.viewer.send(request(1, "/api/one"))
    await screen.open("/")
    await expect(page.locator("#traces li")).to_have_count(1)
    await page.get_by_role("button", name="Delete all").click()
    await expect(page.locator("#empty h2")).to_have_text("No traces yet")
    await page.get_by_role("button", name="Live").click()
    await expect(page.locator("#live-word")).to_have_text("Paused")
    await page.get_by_role("button", name="Paused").click()
    await expect(page.locator("#live-word")).to_have_text("Live")


async def test_hardening_28_the_page_distinguishes_server_errors_from_an_outage(
    screen: Screen,
) -> None:
    page = screen.page

    async def nonsense(route: Route) -> None:
        await route.fulfill(json=[{"trace_id": "x"}])

    await page.route("**/api/traces?**", nonsense)
    await screen.open("/")
    await expect(page.locator("#fault")).to_be_visible()
    await expect(page.locator("#offline")).to_be_hidden()
    screen.expect_trouble("TypeError")

    await page.unroute("**/api/traces?**")
    await expect(page.locator("#fault")).to_be_hidden()
    await page.route("**/api/traces?**", lambda route: route.abort())
    await expect(page.locator("#offline")).to_be_visible()
    await expect(page.locator("#fault")).to_be_hidden()
    screen.expect_trouble("ERR_FAILED")
    await page.unroute("**/api/traces?**")
    await expect(page.locator("#offline")).to_be_hidden()
    screen.troubles.clear()


async def test_hardening_28_the_list_says_that_traces_are_only_in_memory(screen: Screen) -> None:
    await screen.viewer.send(request(1, "/api/one"))
    await screen.open("/")
    await expect(screen.page.locator("#storage")).to_have_text(
        "Only the newest traces are kept, in memory, and queries are not available: "
        "traceview was started without a file."
    )
    await screen.picture("in-memory")


async def test_hardening_28_the_list_says_where_traces_are_stored(
    stored: Screen,
) -> None:
    await stored.open("/")
    await expect(stored.page.locator("#empty")).to_contain_text("Traces are stored in /")
    await expect(stored.page.locator("#storage")).to_be_hidden()
