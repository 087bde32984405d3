"""Requirements W2 to W5: what the service accepts of its pages, and what becomes of it."""

import asyncio
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from time import time_ns
from typing import Any

import asyncpg
import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry.export_queue import ExportQueue
from cruddur.telemetry.logs import Line, encode, line_of
from cruddur.telemetry.pipeline import Telemetry
from live.listening import listening
from support import Api, Member, refused, serving
from telemetry.recorded import Recorded, attributes

PATH = "/api/telemetry"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
OTHER = "a3ce929d0e0e4736"
SESSION = "0123456789abcdef0123456789abcdef"
UUID = "0195f2a0-0000-7000-8000-000000000000"
CANARY = "canary-k3x9"
SECOND = 10**9


def attribute(key: str, value: Any) -> dict[str, Any]:
    kinds: dict[type, str] = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return {"key": key, "value": {kinds[type(value)]: value}}


def span(values: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a call of a page; `values` are its attributes."""
    now = time_ns()
    return {
        "traceId": TRACE,
        "spanId": SPAN,
        "name": "GET /api/trending",
        "kind": 3,
        "startTimeUnixNano": str(now - SECOND),
        "endTimeUnixNano": str(now),
        "attributes": [attribute(key, value) for key, value in (values or {}).items()],
        **changes,
    }


def record(name: str, values: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "eventName": name,
        "timeUnixNano": str(time_ns()),
        "attributes": [attribute(key, value) for key, value in values.items()],
        **changes,
    }


def export(
    spans: list[dict[str, Any]] | None = None, records: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {
        "resourceSpans": [{"scopeSpans": [{"spans": spans or []}]}],
        "resourceLogs": [{"scopeLogs": [{"logRecords": records or []}]}],
    }


async def rejected(api: Api, body: dict[str, Any]) -> tuple[int, int]:
    """Send telemetry; return the numbers of rejected spans and log records."""
    response = await api.post(PATH, body)
    assert response.keys() == {"partialSuccess"}
    counts = response["partialSuccess"]
    return counts["rejectedSpans"], counts["rejectedLogRecords"]


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    """The lines about pages."""
    found: list[Line] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(line_of(record))

    handler, logger = Collect(), logging.getLogger("cruddur.web")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


async def test_W2_a_span_of_a_page_is_exported_as_one_of_the_pages_service(
    traced: Api, recorded: Recorded
) -> None:
    values = {
        "http.request.method": "POST",
        "http.response.status_code": 503,
        "http.response.body.size": 17,
        "url.template": "/api/activities/{uuid}/reply",
        "url.full": f"http://localhost:4567/api/activities/{UUID}/reply?limit=5",
        "error.type": "503",
        "session.id": SESSION,
        "app.screen.name": "/:at/status/:uuid",
        "app.widget.name": "button.crud-like",
    }
    now = time_ns()
    call = span(
        values,
        name="POST /api/activities/{uuid}/reply",
        parentSpanId=OTHER,
        status={"code": 2},
        events=[{"name": "responseStart", "timeUnixNano": str(now)}],
        links=[{"traceId": TRACE, "spanId": OTHER}],
    )
    body = export([call])
    body["resourceSpans"][0]["resource"] = {"attributes": [attribute("service.name", "cruddur")]}
    assert await rejected(traced, body) == (0, 0)
    found = recorded.named("POST /api/activities/{uuid}/reply")
    assert found.kind is SpanKind.CLIENT
    assert found.parent is not None
    assert (f"{found.context.trace_id:032x}", f"{found.parent.span_id:016x}") == (TRACE, OTHER)
    assert found.resource.attributes["service.name"] == "cruddur-web"
    assert "service.instance.id" not in found.resource.attributes
    assert found.status.status_code is StatusCode.ERROR
    assert [(event.name, event.timestamp) for event in found.events] == [("responseStart", now)]
    assert [f"{link.context.span_id:016x}" for link in found.links] == [OTHER]
    assert attributes(found) == {
        **values,
        "server.address": "localhost",
        "server.port": 4567,
    }
    assert recorded.servers == [], "telemetry is not in the traces itself"


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": 2},
        {"kind": 5},
        {"kind": 0},
        {"traceId": "0" * 32},
        {"traceId": TRACE.upper()},
        {"traceId": TRACE[1:]},
        {"spanId": "0" * 16},
        {"spanId": ""},
        {"parentSpanId": "no"},
        {"name": ""},
        {"name": f"click {CANARY} {CANARY}"},
        {"name": "GET /" + "a" * 200},
        {"startTimeUnixNano": "0"},
        {"endTimeUnixNano": str(2**62)},
        {"startTimeUnixNano": str(2**63 - 1), "endTimeUnixNano": str(2**63 - 1)},
        {"events": [{"name": CANARY, "timeUnixNano": "1"}]},
        {"events": [{"name": "responseStart", "timeUnixNano": "1"}]},
        {"links": [{"traceId": TRACE, "spanId": "x"}]},
    ],
    ids=lambda changes: json.dumps(changes)[:40],
)
async def test_W2_an_invalid_span_is_rejected_alone(
    traced: Api, recorded: Recorded, changes: dict[str, Any]
) -> None:
    valid = span(spanId=OTHER, name="documentLoad", kind=1)
    assert await rejected(traced, export([span(**changes), valid])) == (1, 0)
    assert [one.name for one in recorded.spans] == ["documentLoad"]


async def test_W2_a_span_that_ends_before_it_starts_or_has_too_many_events_is_rejected(
    traced: Api, recorded: Recorded
) -> None:
    now = time_ns()
    backwards = span(startTimeUnixNano=str(now), endTimeUnixNano=str(now - SECOND))
    event = {"name": "responseStart", "timeUnixNano": str(now)}
    many = span(events=[event] * 17, endTimeUnixNano=str(now))
    most = span(events=[event] * 16, endTimeUnixNano=str(now), name="GET /api/trending")
    assert await rejected(traced, export([backwards, many, most])) == (2, 0)
    assert [len(one.events) for one in recorded.spans] == [16]


async def test_W2_numbers_of_items_and_their_attributes_are_bounded(
    traced: Api, recorded: Recorded
) -> None:
    many = [span(spanId=f"{number + 1:016x}") for number in range(103)]
    records = [record("exception", {"exception.type": "Error"})] * 21
    assert await rejected(traced, export(many, records)) == (3, 1)
    recorded.clear()
    unknown = {
        "service.name": "cruddur",
        "http.route": "/api/activities",
        "db.query.text": "SELECT 1",
        "enduser.pseudo.id": UUID,
        "SampleRate": 1000,
        "message": CANARY,
        "session.id": f"{CANARY} {CANARY}",
        "http.response.status_code": 20_000,
        "http.response.body.size": -1,
        "app.screen.name": f"/a b {CANARY}",
        "url.template": 7,
    }
    assert await rejected(traced, export([span(unknown)])) == (0, 0)
    assert attributes(recorded.named("GET /api/trending")) == {}


@pytest.mark.parametrize(
    ("content", "headers", "status", "codes"),
    [
        (b"{}", {"Content-Type": "text/plain"}, 415, ["unsupported_media_type"]),
        (b"", {"Content-Type": "application/x-protobuf"}, 415, ["unsupported_media_type"]),
        (b"{", {}, 400, ["invalid_json"]),
        (b"[]", {}, 400, ["invalid_json"]),
        (b'{"resourceSpans": 1}', {}, 422, ["telemetry_invalid"]),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}', {}, 422, ["telemetry_invalid"]),
        (b'{"resourceLogs": [7]}', {}, 422, ["telemetry_invalid"]),
        (b" " * 65_537, {}, 413, ["payload_too_large"]),
    ],
)
async def test_W2_other_bodies_are_refused(
    traced: Api,
    recorded: Recorded,
    content: bytes,
    headers: dict[str, str],
    status: int,
    codes: list[str],
) -> None:
    headers = {"Content-Type": "application/json", **headers}
    response = await traced.http.post(PATH, content=content, headers=headers)
    assert (response.status_code, refused(response)) == (status, codes)
    assert recorded.spans == []


async def test_W2_each_client_may_send_a_limited_number_of_requests(settings: Settings) -> None:
    settings = replace(settings, rates="telemetry=2", rate_address_factor=1, rate_exempt="")
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(exporter)])
    async with serving(create_app(settings, telemetry)) as api:
        for _ in range(2):
            await api.post(PATH, export([span()]))
        response = await api.request("POST", PATH, json=export([span()]), expect=429)
    assert refused(response) == ["rate_limited"]
    assert [one.name for one in Recorded(exporter).spans] == ["GET /api/trending"] * 2


async def test_W2_the_sinks_queues_are_first_for_the_service(settings: Settings) -> None:
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(InMemorySpanExporter())])
    never = asyncio.Event()
    queue: ExportQueue[object] = ExportQueue("full", lambda _: never.set(), capacity=2, delay=60)
    queue.put("item")
    async with serving(create_app(settings, telemetry)) as api:
        telemetry.export_queues.append(queue)
        response = await api.request("POST", PATH, json=export([span()]), expect=503)
        telemetry.export_queues.remove(queue)
    assert refused(response) == ["unavailable"]


async def test_W2_web_vitals_and_errors_are_log_records_of_the_page(
    traced: Api, lines: list[Line]
) -> None:
    vital = {
        "browser.web_vital.name": "lcp",
        "browser.web_vital.value": 2600.5,
        "browser.web_vital.id": "0011",
        "browser.web_vital.navigation_type": "back-forward",
        "session.id": SESSION,
    }
    stack = (
        "TypeError: Cannot read properties of undefined (reading 'pages')\n"
        "    at show (http://localhost:4567/assets/index-ab_C.js:1:23)\n"
        "    at http://localhost:4567/assets/index-ab_C.js:40:2\n"
        "render@http://localhost:4567/assets/index-ab_C.js:7:8"
    )
    error = {
        "exception.type": "TypeError",
        "exception.message": "Cannot read properties of undefined (reading 'pages')",
        "exception.stacktrace": stack,
    }
    records = [
        record("browser.web_vital", vital, traceId=TRACE, spanId=SPAN),
        record("exception", error),
        record("click", {}),
        record("exception", {}, traceId=TRACE),
    ]
    headers = {"User-Agent": "Mozilla/5.0 (X11)"}
    response = await traced.post(PATH, export(records=records), headers=headers)
    assert response["partialSuccess"]["rejectedLogRecords"] == 2
    first, second = lines
    agent = {"user_agent.original": "Mozilla/5.0 (X11)"}
    expected = {"browser.web_vital.rating": "needs-improvement", "browser.web_vital.delta": 2600.5}
    assert dict(first.fields) == {**vital, **expected, **agent}
    assert (first.event_name, first.level) == ("browser.web_vital", "INFO")
    assert (first.trace_id, first.span_id, first.trace_flags) == (TRACE, SPAN, 1)
    assert (second.event_name, second.level, second.trace_id) == ("exception", "ERROR", "")
    assert second.message == f"TypeError: {error['exception.message']}"
    assert second.stacktrace.splitlines() == [
        "    at show (/assets/index-ab_C.js:1:23)",
        "    at <anonymous> (/assets/index-ab_C.js:40:2)",
        "    at render (/assets/index-ab_C.js:7:8)",
    ]
    constants = {"service.name": "cruddur", "service.instance.id": "1"}
    document = json.loads(encode(second, constants))
    assert document["service.name"] == "cruddur-web"
    assert "service.instance.id" not in document


def _kept(exporter: InMemorySpanExporter, service: str, kind: SpanKind) -> set[int]:
    return {
        one.context.trace_id
        for one in exporter.get_finished_spans()
        if one.resource.attributes["service.name"] == service and one.kind is kind
    }


async def test_W3_spans_of_pages_are_kept_with_the_requests_of_their_trace(
    settings: Settings,
) -> None:
    settings = replace(settings, traces_sampler="traceidratio", traces_sampler_arg=0.25)
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(exporter)])
    ids = [f"{number + 1:032x}" for number in range(60)]
    async with serving(create_app(settings, telemetry)) as api:
        for trace_id in ids:
            headers = {"traceparent": f"00-{trace_id}-{SPAN}-01"}
            await api.get("/api/trending", headers=headers)
        await rejected(api, export([span(traceId=trace_id) for trace_id in ids]))
    kept = _kept(exporter, "cruddur-web", SpanKind.CLIENT)
    assert 0 < len(kept) < 60
    # Only requests: the statements of a sweep at the same time have a trace of their own.
    assert kept == _kept(exporter, "cruddur", SpanKind.SERVER)
    rates = {
        attributes(one)["SampleRate"]
        for one in exporter.get_finished_spans()
        if one.resource.attributes["service.name"] == "cruddur-web"
    }
    assert rates == {4}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            f"https://cruddur.com/api/activities/search?term={CANARY}&limit=5#{CANARY}",
            "https://cruddur.com/api/activities/search?term=[redacted]&limit=5",
        ),
        (
            f"http://localhost/api/avatars/uploads/{CANARY}.eyJ",
            "http://localhost/api/avatars/uploads/[redacted]",
        ),
        ("http://localhost/api/activities/@worf", "http://localhost/api/activities/@worf"),
        (f"http://user:{CANARY}@localhost/", "[redacted]"),
        (f"javascript:{CANARY}", "[redacted]"),
        ("http://[::1", "[redacted]"),
        ("http://localhost:99999/", "[redacted]"),
    ],
)
async def test_W4_a_url_shows_only_what_is_public(
    traced: Api, recorded: Recorded, url: str, shown: str
) -> None:
    await rejected(traced, export([span({"url.full": url})]))
    assert attributes(recorded.named("GET /api/trending"))["url.full"] == shown


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("SyntaxError", f"Unexpected token 'h', \"{CANARY} is\"... is not valid", None),
        ("Error", f"cannot send “{CANARY}", "cannot send [redacted]"),
        ("Error", f"it's `{CANARY}` that he didn't like", "it's [redacted] that he didn't like"),
        ("Error", f"{CANARY}@example.org was refused", "[redacted] was refused"),
        ("TypeError", f"x is not a function: '{CANARY} hi'", "x is not a function: [redacted]"),
        ("TypeError", "can't read 'pages' of undefined", "can't read 'pages' of undefined"),
        ("ApiError", "500 generic_500", "500 generic_500"),
    ],
)
async def test_W4_the_message_of_an_error_has_no_quoted_text(
    traced: Api, lines: list[Line], kind: str, text: str, shown: str | None
) -> None:
    values = {
        "exception.type": kind,
        "exception.message": text,
        "exception.stacktrace": f"{kind}: {text}\n    at f (http://localhost/assets/i.js:1:2)",
    }
    await rejected(traced, export(records=[record("exception", values)]))
    [line] = lines
    if shown is not None:
        assert line.fields["exception.message"] == shown
    written = encode(line, {}).decode()
    assert CANARY not in written
    assert "/assets/i.js:1:2" in written


async def test_W5_telemetry_is_in_no_trace_and_no_metric_itself(
    traced: Api, recorded: Recorded, reader: InMemoryMetricReader
) -> None:
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    response = await traced.request("POST", PATH, json=export(), headers=headers)
    assert response.status_code == 200
    assert recorded.spans == []
    assert f'"{PATH}"' not in str(reader.get_metrics_data().to_json())


@pytest.mark.parametrize(
    ("switch", "environment", "is_on"),
    [
        ("auto", "development", True),
        ("auto", "production", False),
        ("on", "production", True),
        ("off", "development", False),
    ],
)
async def test_W5_the_page_is_told_whether_telemetry_is_on(
    settings: Settings, tmp_path: Any, switch: Any, environment: str, is_on: bool
) -> None:
    (tmp_path / "index.html").write_text("<html><head></head><body></body></html>")
    settings = replace(
        settings,
        browser_telemetry=switch,
        environment=environment,
        frontend_directory=str(tmp_path),
    )
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(InMemorySpanExporter())])
    async with serving(create_app(settings, telemetry)) as api:
        page = await api.request("GET", "/")
        await api.request("POST", PATH, json=export(), expect=200 if is_on else 404)
    assert ('<meta name="telemetry"' in page.text) is is_on


async def test_W5_without_a_sink_for_traces_telemetry_is_off(api: Api) -> None:
    response = await api.request("POST", PATH, json=export(), expect=404)
    assert refused(response) == ["not_found"]


async def test_W1_an_event_carries_the_context_of_its_delivery(
    traced: Api,
    served: str,
    traced_app: Quart,
    database: asyncpg.Connection,
    recorded: Recorded,
) -> None:
    """In a field of the event stream that `EventSource` ignores."""
    worf = await Member.enter(traced, database, traced_app, "worf", "Worf")
    async with listening(served) as stream:
        await worf.crud("a good day")
        event = await stream.next()
        await recorded.until(lambda found: "deliver crud" in [s.name for s in found.spans])
    ids = recorded.named("deliver crud").context
    assert event is not None
    assert event.traceparent == f"00-{ids.trace_id:032x}-{ids.span_id:016x}-00"
