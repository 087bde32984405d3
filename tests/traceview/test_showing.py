"""What the viewer stores and shows: lists, searches, trees, log lines, limits."""

from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from samples import JSON, MS, START, TRACE, Viewer, attributes, line, request, span

from traceview.metrics import SERIES


async def test_a_trace_is_listed_by_its_root(viewer: Viewer) -> None:
    await viewer.send(
        span(2, "SELECT activities.home", parent=1, kind=3, start=1, ms=2),
        span(
            1,
            "GET /api/activities/home",
            kind=2,
            ms=7.5,
            **{
                "http.request.method": "GET",
                "http.route": "/api/activities/home",
                "http.response.status_code": 200,
            },
        ),
    )
    await viewer.log(line("served"))
    assert await viewer.search() == [
        {
            "trace_id": TRACE,
            "root_span_id": f"{1:016x}",
            "root_missing": False,
            "name": "GET /api/activities/home",
            "service": "cruddur",
            "services": ["cruddur"],
            "method": "GET",
            "route": "/api/activities/home",
            "status": 200,
            "start_ns": str(START),
            "duration_ms": 7.5,
            "spans": 2,
            "logs": 1,
            "errors": 0,
            "error": False,
            "background": False,
            "omitted": {"spans": 0, "logs": 0},
        }
    ]


async def test_spans_can_arrive_in_any_order_and_twice(viewer: Viewer) -> None:
    await viewer.send(span(3, "deepest", parent=2, start=2))
    await viewer.send(span(2, "middle", parent=1, start=1))
    assert await viewer.names() == ["middle"]
    await viewer.send(span(3, "deepest, again", parent=2, start=2), span(1, "root", ms=9))
    await viewer.send(span(4, "first child", parent=1, start=0.5))
    [listed] = await viewer.search()
    assert (listed["name"], listed["spans"]) == ("root", 4)
    tree = [(one["depth"], one["name"], one["children"]) for one in (await viewer.trace())["spans"]]
    assert tree == [
        (0, "root", 2),
        (1, "first child", 0),
        (1, "middle", 1),
        (2, "deepest, again", 0),
    ]


async def test_a_trace_started_by_a_browser_is_listed_by_its_local_root(viewer: Viewer) -> None:
    await viewer.send(
        span(7, "late orphan", parent=98, start=5),
        span(2, "SELECT", parent=1, start=1),
        span(1, "GET /api/activities", parent=99, kind=2, ms=4),
    )
    [listed] = await viewer.search()
    assert (listed["name"], listed["root_missing"]) == ("GET /api/activities", True)
    spans = (await viewer.trace())["spans"]
    assert [(one["name"], one["depth"], one["parent_missing"]) for one in spans] == [
        ("GET /api/activities", 0, True),
        ("SELECT", 1, False),
        ("late orphan", 0, True),
    ]


async def test_invalid_clocks_and_parents_lose_no_span(viewer: Viewer) -> None:
    backwards = span(1, "backwards")
    backwards.end_time_unix_nano = START - 1
    timeless = span(6, "timeless")
    timeless.start_time_unix_nano = timeless.end_time_unix_nano = 0
    await viewer.send(
        backwards,
        timeless,
        span(2, "circle a", parent=3),
        span(3, "circle b", parent=2),
        span(4, "its own parent", parent=4),
        span(5, "before its parent", parent=1, start=-5, ms=0),
    )
    spans = {one["name"]: one for one in (await viewer.trace())["spans"]}
    assert len(spans) == 6
    assert spans["backwards"]["duration_ms"] == 0
    assert spans["before its parent"]["depth"] == 1
    assert not spans["circle a"]["parent_missing"]
    assert (spans["its own parent"]["depth"], spans["its own parent"]["children"]) == (0, 0)


async def test_both_sides_of_a_call_with_one_span_id_are_kept(viewer: Viewer) -> None:
    await viewer.send(span(1, "job", ms=9), span(2, "call", parent=1, kind=3, start=1, ms=5))
    await viewer.send(span(3, "connect", parent=2, start=1.5))
    await viewer.send(
        span(2, "serve", parent=1, kind=2, start=2, ms=3),
        span(4, "query", parent=2, kind=3, start=3),
        service="api",
    )
    await viewer.send(span(2, "call, sent again", parent=1, kind=3, start=1, ms=5))
    spans = (await viewer.trace())["spans"]
    assert [(one["depth"], one["name"], one["service"], one["children"]) for one in spans] == [
        (0, "job", "cruddur", 1),
        (1, "call, sent again", "cruddur", 2),
        (2, "connect", "cruddur", 0),
        (2, "serve", "api", 1),
        (3, "query", "api", 0),
    ]
    await viewer.send(span(5, "own", parent=5, kind=3), span(5, "own", parent=5, kind=2))
    assert len((await viewer.trace())["spans"]) == 7


