"""The OTLP receiver: both formats, every encoding, and rejected requests."""

import base64
import gzip
import json
import math
import random
import zlib
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from samples import (
    JSON,
    MS,
    PROTOBUF,
    START,
    TRACE,
    Viewer,
    attributes,
    field,
    line,
    pack,
    pack_logs,
    span,
)

from traceview.decompression import BODY_BYTES, INFLATED_BYTES
from traceview.otlp import TEXT_CHARS, VALUE_DEPTH
from traceview.otlp_protobuf import PART_BYTES

JSON_SPAN = {
    "traceId": TRACE.upper(),
    "spanId": "eee19b7ec3c1b174",
    "parentSpanId": "",
    "name": "GET /api/activities/home",
    "kind": 2,
    "startTimeUnixNano": str(START),
    "endTimeUnixNano": START + 5 * MS,
    "attributes": [
        {"key": "text", "value": {"stringValue": "null"}},
        {"key": "yes", "value": {"boolValue": True}},
        {"key": "number", "value": {"intValue": "42"}},
        {"key": "large", "value": {"intValue": "9223372036854775807"}},
        {"key": "ratio", "value": {"doubleValue": 0.25}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "bytes", "value": {"bytesValue": "AAH/"}},
        {"key": "list", "value": {"arrayValue": {"values": [{"intValue": 1}, {}]}}},
        {
            "key": "map",
            "value": {"kvlistValue": {"values": [{"key": "a", "value": {"stringValue": "b"}}]}},
        },
        {"key": "nothing", "value": {}},
    ],
    "events": [{"name": "woke", "timeUnixNano": str(START + MS), "attributes": None}],
    "links": [{"traceId": "ab" * 16, "spanId": "cd" * 8}],
    "status": {"code": "STATUS_CODE_ERROR", "message": "no"},
    "someFutureField": {"ignored": [1, 2, 3]},
}


def _json(*spans: dict[str, Any]) -> bytes:
    scoped = [{"scope": {"name": "asgi"}, "spans": list(spans)}]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "web"}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scoped}]}).encode()


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
    ],
)
async def test_protobuf_is_accepted_in_every_encoding(
    viewer: Viewer, encoding: str, encode: Any
) -> None:
    body = encode(pack(span(1, "SELECT activities.home", kind=3)))
    response = await viewer.post("traces", body, **{"content-encoding": encoding})
    assert response.status_code == 200
    assert response.headers["content-type"] == PROTOBUF
    assert ExportTraceServiceResponse.FromString(response.content) == ExportTraceServiceResponse()
    [shown] = (await viewer.trace())["spans"]
    assert (shown["name"], shown["kind"]) == ("SELECT activities.home", "CLIENT")
    assert shown["scope"] == {"name": "cruddur.db", "version": "1.2", "attributes": {}}
    assert shown["resource"] == {"service.name": "cruddur"}


async def test_json_is_accepted_with_hex_ids_and_numbers_as_text(viewer: Viewer) -> None:
    body = gzip.compress(_json(JSON_SPAN))
    response = await viewer.post(
        "traces", body, f"{JSON}; charset=utf-8", **{"content-encoding": "gzip"}
    )
    assert (response.status_code, response.json()) == (200, {})
    assert response.headers["content-type"] == JSON
    trace = await viewer.trace()
    [shown] = trace["spans"]
    assert (shown["span_id"], shown["parent_span_id"]) == ("eee19b7ec3c1b174", None)
    assert (shown["kind"], shown["status"], shown["status_message"]) == ("SERVER", "ERROR", "no")
    assert (shown["start_ns"], shown["duration_ms"]) == (str(START), 5)
    assert shown["service"] == "web"
    assert shown["events"] == [
        {"name": "woke", "time_ns": str(START + MS), "offset_ms": 1, "attributes": {}}
    ]
    assert shown["links"] == [
        {"trace_id": "ab" * 16, "span_id": "cd" * 8, "attributes": {}, "here": False}
    ]
    assert shown["attributes"] == {
        "text": "null",
        "yes": True,
        "number": 42,
        "large": "9223372036854775807",
        "ratio": 0.25,
        "nan": "NaN",
        "bytes": "AAH/",
        "list": [1, None],
        "map": {"a": "b"},
        "nothing": None,
    }


