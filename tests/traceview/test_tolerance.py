"""The receiver with imperfect senders: a faulty item never costs the others of its request."""

import base64
import copy
import gzip
import itertools
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from samples import JSON, START, TRACE, Viewer, field, line, pack, pack_logs, pack_metrics, span

from traceview.decompression import INFLATED_BYTES, MEMBERS

VALUES = [
    {"key": "text", "value": {"stringValue": "café"}},
    {"key": "number", "value": {"intValue": "42"}},
    {"key": "list", "value": {"arrayValue": {"values": [{"doubleValue": 1.5}]}}},
    {"key": "map", "value": {"kvlistValue": {"values": [{"key": "a", "value": {}}]}}},
    {"key": "bytes", "value": {"bytesValue": "AAH/"}},
    {"key": "yes", "value": {"boolValue": True}},
]
POINT = {
    "attributes": VALUES,
    "timeUnixNano": str(START),
    "count": "2",
    "sum": 3,
    "min": 1,
    "max": 2,
    "startTimeUnixNano": str(START),
    "explicitBounds": [1.5],
    "bucketCounts": ["1", "0"],
    "positive": {"offset": 1, "bucketCounts": ["1"]},
    "scale": 1,
    "exemplars": [
        {
            "filteredAttributes": VALUES[:1],
            "timeUnixNano": str(START),
            "asDouble": 1.5,
            "traceId": TRACE,
            "spanId": "01" * 8,
        }
    ],
}
# A complete item of each signal.
ITEMS: dict[str, dict[str, Any]] = {
    "traces": {
        "traceId": TRACE,
        "spanId": "01" * 8,
        "parentSpanId": "02" * 8,
        "name": "first",
        "kind": 2,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + 1),
        "attributes": VALUES,
        "droppedAttributesCount": 1,
        "events": [{"name": "e", "timeUnixNano": str(START), "attributes": VALUES}],
        "droppedEventsCount": 1,
        "links": [{"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": VALUES}],
        "droppedLinksCount": 1,
        "status": {"code": 2, "message": "no"},
    },
    "logs": {
        "timeUnixNano": str(START),
        "observedTimeUnixNano": str(START),
        "severityNumber": 9,
        "severityText": "INFO",
        "eventName": "named",
        "body": {"kvlistValue": {"values": VALUES}},
        "attributes": VALUES,
        "traceId": TRACE,
        "spanId": "01" * 8,
    },
    "metrics": {
        "name": "first",
        "unit": "s",
        "description": "what it is",
        "histogram": {"dataPoints": [POINT], "aggregationTemporality": 2},
    },
}
NAMES = {
    "traces": ("resourceSpans", "scopeSpans", "spans", "rejectedSpans"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords", "rejectedLogRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics", "rejectedDataPoints"),
}
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]}
SCOPE = {"name": "scope", "version": "1", "attributes": VALUES}

Path = tuple[str | int, ...]


def _request(signal: str, *items: Any, resource: Any = RESOURCE, scope: Any = SCOPE) -> Any:
    resources, scopes, names, _ = NAMES[signal]
    return {resources: [{"resource": resource, scopes: [{"scope": scope, names: list(items)}]}]}


def _paths(tree: Any, above: Path = ()) -> Iterator[Path]:
    """Yield the path of every value inside a JSON value."""
    steps = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for step, below in steps:
        yield (*above, step)
        if isinstance(below, dict | list):
            yield from _paths(below, (*above, step))


def _with(tree: Any, path: Path, value: Any) -> Any:
    changed = copy.deepcopy(tree)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return changed


_numbers = itertools.count(1)


def _other(signal: str) -> tuple[dict[str, Any], str]:
    """Return a valid item that no request had before, and its trace id or name."""
    key = f"{next(_numbers):032x}"
    if signal == "metrics":
        return {"name": key, "gauge": {"dataPoints": [{"asDouble": 1}]}}, key
    return {"traceId": key, "spanId": "03" * 8, "name": "other"}, key


async def _keeps(viewer: Viewer, signal: str, key: str) -> bool:
    """Whether the item from _other is stored."""
    if signal == "metrics":
        return key in [one["name"] for one in (await viewer.http.get("/api/metrics")).json()]
    response = await viewer.http.get(f"/api/traces/{key}")
    return response.status_code == 200 and bool(response.json()["spans"] + response.json()["logs"])


