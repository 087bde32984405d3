"""Downloads as OTLP in JSON and as CSV, and uploads of files."""

import csv
import gzip
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from samples import START, TRACE, Viewer, attributes, client, line, request, span

from traceview.storage.file import TraceFile
from traceview.storage.retention import FileBounds
from traceview.transfer_api import UPLOAD_BYTES

VALUES: dict[str, Any] = {
    "text": "Grüße \x00 \"' 😀\n",
    "empty": "",
    "int": 7,
    "large": 2**62,
    "float": 0.5,
    "whole": 2.0,
    "infinite": float("-inf"),
    "flag": True,
    "list": ["a", 1, None, {"b": [2.5, False]}],
    "map": {"deep": {"er": "x"}},
    "nothing": None,
    "": "no name",
    "http.route": "/a",
}


def _trace() -> tuple[list[Span], list[LogRecord]]:
    failed = span(2, "child", parent=1, start=1, kind=3, error=True, **VALUES)
    failed.events.add(name="exception", time_unix_nano=START + 5).attributes.extend(
        attributes({"exception.type": "Boom", "attempt": 1})
    )
    failed.links.add(trace_id=bytes.fromhex("cd" * 16), span_id=b"12345678")
    failed.dropped_attributes_count = 3
    failed.dropped_links_count = 1
    backwards = span(3, "backwards", parent=1)
    backwards.end_time_unix_nano = START - 5
    unknown = span(4, "odd", parent=99)
    unknown.kind = 9  # type: ignore[assignment]
    lines = [
        line("said", of=2, attempt=1),
        line({"a": [1, None]}, at=2, severity=17),
        line(None, at=3, severity=0),
    ]
    return [span(1, "GET /a", kind=2, ms=9), failed, backwards, unknown], lines


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Viewer]:
    """Another explorer with a file."""
    file = TraceFile(tmp_path / "empty.duckdb", FileBounds())
    async with client(file=file) as http:
        yield Viewer(http)
    file.close()


async def _download(viewer: Viewer, path: str, **arguments: str) -> httpx.Response:
    response = await viewer.http.get(path, params=arguments)
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    return response


async def _upload(viewer: Viewer, data: bytes | str, **headers: str) -> dict[str, Any]:
    response = await viewer.http.post("/api/upload", content=data, headers=headers)
    assert response.status_code == 200, response.text
    uploaded: dict[str, Any] = response.json()
    return uploaded


async def test_a_downloaded_trace_is_the_same_after_its_upload(
    viewer: Viewer, explorer: Viewer, empty: Viewer
) -> None:
    spans, lines = _trace()
    for sender in (viewer, explorer):
        await sender.send(*spans[:2])
        await sender.send(*spans[2:], service="worker")
        await sender.log(*lines)
    shown = await viewer.trace()
    assert await explorer.trace() == shown
    file = await _download(viewer, f"/api/traces/{TRACE}.jsonl")
    assert f'"trace-{TRACE}.jsonl"' in file.headers["content-disposition"]
    assert await _upload(empty, file.content) == {
        "spans": 4,
        "logs": 3,
        "points": 0,
        "rejected": 0,
        "reason": "",
        "traces": [TRACE],
    }
    assert await empty.trace() == shown
    again = await _download(empty, f"/api/traces/{TRACE}.jsonl")
    assert again.content == file.content
    # The same file again changes nothing.
    assert (await _upload(empty, file.content))["spans"] == 4
    assert await empty.rows("| count with background") == [[4]]
    await empty.http.delete("/api/traces")
    await _upload(empty, file.content)
    assert await empty.trace() == shown


async def test_a_trace_from_the_file_is_downloaded_too(tmp_path: Path) -> None:
    path = tmp_path / "traces.duckdb"
    spans, lines = _trace()
    file = TraceFile(path, FileBounds())
    async with client(file=file) as http:
        await Viewer(http).send(*spans)
        await Viewer(http).log(*lines)
        shown = await Viewer(http).trace()
        # It leaves the memory of the next explorer, and stays in the file.
        await Viewer(http).send(*(request(number, f"/{number}") for number in range(1, 600)))
        assert TRACE not in {one["trace_id"] for one in await Viewer(http).search(limit="999")}
        found = await _download(Viewer(http), f"/api/traces/{TRACE}.jsonl")
    file.close()
    async with client() as http:
        await _upload(Viewer(http), found.content)
        assert await Viewer(http).trace() == shown