async def test_attributes_keep_their_types(viewer: Viewer) -> None:
    sent = {
        "text": "<script>alert(1)</script>",
        "empty": "",
        "yes": True,
        "no": False,
        "zero": 0,
        "edge": 2**53 - 1,
        "nested": {"list": [1, 2.5, "three", [True, None]], "map": {"deep": {"er": "x"}}},
    }
    special = {
        "largest": 2**63 - 1,
        "smallest": -(2**63),
        "beyond": 2**53,
        "endless": math.inf,
        "bytes": b"\x00\xff\xfe",
    }
    await viewer.send(span(1, **sent, **special))
    [shown] = (await viewer.trace())["spans"]
    assert shown["attributes"] == {
        **sent,
        "largest": "9223372036854775807",
        "smallest": "-9223372036854775808",
        "beyond": "9007199254740992",
        "endless": "Infinity",
        "bytes": base64.b64encode(b"\x00\xff\xfe").decode(),
    }
    assert shown["attributes"]["yes"] is True
    assert isinstance(shown["attributes"]["zero"], int)


KINDS = [
    "UNSPECIFIED",
    "INTERNAL",
    "SERVER",
    "CLIENT",
    "PRODUCER",
    "CONSUMER",
    "SPAN_KIND_6",  # unknown to this version of the protocol
]


@pytest.mark.parametrize("kind", KINDS)
async def test_every_span_kind_is_stored(viewer: Viewer, kind: str) -> None:
    written = span(1, kind=0).SerializeToString() + bytes([6 << 3, KINDS.index(kind)])
    await viewer.send(Span.FromString(written))
    assert [one["kind"] for one in (await viewer.trace())["spans"]] == [kind]


async def test_data_dropped_by_the_sender_is_reported(viewer: Viewer) -> None:
    sent = span(1)
    sent.dropped_attributes_count, sent.dropped_links_count = 3, 1
    await viewer.send(sent)
    [shown] = (await viewer.trace())["spans"]
    assert shown["dropped"] == {"attributes": 3, "links": 1}


@pytest.mark.parametrize("signal", ["traces", "logs", "metrics"])
async def test_an_empty_request_gets_a_response_in_its_format(viewer: Viewer, signal: str) -> None:
    response = await viewer.post(signal, b"")
    assert (response.status_code, response.content) == (200, b"")
    response = await viewer.post(signal, b"{}", JSON)
    assert (response.status_code, response.content) == (200, b"{}")


@pytest.mark.parametrize(
    ("body", "form", "headers", "status"),
    [
        (b"hello", PROTOBUF, {}, 400),
        (pack(span(1))[:-3], PROTOBUF, {}, 400),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", PROTOBUF, {}, 400),
        (b"", JSON, {}, 400),
        (b"[]", JSON, {}, 400),
        (b'{"resourceSpans": 1}', JSON, {}, 400),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\xff"}]}]}]}', JSON, {}, 400),
        (_json({**JSON_SPAN, "traceId": "not hex"}), JSON, {}, 400),
        (_json({**JSON_SPAN, "spanId": "00" * 8}), JSON, {}, 400),
        (
            _json({**JSON_SPAN, "attributes": [{"key": "n", "value": {"intValue": "9" * 40}}]}),
            JSON,
            {},
            400,
        ),
        (b"not gzip", PROTOBUF, {"content-encoding": "gzip"}, 400),
        (gzip.compress(pack(span(1)))[:-4], PROTOBUF, {"content-encoding": "gzip"}, 400),
        (gzip.compress(pack(span(1))) + b"more", PROTOBUF, {"content-encoding": "gzip"}, 400),
        (pack(span(1)), PROTOBUF, {"content-encoding": "br"}, 415),
        (pack(span(1)), "text/plain", {}, 415),
        (pack(span(1)), "", {}, 415),
    ],
)
async def test_a_malformed_request_is_rejected_completely(
    viewer: Viewer, body: bytes, form: str, headers: dict[str, str], status: int
) -> None:
    response = await viewer.post("traces", body, form, **headers)
    assert response.status_code == status
    if form == JSON:
        assert response.json()["code"] == 3
        assert response.json()["message"]
    else:
        refusal = Status.FromString(response.content)
        assert refusal.code == 3
        assert refusal.message
    assert await viewer.search() == []


async def test_valid_parts_of_a_request_are_stored_and_invalid_ones_counted(viewer: Viewer) -> None:
    huge = span(2, text="x" * PART_BYTES)
    nameless = span(3)
    nameless.trace_id = b"short"
    response = await viewer.post("traces", pack(span(1), huge, nameless))
    partial = ExportTraceServiceResponse.FromString(response.content).partial_success
    assert partial.rejected_spans == 2
    assert str(PART_BYTES) in partial.error_message
    response = await viewer.post("traces", _json(JSON_SPAN, {**JSON_SPAN, "spanId": "zz"}), JSON)
    assert response.json()["partialSuccess"]["rejectedSpans"] == "1"
    bad = line("out of any trace")
    bad.span_id = b"short"
    response = await viewer.post("logs", pack_logs(line("fine"), bad))
    rejected = ExportLogsServiceResponse.FromString(response.content).partial_success
    assert rejected.rejected_log_records == 1
    health = (await viewer.http.get("/healthz")).json()
    assert health["received"] == {"requests": 3, "items": 3, "rejected": 4, "refused": 0}