async def test_a_very_deep_trace_is_shown(viewer: Viewer) -> None:
    await viewer.send(*(span(n, parent=n - 1, start=n) for n in range(1, 3001)))
    assert [one["depth"] for one in (await viewer.trace())["spans"]] == list(range(3000))


SEARCHES: list[tuple[dict[str, str], list[int]]] = [
    ({}, [5, 4, 3, 2, 1]),
    ({"status": "404"}, [3]),
    ({"status": "5xx"}, [4]),
    ({"status": "2XX"}, [5, 2, 1]),
    ({"status": "501"}, []),
    ({"name": "ACTIVITIES/home"}, [4, 1]),
    ({"name": "post"}, [2]),
    ({"min_ms": "99.5"}, [5, 4]),
    ({"errors": "1"}, [5, 4]),
    ({"errors": "1", "name": "home"}, [4]),
    ({"errors": "0", "status": "404"}, [3]),
    ({"limit": "2"}, [5, 4]),
    ({"trace_id": f"{3:032x}"}, [3]),
    ({"trace_id": "0" * 31}, [5, 4, 3, 2, 1]),
    ({"trace_id": "ff"}, []),
    ({"trace_id": f"00-{3:032X}-{3:016x}-01"}, [3]),
    ({"trace_id": f"Root=1-{0:08x}-{3:024x}"}, [3]),
    ({"span": "insert"}, [2]),
    ({"name": " ", "status": ""}, [5, 4, 3, 2, 1]),
]


@pytest.mark.parametrize(("wanted", "found"), SEARCHES)
async def test_search_finds_traces(
    viewer: Viewer, wanted: dict[str, str], found: list[int]
) -> None:
    await viewer.send(request(3, "/api/activities/<uuid:uuid>", 404))
    await viewer.send(request(1, "/api/activities/home"))
    await viewer.send(
        request(2, "/api/activities", method="POST", ms=20),
        span(9, "INSERT activities.create", trace=f"{2:032x}", parent=2, kind=3),
    )
    await viewer.send(request(4, "/api/activities/home", 500, ms=100))
    await viewer.send(
        request(5, "/api/users/@<handle>", ms=200),
        span(9, "GET", trace=f"{5:032x}", parent=5, kind=3, error=True),
    )
    assert [int(trace["trace_id"], 16) for trace in await viewer.search(**wanted)] == found


@pytest.mark.parametrize(
    "query", ["status=40", "status=abc", "min_ms=soon", "min_ms=nan", "limit=0", "sort=name"]
)
async def test_an_invalid_search_is_rejected(viewer: Viewer, query: str) -> None:
    response = await viewer.http.get(f"/api/traces?{query}")
    assert response.status_code == 400
    assert response.json()["error"]


async def test_log_lines_are_shown_in_their_trace_in_time_order(viewer: Viewer) -> None:
    await viewer.log(
        line("second", of=2, at=3, severity=17, attempt=1), line({"event": "first"}, at=1)
    )
    [listed] = await viewer.search()
    assert (listed["name"], listed["spans"], listed["logs"]) == ("(log lines only)", 0, 2)
    await viewer.log(line("another trace", trace="ab" * 16), line("no trace", trace="00" * 16))
    await viewer.send(span(1, "root"), span(2, "child", parent=1))
    trace = await viewer.trace()
    assert [(one["body"], one["severity"], one["span_id"]) for one in trace["logs"]] == [
        ({"event": "first"}, "INFO", f"{1:016x}"),
        ("second", "ERROR", f"{2:016x}"),
    ]
    assert trace["logs"][1]["time_ns"] == str(START + 3 * MS)
    assert trace["logs"][1]["attributes"] == {"attempt": 1}
    assert len(await viewer.search()) == 2


