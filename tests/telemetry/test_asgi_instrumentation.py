"""The standard ASGI middleware is in the path of every request, and its options work."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.asgi.version import __version__ as asgi_version
from opentelemetry.instrumentation.utils import suppress_http_instrumentation
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, SpanKind
from quart import Response
from serving import Served, served, trace_id

from cruddur.app import create_app
from cruddur.edge.tracing import Hooks
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from fakes.honeycomb import FakeHoneycomb
from support import Api, serving, serving_on_a_socket, visiting
from telemetry.recorded import Recorded, attributes, until
from telemetry.trial import misbehave

ROOT = Path(__file__).parents[2]
HOME = "/api/activities/home"
HEALTH = "/api/health-check"
SCHEMA = "https://opentelemetry.io/schemas/1.21.0"
ORIGIN = {"Origin": "http://localhost:3000"}
CAPTURE = "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_"


class Observed:
    """An application, its API, and what it recorded."""

    def __init__(self, settings: Settings, hooks: Hooks | None = None) -> None:
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        telemetry = Telemetry(
            settings, processors=[SimpleSpanProcessor(self.exporter)], readers=[self.reader]
        )
        self.app = create_app(settings, telemetry, hooks)
        misbehave(self.app)
        self.recorded = Recorded(self.exporter)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Api]:
        async with serving(self.app) as api:
            self.exporter.clear()
            yield api

    def requests(self) -> int:
        """The number of requests in the duration histogram."""
        return sum(point.count for point in self.points("http.server.request.duration"))

    def points(self, name: str) -> list[Any]:
        """The data points of a metric."""
        return [point for metric, _ in self.metrics(name) for point in metric.data.data_points]

    def metrics(self, name: str) -> Iterator[tuple[Any, Any]]:
        """The metrics of that name, each with its instrumentation scope."""
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == name:
                        yield metric, scope


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that pass through the standard middleware."""
    seen: list[str] = []
    original = OpenTelemetryMiddleware.__call__

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            seen.append(scope["path"])
        await original(self, scope, receive, send)

    monkeypatch.setattr(OpenTelemetryMiddleware, "__call__", call)
    return seen


async def test_every_request_passes_through_the_standard_middleware(
    settings: Settings, calls: list[str]
) -> None:
    observed = Observed(replace(settings, trusted_hops=1))
    paths = [HOME, HOME, HOME, "/nowhere", HEALTH, "/api/auth/me", "/trial/fail"]
    async with observed.serving() as api:
        for path in paths:  # also the ones of the response cache
            await api.http.get(path)
        await api.http.head("/api/stream")
        await api.http.options(HOME, headers=ORIGIN)
        async with observed.app.test_client().websocket("/trial/echo/x", headers=ORIGIN) as socket:
            await socket.send("hello")
            await socket.receive()
    assert calls == [*paths, "/api/stream", HOME, "/trial/echo/<room>"]


def test_the_production_image_has_the_instrumentation() -> None:
    locked = (ROOT / "requirements" / "prod.txt").read_text("utf-8")
    assert "\nopentelemetry-instrumentation-asgi==" in locked


async def test_server_spans_and_metrics_have_the_scope_of_the_instrumentation(
    settings: Settings,
) -> None:
    observed = Observed(settings)
    async with observed.serving() as api:
        await api.get(HOME)
        [(_, metrics)] = observed.metrics("http.server.request.duration")
    spans = observed.recorded.server.instrumentation_scope
    for scope in (spans, metrics.scope):
        assert scope.name == "opentelemetry.instrumentation.asgi"
        assert scope.version == asgi_version
        assert scope.schema_url == SCHEMA


@pytest.mark.parametrize(
    "variable", ["OTEL_PYTHON_EXCLUDED_URLS", "OTEL_PYTHON_ASGI_EXCLUDED_URLS"]
)
async def test_excluded_urls_have_no_span_and_no_metric(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variable: str,
) -> None:
    caplog.set_level("INFO", logger="cruddur.request")
    monkeypatch.setenv(variable, "/api/trending, users/@.+/short$")
    observed = Observed(settings)
    async with observed.serving() as api:
        excluded = [
            await api.http.get("/api/trending"),
            await api.http.get("/api/users/@worf@kronos.example/short"),
        ]
        assert observed.recorded.spans == []
        assert observed.requests() == 0
        await api.get(HOME)
    assert observed.recorded.server.name == f"GET {HOME}"
    assert observed.requests() == 1
    lines = [one for one in caplog.records if one.name == "cruddur.request"]
    assert len(lines) == 3, "an excluded request has its log line"
    assert all(trace_id(response) for response in excluded)


