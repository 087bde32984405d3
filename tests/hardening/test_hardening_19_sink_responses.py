"""Responses to our own outgoing calls are bounded in time and memory."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import jwt
import pytest
import requests
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from certificates import self_signed
from cruddur import http_client
from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry import otlp
from cruddur.telemetry import rollbar as rollbar_sink
from cruddur.telemetry.cloudwatch import CloudWatchLogs
from cruddur.telemetry.export_queue import ExportError
from cruddur.telemetry.logs import Line
from cruddur.telemetry.sink_clients import MAX_RESPONSE_BYTES, bound
from cruddur.telemetry.xray.api import PutTraceSegmentsExporter
from fakes.aws import environment
from fakes.otlp import OtlpSink
from fakes.rollbar import FakeRollbar
from fakes.sink import FAULTS, ResponseFault, Sink
from patience import PATIENCE
from support import refused, serving

SECONDS = 0.3
"""The time limit of each call."""

TOKEN = "operator-token"
IN_BUFFERS = 8 * 1024 * 1024
"""Bytes that the kernel may accept from a sender after the receiver has stopped reading."""


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest) -> ResponseFault:
    return request.param


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sink]:
    """A fake AWS that returns `{}` for every call; botocore does not pause between attempts."""
    with Sink() as sink:
        variables = environment(sink.url) | {"AWS_CONFIG_FILE": str(tmp_path / "none")}
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
        yield sink


def check_bounds(sink: Sink, fault: ResponseFault) -> None:
    """Check that the sink was cut off: it never ends by itself, and it sent few bytes."""
    sink.wait_for(lambda: sink.requests)
    if "drip" not in fault:
        assert sink.sent_badly < len(sink.requests) * (MAX_RESPONSE_BYTES + IN_BUFFERS)


async def failures(api: httpx.AsyncClient) -> dict[str, Any]:
    """Return the sinks that have given up an export, by name, once all have."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    deadline = time.monotonic() + PATIENCE
    while True:
        response = await api.get("/api/health/telemetry", headers=headers)
        sinks = {sink["sink"]: sink for sink in response.json()["sinks"]}
        if all(sink["failed"] for sink in sinks.values()):
            return sinks
        assert time.monotonic() < deadline, sinks
        await asyncio.sleep(0.02)


async def test_hardening_19_an_otlp_sink_is_bounded(
    fault: ResponseFault, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OtlpSink() as sink:
        sink.mode = fault
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", str(SECONDS))
        application = create_app(
            replace(
                settings,
                otlp_endpoint=sink.url,
                otlp_timeout=SECONDS,
                logs_exporter="otlp",
                span_delay=20,
                metric_interval=50,
                operator_token=TOKEN,
            )
        )
        async with serving(application) as api:
            await api.request("GET", "/api/activities/home")
            sinks = await failures(api.http)
            assert set(sinks) == {"OTLP", "OTLP metrics", "OTLP logs"}
            check_bounds(sink, fault)
            sink.mode = "ok"
            await api.request("GET", "/api/activities/home")
            await sink.arrival(lambda: [r for r in sink.requests if r.mode == "ok"], PATIENCE)


async def test_hardening_19_rollbar_is_bounded(
    fault: ResponseFault, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollbar_sink, "TIMEOUT_SECONDS", SECONDS)
    with FakeRollbar() as rollbar:
        rollbar.mode = fault
        application = create_app(
            replace(
                settings,
                rollbar_access_token="a" * 32,
                rollbar_endpoint=rollbar.endpoint,
                operator_token=TOKEN,
            )
        )
        async with serving(application) as api:
            await api.http.get("/rollbar/test")
            sinks = await failures(api.http)
            assert set(sinks) == {"Rollbar"}
            check_bounds(rollbar, fault)


def test_hardening_19_the_session_of_a_plugin_is_bounded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    about = tmp_path / "plugin-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[opentelemetry_otlp_credential_provider]\ntrial = plugin_of_a_test:session\n"
    )
    (tmp_path / "plugin_of_a_test.py").write_text(
        "import requests\n"
        "def session():\n"
        "    made = requests.Session()\n"
        "    made.headers['X-Credential'] = 'proof'\n"
        "    return made\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER", "trial")
    with OtlpSink() as sink:
        exporter = otlp.span_exporter(Settings.from_env(), f"{sink.url}/v1/traces")
        assert exporter.export([span()]) is SpanExportResult.SUCCESS
        assert sink.requests[0].headers["X-Credential"] == "proof"
        sink.mode = "drip"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", str(SECONDS))
        exporter = otlp.span_exporter(Settings.from_env(), f"{sink.url}/v1/traces")
        assert exporter.export([span()]) is SpanExportResult.FAILURE