@pytest.mark.parametrize("signal", ITEMS)
async def test_a_null_field_is_unset_at_every_level(viewer: Viewer, signal: str) -> None:
    required = {"traceId", "spanId"} if signal == "traces" else set()
    resources, scopes, names, rejections = NAMES[signal]
    holders = (resources, 0, scopes, 0, names)
    whole = _request(signal, ITEMS[signal])
    for path in _paths(whole):
        other, key = _other(signal)
        changed = _with(whole, path, None)
        is_empty = path == holders[: len(path)]  # no list of items is left
        if not is_empty:
            changed[resources][0][scopes][0][names].append(other)
        response = await viewer.post(signal, json.dumps(changed).encode(), JSON)
        assert response.status_code == 200, (path, response.text)
        is_lost = path[-1] in required and len(path) == 7
        assert (rejections in response.json().get("partialSuccess", {})) == is_lost, path
        assert is_empty or await _keeps(viewer, signal, key), path


async def test_null_fields_have_the_values_of_missing_ones(viewer: Viewer) -> None:
    first = ITEMS["traces"]
    kept = {"traceId", "spanId", "startTimeUnixNano"}
    nulls = {name: value if name in kept else None for name, value in first.items()}
    absent = {name: value for name, value in first.items() if name in kept}
    shown = []
    for one in (nulls, absent):
        body = json.dumps(_request("traces", one, resource=None, scope=None)).encode()
        assert (await viewer.post("traces", body, JSON)).json() == {}
        shown.append((await viewer.trace())["spans"])
    assert shown[0] == shown[1]
    assert shown[0][0]["kind"] == "UNSPECIFIED"
    assert shown[0][0]["resource"] == {}