async def test_the_variable_of_the_instrumentation_replaces_the_general_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_EXCLUDED_URLS", "home")
    monkeypatch.setenv("OTEL_PYTHON_ASGI_EXCLUDED_URLS", "trending")
    observed = Observed(settings)
    async with observed.serving() as api:
        await api.get(HOME)
        await api.get("/api/trending")
    assert observed.recorded.server.name == f"GET {HOME}"


async def test_an_excluded_stream_has_no_span_at_all(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="cruddur.request")
    monkeypatch.setenv("OTEL_PYTHON_EXCLUDED_URLS", "/api/stream")
    observed = Observed(settings)
    async with observed.serving(), serving_on_a_socket(observed.app) as url:
        async with (
            httpx.AsyncClient() as client,
            client.stream("GET", f"{url}/api/stream") as response,
        ):
            assert (await anext(response.aiter_lines())).startswith("retry: ")
        await until(lambda: "close /api/stream" in caplog.messages)
        assert observed.recorded.spans == []


async def test_a_host_cannot_pose_as_a_probe(settings: Settings) -> None:
    observed = Observed(settings)
    async with observed.serving() as api:
        await api.http.get(HOME, headers={"Host": f"x{HEALTH}"})
    assert observed.recorded.server.name == f"GET {HOME}"


async def test_each_span_has_the_attributes_of_its_own_request(settings: Settings) -> None:
    """Attributes that requests have in common are cached."""
    observed = Observed(settings)
    browser, long = "Mozilla/5.0 (X11)", "x" * 600  # the latter is too long for the cache
    expected = []
    async with observed.serving():
        for host, agent, query, client in itertools.product(
            ("one.example", "two.example:81"), (browser, long), ("", "limit=2"), ("::1", "::2")
        ):
            name, _, port = host.partition(":")
            expected.append((name, int(port or 80), agent, query or None, client, 50000))
            async with visiting(observed.app, address=client) as api:
                for method in ("GET", "HEAD"):
                    headers = {"Host": host, "User-Agent": agent}
                    await api.http.request(method, f"{HOME}?{query}", headers=headers)
    found = [attributes(span) for span in observed.recorded.spans if span.kind is SpanKind.SERVER]
    keys = (
        "server.address", "server.port", "user_agent.original", "url.query", "client.address",
        "client.port",
    )  # fmt: skip
    for method, spans in (("GET", found[::2]), ("HEAD", found[1::2])):
        assert [tuple(span.get(key) for key in keys) for span in spans] == expected
        assert {span["http.request.method"] for span in spans} == {method}


async def test_a_user_agent_may_have_any_bytes(settings: Settings) -> None:
    observed = Observed(settings)
    async with observed.serving() as api:
        await api.http.get(HOME, headers={"User-Agent": b"caf\xe9"})
    assert attributes(observed.recorded.server)["user_agent.original"] == "café"


async def test_captured_headers_become_attributes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{CAPTURE}SERVER_REQUEST", "x-trial.*,accept")
    monkeypatch.setenv(f"{CAPTURE}SERVER_RESPONSE", "content-type,trace.*")
    monkeypatch.setenv(f"{CAPTURE}SANITIZE_FIELDS", ".*private.*")
    observed = Observed(settings)
    headers = {"X-Trial-One": "1", "X-Trial-Private": "canary", "X-Other": "2", "Accept": "*/*"}
    async with observed.serving() as api:
        response = await api.http.get(HOME, headers=headers)
    found = attributes(observed.recorded.server)
    assert found["http.request.header.x_trial_one"] == ("1",)
    assert found["http.request.header.x_trial_private"] == ("[REDACTED]",)
    assert found["http.request.header.accept"] == ("*/*",)
    assert found["http.response.header.content_type"] == ("application/json",)
    assert found["http.response.header.traceresponse"] == (response.headers["traceresponse"],)
    assert "http.request.header.x_other" not in found
    assert "canary" not in observed.recorded.server.to_json()