def span() -> Any:
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("test").start_as_current_span("GET"):
        pass
    return memory.get_finished_spans()[0]


def put_spans(seconds: float) -> None:
    exporter = PutTraceSegmentsExporter(read_timeout=seconds)
    try:
        exporter.export([span()])
    finally:
        exporter.shutdown()


def put_lines(seconds: float) -> None:
    logs = CloudWatchLogs(
        log_group="cruddur",
        retention_days=30,
        constants={},
        with_xray_ids=False,
        read_timeout=seconds,
    )
    line = Line(
        created=time.time(),
        level="INFO",
        severity=20,
        logger="cruddur",
        message="home was read",
        trace_id="",
        span_id="",
        trace_flags=0,
        stacktrace="",
        fields={},
        is_private=False,
    )
    logs.export_queue.put(line)
    logs.export_queue.start()
    assert logs.export_queue.close(PATIENCE)
    if error := logs.export_queue.status().last_error:
        raise ExportError(error)


@pytest.mark.parametrize("put", [put_spans, put_lines], ids=["x-ray", "cloudwatch"])
def test_hardening_19_aws_is_bounded(
    aws: Sink, fault: ResponseFault, put: Callable[[float], None]
) -> None:
    aws.mode = fault
    with pytest.raises(ExportError, match=r"\w"):
        put(SECONDS)
    check_bounds(aws, fault)
    aws.mode = "ok"
    put(PATIENCE)


@pytest.fixture
def cognito(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Sink, Settings]]:
    """A fake user pool that always returns `{}`, and settings that use it."""
    monkeypatch.setattr(http_client, "CALL_SECONDS", SECONDS)
    with Sink() as sink:
        yield (
            sink,
            replace(
                settings,
                cognito_endpoint=sink.url,
                cognito_user_pool_id="us-east-1_test",
                cognito_client_id="client",
            ),
        )


async def test_hardening_19_a_key_set_is_bounded(
    cognito: tuple[Sink, Settings], fault: ResponseFault
) -> None:
    sink, settings = cognito
    sink.mode = fault
    claims = {"iss": f"{sink.url}/us-east-1_test", "sub": "x", "exp": time.time() + 60}
    token = jwt.encode(claims, "k" * 32, headers={"kid": "unknown"})
    async with serving(create_app(settings)) as api:
        response = await api.http.get(
            "/api/auth/me", headers={"Authorization": f"Bearer {forged(token)}"}
        )
        assert response.status_code == 503
        assert refused(response) == ["unavailable"]
        check_bounds(sink, fault)
        assert sink.requests[0].headers["Accept-Encoding"] == "identity"


def forged(token: str) -> str:
    """The same claims under the algorithm of the pool."""
    _, claims, _ = token.split(".")
    head = jwt.utils.base64url_encode(b'{"alg":"RS256","kid":"unknown"}').decode()
    return f"{head}.{claims}.{'A' * 342}"


async def test_hardening_19_a_call_of_cognito_is_bounded(
    cognito: tuple[Sink, Settings], fault: ResponseFault
) -> None:
    sink, settings = cognito
    sink.mode = fault
    async with serving(create_app(settings)) as api:
        body = {"email": "worf@example.com", "password": "today is a good day"}
        response = await api.http.post("/api/auth/signin", json=body)
        assert response.status_code == 503
        assert refused(response) == ["unavailable"]
        check_bounds(sink, fault)


def test_hardening_19_a_proxy_that_drips_is_bounded() -> None:
    """The proxy drips before the connection exists, so the response is not what drips."""
    with Sink() as proxy, bound(requests.Session()) as session:
        proxy.mode = "drip in the head"
        with pytest.raises(requests.RequestException):
            session.get("https://sink.example", proxies={"https": proxy.url}, timeout=SECONDS)


def test_hardening_19_a_sink_behind_tls_is_bounded(fault: ResponseFault, tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with Sink(certificate) as sink, bound(requests.Session()) as session:
        options = {"data": b"x", "verify": str(certificate)}
        assert session.post(sink.url, timeout=PATIENCE, **options).json() == {}
        sink.mode = fault
        with pytest.raises(requests.RequestException):
            session.post(sink.url, timeout=SECONDS, **options)
        check_bounds(sink, fault)


def test_hardening_19_ordinary_responses_are_complete() -> None:
    with Sink() as sink, bound(requests.Session()) as session:
        for _ in range(3):
            response = session.post(sink.url, data=b"x", timeout=PATIENCE)
            assert (response.status_code, response.json(), response.reason) == (200, {}, "OK")
            assert response.headers["Content-Type"] == "application/json"