ODD_TEXTS = [
    (rb"caf\ud83d!", "caf\ufffd!"),  # a lone high surrogate
    (rb"caf\uDE00!", "caf\ufffd!"),  # a lone low one
    (rb"\ude00\ud83d", "\ufffd\ufffd"),  # the wrong order
    (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
    (rb"\\ud83d \n", "\\ud83d \n"),  # an escaped backslash, and no surrogate
    (b"caf\xe9!", "caf\ufffd!"),  # Latin-1
    (b"caf\xc3", "caf\ufffd"),  # half of a character
    (b"\xed\xa0\xbd", "\ufffd\ufffd\ufffd"),  # a surrogate in UTF-8
    (b"\xff\xfe", "\ufffd\ufffd"),
]


@pytest.mark.parametrize(("sent", "shown"), ODD_TEXTS)
async def test_text_that_is_not_unicode_is_replaced_in_json(
    viewer: Viewer, sent: bytes, shown: str
) -> None:
    first, (other, key) = ITEMS["traces"], _other("traces")
    broken = {**first, "name": "@@", "attributes": [{"key": "@@", "value": {"stringValue": "@@"}}]}
    scope = {"name": "@@"}
    body = json.dumps(_request("traces", broken, other, resource=RESOURCE, scope=scope)).encode()
    response = await viewer.post("traces", body.replace(b"@@", sent), JSON)
    assert (response.status_code, response.json()) == (200, {})
    [one] = (await viewer.trace())["spans"]
    assert (one["name"], one["attributes"], one["scope"]["name"]) == (shown, {shown: shown}, shown)
    assert (await viewer.trace(key))["spans"][0]["name"] == "other"


@pytest.mark.parametrize("sent", [b"caf\xe9\xff", b"caf\xc3\xc3", b"ca\xed\xa0\xbd"])
async def test_text_that_is_not_utf8_is_replaced_in_protobuf(viewer: Viewer, sent: bytes) -> None:
    shown = sent.decode(errors="replace")
    broken = span(1, "@@@@@", **{"@@@@@": ["@@@@@", {"@@@@@": "@@@@@"}]})
    broken.status.message = "@@@@@"
    broken.events.add(name="@@@@@")
    body = pack(broken, span(2, "other"), service="@@@@@").replace(b"@@@@@", sent)
    response = await viewer.post("traces", body)
    assert ExportTraceServiceResponse.FromString(response.content) == ExportTraceServiceResponse()
    spans = {one["name"]: one for one in (await viewer.trace())["spans"]}
    assert set(spans) == {shown, "other"}
    assert spans["other"]["service"] == shown
    assert spans[shown]["attributes"] == {shown: [shown, {shown: shown}]}
    assert spans[shown]["status_message"] == spans[shown]["events"][0]["name"] == shown

    record = line("@@@@@", severity=0, a="@@@@@")
    record.severity_text = record.event_name = "@@@@@"
    logs = pack_logs(record, line("other")).replace(b"@@@@@", sent)
    assert (await viewer.post("logs", logs)).content == b""
    lines = (await viewer.trace())["logs"]
    assert sorted(one["body"] for one in lines) == sorted([shown, "other"])
    [one] = [one for one in lines if one["body"] == shown]
    assert one["severity"] == one["event_name"] == one["attributes"]["a"] == shown

    metric = Metric(name="@@@@@", unit="@@@@@", description="@@@@@")
    metric.gauge.data_points.add(as_int=1)
    metrics = pack_metrics(metric, metric).replace(b"@@@@@", sent)
    assert (await viewer.post("metrics", metrics)).content == b""
    [point] = (await viewer.http.get("/api/metrics")).json()
    assert point["name"] == point["unit"] == point["description"] == shown


@pytest.mark.parametrize(
    "written",
    [
        base64.b64encode(b"\xfb\xef\xff\x00").decode(),
        base64.urlsafe_b64encode(b"\xfb\xef\xff\x00").decode(),
        base64.b64encode(b"\xfb\xef\xff\x00").decode().rstrip("="),
        base64.urlsafe_b64encode(b"\xfb\xef\xff\x00").decode().rstrip("="),
    ],
)
async def test_bytes_are_accepted_in_every_base64(viewer: Viewer, written: str) -> None:
    first = {**ITEMS["traces"], "attributes": [{"key": "b", "value": {"bytesValue": written}}]}
    body = json.dumps(_request("traces", first)).encode()
    assert (await viewer.post("traces", body, JSON)).json() == {}
    [shown] = (await viewer.trace())["spans"]
    assert base64.b64decode(shown["attributes"]["b"]) == b"\xfb\xef\xff\x00"


@pytest.mark.parametrize(
    ("field", "written", "shown"),
    [
        ("startTimeUnixNano", 5, ("start_ns", "5")),
        ("startTimeUnixNano", "5", ("start_ns", "5")),
        ("startTimeUnixNano", 5e0, ("start_ns", "5")),
        ("startTimeUnixNano", "1e3", ("start_ns", "1000")),
        ("kind", 3, ("kind", "CLIENT")),
        ("kind", "3", ("kind", "CLIENT")),
        ("kind", "SPAN_KIND_CLIENT", ("kind", "CLIENT")),
        ("kind", 77, ("kind", "SPAN_KIND_77")),
        ("status", {"code": "STATUS_CODE_OK", "later": {}}, ("status", "OK")),
        ("traceId", TRACE.upper(), ("name", "first")),
        ("droppedLinksCount", "7", ("dropped", {"attributes": 1, "events": 1, "links": 7})),
        ("someFutureField", [{"deep": None}], ("name", "first")),
    ],
)
async def test_fields_are_read_as_protojson_defines(
    viewer: Viewer, field: str, written: Any, shown: tuple[str, Any]
) -> None:
    body = json.dumps(_request("traces", {**ITEMS["traces"], field: written})).encode()
    assert (await viewer.post("traces", body, JSON)).json() == {}
    [one] = (await viewer.trace())["spans"]
    assert one[shown[0]] == shown[1]


FAULTS: list[dict[str, Any]] = [
    {"name": 5},
    {"traceId": "zz" * 16},
    {"traceId": "ab"},
    {"spanId": None},
    {"startTimeUnixNano": "soon"},
    {"attributes": {"a": 1}},
    {"attributes": [{"key": "n", "value": {"intValue": "9" * 40}}]},
    {"attributes": [{"key": "b", "value": {"bytesValue": "not base64!"}}]},
    {"attributes": [{"key": "b", "value": {"bytesValue": "A"}}]},
    {"events": [5]},
    {"status": "STATUS_CODE_OK"},
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: json.dumps(fault)[:40])
async def test_a_span_with_a_fault_is_rejected_alone(viewer: Viewer, fault: dict[str, Any]) -> None:
    first, (other, key) = ITEMS["traces"], _other("traces")
    body = json.dumps(_request("traces", other, {**first, **fault}, other)).encode()
    response = await viewer.post("traces", body, JSON)
    assert response.status_code == 200
    assert response.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert response.json()["partialSuccess"]["errorMessage"]
    assert [trace["trace_id"] for trace in await viewer.search()] == [key]


@pytest.mark.parametrize("signal", ITEMS)
async def test_a_faulty_resource_or_scope_rejects_only_its_own_items(
    viewer: Viewer, signal: str
) -> None:
    first, (other, key) = ITEMS[signal], _other(signal)
    resources, scopes, names, rejections = NAMES[signal]
    bad = {"attributes": 5}
    good_scope, bad_scope = ({"scope": one, names: [first]} for one in ({}, bad))
    groups = [
        {"resource": bad, scopes: [good_scope]},
        {"resource": {}, scopes: [bad_scope, {"scope": {}, names: [other]}]},
    ]
    response = await viewer.post(signal, json.dumps({resources: groups}).encode(), JSON)
    assert response.json()["partialSuccess"][rejections] == "2"
    assert await _keeps(viewer, signal, key)


async def test_an_item_that_is_not_protobuf_is_rejected_alone(viewer: Viewer) -> None:
    bad = span(7, "@@@@")
    damaged = b"\x2a\x04@@@@", b"\x2a\x7f@@@@"  # the length of the name exceeds the span
    response = await viewer.post("traces", pack(span(1), bad, span(2)).replace(*damaged))
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert (partial.rejected_spans, partial.error_message[:20]) == (1, "not OTLP in protobuf")
    assert len((await viewer.trace())["spans"]) == 2

    record = line("fine", text="@@@@")
    response = await viewer.post(
        "logs", pack_logs(line("a"), record).replace(b"\x04@@@@", b"\x7f@@@@")
    )
    rejected = ExportLogsServiceResponse.FromString(response.content).partial_success
    assert rejected.rejected_log_records == 1

    bad_metric, metric = Metric(name="@@@@"), Metric(name="fine")
    for one in (bad_metric, metric):
        one.gauge.data_points.add(as_int=1)
    body = pack_metrics(bad_metric, metric).replace(b"\x0a\x04@@@@", b"\x0a\x7f@@@@")
    counted = ExportMetricsServiceResponse.FromString((await viewer.post("metrics", body)).content)
    assert counted.partial_success.rejected_data_points == 1
    assert [one["name"] for one in (await viewer.http.get("/api/metrics")).json()] == ["fine"]


HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec=None), max_size=5),  # with surrogates
    st.sampled_from(["NaN", "1e3", "", "=", "ab" * 16, "SPAN_KIND_CLIENT", [], {}, [None], [[[]]]]),
)
RELAXED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize("signal", ITEMS)
@RELAXED
@given(data=st.data())
async def test_no_value_in_a_json_item_costs_the_others(
    viewer: Viewer, signal: str, data: st.DataObject
) -> None:
    first, (other, key) = ITEMS[signal], _other(signal)
    changed = first
    for path in data.draw(st.lists(st.sampled_from([*_paths(first)]), min_size=1, max_size=3)):
        try:
            changed = _with(changed, path, data.draw(HOSTILE))
        except (TypeError, IndexError, KeyError):
            continue  # an earlier change removed this place
    body = json.dumps(_request(signal, other, changed, other)).encode()
    response = await viewer.post(signal, body, JSON)
    assert response.status_code == 200, response.text
    rejected = int(response.json().get("partialSuccess", {}).get(NAMES[signal][3], 0))
    assert rejected in {0, 1}
    assert await _keeps(viewer, signal, key)