async def test_no_pattern_captures_a_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{CAPTURE}SERVER_REQUEST", ".*")
    monkeypatch.setenv(f"{CAPTURE}SERVER_RESPONSE", ".*")
    observed = Observed(settings)

    @observed.app.get("/trial/cookie")
    async def cookie() -> Response:
        return Response(b"", headers={"Set-Cookie": "refresh=canary-set"})

    headers = {
        "Authorization": "Bearer canary-bearer",
        "Proxy-Authorization": "Basic canary-proxy",
        "Cookie": "refresh=canary-cookie",
        "X-CSRF-Token": "canary-csrf",
        "X-Api-Key": "canary-key",
        "X-Client-Secret": "canary-secret",
        "Idempotency-Key": "canary-idempotency",
        "Referer": "http://localhost:3000/reset?code=canary-referer",
        "X-Contact": "canary@kronos.example",
        "X-Note": "Bearer canary.in.text",
        "User-Agent": "canary@kronos.example",
    }
    async with observed.serving() as api:
        await api.http.get("/trial/cookie", headers=headers)
    span = observed.recorded.server
    captured = {k for k in attributes(span) if k.startswith("http.request.header.")}
    wanted = {f"http.request.header.{name.lower().replace('-', '_')}" for name in headers}
    assert wanted <= captured
    assert attributes(span)["http.response.header.set_cookie"] == ("[REDACTED]",)
    assert "canary" not in span.to_json()


async def test_hooks_are_called(settings: Settings) -> None:
    calls: list[tuple[str, str]] = []

    def on_server(span: Span, scope: dict[str, Any]) -> None:
        span.set_attribute("trial.headers", len(scope["headers"]))
        calls.append(("server", scope["path"]))

    def on_receive(span: Span, scope: dict[str, Any], message: dict[str, Any]) -> None:
        calls.append(("receive", message["type"]))

    def on_send(span: Span, scope: dict[str, Any], message: dict[str, Any]) -> None:
        calls.append(("send", message["type"]))

    observed = Observed(settings, Hooks(on_server, on_receive, on_send))
    async with observed.serving() as api:
        await api.http.get(HOME, headers={"X-Trial": "1"})
        await api.http.post("/api/auth/signin", json={"email": "x", "password": "x"})
    assert ("server", HOME) in calls
    assert ("send", "http.response.start") in calls
    assert ("receive", "http.request") in calls
    spans = {span.name: span for span in observed.recorded.spans}
    assert attributes(spans[f"GET {HOME}"])["trial.headers"] > 3
    assert f"GET {HOME} http send" in spans
    assert "POST /api/auth/signin http receive" in spans


async def test_a_failing_hook_does_not_fail_the_request(settings: Settings) -> None:
    def broken(span: Span, scope: dict[str, Any]) -> None:
        raise LookupError("the hook broke")

    observed = Observed(settings, Hooks(server_request=broken))
    async with observed.serving() as api:
        await api.get(HOME)
    assert attributes(observed.recorded.server)["http.response.status_code"] == 200


async def test_an_unknown_method_is_kept_as_the_original(settings: Settings) -> None:
    observed = Observed(settings)
    async with observed.serving() as api:
        await api.http.request("BREW", HOME)
    span = observed.recorded.server
    assert span.name == "HTTP"
    assert attributes(span)["http.request.method"] == "_OTHER"
    assert attributes(span)["http.request.method_original"] == "BREW"


async def test_suppressed_instrumentation_records_nothing(settings: Settings) -> None:
    observed = Observed(settings)
    async with observed.serving() as api:
        with suppress_http_instrumentation():
            response = await api.http.get(HOME)
        assert observed.recorded.spans == []
        assert observed.requests() == 0
        assert trace_id(response)


async def test_metrics_name_the_exception_as_the_span_does(settings: Settings) -> None:
    """The attributes of the metrics are reached through a private method of the middleware."""
    observed = Observed(settings)
    async with observed.serving() as api:
        await api.http.get("/trial/fail")
        [point] = observed.points("http.server.request.duration")
    assert point.attributes["error.type"] == "TrialError"
    assert point.attributes["http.response.status_code"] == 500
    assert attributes(observed.recorded.server)["error.type"] == "TrialError"