async def test_severities_without_a_number_are_stored_as_sent(viewer: Viewer) -> None:
    lines = [
        {"severityText": "loud"},
        {"severityNumber": "SEVERITY_NUMBER_WARN2"},
        {"severityNumber": 99, "severityText": "odd"},
    ]
    records = [{"traceId": TRACE, "timeUnixNano": n, **one} for n, one in enumerate(lines, 1)]
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    assert (await viewer.http.post("/v1/logs", json=body)).status_code == 200
    assert [one["severity"] for one in (await viewer.trace())["logs"]] == ["loud", "WARN", "odd"]


async def test_links_show_whether_their_target_exists(viewer: Viewer) -> None:
    sent = span(1)
    for number in (2, 3):
        sent.links.add(trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"))
    await viewer.send(sent, request(2, "/api/activities"))
    [shown] = (await viewer.trace())["spans"]
    assert [(link["span_id"], link["here"]) for link in shown["links"]] == [
        (f"{2:016x}", True),
        (f"{3:016x}", False),
    ]


async def test_the_oldest_traces_are_evicted_by_count(small_viewer: Viewer) -> None:
    for number in range(1, 6):
        await small_viewer.send(request(number, f"/{number}"))
    await small_viewer.log(line("still in use", trace=f"{1:032x}"))
    await small_viewer.send(request(6, "/6"), request(7, "/7"))
    kept = sorted(await small_viewer.names())
    assert kept == ["GET /1", "GET /4", "GET /5", "GET /6", "GET /7"]
    assert (await small_viewer.http.get(f"/api/traces/{2:032x}")).status_code == 404


async def test_the_oldest_traces_are_evicted_by_size(small_viewer: Viewer) -> None:
    for number in range(1, 6):
        await small_viewer.send(request(number, f"/{number}", text="x" * 30_000, more="y" * 60_000))
    health = (await small_viewer.http.get("/healthz")).json()
    assert health["traces"] == 4
    assert 0 < health["bytes"] <= 400_000
    assert "GET /1" not in await small_viewer.names()


async def test_a_single_trace_is_limited_and_reports_what_was_dropped(small_viewer: Viewer) -> None:
    await small_viewer.send(*(span(number) for number in range(1, 14)))
    await small_viewer.send(span(1, "the same again"))
    await small_viewer.log(*(line(f"line {number}") for number in range(8)))
    trace = await small_viewer.trace()
    assert (len(trace["spans"]), len(trace["logs"])) == (10, 5)
    assert trace["omitted"] == {"spans": 3, "logs": 3}
    assert "the same again" in [one["name"] for one in trace["spans"]]


async def test_one_trace_can_use_half_of_the_memory(small_viewer: Viewer) -> None:
    heavy = {"text": "x" * 60_000, "more": "y" * 60_000}
    await small_viewer.send(span(1, **heavy), span(2, **heavy), span(3))
    trace = await small_viewer.trace()
    assert [one["span_id"] for one in trace["spans"]] == [f"{1:016x}", f"{3:016x}"]
    assert trace["omitted"]["spans"] == 1
    await small_viewer.send(span(1, trace="ab" * 16, **{f"{n}": "x" * 60_000 for n in range(4)}))
    [nothing] = await small_viewer.search(trace_id="ab" * 16)
    assert (nothing["spans"], nothing["omitted"]["spans"]) == (0, 1)


async def test_all_traces_can_be_deleted(viewer: Viewer) -> None:
    await viewer.send(request(1, "/1"), request(2, "/2"))
    assert (await viewer.http.delete("/api/traces")).json() == {"deleted": 2}
    assert await viewer.search() == []
    health = (await viewer.http.get("/healthz")).json()
    assert (health["product"], health["traces"], health["bytes"]) == ("traceview", 0, 0)


async def test_an_unchanged_trace_returns_304(viewer: Viewer) -> None:
    await viewer.send(span(1))
    first = await viewer.http.get(f"/api/traces/{TRACE}")
    known = {"If-None-Match": first.headers["etag"]}
    assert (await viewer.http.get(f"/api/traces/{TRACE}", headers=known)).status_code == 304
    await viewer.log(line("news"))
    assert (await viewer.http.get(f"/api/traces/{TRACE}", headers=known)).status_code == 200


def _metric(name: str, kind: str, **point: Any) -> Metric:
    made = Metric(name=name, unit="s", description="what it is")
    data = getattr(made, kind)
    if kind in {"sum", "histogram"}:
        data.aggregation_temporality = 2
    facts = attributes(point.pop("attributes", {}))
    data.data_points.add(time_unix_nano=START, attributes=facts, **point)
    return made


async def test_metrics_show_the_latest_value_of_each_series(viewer: Viewer) -> None:
    await viewer.measure(
        _metric("pool.idle", "gauge", as_int=3, attributes={"state": "idle"}),
        _metric("pool.idle", "gauge", as_int=1, attributes={"state": "used"}),
        _metric("bytes", "sum", as_int=2**60),
        _metric("duration", "histogram", count=4, sum=2.0, min=0.1, max=1.0),
        _metric("odd", "exponential_histogram", count=2),
        _metric("old", "summary", count=2, sum=1.0),
        Metric(name="without data"),
    )
    await viewer.measure(_metric("pool.idle", "gauge", as_double=2.5, attributes={"state": "idle"}))
    shown = (await viewer.http.get("/api/metrics")).json()
    numbers = {(one["name"], str(one["attributes"])): one["value"] for one in shown[:4]}
    assert numbers == {
        ("bytes", "{}"): str(2**60),
        ("duration", "{}"): None,
        ("odd", "{}"): None,
        ("old", "{}"): None,
    }
    by_state = {one["attributes"].get("state"): one["value"] for one in shown}
    assert (by_state["idle"], by_state["used"]) == (2.5, 1)
    [histogram] = [one for one in shown if one["name"] == "duration"]
    assert [histogram[key] for key in ("count", "sum", "avg", "min", "max")] == [4, 2, 0.5, 0.1, 1]
    assert (histogram["temporality"], histogram["unit"]) == ("cumulative", "s")
    assert [one["avg"] for one in shown if one["name"] in {"odd", "old"}] == [None, 0.5]


async def test_metrics_in_json_are_shown_in_the_same_way(viewer: Viewer) -> None:
    points = [{"asInt": "7", "timeUnixNano": "5"}]
    metrics = [
        {"name": "count", "sum": {"dataPoints": points, "aggregationTemporality": 1}},
        {"name": "wide", "histogram": {"dataPoints": [{"count": "2", "sum": 3}]}},
    ]
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
    response = await viewer.http.post("/v1/metrics", json=body, headers={"content-type": JSON})
    assert response.status_code == 200
    shown = (await viewer.http.get("/api/metrics")).json()
    assert [(one["value"], one["avg"], one["temporality"]) for one in shown] == [
        (7, None, "delta"),
        (None, 1.5, ""),
    ]


async def test_the_table_of_metrics_is_limited(viewer: Viewer) -> None:
    many = [_metric("m", "gauge", as_int=n, attributes={"n": n}) for n in range(SERIES + 10)]
    huge = _metric("huge", "gauge", as_int=1, attributes={"text": "x" * 20_000})
    await viewer.measure(*many, huge)
    shown = (await viewer.http.get("/api/metrics")).json()
    assert len(shown) == SERIES
    assert "huge" not in {one["name"] for one in shown}


async def test_background_work_is_listed_only_if_asked_for(viewer: Viewer) -> None:
    await viewer.send(
        request(1, "/api/one"),
        span(2, "sweep", trace="02" * 16),
        span(3, "child of the sweep", trace="02" * 16, parent=2),
        span(4, "poll", trace="04" * 16, kind=3),
        span(5, "consume", trace="05" * 16, kind=5),
        span(6, "late child", trace="06" * 16, parent=99),
    )
    linked = span(7, "after a request", trace="07" * 16)
    linked.links.add(trace_id=bytes(16), span_id=bytes(8))
    await viewer.send(linked)
    response = await viewer.http.get("/api/traces")
    assert {one["name"] for one in response.json()} == {
        *("GET /api/one", "consume", "late child", "after a request"),
    }
    assert response.headers["hidden-traces"] == "2"
    response = await viewer.http.get("/api/traces", params={"background": "1"})
    assert {one["name"] for one in response.json() if one["background"]} == {"sweep", "poll"}
    assert response.headers["hidden-traces"] == "0"
    [found] = (await viewer.http.get("/api/traces", params={"trace_id": "02" * 16})).json()
    assert found["name"] == "sweep"