async def test_the_first_line_of_a_download_is_otlp(viewer: Viewer) -> None:
    spans, lines = _trace()
    await viewer.send(*spans)
    await viewer.log(*lines)
    found = await _download(viewer, f"/api/traces/{TRACE}.jsonl")
    first, second = [json.loads(one) for one in found.content.splitlines()]
    assert [list(first), list(second)] == [["resourceSpans"], ["resourceLogs"]]
    # Another receiver accepts it: ids are hex in OTLP, and base64 in protobuf's own JSON.
    [resource] = first["resourceSpans"]
    for one in resource["scopeSpans"][0]["spans"]:
        assert set(one) <= {field.json_name for field in Span.DESCRIPTOR.fields}
    assert set(resource) <= {
        field.json_name
        for field in ExportTraceServiceRequest().resource_spans.add().DESCRIPTOR.fields
    }
    await viewer.http.delete("/api/traces")
    response = await viewer.post("traces", found.content.splitlines()[0], "application/json")
    assert (response.status_code, response.json()) == (200, {})


async def test_a_trace_is_downloaded_as_csv(viewer: Viewer) -> None:
    await viewer.send(
        span(1, "GET /a", kind=2, ms=9),
        span(2, '=HYPERLINK("http://x","y")', parent=1, start=1, ms=4, a='x, "y"\n'),
    )
    found = await _download(viewer, f"/api/traces/{TRACE}.csv")
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(found.text)))
    assert rows[0] == {
        "trace_id": TRACE,
        "span_id": f"{1:016x}",
        "parent_span_id": "",
        "depth": "0",
        "name": "GET /a",
        "kind": "SERVER",
        "service": "cruddur",
        "start": "2025-11-03T10:00:00.000000000Z",
        "duration [ms]": "9.0",
        "self_time [ms]": "5.0",
        "critical_path [ms]": "5.0",
        "status": "UNSET",
        "status_message": "",
        "attributes": "{}",
    }
    # A spreadsheet must not take what was received for a formula.
    assert rows[1]["name"] == '\'=HYPERLINK("http://x","y")'
    assert json.loads(rows[1]["attributes"]) == {"a": 'x, "y"\n'}


async def test_a_trace_that_does_not_exist_cannot_be_downloaded(viewer: Viewer) -> None:
    for form in ("jsonl", "csv"):
        assert (await viewer.http.get(f"/api/traces/{TRACE}.{form}")).status_code == 404


RANGE = {"since": "2025-11-03T09:55:00Z", "until": "2025-11-03T10:05:00Z"}


async def test_the_result_of_a_query_is_downloaded_as_csv(explorer: Viewer) -> None:
    await explorer.send(
        request(1, "/a", ms=10), request(2, "/a", ms=20), request(3, "@b", ms=5, error=True)
    )
    text = "from roots | max(duration), count by route"
    found = await _download(explorer, "/api/query.csv", q=text, **RANGE)
    assert found.text == "route,max(duration) [ms],count\r\n/a,20.0,2\r\n'@b,5.0,1\r\n"
    found = await _download(explorer, "/api/query.csv", q="where error limit 1", **RANGE)
    [row] = csv.DictReader(io.StringIO(found.text))
    assert row["time"] == "2025-11-03T10:00:00.003000000Z"
    response = await explorer.http.get("/api/query.csv", params={"q": "where"})
    assert (response.status_code, response.json()["position"]) == (400, 5)


async def test_the_spans_and_log_lines_of_a_query_are_downloaded_as_otlp(
    explorer: Viewer, empty: Viewer
) -> None:
    spans, lines = _trace()
    await explorer.send(*spans, *(request(number, "/other") for number in range(1, 4)))
    await explorer.log(*lines, line("outside of a trace", trace="00" * 16, of=0))
    shown = await explorer.trace()
    texts = {f"where trace_id = '{TRACE}'": 4, "from logs where attempt = 1": 1}
    for text, count in texts.items():
        found = await _download(explorer, "/api/query.jsonl", q=text, **RANGE)
        uploaded = await _upload(empty, found.content)
        assert uploaded["spans"] + uploaded["logs"] == count
    again = await empty.trace()
    assert again["spans"] == shown["spans"]
    assert again["logs"] == [one for one in shown["logs"] if one["body"] == "said"]
    slowest = await _download(
        explorer, "/api/query.jsonl", q="where kind = server order by duration limit 1", **RANGE
    )
    assert [one["name"] for one in _spans(slowest.content)] == ["GET /a"]
    nothing = await _download(explorer, "/api/query.jsonl", q="where name = nothing", **RANGE)
    assert nothing.content == b""
    for text in ("count by route", "| count", "from metrics"):
        response = await explorer.http.get("/api/query.jsonl", params={"q": text, **RANGE})
        assert response.status_code == 400


def _spans(data: bytes) -> list[dict[str, Any]]:
    return [
        one
        for text in data.splitlines()
        for resource in json.loads(text)["resourceSpans"]
        for scoped in resource["scopeSpans"]
        for one in scoped["spans"]
    ]