async def test_a_request_that_is_too_large_is_rejected(viewer: Viewer) -> None:
    response = await viewer.post("traces", b"\x00" * (BODY_BYTES + 1))
    assert response.status_code == 413
    bomb = gzip.compress(b"\x00" * (INFLATED_BYTES + 1), compresslevel=1)
    assert len(bomb) < BODY_BYTES
    response = await viewer.post("traces", bomb, **{"content-encoding": "gzip"})
    assert response.status_code == 413
    assert Status.FromString(response.content).code == 8
    await viewer.send(span(1))
    assert len(await viewer.search()) == 1


@pytest.mark.parametrize(
    ("bound", "body", "form"),
    [
        ("traceview.otlp_protobuf.FIELDS", b"\x0a\x00" * 21, PROTOBUF),
        ("traceview.receiver.ITEMS", pack(*[span(1)] * 21), PROTOBUF),
        ("traceview.receiver.ITEMS", _json(*[JSON_SPAN] * 21), JSON),
        ("traceview.receiver.TAKEN_BYTES", pack(span(1)), PROTOBUF),
        ("traceview.otlp_json.OBJECTS", b'{"resourceSpans": [' + b"{}," * 20 + b"{}]}", JSON),
    ],
)
async def test_bodies_that_would_expand_in_memory_are_rejected(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch, bound: str, body: bytes, form: str
) -> None:
    monkeypatch.setattr(bound, 20)
    assert (await viewer.post("traces", body, form)).status_code == 413
    assert await viewer.search() == []


async def test_nesting_is_limited(viewer: Viewer) -> None:
    deep: Any = "the end"
    for _ in range(VALUE_DEPTH + 4):
        deep = [deep]
    await viewer.send(span(1, deep=deep))
    found = (await viewer.trace())["spans"][0]["attributes"]["deep"]
    for _ in range(VALUE_DEPTH):
        [found] = found
    assert found == "…"
    opening, closing = b'{"arrayValue":{"values":[', b"]}}"
    nested = b'{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":%s}]}}]}' % (
        opening * 50_000 + b"{}" + closing * 50_000
    )
    assert (await viewer.post("traces", nested, JSON)).status_code == 400
    levels = b""
    for _ in range(3_000):  # nested lists, encoded by hand because the library limits the depth
        levels = field(0x2A, field(0x0A, levels))
    written = field(0x4A, field(0x12, levels))
    scoped = field(0x12, span(1).SerializeToString() + written)
    response = await viewer.post("traces", field(0x0A, field(0x12, scoped)))
    assert response.status_code == 400


async def test_long_texts_are_truncated_with_a_note(viewer: Viewer) -> None:
    await viewer.send(span(1, text="x" * (TEXT_CHARS + 5)))
    text = (await viewer.trace())["spans"][0]["attributes"]["text"]
    assert text == "x" * TEXT_CHARS + f"… ({TEXT_CHARS + 5} characters)"


async def test_a_resource_after_its_spans_is_found(viewer: Viewer) -> None:
    made = ExportTraceServiceRequest()
    made.resource_spans.add().scope_spans.add().spans.append(span(1))
    named = ExportTraceServiceRequest()
    named.resource_spans.add().resource.attributes.extend(attributes({"service.name": "late"}))
    group = made.resource_spans[0].SerializeToString() + named.resource_spans[0].SerializeToString()
    assert (await viewer.post("traces", field(0x0A, group))).status_code == 200
    assert [trace["service"] for trace in await viewer.search()] == ["late"]


async def test_random_bodies_cause_no_server_error(viewer: Viewer) -> None:
    chance = random.Random(20261103)
    good = {
        PROTOBUF: pack(*(span(n, f"span {n}", a=[1, {"b": b"c"}]) for n in range(1, 6))),
        JSON: _json(JSON_SPAN),
    }
    seen = set()
    for _ in range(70):
        for form, body in good.items():
            mutated = bytearray(body)
            for _ in range(chance.randint(1, 6)):
                mutated[chance.randrange(len(mutated))] = chance.randrange(256)
            noise = chance.randbytes(chance.randrange(200))
            for one in (bytes(mutated), body[: chance.randrange(len(body))], noise):
                signal = chance.choice(["traces", "traces", "logs", "metrics"])
                encoding = chance.choice(["identity", "identity", "identity", "gzip", "deflate"])
                response = await viewer.post(signal, one, form, **{"content-encoding": encoding})
                seen.add(response.status_code)
    assert seen == {200, 400}
    for summary in await viewer.search():
        await viewer.trace(summary["trace_id"])
    assert (await viewer.http.get("/api/metrics")).status_code == 200
    assert (await viewer.http.get("/healthz")).json()["status"] == "ok"
