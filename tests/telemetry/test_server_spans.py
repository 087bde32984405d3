"""Requirements S1 to S16: telemetry of each request, stream, websocket and background job."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import asyncpg
import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from PIL import Image
from quart import Quart
from quart.testing.app import LifespanError

from cruddur.app import ENDPOINTS, create_app
from cruddur.settings import Settings
from cruddur.telemetry.http_calls import MeasuredClient
from cruddur.telemetry.pipeline import Telemetry
from cruddur.telemetry.sampling import EdgeSampler
from fakes.s3 import BUCKET, FakeS3
from live.listening import listening
from pictures import file
from support import JSON, Api, Member, refused, serving, visiting
from telemetry.recorded import Recorded, Reports, attributes, until

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"
ORIGIN = {"Origin": "http://localhost:3000"}  # the CORS layer wants one of a websocket
PROBES = [endpoint.rule for endpoint in ENDPOINTS if endpoint.probe]
UNTRACED = [endpoint.rule for endpoint in ENDPOINTS if endpoint.untraced]
STREAMS = [endpoint.rule for endpoint in ENDPOINTS if endpoint.stream]
ENDLESS = ("/trial/stream", "/trial/stream-in-words-of", "/trial/wait")
VALUE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


async def test_S1_exactly_one_server_span_per_request(traced: Api, recorded: Recorded) -> None:
    await traced.get("/api/activities/home")
    span = recorded.server
    assert span.kind is SpanKind.SERVER
    assert span.parent is None
    assert span.status.status_code is StatusCode.UNSET
    assert attributes(span)["http.response.status_code"] == 200
    assert not [s for s in recorded.spans if "http send" in s.name or "http receive" in s.name]


async def test_S2_every_route_names_its_span(
    traced: Api, traced_app: Quart, recorded: Recorded
) -> None:
    values = {"uuid": "0195f2a0-0000-7000-8000-000000000000", "int": "404"}
    seen = 0
    for rule in traced_app.url_map.iter_rules():
        if rule.websocket or rule.rule in {*PROBES, *UNTRACED, *STREAMS, *ENDLESS}:
            continue
        path = re.sub(r"<(?:(\w+):)?\w+>", lambda m: values.get(m[1], "some"), rule.rule)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            recorded.clear()
            await traced.http.request(method, path)
            span = recorded.server
            assert span.name == f"{method} {rule.rule}"
            assert attributes(span)["http.route"] == rule.rule
            seen += 1
    assert seen > 50


async def test_S3_what_matches_no_route_has_one_name(traced: Api, recorded: Recorded) -> None:
    for number in range(100):
        await traced.http.get(f"/nowhere/{number}")
    assert {span.name for span in recorded.servers} == {"GET"}
    recorded.clear()
    await traced.http.patch("/api/activities/home")
    assert recorded.server.name == "PATCH"
    recorded.clear()
    await traced.http.request("BREW", "/api/activities/home")
    assert recorded.server.name == "HTTP"
    assert attributes(recorded.server)["http.request.method"] == "_OTHER"


async def test_S4_an_unhandled_exception_is_recorded_once_and_in_full(
    traced: Api, recorded: Recorded
) -> None:
    response = await traced.request("GET", "/trial/fail", expect=500)
    assert refused(response) == ["generic_500"]
    span = recorded.server
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "the trial failed"
    assert attributes(span)["error.type"] == "TrialError"
    (event,) = span.events
    assert event.name == "exception"
    facts = dict(event.attributes or {})
    assert facts["exception.type"] == "telemetry.trial.TrialError"
    assert facts["exception.message"] == "the trial failed"
    assert "trial.py" in str(facts["exception.stacktrace"])


async def test_S4_an_expected_response_is_not_an_error(traced: Api, recorded: Recorded) -> None:
    await traced.request("GET", "/trial/abort/404", expect=404)
    assert recorded.server.status.status_code is StatusCode.UNSET
    recorded.clear()
    await traced.http.get("/trial/abort/503")
    assert recorded.server.status.status_code is StatusCode.ERROR
    assert attributes(recorded.server)["error.type"] == "ServiceUnavailable"


async def test_S5_an_exception_in_a_streamed_body_is_recorded_and_reported_once(
    served: str, recorded: Recorded, reports: Reports
) -> None:
    async with httpx.AsyncClient() as client:
        recorded.clear()
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{served}/trial/stream")
    await recorded.until(lambda r: len(r.servers) == 1)
    span = recorded.server
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "the stream failed"
    assert attributes(span)["error.type"] == "TrialError"
    assert attributes(span)["http.response.status_code"] == 200
    assert len(span.events) == 1
    assert [failure.message for failure in reports.failures] == ["the stream failed"]
    assert reports.failures[0].trace_id == trace.format_trace_id(span.context.trace_id)


async def test_S6_a_disconnect_of_the_caller_is_not_an_error(
    served: str, traced_app: Quart, recorded: Recorded, reports: Reports
) -> None:
    host, port = served.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    recorded.clear()
    traced_app.extensions["trial_waits"].clear()
    writer.write(b"GET /trial/wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await traced_app.extensions["trial_waits"].wait()
    writer.close()
    await recorded.until(lambda r: len(r.servers) == 1)
    span = recorded.server
    assert attributes(span)["app.client_disconnected"] is True
    assert "http.response.status_code" not in attributes(span)
    assert span.status.status_code is StatusCode.UNSET
    assert not span.events
    assert reports.failures == []


@pytest.mark.parametrize(
    ("host", "address", "port"),
    [
        ("cruddur.example:8443", "cruddur.example", 8443),
        ("cruddur.example", "cruddur.example", 80),
        ("[::1]:4567", "::1", 4567),
    ],
)
async def test_S8_the_server_address_is_the_callers_and_has_no_port(
    traced: Api, recorded: Recorded, host: str, address: str, port: int
) -> None:
    await traced.request("GET", "/api/activities/home", headers={"Host": host})
    assert attributes(recorded.server)["server.address"] == address
    assert attributes(recorded.server)["server.port"] == port


@pytest.mark.parametrize(("hops", "expected"), [(0, "127.0.0.1"), (1, "203.0.113.9")])
async def test_S8_the_client_address_follows_trusted_proxies_alone(
    settings: Settings, hops: int, expected: str
) -> None:
    exporter = InMemorySpanExporter()
    settings = replace(settings, trusted_hops=hops)
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(exporter)])
    async with serving(create_app(settings, telemetry)) as api:
        headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
        await api.request("GET", "/api/activities/home", headers=headers)
    assert attributes(Recorded(exporter).server)["client.address"] == expected


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/users/@worf/short", "/api/users/@worf/short"),
        ("/api/users/@worf@kronos.example/short", "/api/users/@[redacted]/short"),
        ("/api/avatars/uploads/canary.Signed", "/api/avatars/uploads/<token>"),
        ("/wp-login.php", "/wp-login.php"),
        ("/people/worf@kronos.example", "/people/[redacted]"),
        ("/api/avatars/upload/Canary.Signed-0", "/api/avatars/upload/[redacted]"),
    ],
)
async def test_S9_a_path_shows_no_address_and_no_signature(
    traced: Api, recorded: Recorded, path: str, shown: str
) -> None:
    method = "PUT" if "uploads" in path else "GET"
    await traced.http.request(method, path, content=b"x")
    assert attributes(recorded.server)["url.path"] == shown


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("limit=2&cursor=MDE5_-5=", "limit=2&cursor=MDE5_-5%3D"),
        ("term=a+canary&limit=2&token=x", "term=[redacted]&limit=2&token=[redacted]"),
        ("cursor=worf@kronos.example", "cursor=[redacted]"),
        ("A-Canary", "[redacted]=[redacted]"),
    ],
)
async def test_S9_a_query_shows_the_values_of_harmless_keys_alone(
    traced: Api, recorded: Recorded, query: str, shown: str
) -> None:
    await traced.http.get(f"/api/activities/search?{query}")
    assert attributes(recorded.server)["url.query"] == shown


async def test_S9_an_exception_cannot_quote_what_came_with_the_request(
    traced: Api, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    uuid = "0195f2a0-0000-7000-8000-000000000000"
    await traced.http.get(f"/trial/fail-in-words-of/{uuid}?term=the%20canary%20sang")
    told = recorded.server.to_json() + caplog.text
    assert "canary" not in told
    assert f"cannot read '[redacted]' of {uuid}" in told


@pytest.mark.parametrize("path", PROBES)
async def test_S10_probes_are_in_no_span_and_no_metric(
    traced: Api, recorded: Recorded, reader: InMemoryMetricReader, path: str
) -> None:
    before = _requests(reader)
    response = await traced.http.get(path)
    assert recorded.servers == []
    assert _requests(reader) == before
    assert VALUE.fullmatch(response.headers["traceresponse"]), "the response still has a trace id"


async def test_S11_a_callers_trace_is_continued(traced: Api, recorded: Recorded) -> None:
    headers = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01"}
    await traced.request("GET", "/api/activities/home", headers=headers)
    span = recorded.server
    assert trace.format_trace_id(span.context.trace_id) == TRACE_ID
    assert span.parent is not None
    assert trace.format_span_id(span.parent.span_id) == PARENT_ID


@pytest.mark.parametrize(
    "value", ["", "nonsense", f"00-{'0' * 32}-{PARENT_ID}-01", f"ff-{TRACE_ID}-{PARENT_ID}-01", "é"]
)
async def test_S11_a_malformed_parent_is_ignored(
    traced: Api, recorded: Recorded, value: str
) -> None:
    headers = {"traceparent": value.encode("latin-1")}
    await traced.request("GET", "/api/activities/home", headers=headers)
    assert recorded.server.parent is None
    assert recorded.server.context.trace_id != int(TRACE_ID, 16)


@pytest.mark.parametrize("flags", ["00", "01"])
@pytest.mark.parametrize(("ratio", "kept"), [(0.0, 0), (1.0, 1)])
def test_S11_a_callers_flag_has_no_effect(flags: str, ratio: float, kept: int) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=EdgeSampler(ratio), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    caller = trace.SpanContext(
        int(TRACE_ID, 16), int(PARENT_ID, 16), True, trace.TraceFlags(int(flags))
    )
    parent = trace.set_span_in_context(trace.NonRecordingSpan(caller))
    provider.get_tracer("trial").start_span("request", context=parent).end()
    assert len(exporter.get_finished_spans()) == kept


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-00"},
        {"X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793"},
    ],
)
async def test_S11_no_header_switches_tracing_off(
    traced: Api, recorded: Recorded, headers: dict[str, str]
) -> None:
    await traced.request("GET", "/api/activities/home", headers=headers)
    assert recorded.server.context.trace_flags.sampled


async def test_S12_outgoing_calls_carry_the_trace_and_no_baggage(
    traced: Api, traced_app: Quart, recorded: Recorded
) -> None:
    received: list[dict[str, str]] = []

    async def response(scope: dict, receive: object, send: object) -> None:
        received.append({k.decode(): v.decode() for k, v in scope["headers"]})
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]  # an ASGI callable
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]  # an ASGI callable

    telemetry = traced_app.extensions["cruddur"].telemetry
    client = MeasuredClient(transport=httpx.ASGITransport(app=response))
    telemetry.trace_calls(client)

    @traced_app.get("/trial/call")
    async def call() -> str:
        await client.get("http://elsewhere.example/path")
        return "called"

    await traced.http.get("/trial/call", headers={"baggage": "canary=1"})
    span = recorded.named("GET elsewhere.example")
    assert span.kind is SpanKind.CLIENT
    assert span.parent is not None
    assert span.parent.span_id == recorded.server.context.span_id
    ids = f"{span.context.trace_id:032x}-{span.context.span_id:016x}"
    assert received[0]["traceparent"] == f"00-{ids}-03"
    assert "baggage" not in received[0]
    assert attributes(recorded.server)["app.http.calls"] == 1
    await client.aclose()


@pytest.mark.rule("C10")
async def test_S13_every_response_has_its_trace_id(traced: Api, recorded: Recorded) -> None:
    for path, status in (("/api/activities/home", 200), ("/nowhere", 404), ("/trial/fail", 500)):
        recorded.clear()
        response = await traced.request("GET", path, expect=status)
        found = VALUE.fullmatch(response.headers["traceresponse"])
        assert found
        context = recorded.server.context
        assert int(found[1], 16) == context.trace_id
        assert int(found[2], 16) == context.span_id
        assert int(found[3], 16) == context.trace_flags == 3
        assert response.headers["server-timing"] == f'traceparent;desc="{found[0]}"'


async def test_S13_a_page_may_send_and_read_it(traced: Api) -> None:
    origin = {"Origin": "http://localhost:3000"}
    preflight = await traced.http.options(
        "/api/activities/home",
        headers={
            **origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "traceparent",
        },
    )
    assert "traceparent" in preflight.headers["access-control-allow-headers"]
    response = await traced.request("GET", "/api/activities/home", headers=origin)
    exposed = response.headers["access-control-expose-headers"].lower()
    assert "traceresponse" in exposed
    assert "server-timing" in exposed
    assert "http://localhost:3000" in response.headers["timing-allow-origin"]


async def test_S14_a_stream_is_seen_while_it_is_open(
    served: str,
    traced: Api,
    traced_app: Quart,
    database: asyncpg.Connection,
    recorded: Recorded,
    reader: InMemoryMetricReader,
) -> None:
    andrew = await Member.enter(traced, database, traced_app, "andrewbrown", "Andrew Brown")
    async with httpx.AsyncClient(headers=andrew.headers) as client:
        recorded.clear()
        before = _requests(reader)
        async with client.stream("GET", f"{served}/api/stream") as response:
            lines = response.aiter_lines()
            assert (await anext(lines)).startswith("retry: ")
            opening = recorded.server
            assert opening.name == "GET /api/stream"
            assert attributes(opening)["http.response.status_code"] == 200
            assert attributes(opening)["enduser.pseudo.id"] == str(andrew.uuid)
            assert f"{opening.context.trace_id:032x}" in response.headers["traceresponse"]
            assert _metric(reader, "app.streams.open") == 1
            assert _requests(reader) == before, "a stream is not in the duration histogram"
            await database.execute("DELETE FROM sessions")
            async for _ in lines:
                pass
    await recorded.until(lambda r: "close /api/stream" in [s.name for s in r.spans])
    closing = recorded.named("close /api/stream")
    assert closing.context.trace_id != opening.context.trace_id
    assert [link.context.span_id for link in closing.links] == [opening.context.span_id]
    assert attributes(closing)["app.stream.messages"] == 1
    assert attributes(closing)["app.stream.close_reason"] == "signed_out"
    assert _metric(reader, "app.streams.open") == 0


async def test_S14_a_client_that_disconnects_closes_the_stream(
    served: str, recorded: Recorded
) -> None:
    async with httpx.AsyncClient() as client:
        recorded.clear()
        async with client.stream("GET", f"{served}/api/stream") as response:
            await anext(response.aiter_lines())
    await recorded.until(lambda r: "close /api/stream" in [s.name for s in r.spans])
    assert attributes(recorded.named("close /api/stream"))["app.stream.close_reason"] == "client"


async def test_S14_a_stream_that_is_refused_is_a_request(served: str, recorded: Recorded) -> None:
    async with httpx.AsyncClient() as client:
        recorded.clear()
        response = await client.get(f"{served}/api/stream?handle=nobody")
    assert refused(response) == ["not_found"]
    await recorded.until(lambda r: len(r.servers) == 1)
    assert attributes(recorded.server)["http.response.status_code"] == 404
    assert "close /api/stream" not in [s.name for s in recorded.spans]


async def test_what_reaches_the_streams_belongs_to_the_request_that_caused_it(
    served: str,
    traced: Api,
    traced_app: Quart,
    database: asyncpg.Connection,
    recorded: Recorded,
) -> None:
    andrew = await Member.enter(traced, database, traced_app, "andrewbrown", "Andrew Brown")
    await andrew.crud("nobody listens")
    async with listening(served):
        recorded.clear()
        await andrew.crud()
        await recorded.until(lambda r: "deliver crud" in [s.name for s in r.spans])
        delivered = recorded.named("deliver crud")
        assert delivered.context.trace_id == recorded.server.context.trace_id
        assert delivered.parent.span_id == recorded.server.context.span_id
        assert attributes(delivered)["app.event.kind"] == "crud"
        assert attributes(delivered)["app.event.readers"] == 1


async def test_S15_a_websocket_is_named_and_has_status_101(
    traced: Api, traced_app: Quart, recorded: Recorded
) -> None:
    async with traced_app.test_client().websocket("/trial/echo/lobby", headers=ORIGIN) as socket:
        await socket.send("hello")
        assert await socket.receive() == "lobby: hello"
    await recorded.until(lambda r: len(r.servers) == 1)
    assert recorded.server.name == "WS /trial/echo/<room>"
    assert attributes(recorded.server)["http.response.status_code"] == 101


async def test_S16_a_background_job_has_a_linked_trace_of_its_own(
    traced: Api, recorded: Recorded
) -> None:
    await traced.http.get("/trial/background")
    await recorded.until(lambda r: "trial job" in [s.name for s in r.spans])
    job, request = recorded.named("trial job"), recorded.server
    assert job.parent is None
    assert job.context.trace_id != request.context.trace_id
    assert [link.context.span_id for link in job.links] == [request.context.span_id]


async def test_S16_the_failure_of_a_background_job_is_reported(
    traced: Api, recorded: Recorded, reports: Reports
) -> None:
    await traced.http.get("/trial/background?fail")
    await recorded.until(lambda r: "trial job" in [s.name for s in r.spans] and reports.failures)
    job = recorded.named("trial job")
    assert job.status.status_code is StatusCode.ERROR
    assert [failure.message for failure in reports.failures] == ["the job failed"]


async def test_R2_one_report_per_failure_and_none_for_a_refusal(
    traced: Api, traced_app: Quart, recorded: Recorded, reports: Reports
) -> None:
    await traced.http.get("/trial/fail")
    assert [failure.what for failure in reports.failures] == ["GET /trial/fail"]
    assert attributes(recorded.server)["rollbar.uuid"] == "item-1"
    reports.failures.clear()
    websocket = traced_app.test_client().websocket("/trial/echo/lobby", headers=ORIGIN)
    with suppress(Exception):  # the client of Quart 0.22 raises that the socket was closed
        async with websocket as socket:
            await socket.send("fail")
            await until(lambda: reports.failures)
    assert [failure.message for failure in reports.failures] == ["the socket failed"]
    reports.failures.clear()
    for path in ("/nowhere", "/trial/abort/400", "/trial/abort/404", "/api/auth/me"):
        await traced.http.get(path)
    assert reports.failures == []


async def test_R2_a_start_that_fails_is_reported(settings: Settings, reports: Reports) -> None:
    reports.failures.clear()
    broken = replace(settings, connection_url="postgresql://nobody@127.0.0.1:1/nothing")
    app = create_app(broken, Telemetry(broken, reporters=[reports]))
    with pytest.raises(LifespanError):
        async with serving(app):
            pass
    assert [failure.what for failure in reports.failures] == ["the start or the stop"]


async def test_the_course_s_own_span_is_on_the_home_feed(
    traced: Api, recorded: Recorded, database: asyncpg.Connection, traced_app: Quart
) -> None:
    worf = await Member.enter(traced, database, traced_app, "worf", "Worf")
    for _ in range(3):
        await worf.crud()
    recorded.clear()
    await worf.get("/api/activities/home")
    facts = attributes(recorded.named("home-activities"))
    assert facts["app.result_length"] == 3
    assert str(facts["app.now"]).endswith("+00:00")
    assert attributes(recorded.server)["enduser.pseudo.id"] == str(worf.uuid)


@pytest.mark.parametrize("path", ["/api/activities", "/api/activities/{uuid}/reply"])
async def test_a_sign_out_during_the_body_refuses_the_request_without_a_user(
    traced: Api,
    traced_app: Quart,
    recorded: Recorded,
    database: asyncpg.Connection,
    path: str,
) -> None:
    troi = await Member.enter(traced, database, traced_app, "troi", "Deanna Troi")
    worf = await Member.enter(traced, database, traced_app, "worf", "Worf")
    path = path.format(uuid=(await troi.crud())["uuid"])

    async def body() -> AsyncIterator[bytes]:
        yield b'{"message": "Qapla\'",'
        await database.execute("DELETE FROM sessions")
        yield b'"ttl": "1-day"}'

    recorded.clear()
    response = await worf.request("POST", path, headers=JSON, content=body(), expect=401)
    assert refused(response) == ["generic_401"]
    assert "enduser.pseudo.id" not in attributes(recorded.server)


async def test_a_malformed_header_is_not_a_server_error(
    traced_app: Quart, settings: Settings
) -> None:
    async with visiting(traced_app) as api:
        odd = {"User-Agent": b"\xff\\x", "Host": b"\xff\\u", "traceparent": b"\xfe\\N"}
        await api.request("GET", "/api/activities/home", headers=odd)


def _metric(reader: InMemoryMetricReader, name: str) -> float:
    """The sum of a metric's points; a histogram's is its count."""
    total = 0.0
    data = reader.get_metrics_data()
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if metric.name == name:
                    points = metric.data.data_points
                    total += sum(getattr(p, "count", getattr(p, "value", 0)) for p in points)
    return total


def _requests(reader: InMemoryMetricReader) -> float:
    return _metric(reader, "http.server.request.duration")


async def test_S12_the_calls_of_a_store_of_pictures_are_in_the_trace_of_the_upload(
    settings: Settings,
    spans: InMemorySpanExporter,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = InMemoryMetricReader()
    with FakeS3() as bucket:
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        changed = replace(settings, picture_store=f"s3://{BUCKET}", s3_endpoint=bucket.url)
        telemetry = Telemetry(
            changed, processors=[SimpleSpanProcessor(spans)], readers=[reader], reporters=[]
        )
        async with serving(app := create_app(changed, telemetry)) as api:
            worf = await Member.enter(api, database, app, "worf", "Worf")
            spans.clear()
            content = file(Image.new("RGB", (30, 20)))
            uploaded = await worf.request("POST", "/api/pictures", content=content)
            recorded = Recorded(spans)
            server, store = recorded.server, recorded.named("store picture")
            puts = [span for span in recorded.spans if span.name == "S3/PutObject"]
            calls = [span for span in recorded.spans if span.name == "PUT 127.0.0.1"]
            assert [span.parent for span in (store, *puts)] == [
                server.context,
                *[store.context] * 2,
            ]
            assert [span.parent for span in calls] == [span.context for span in puts]
            assert attributes(store)["app.picture.store"] == "s3"
            assert attributes(puts[0]).items() >= {
                ("rpc.system.name", "aws-api"),
                ("rpc.method", "S3/PutObject"),
                ("aws.s3.bucket", BUCKET),
                ("aws.request_id", "1"),
            }
            assert attributes(server)["app.http.calls"] == 2
            await database.execute("DELETE FROM pictures WHERE uuid = $1", uploaded.json()["uuid"])
            await app.extensions["cruddur"].crud_pictures.sweep()
            data = reader.get_metrics_data()
            assert data is not None
            names = {
                metric.name
                for resource in data.resource_metrics
                for scope in resource.scope_metrics
                for metric in scope.metrics
            }
            assert "app.pictures.stored" in names