def _resource(*numbers: int, **more: Any) -> dict[str, Any]:
    spans = [
        {"traceId": TRACE, "spanId": f"{number:016x}", "name": f"span {number}", **more}
        for number in numbers
    ]
    return {"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}


_ONE, _TWO = _resource(1), _resource(2)
_LOGS = {"scopeLogs": [{"logRecords": [{"traceId": TRACE, "body": {"stringValue": "said"}}]}]}
_DATA = {"resourceSpans": [_ONE]}
_METRIC = {"name": "m", "gauge": {"dataPoints": [{"asInt": 1}]}}

FILES: dict[str, tuple[str, tuple[int, int, int]]] = {
    "data": (json.dumps({"resourceSpans": [_ONE, _TWO]}), (2, 0, 0)),
    "indented": (json.dumps(_DATA, indent=2).replace("\n", "\r\n"), (1, 0, 0)),
    "a resource": (json.dumps(_ONE), (1, 0, 0)),
    "an array of resources": (json.dumps([_ONE, _TWO, _LOGS]), (2, 1, 0)),
    "an array of data": (json.dumps([_DATA, {"resourceLogs": [_LOGS]}]), (1, 1, 0)),
    "a byte order mark": (f"\ufeff{json.dumps(_DATA)}", (1, 0, 0)),
    "lines": (
        "\n".join(
            json.dumps(one)
            for one in (
                _DATA,
                {"resourceSpans": [_TWO]},
                {"resourceLogs": [_LOGS]},
                {"resourceMetrics": [{"scopeMetrics": [{"metrics": [_METRIC]}]}]},
            )
        )
        + "\n\n",
        (2, 1, 1),
    ),
    "signals together": (json.dumps({**_DATA, "resourceLogs": [_LOGS]}), (1, 1, 0)),
}


@pytest.mark.parametrize("name", FILES)
async def test_every_form_of_a_file_is_accepted(viewer: Viewer, name: str) -> None:
    text, counts = FILES[name]
    uploaded = await _upload(viewer, text)
    assert (uploaded["spans"], uploaded["logs"], uploaded["points"]) == counts
    assert len((await viewer.trace())["spans"]) == counts[0]
    received = (await viewer.http.get("/healthz")).json()["received"]
    assert received["items"] == sum(counts)


async def test_a_compressed_file_is_accepted(viewer: Viewer) -> None:
    packed = gzip.compress(json.dumps(_DATA).encode())
    assert (await _upload(viewer, packed, **{"content-encoding": "gzip"}))["spans"] == 1


BAD: dict[str, tuple[str, str]] = {
    "empty": (" \n", "the file is empty"),
    "not JSON": ("spans!", "not OTLP in JSON"),
    "a broken line": (f"{json.dumps(_DATA)}\n{json.dumps(_DATA)[:-9]}", "line 2: not OTLP in JSON"),
    "another line": (f'{json.dumps(_DATA)}\n{{"data": []}}', "line 2: not OTLP: it has no"),
    "an element": (json.dumps([_DATA, 5]), "element 2: not OTLP in JSON"),
    "another format": ('{"data": [{"traceID": "1", "spans": []}]}', "not OTLP: it has no"),
    "another type": ('{"resourceSpans": 7}', "not OTLP in JSON"),
    "a type inside": (json.dumps([_DATA, {"resourceSpans": [5]}]), "element 2: not OTLP in JSON"),
    "no spans": ('{"resourceSpans": []}', "the file has no spans, log records or metrics"),
    "only bad ids": (json.dumps(_resource(1, traceId="no")), "an id that is not 16 bytes"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_file_is_rejected_with_its_reason_and_stored_nowhere(
    viewer: Viewer, name: str
) -> None:
    text, reason = BAD[name]
    response = await viewer.http.post("/api/upload", content=text)
    assert response.status_code == 400
    assert response.json()["error"].startswith(reason)
    assert await viewer.search() == []


async def test_the_usable_items_of_a_file_are_stored(viewer: Viewer) -> None:
    uploaded = await _upload(viewer, json.dumps([_resource(1, 2), _resource(3, spanId="short")]))
    assert (uploaded["spans"], uploaded["rejected"]) == (2, 1)
    assert uploaded["reason"].startswith("an id that is not 8 bytes")


async def test_a_file_that_is_too_large_is_rejected(viewer: Viewer) -> None:
    async def large() -> AsyncIterator[bytes]:
        piece = b" " * 2**20
        for _ in range(UPLOAD_BYTES // len(piece) + 2):
            yield piece

    response = await viewer.http.post("/api/upload", content=large())
    assert response.status_code == 413
    assert response.json()["error"] == f"the body is larger than {UPLOAD_BYTES} bytes"


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_foreign_page_cannot_upload(viewer: Viewer, origin: str) -> None:
    headers = {"origin": origin, "content-type": "text/plain"}
    response = await viewer.http.post("/api/upload", content=json.dumps(_DATA), headers=headers)
    assert response.status_code == 403
    assert await viewer.search() == []
