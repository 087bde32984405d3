"""The metrics in a browser and their catalog: charts, groups, exemplars, times."""

import re
import time

import pytest
import samples
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from playwright.async_api import expect
from samples import TRACE, attributes, span
from screens import Screen

MINUTES = 50


def metrics(start: int) -> list[Metric]:
    """A counter that grows by one a second, a histogram of two routes, and a gauge."""
    counter = Metric(name="app.cruds", unit="{crud}", description="Cruds <b>created</b>.")
    counter.sum.aggregation_temporality = 2  # type: ignore[assignment]  # cumulative
    counter.sum.is_monotonic = True
    latency = Metric(name="http.server.request.duration", unit="s")
    latency.histogram.aggregation_temporality = 2  # type: ignore[assignment]  # cumulative
    gauge = Metric(name="memory", unit="By")
    for minute in range(1, MINUTES + 1):
        now = start + minute * 60 * 10**9
        times = {"start_time_unix_nano": start, "time_unix_nano": now}
        counter.sum.data_points.add(**times, as_int=minute * 60)
        gauge.gauge.data_points.add(time_unix_nano=now, as_int=2_000_000)
        for route, counts in (("/a", [minute, 0, 0]), ("/b", [0, minute, 0])):
            point = latency.histogram.data_points.add(
                **times,
                count=minute,
                sum=minute / 2,
                explicit_bounds=[0.1, 0.2],
                bucket_counts=counts,
                attributes=attributes({"http.route": route}),
            )
            if minute == MINUTES:
                point.exemplars.add(
                    time_unix_nano=now - 30 * 10**9,
                    as_double=0.15 if route == "/b" else 0.05,
                    trace_id=bytes.fromhex(TRACE),
                    span_id=(1).to_bytes(8, "big"),
                )
    return [counter, latency, gauge]


@pytest.fixture
async def measured(stored: Screen, monkeypatch: pytest.MonkeyPatch) -> Screen:
    """An explorer with metrics of the last hour, in a browser."""
    start = time.time_ns() - (MINUTES + 5) * 60 * 10**9
    monkeypatch.setattr(samples, "START", start)
    await stored.viewer.send(span(1, "GET /b", kind=2))
    await stored.viewer.measure(*metrics(start))
    return stored


async def test_metrics_over_time(measured: Screen) -> None:
    page = measured.page
    catalog = (await measured.viewer.http.get("/api/metrics/catalog")).json()
    assert [(one["name"], one["series"], one["keys"], one["exemplars"]) for one in catalog] == [
        ("app.cruds", 1, [], 0),
        ("http.server.request.duration", 2, ["http.route"], 2),
        ("memory", 1, [], 0),
    ]
    assert catalog[0]["description"] == "Cruds <b>created</b>."
    early = await measured.viewer.http.get("/api/metrics/catalog", params={"until": "59m"})
    assert early.json() == []
    wrong = await measured.viewer.http.get("/api/metrics/catalog", params={"since": "soon"})
    assert wrong.status_code == 400

    await measured.open("/metrics")
    cruds = page.get_by_role("region", name="app.cruds")
    await expect(cruds.locator(".readout")).to_have_text("rate(value) over time, at most 1 crud/s")
    await expect(cruds).to_contain_text("Cruds <b>created</b>.")
    memory = page.get_by_role("region", name="memory")
    await expect(memory.locator(".readout")).to_have_text("last(value) over time, at most 2 MB")
    latency = page.get_by_role("region", name="http.server.request.duration")
    await expect(latency.locator(".legend-list li")).to_have_text(["p99", "p95", "p50"])
    # Of the two exemplars of a bucket of time it is the larger one.
    exemplar = latency.get_by_role("link", name=re.compile("Trace with 150 ms at"))
    await expect(exemplar).to_have_count(1)
    await measured.inspect("metrics-charts")

    await latency.get_by_label("By").select_option("http.route")
    await expect(latency.locator(".legend-list li")).to_have_text(["/b", "/a"])
    await expect(latency.locator(".readout")).to_have_text(
        "p95(histogram) over time, 2 groups, at most 195 ms"
    )
    await latency.get_by_label("Show").select_option("Rate")
    await expect(latency.locator(".readout")).to_contain_text("rate(count) over time")
    await expect(exemplar).to_have_count(0)
    await latency.get_by_role("link", name="Query of").click()
    await expect(page.locator("#ask-text")).to_have_value(re.compile(r"\| rate\(count\) by `?http"))
    await expect(page.locator("#drawing .legend-list li")).to_have_count(2)
    await page.go_back()

    await page.locator("#metric-search select").select_option("Last 15 minutes")
    await expect(page).to_have_url(re.compile(r"/metrics\?since=15m$"))
    await expect(cruds.locator(".readout")).to_contain_text("at most 1 crud/s")
    await latency.get_by_label("Show").select_option("95th percentile")
    await exemplar.click()
    await expect(page).to_have_url(re.compile(rf"/trace/{TRACE}#0{{15}}1$"))
    await page.go_back()
    await page.get_by_label("Name or attribute").fill("route")
    await expect(latency).to_be_visible()
    await expect(cruds).to_be_hidden()
    await page.get_by_text("Latest value of each series").click()
    await expect(page.locator("#series tbody tr")).to_have_count(2)