@RELAXED
@given(data=st.data())
async def test_no_bytes_in_a_protobuf_span_cost_the_others(
    viewer: Viewer, data: st.DataObject
) -> None:
    good = span(1, "damaged", a=[1, {"b": b"c", "d": "é"}], e=1.5)
    good.events.add(name="happened", time_unix_nano=START)
    written = bytearray(good.SerializeToString())
    places = st.integers(0, len(written) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=6)):
        written[place] = data.draw(st.integers(0, 255))
    del written[data.draw(places) if data.draw(st.booleans()) else len(written) :]
    key = f"{next(_numbers):032x}"
    other = span(2, "other", trace=key)
    body = pack(other) + field(0x0A, field(0x12, field(0x12, bytes(written)))) + pack(other)
    response = await viewer.post("traces", body)
    assert response.status_code == 200, response.content
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert partial.rejected_spans in {0, 1}
    assert await _keeps(viewer, "traces", key)


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", lambda body: b"".join(map(gzip.compress, (body[:9], b"", body[9:])))),
        ("x-gzip", lambda body: gzip.compress(body[:1]) + gzip.compress(body[1:], compresslevel=0)),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("", bytes),
    ],
)
async def test_a_body_in_several_gzip_members_is_complete(
    viewer: Viewer, encoding: str, encode: Callable[[bytes], bytes]
) -> None:
    body = encode(pack(span(1, "first", text="x" * 200_000), span(2, "second")))
    response = await viewer.post("traces", body, **{"content-encoding": encoding})
    assert response.status_code == 200, response.content
    assert len((await viewer.trace())["spans"]) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (gzip.compress(b"\0") * (MEMBERS + 1), 413),
        (gzip.compress(b"\0" * (INFLATED_BYTES // 2), 1) * 3, 413),
        (gzip.compress(b"") + gzip.compress(b"")[:-1], 400),
        (gzip.compress(b"") + b"\0", 400),
    ],
    ids=["members", "size", "truncated", "trailing"],
)
async def test_gzip_members_are_limited_and_checked(
    viewer: Viewer, body: bytes, status: int
) -> None:
    response = await viewer.post("traces", body, **{"content-encoding": "gzip"})
    assert response.status_code == status
    assert Status.FromString(response.content).message
