"""Rates, increases, last values and percentiles of the series of metrics, and their exemplars."""

from collections.abc import Iterator
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from samples import START, TRACE, Viewer, attributes

S = 10**9
CUMULATIVE, DELTA = 2, 1

FEW = settings(
    derandomize=True,
    deadline=None,
    max_examples=12,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""Each example is a query of new series in the same file; to shrink it would take minutes."""

LATER = "2025-11-03T10:15:00Z"

names = (f"metric {number}" for number in count())


def counter(
    name: str,
    points: list[tuple[float, float, float]],
    *,
    temporality: int = CUMULATIVE,
    monotonic: bool = True,
    **facts: Any,
) -> Metric:
    """A sum with points (start, time, value); times are seconds from START."""
    metric = Metric(name=name, unit="{request}")
    metric.sum.aggregation_temporality = temporality  # type: ignore[assignment]  # its number
    metric.sum.is_monotonic = monotonic
    for start, at, value in points:
        metric.sum.data_points.add(
            start_time_unix_nano=START + int(start * S),
            time_unix_nano=START + int(at * S),
            as_double=value,
            attributes=attributes(facts),
        )
    return metric


def gauge(name: str, points: list[tuple[float, float]], **facts: Any) -> Metric:
    metric = Metric(name=name, unit="By")
    for at, value in points:
        metric.gauge.data_points.add(
            time_unix_nano=START + int(at * S), as_double=value, attributes=attributes(facts)
        )
    return metric


def histogram(
    name: str, bounds: list[float], points: list[tuple[float, float, list[int]]], **facts: Any
) -> Metric:
    metric = Metric(name=name, unit="s")
    metric.histogram.aggregation_temporality = CUMULATIVE  # type: ignore[assignment]  # as above
    for start, at, counts in points:
        metric.histogram.data_points.add(
            start_time_unix_nano=START + int(start * S),
            time_unix_nano=START + int(at * S),
            count=sum(counts),
            sum=sum(counts) / 2,
            explicit_bounds=bounds,
            bucket_counts=counts,
            attributes=attributes(facts),
        )
    return metric


def exponential(name: str, points: list[tuple[float, int, dict[int, int]]], **facts: Any) -> Metric:
    """An exponential histogram with points (time, scale, counts by index)."""
    metric = Metric(name=name, unit="s")
    data = metric.exponential_histogram
    data.aggregation_temporality = CUMULATIVE  # type: ignore[assignment]  # as above
    for at, scale, counts in points:
        point = data.data_points.add(
            start_time_unix_nano=START,
            time_unix_nano=START + int(at * S),
            count=sum(counts.values()),
            scale=scale,
            attributes=attributes(facts),
        )
        first, last = min(counts), max(counts)
        point.positive.offset = first
        point.positive.bucket_counts.extend(counts.get(at, 0) for at in range(first, last + 1))
    return metric


async def send(viewer: Viewer, instance: str, *metrics: Metric) -> None:
    """Send metrics as one process."""
    made = ExportMetricsServiceRequest()
    group = made.resource_metrics.add()
    facts = {"service.name": "cruddur", "service.instance.id": instance}
    group.resource.attributes.extend(attributes(facts))
    group.scope_metrics.add().metrics.extend(metrics)
    response = await viewer.post("metrics", made.SerializeToString())
    assert response.status_code == 200, response.content


async def series(viewer: Viewer, text: str) -> list[list[Any]]:
    """The rows of a query with `every`; times are seconds from START."""
    rows = await viewer.rows(f"from metrics {text}")
    return [[(int(row[0]) - START) / S, *row[1:]] for row in rows]


async def test_a_rate_is_made_for_each_process_and_then_added(explorer: Viewer) -> None:
    await send(
        explorer,
        "first",
        counter("requests", [(0, 60, 60), (0, 120, 180)], route="/a"),
        counter("requests", [(0, 60, 6), (0, 120, 12)], route="/b"),
    )
    # A second process, which begins in the middle.
    await send(explorer, "second", counter("requests", [(60, 120, 30)], route="/a"))
    named = "where name = requests"
    result = await explorer.query(f"from metrics {named} | rate(value), increase(value) every 1m")
    assert [one["unit"] for one in result["columns"]] == ["", "{request}/s", "{request}"]
    assert await series(explorer, f"{named} | rate(value), increase(value) every 1m") == [
        [0, pytest.approx(1.1), pytest.approx(66)],
        [60, pytest.approx(2.6), pytest.approx(156)],
    ]
    by_process = f"from metrics {named} | increase(value) by resource.service.instance.id"
    assert await explorer.rows(by_process) == [["first", 192], ["second", 30]]
    # The limit is one of groups, here the one with the largest sum.
    by_route = await series(explorer, f"{named} | increase(value) by route every 30s limit 1")
    assert by_route == [[0, "/a", 30], [30, "/a", 30], [60, "/a", 75], [90, "/a", 75]]


async def test_resets_gaps_and_unknown_starts(explorer: Viewer) -> None:
    await send(
        explorer,
        "process",
        counter("new start", [(0, 60, 100), (70, 120, 105)]),
        counter("lower value", [(0, 60, 100), (0, 120, 40)]),
        counter("unknown start", [(60, 60, 1000), (60, 120, 1030)]),
        counter("long running", [(-4000, 60, 1000), (-4000, 120, 1060)]),
        counter("falling", [(0, 60, 10), (0, 120, 5)], monotonic=False),
        counter("delta", [(0, 60, 60), (60, 120, 30), (120, 180, 0)], temporality=DELTA),
        counter("sent twice", [(0, 60, 60), (0, 60, 60), (0, 120, 90)]),
        counter("delta sent twice", [(0, 60, 60), (0, 60, 60)], temporality=DELTA),
        gauge("gauge", [(60, 5), (120, 3)]),
    )
    assert dict(await explorer.rows("from metrics | increase(value) by name")) == {
        "new start": 205,
        "lower value": 140,
        "unknown start": 30,
        "long running": 60,
        "delta": 90,
        "sent twice": 90,
        "delta sent twice": 60,
    }
    # Five minutes before the range there may be the point from which its increase begins.
    rows = await explorer.rows(
        "from metrics where name = 'long running' | increase(value), rate(value)",
        since="2025-11-03T10:01:30Z",
    )
    assert rows == [[30, 1]]


async def test_last_values_of_sums_are_added_and_those_of_gauges_averaged(
    explorer: Viewer,
) -> None:
    for instance, size in (("first", 10), ("second", 20)):
        await send(
            explorer,
            instance,
            gauge("size", [(0, 1), (120, size)]),
            counter("open", [(0, 0, 1), (0, 120, size)], monotonic=False),
        )
    await send(explorer, "gone", gauge("size", [(-299, 1000)]))
    assert dict(await explorer.rows("from metrics | last(value) by name")) == {
        "size": 15,
        "open": 30,
    }
    # A value is valid until the next one, for five minutes at most.
    lasting = await series(explorer, "where name = open | last(value) every 1m")
    assert lasting == [[0, 2], [60, 2], *([at, 30] for at in range(120, 300, 60))]


async def test_percentiles_come_from_buckets(explorer: Viewer) -> None:
    await send(
        explorer,
        "process",
        histogram(
            "latency",
            [0.1, 0.2, 0.4],
            [(0, 60, [10, 0, 0, 0]), (0, 120, [10, 10, 0, 0]), (0, 180, [10, 10, 10, 10])],
        ),
        exponential("exponential", [(60, 1, {0: 4, 1: 4}), (120, 0, {0: 18})]),
        histogram("below zero", [-5, 5], [(0, 60, [1, 0, 0])]),
        histogram("one bucket", [], [(0, 60, [3])]),
    )
    text = "where name = latency | p50(histogram), p99(histogram), avg(histogram), rate(count)"
    result = await explorer.query(f"from metrics {text}")
    assert [one["unit"] for one in result["columns"]] == ["s", "s", "s", "/s"]
    about = pytest.approx
    assert await series(explorer, f"{text} every 1m") == [
        [0, about(0.05), about(0.099), about(0.5), about(1 / 6)],
        [60, about(0.15), about(0.199), about(0.5), about(1 / 6)],
        # Beyond the last bound, the result is that bound.
        [120, about(0.4), about(0.4), about(0.5), about(1 / 3)],
    ]
    by_name = "from metrics | p50(histogram) by name order by name asc"
    assert await explorer.rows(by_name) == [
        ["below zero", -5],
        ["exponential", about(2**0.5)],
        ["latency", about(0.2)],
    ]
    cells = await explorer.query("from metrics where name = latency | heatmap(histogram) every 1m")
    assert cells["is_heat_map"]
    assert [row[1:] for row in cells["rows"]] == [
        [0, 0.1, about(10)],
        [0.1, 0.2, about(10)],
        [0.2, 0.4, about(10)],
        [0.4, 0.8, about(10)],
    ]


def edges(points: list[tuple[float, float, float]]) -> Iterator[tuple[float, float, float]]:
    """The increases of a cumulative series with (start, time, value): from, to, amount."""
    before: tuple[float, float, float] | None = None
    for start, at, value in points:
        if before is None or start != before[0]:
            yield start, at, value
        else:
            yield before[1], at, value - before[2]
        before = (start, at, value)


@st.composite
def cumulative(draw: st.DrawFn) -> list[tuple[float, float, float]]:
    """Points of a cumulative series of a process that may have been started several times."""
    points: list[tuple[float, float, float]] = []
    at = float(draw(st.integers(0, 60)))
    for _ in range(draw(st.integers(1, 2))):
        start, value = at, 0.0
        for _ in range(draw(st.integers(1, 4))):
            at += draw(st.integers(1, 70))
            value += draw(st.integers(0, 50))
            points.append((start, at, value))
        at += draw(st.integers(0, 30))
    return points


@FEW
@given(st.lists(cumulative(), min_size=1, max_size=3), st.sampled_from([7, 30, 60]))
async def test_increases_are_those_of_each_series_in_each_bucket(
    explorer: Viewer, processes: list[list[tuple[float, float, float]]], step: int
) -> None:
    name = next(names)
    for number, points in enumerate(processes):
        await send(explorer, f"process {number}", counter(name, points))
    step_ns = step * S
    expected: dict[int, float] = {}
    for begin, end, amount in (one for points in processes for one in edges(points)):
        first, last = START + int(begin * S), START + int(end * S)
        for bucket in range(first // step_ns * step_ns, last, step_ns):
            share = (min(last, bucket + step_ns) - max(first, bucket)) / (last - first)
            expected[bucket] = expected.get(bucket, 0) + share * amount
    rows = await explorer.rows(
        f"from metrics where name = '{name}' | increase(value) every {step}s", until=LATER
    )
    assert {int(bucket): amount for bucket, amount in rows} == pytest.approx(expected)
    [[total]] = await explorer.rows(
        f"from metrics where name = '{name}' | increase(value)", until=LATER
    )
    assert total == pytest.approx(sum(expected.values()))


BOUNDS = st.lists(st.integers(1, 100), min_size=1, max_size=5, unique=True).map(sorted)
SAMPLES = st.lists(st.floats(0.5, 120), min_size=1, max_size=40)


def counts_of(samples: list[float], bounds: list[int]) -> list[int]:
    above = [sum(one <= bound for one in samples) for bound in bounds]
    return [upper - lower for lower, upper in pairwise([0, *above, len(samples)])]


def share_below(limit: float, histograms: list[tuple[list[int], list[float]]]) -> float:
    """The share of the measurements up to a limit, linear within the buckets."""
    below = total = 0.0
    for bounds, samples in histograms:
        for (lower, upper), number in zip(
            pairwise([0, *bounds]), counts_of(samples, bounds)[:-1], strict=True
        ):
            below += number * min(1, max(0, (limit - lower) / (upper - lower)))
        total += len(samples)
    return below / total


@FEW
@given(st.lists(st.tuples(BOUNDS, SAMPLES), min_size=1, max_size=3))
async def test_percentiles_of_histograms_with_different_bounds(
    explorer: Viewer, histograms: list[tuple[list[int], list[float]]]
) -> None:
    name = next(names)
    for number, (bounds, samples) in enumerate(histograms):
        points = [(0.0, 60.0, counts_of(samples, bounds))]
        made = histogram(name, [float(one) for one in bounds], points)
        await send(explorer, f"process {number}", made)
    [row] = await explorer.rows(
        f"from metrics where name = '{name}' | p50(histogram), p90(histogram), p99(histogram)"
    )
    largest = max(bounds[-1] for bounds, _ in histograms)
    for value, share in zip(row, (0.5, 0.9, 0.99), strict=True):
        if share_below(largest, histograms) < share:
            assert value in {bounds[-1] for bounds, _ in histograms}
        else:
            assert share_below(value + 1e-6, histograms) >= share - 1e-6
            assert share_below(value - 1e-6, histograms) <= share + 1e-6


@FEW
@given(
    st.lists(
        st.tuples(
            st.integers(-1, 4), st.dictionaries(st.integers(-9, 9), st.integers(1, 20), min_size=1)
        ),
        min_size=1,
        max_size=3,
    )
)
async def test_exponential_histograms_are_reduced_to_one_scale(
    explorer: Viewer, histograms: list[tuple[int, dict[int, int]]]
) -> None:
    name = next(names)
    for number, (scale, counts) in enumerate(histograms):
        await send(explorer, f"process {number}", exponential(name, [(60, scale, counts)]))
    common = min(scale for scale, _ in histograms)
    merged: dict[int, int] = {}
    for scale, counts in histograms:
        for index, number in counts.items():
            place = index >> (scale - common)
            merged[place] = merged.get(place, 0) + number
    rank = 0.75 * sum(merged.values())
    for place in sorted(merged):
        if rank <= merged[place]:
            break
        rank -= merged[place]
    expected = 2.0 ** ((place + rank / merged[place]) * 2.0**-common)
    [[value]] = await explorer.rows(f"from metrics where name = '{name}' | p75(histogram)")
    assert value == pytest.approx(expected)


async def test_exemplars_lead_to_traces(explorer: Viewer) -> None:
    metric = histogram("latency", [1.0], [(0, 60, [1, 1])], route="/a")
    point = metric.histogram.data_points[0]
    for trace, value in ((TRACE, 0.5), ("00" * 16, 0.7), ("ab", 0.8)):
        point.exemplars.add(
            time_unix_nano=START + 30 * S,
            as_double=value,
            trace_id=bytes.fromhex(trace),
            span_id=(7).to_bytes(8, "big"),
            filtered_attributes=attributes({"user": "user 1"}),
        )
    await send(explorer, "process", metric)
    result = await explorer.query("from exemplars where name = latency and user = 'user 1'")
    names_of = [column["name"] for column in result["columns"]]
    [row] = result["rows"]
    assert dict(zip(names_of, row, strict=True)) == {
        "time": str(START + 30 * S),
        "name": "latency",
        "value": 0.5,
        "unit": "s",
        "service": "cruddur",
        "trace_id": TRACE,
        "span_id": f"{7:016x}",
    }
    assert await explorer.rows("from exemplars | count by route") == [["/a", 1]]


async def test_buckets_and_exemplars_in_json(explorer: Viewer) -> None:
    exemplar = (
        f'{{"timeUnixNano": "{START}", "asInt": "2", "traceId": "{TRACE}", '
        f'"spanId": "00000000000000aa", "filteredAttributes": null}}'
    )
    times = f'"startTimeUnixNano": "{START}", "timeUnixNano": "{START + 60 * S}"'
    body = f"""{{"resourceMetrics": [{{"scopeMetrics": [{{"metrics": [
        {{"name": "explicit", "histogram": {{"aggregationTemporality": 2, "dataPoints": [
            {{{times}, "count": "4", "sum": 4, "explicitBounds": [1, "2"],
              "bucketCounts": ["0", 4, "0"], "exemplars": [{exemplar}, null]}}]}}}},
        {{"name": "exponential", "exponentialHistogram": {{"aggregationTemporality":
            "AGGREGATION_TEMPORALITY_CUMULATIVE", "dataPoints": [
            {{{times}, "count": 4, "scale": 0, "zeroCount": "0", "positive":
              {{"offset": 1, "bucketCounts": ["4"]}}, "negative": null}}]}}}},
        {{"name": "broken", "histogram": {{"aggregationTemporality": 2, "dataPoints": [
            {{{times}, "count": "4", "explicitBounds": [2, 1], "bucketCounts": [1, 1, null]}}]}}}},
        {{"name": "sum", "sum": {{"aggregationTemporality": 2, "isMonotonic": true,
            "dataPoints": [{{{times}, "asInt": "60"}}]}}}}
    ]}}]}}]}}"""
    response = await explorer.post("metrics", body.encode(), "application/json")
    assert (response.status_code, response.json()) == (200, {})
    rows = await explorer.rows("from metrics | p50(histogram), rate(count) by name")
    assert rows == [
        ["exponential", pytest.approx(2**1.5), pytest.approx(4 / 60)],
        ["explicit", 1.5, pytest.approx(4 / 60)],
        ["broken", None, pytest.approx(4 / 60)],
    ]
    assert await explorer.rows("from metrics | rate(value) by name") == [["sum", 1]]
    [[value, span]] = [
        [row[2], row[6]] for row in await explorer.rows("from exemplars where name = explicit")
    ]
    assert (value, span) == (2, "00000000000000aa")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("| rate(duration)", "rate of a key is a calculation of metrics"),
        ("from metrics | rate(min)", "rate needs value or count or sum"),
        ("from metrics | last(count)", "last needs value"),
        ("from metrics | increase", "expected ("),
        ("from metrics | max(histogram)", "max does not apply to a histogram"),
        ("from metrics | rate(value), count", "use two queries"),
        ("from metrics | count by histogram", "cannot be grouped by"),
        ("from metrics where histogram = 1", "= does not apply to histogram"),
        ("from exemplars | errors", "exemplars have no errors"),
    ],
)
async def test_calculations_that_do_not_fit(
    shared_explorer: Viewer, text: str, reason: str
) -> None:
    response = await shared_explorer.http.get("/api/query", params={"q": text})
    assert response.status_code == 400
    assert reason in response.json()["error"]