async def test_concurrent_responses_keep_their_sizes_apart(settings: Settings) -> None:
    """The bare middleware records the size of the response that it has seen last."""
    observed = Observed(settings)
    has_begun, may_end = asyncio.Event(), asyncio.Event()

    @observed.app.get("/trial/slow")
    async def slow() -> Response:
        async def body() -> AsyncIterator[bytes]:
            has_begun.set()
            await may_end.wait()
            yield b"x"

        return Response(body())

    @observed.app.get("/trial/sized")
    async def sized() -> Response:
        return Response(b"x" * 1234)

    async with observed.serving() as api:
        pending = asyncio.create_task(api.http.get("/trial/slow"))
        await has_begun.wait()
        await api.http.get("/trial/sized")
        may_end.set()
        await pending
        points = observed.points("http.server.response.body.size")
    sizes = {point.attributes["http.route"]: point.sum for point in points}
    assert sizes == {"/trial/sized": 1234}, "a response without a length is not measured"


@pytest.mark.parametrize("length", [b"9" * 400, b"9" * 19, b"-5", b"1e3"])
async def test_an_implausible_length_is_not_measured(settings: Settings, length: bytes) -> None:
    observed = Observed(settings)
    async with observed.serving() as api:
        await api.http.request("GET", HOME, headers={"Content-Length": length})
        assert observed.points("http.server.request.body.size") == []


@pytest.fixture(scope="module")
async def duplicated(
    make_database: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Served, FakeHoneycomb]]:
    """A service whose operator wants old and new names, and an exclusion."""
    with (
        FakeHoneycomb("key") as honeycomb,
        served(
            await make_database(),
            tmp_path_factory.mktemp("duplicated"),
            OTEL_SEMCONV_STABILITY_OPT_IN="http/dup",
            OTEL_PYTHON_EXCLUDED_URLS="/api/trending",
            OTEL_EXPORTER_OTLP_ENDPOINT=honeycomb.url,
            OTEL_METRICS_EXPORTER="otlp",
            OTEL_METRIC_EXPORT_INTERVAL="200",
            OTEL_BSP_SCHEDULE_DELAY="20",
            HONEYCOMB_API_KEY="key",
        ) as service,
    ):
        yield service, honeycomb


def test_an_operator_can_have_old_and_new_names(duplicated: tuple[Served, FakeHoneycomb]) -> None:
    service, honeycomb = duplicated
    service.http.get("/api/trending")
    response = service.http.get(
        "/api/activities/search?term=canary", headers={"User-Agent": "canary@kronos.example"}
    )

    def servers() -> list[Any]:
        return [s for s in honeycomb.spans if s.kind == "SERVER"]

    [span] = honeycomb.wait_for(servers)
    assert span.trace_id == trace_id(response)
    assert span.scope == "opentelemetry.instrumentation.asgi"
    found = span.attributes
    assert found["http.request.method"] == found["http.method"] == "GET"
    assert found["http.response.status_code"] == found["http.status_code"] == 200
    assert found["url.path"] == "/api/activities/search"
    assert found["http.target"].startswith("/api/activities/search")
    wanted = {"http.server.request.duration", "http.server.duration"}
    honeycomb.wait_for(lambda: wanted <= {metric.name for metric in honeycomb.metrics})
    exported = b"".join(request.body for request in honeycomb.requests)
    assert b"canary" not in exported


def test_a_malformed_trace_header_writes_no_log_line(
    duplicated: tuple[Served, FakeHoneycomb],
) -> None:
    service, _ = duplicated
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    for headers in (
        {"traceparent": parent, "tracestate": "canary"},
        {"traceparent": parent, "tracestate": "a=canary" * 99},
        {"traceparent": "canary" * 99},
    ):
        response = service.http.get(HOME, headers=headers)
        service.until(lambda r=response: service.logged("cruddur.request", trace_id=trace_id(r)))
    assert "canary" not in service.text
    assert {line["logger"] for line in service.lines if "trace_id" in line} == {"cruddur.request"}


@pytest.mark.parametrize("is_continued", [False, True])
async def test_a_disabled_sdk_gives_ids_of_its_own(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_continued: bool
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")  # which the SDK reads itself
    settings = replace(settings, sdk_disabled="true")
    sent = f"00-{'ab' * 16}-{'cd' * 8}-01"
    async with serving(create_app(settings, Telemetry(settings))) as api:
        headers = {"traceparent": sent} if is_continued else {}
        response = await api.request("GET", HOME, headers=headers)
    version, trace, span, flags = response.headers["traceresponse"].split("-")
    assert (version, flags) == ("00", "02")
    assert (trace == "ab" * 16) is is_continued
    assert int(span, 16)
    assert span != "cd" * 8
