"""Each standard OTEL_* variable has its effect on what a pipeline exports, or stops the start."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from opentelemetry import propagate, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from certificates import self_signed
from cruddur.app import create_app
from cruddur.settings import Settings, SettingsError
from cruddur.settings.library_variables import set_variables
from cruddur.telemetry.background import background
from cruddur.telemetry.export_queue import ExportStatus
from cruddur.telemetry.pipeline import Telemetry
from cruddur.telemetry.unused_variables import DECLARED, has_effect, warn_of_unused_variables
from fakes.otlp import OtlpSink
from fakes.sink import Received
from support import visiting
from telemetry.recorded import until

PATHS = ("/v1/traces", "/v1/metrics", "/v1/logs")
COMPOSE = Path(__file__).parents[2] / "deploy/settings.yaml"
SIGNALS: tuple[str, ...] = ("TRACES", "METRICS", "LOGS")
PREFIX = "OTEL_EXPORTER_OTLP_"
LONG = "x" * 50

logger = logging.getLogger("cruddur.trial")


class Pipeline:
    """A running pipeline of the environment, and one span, metric and log line on request."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def emit(self, lines: int = 1) -> None:
        """Record a span with three attributes, events and links, a metric, and log lines."""
        instruments = self._telemetry.instruments
        link = trace.Link(SpanContext(1, 2, False), {"a": LONG, "b": LONG})
        with background("trial", instruments) as span:
            for number in range(3):
                span.set_attribute(f"app.text.{number}", LONG)
                span.add_event("event", {"a": LONG, "b": LONG})
                span.add_link(link.context, link.attributes)
            instruments.histograms["app.event_loop.lag"].record(0.2)
            instruments.counters["app.messages.sent"].add(1)
            for _ in range(lines):
                fields = {"fields": {"app.kind": LONG, "app.sink": LONG}}
                logger.warning("a line", extra=fields)

    def status(self, sink: str) -> ExportStatus:
        """The counts of a sink."""
        [found] = [one for one in self._telemetry.health() if one.sink == sink]
        return found


class Environment:
    """Sets variables, and runs a pipeline with them.

    Attributes:
        signals: those that are exported.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.signals = SIGNALS
        self._monkeypatch = monkeypatch

    def set(self, **variables: str) -> None:
        for variable, text in variables.items():
            self._monkeypatch.setenv(variable, text)

    async def run(
        self, sink: OtlpSink | None = None, inside: Callable[[Pipeline], Any] = Pipeline.emit
    ) -> None:
        """Run a pipeline that exports everything when it ends, or before."""
        if sink is not None:
            self.set(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
        for one in SIGNALS:
            self.set(**{f"OTEL_{one}_EXPORTER": "otlp" if one in self.signals else "none"})
        telemetry = Telemetry(Settings.from_env())
        async with telemetry.running():
            outcome = inside(Pipeline(telemetry))
            if outcome is not None:
                await outcome


@pytest.fixture(autouse=True)
def _propagator() -> Iterator[None]:
    """Restore the propagator, which is global, for the applications of other tests."""
    before = propagate.get_global_textmap()
    yield
    propagate.set_global_textmap(before)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    return Environment(monkeypatch)


def by_path(sink: OtlpSink) -> dict[str, Received]:
    """The last request of each signal."""
    return {request.path: request for request in sink.requests}


# --- exporters ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, ("gzip", "gzip", "gzip")),
        ({"": "none"}, (None, None, None)),
        ({"": "deflate", "TRACES_": "none"}, (None, "deflate", "deflate")),
        ({"METRICS_": "none", "LOGS_": "deflate"}, ("gzip", None, "deflate")),
    ],
)
async def test_compression(
    environment: Environment, variables: dict[str, str], expected: tuple[str | None, ...]
) -> None:
    environment.set(**{f"{PREFIX}{signal}COMPRESSION": text for signal, text in variables.items()})
    with OtlpSink() as sink:
        await environment.run(sink)
        found = by_path(sink)
        assert sink.problems == []
    assert tuple(found[path].headers["Content-Encoding"] for path in PATHS) == expected


async def test_headers_of_a_signal_replace_those_of_all(environment: Environment) -> None:
    environment.set(
        OTEL_EXPORTER_OTLP_HEADERS="x-of-all=1%202",
        OTEL_EXPORTER_OTLP_LOGS_HEADERS="x-of-logs=3",
    )
    with OtlpSink() as sink:
        await environment.run(sink)
        found = by_path(sink)
    assert [found[path].headers["x-of-all"] for path in PATHS] == ["1 2", "1 2", None]
    assert [found[path].headers["x-of-logs"] for path in PATHS] == [None, None, "3"]


@pytest.mark.parametrize("signal", SIGNALS)
async def test_the_endpoint_of_a_signal_is_a_full_address(
    environment: Environment, signal: str
) -> None:
    path = f"/v1/{signal.lower()}"
    with OtlpSink() as sink, OtlpSink() as other:
        environment.set(**{f"{PREFIX}{signal}_ENDPOINT": f"{other.url}{path}"})
        await environment.run(sink)
        assert by_path(other).keys() == {path}
        assert by_path(sink).keys() == set(PATHS) - {path}


@pytest.mark.parametrize(
    ("variable", "limit", "sink_name"),
    [
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0.2", "OTLP"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "0.2", "OTLP metrics"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "0.2", "OTLP logs"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "200", "OTLP"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "200", "OTLP metrics"),
        ("OTEL_BLRP_EXPORT_TIMEOUT", "200", "OTLP logs"),
    ],
)
async def test_an_export_is_given_up_after_its_time_limit(
    environment: Environment, variable: str, limit: str, sink_name: str
) -> None:
    names = {"OTLP", "OTLP metrics", "OTLP logs"}
    environment.set(
        OTEL_EXPORTER_OTLP_TIMEOUT="50",
        OTEL_BSP_SCHEDULE_DELAY="10",
        OTEL_BLRP_SCHEDULE_DELAY="10",
        OTEL_METRIC_EXPORT_INTERVAL="10",
        **{variable: limit},
    )
    with OtlpSink() as sink:
        sink.mode = "hang"

        async def inside(pipeline: Pipeline) -> None:
            pipeline.emit()
            await sink.arrival(lambda: by_path(sink).keys() == set(PATHS))
            await until(lambda: pipeline.status(sink_name).failed)
            assert {name: pipeline.status(name).failed for name in names - {sink_name}} == (
                dict.fromkeys(names - {sink_name}, 0)
            )
            sink.mode = "ok"

        await environment.run(sink, inside)


@pytest.mark.parametrize("variable", [f"{PREFIX}{signal}_TIMEOUT" for signal in SIGNALS])
async def test_P7_a_time_limit_in_milliseconds_is_warned_of(
    environment: Environment, caplog: pytest.LogCaptureFixture, variable: str
) -> None:
    environment.set(**{variable: "10000"})
    await environment.run(None, lambda _: None)
    assert caplog.messages == [f"{variable} is in seconds: 10000 is 2.8 hours"]


@pytest.mark.parametrize("signal", ["", "TRACES_", "METRICS_", "LOGS_"])
async def test_certificates_of_the_backend_and_of_the_client(
    environment: Environment, tmp_path: Path, signal: str
) -> None:
    (tmp_path / "client").mkdir()
    certificate, client = self_signed(tmp_path), self_signed(tmp_path / "client")
    environment.set(
        **{
            f"{PREFIX}{signal}CERTIFICATE": str(certificate),
            f"{PREFIX}{signal}CLIENT_CERTIFICATE": str(client),
            f"{PREFIX}{signal}CLIENT_KEY": str(client),
        }
    )
    if signal:
        environment.signals = (signal.strip("_"),)
    with OtlpSink(certificate, client) as sink:
        await environment.run(sink)
        assert by_path(sink).keys() == {f"/v1/{one.lower()}" for one in environment.signals}


@pytest.mark.parametrize(
    ("signal", "path"), [("TRACES", PATHS[0]), ("METRICS", PATHS[1]), ("LOGS", PATHS[2])]
)
async def test_an_exporter_can_be_switched_off(
    environment: Environment, signal: str, path: str
) -> None:
    environment.signals = tuple(one for one in SIGNALS if one != signal)
    with OtlpSink() as sink:
        await environment.run(sink)
        assert by_path(sink).keys() == set(PATHS) - {path}


STOPS = [
    *((f"OTEL_{signal}_EXPORTER", "console") for signal in SIGNALS),
    *(
        (f"{PREFIX}{signal}PROTOCOL", protocol)
        for signal in ("", "TRACES_", "METRICS_", "LOGS_")
        for protocol in ("grpc", "http/json")
    ),
    *((f"{PREFIX}{signal}COMPRESSION", "zstd") for signal in ("", "TRACES_", "METRICS_", "LOGS_")),
    *((f"{PREFIX}{signal}TIMEOUT", "10s") for signal in ("", "TRACES_", "METRICS_", "LOGS_")),
    (f"{PREFIX}METRICS_TEMPORALITY_PREFERENCE", "sometimes"),
    (f"{PREFIX}METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "linear"),
    ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
    ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
    ("OTEL_BLRP_MAX_QUEUE_SIZE", "many"),
    ("OTEL_METRIC_EXPORT_TIMEOUT", "-1"),
    ("OTEL_PROPAGATORS", "nonsense"),
    ("OTEL_PROPAGATORS", "none,b3"),
    (f"{PREFIX}CLIENT_KEY", __file__),
]


@pytest.mark.parametrize(("variable", "text"), STOPS)
def test_a_value_that_cannot_have_its_effect_stops_the_start(variable: str, text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env({variable: text})
    assert str(refusal.value).startswith(variable)
    assert "\n" not in str(refusal.value)


# --- batches --------------------------------------------------------------------------------


async def test_queue_and_batch_of_log_records(environment: Environment) -> None:
    environment.set(
        OTEL_BLRP_MAX_QUEUE_SIZE="6",
        OTEL_BLRP_MAX_EXPORT_BATCH_SIZE="2",
        OTEL_BLRP_SCHEDULE_DELAY="3600000",
        OTEL_BSP_MAX_QUEUE_SIZE="5",
    )
    with OtlpSink() as sink:

        async def inside(pipeline: Pipeline) -> None:
            assert pipeline.status("OTLP logs").capacity == 6
            assert pipeline.status("OTLP").capacity == 5
            pipeline.emit(lines=4)
            # Full batches do not wait for the delay.
            await sink.arrival(lambda: len(sink.logs) == 4)
            assert len([one for one in sink.requests if one.path == "/v1/logs"]) == 2

        await environment.run(sink, inside)


@pytest.mark.parametrize(
    ("variable", "path"),
    [("OTEL_BLRP_SCHEDULE_DELAY", "/v1/logs"), ("OTEL_BSP_SCHEDULE_DELAY", "/v1/traces")],
)
async def test_delay_of_a_batch(environment: Environment, variable: str, path: str) -> None:
    environment.set(
        OTEL_BLRP_SCHEDULE_DELAY="3600000",
        OTEL_BSP_SCHEDULE_DELAY="3600000",
        OTEL_METRIC_EXPORT_INTERVAL="3600000",
    )
    environment.set(**{variable: "10"})
    with OtlpSink() as sink:

        async def inside(pipeline: Pipeline) -> None:
            pipeline.emit()
            await sink.arrival(lambda: by_path(sink).keys() == {path})

        await environment.run(sink, inside)


# --- metrics --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preference", "counter", "up_down", "observed"),
    [
        ("", "CUMULATIVE", "CUMULATIVE", "CUMULATIVE"),
        ("cumulative", "CUMULATIVE", "CUMULATIVE", "CUMULATIVE"),
        ("DELTA", "DELTA", "CUMULATIVE", "DELTA"),
        ("lowmemory", "DELTA", "CUMULATIVE", "CUMULATIVE"),
    ],
)
async def test_temporality(
    environment: Environment, preference: str, counter: str, up_down: str, observed: str
) -> None:
    environment.set(OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=preference)
    with OtlpSink() as sink:
        await environment.run(sink)
        found = {metric.name: metric.temporality for metric in sink.metrics}
    assert found["app.messages.sent"] == found["app.event_loop.lag"] == counter
    assert found["process.memory.usage"] == up_down
    assert found["process.cpu.time"] == observed


@pytest.mark.parametrize(
    ("aggregation", "kind"),
    [
        ("explicit_bucket_histogram", "histogram"),
        ("base2_exponential_bucket_histogram", "exponential_histogram"),
    ],
)
async def test_histogram_aggregation(environment: Environment, aggregation: str, kind: str) -> None:
    environment.set(OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=aggregation)
    with OtlpSink() as sink:
        await environment.run(sink)
        [lag] = [metric for metric in sink.metrics if metric.name == "app.event_loop.lag"]
    assert lag.kind == kind


@pytest.mark.parametrize(("choice", "has_exemplar"), [("trace_based", True), ("always_off", False)])
async def test_exemplar_filter(environment: Environment, choice: str, has_exemplar: bool) -> None:
    environment.set(OTEL_METRICS_EXEMPLAR_FILTER=choice)
    with OtlpSink() as sink:
        await environment.run(sink)
        [lag] = [metric for metric in sink.metrics if metric.name == "app.event_loop.lag"]
        [span] = sink.spans
    exemplars = [one for point in lag.points for one in point.exemplar_trace_ids]
    assert (span.trace_id in exemplars) == has_exemplar


@pytest.mark.parametrize(("choice", "are_sent"), [("", True), ("true", True), ("false", False)])
async def test_metrics_of_the_sdk(environment: Environment, choice: str, are_sent: bool) -> None:
    environment.set(OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED=choice)
    with OtlpSink() as sink:
        await environment.run(sink)
        own = [metric.name for metric in sink.metrics if metric.name.startswith("otel.sdk.span")]
    assert bool(own) == are_sent


# --- resource and limits --------------------------------------------------------------------


async def test_resource_detectors(environment: Environment) -> None:
    environment.set(OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="os")
    with OtlpSink() as sink:
        await environment.run(sink)
        [span] = sink.spans
    assert span.resource["os.type"] == "linux"


@pytest.mark.parametrize(
    ("variable", "limit", "count"),
    [
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1", lambda span: len(span.attributes)),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1", lambda span: len(span.attributes)),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5", lambda span: longest(span.attributes)),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5", lambda span: longest(span.attributes)),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "1", lambda span: len(span.events)),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "1", lambda span: len(span.links)),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1", lambda span: len(span.events[0].attributes)),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "1", lambda span: len(span.links[0].attributes)),
    ],
)
async def test_limits_of_spans(
    environment: Environment, variable: str, limit: str, count: Callable[[Any], int]
) -> None:
    environment.set(**{variable: limit})
    with OtlpSink() as sink:
        await environment.run(sink)
        [span] = sink.spans
    assert count(span) == int(limit)


@pytest.mark.parametrize(
    ("variable", "limit", "count"),
    [
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "1", lambda line: len(line.attributes)),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "1", lambda line: len(line.attributes)),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5", lambda line: longest(line.attributes)),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5", lambda line: longest(line.attributes)),
    ],
)
async def test_limits_of_log_records(
    environment: Environment, variable: str, limit: str, count: Callable[[Any], int]
) -> None:
    environment.set(**{variable: limit})
    with OtlpSink() as sink:
        await environment.run(sink)
        [line] = sink.logs
    assert count(line) == int(limit)


def longest(attributes: dict[str, Any]) -> int:
    return max(len(value) for value in attributes.values() if isinstance(value, str))


# --- propagation ----------------------------------------------------------------------------

TRACE, SPAN = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
HEADERS = {
    "tracecontext": {"traceparent": f"00-{TRACE}-{SPAN}-01"},
    "b3": {"b3": f"{TRACE}-{SPAN}-1"},
    "b3multi": {"x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "1"},
    "xray": {"X-Amzn-Trace-Id": f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"},
    "none": {},
}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("", HEADERS["tracecontext"]),
        *HEADERS.items(),
        ("tracecontext,b3", HEADERS["tracecontext"] | HEADERS["b3"]),
    ],
)
async def test_propagators_of_outgoing_calls(
    environment: Environment, names: str, expected: dict[str, str]
) -> None:
    environment.set(OTEL_PROPAGATORS=names)
    telemetry = Telemetry(Settings.from_env())
    received: list[httpx.Request] = []

    def response(request: httpx.Request) -> httpx.Response:
        received.append(request)
        return httpx.Response(204)

    context = SpanContext(int(TRACE, 16), int(SPAN, 16), False, TraceFlags(1))
    async with httpx.AsyncClient(transport=httpx.MockTransport(response)) as client:
        telemetry.trace_calls(client)
        with trace.use_span(NonRecordingSpan(context)):
            await client.get("http://example.com/")
    carried = {name.lower() for text in HEADERS.values() for name in text} & set(
        received[0].headers
    )
    assert carried == {name.lower() for name in expected}
    for name in carried:
        assert TRACE[8:] in received[0].headers.get(name, TRACE) or name != "traceparent"
    # The same propagators read what they write.
    found = trace.get_current_span(propagate.extract(dict(expected))).get_span_context()
    assert found.trace_id == (int(TRACE, 16) if expected else 0)


@pytest.mark.parametrize("name", ["tracecontext", "b3", "b3multi", "xray"])
async def test_propagators_of_requests(settings: Settings, name: str) -> None:
    application = create_app(replace(settings, propagators=name))
    async with application.test_app(), visiting(application) as api:
        response = await api.http.get("/api/activities/home", headers=HEADERS[name])
        assert response.headers["traceresponse"].split("-")[1] == TRACE
        for other in HEADERS.keys() - {name}:
            response = await api.http.get("/api/activities/home", headers=HEADERS[other])
            assert response.headers["traceresponse"].split("-")[1] != TRACE


async def test_the_baggage_of_a_caller_is_not_forwarded(environment: Environment) -> None:
    environment.set(OTEL_PROPAGATORS="tracecontext,baggage")
    Telemetry(Settings.from_env())
    sent: dict[str, str] = {}
    propagate.inject(sent, propagate.extract({"baggage": "canary=1"}))
    assert sent == {}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"OTEL_PYTHON_HTTPX_EXCLUDED_URLS": "example.com"}, None),
        ({"OTEL_PYTHON_EXCLUDED_URLS": "example.com"}, None),
        (
            {"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST": "x-sent"},
            {"http.request.header.x_sent": ["red"]},
        ),
        (
            {"OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE": "x-received"},
            {"http.response.header.x_received": ["blue"]},
        ),
        (
            {
                "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST": "x-sent",
                "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS": "x-.*",
            },
            {"http.request.header.x_sent": ["[REDACTED]"]},
        ),
    ],
)
async def test_variables_of_the_httpx_instrumentation(
    environment: Environment, variables: dict[str, str], expected: dict[str, Any] | None
) -> None:
    environment.set(**variables)
    with OtlpSink() as sink:
        environment.set(OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
        telemetry = Telemetry(Settings.from_env())
        response = httpx.MockTransport(
            lambda _: httpx.Response(204, headers={"x-received": "blue"})
        )
        async with telemetry.running(), httpx.AsyncClient(transport=response) as client:
            telemetry.trace_calls(client)
            await client.get("http://example.com/", headers={"x-sent": "red"})
        spans = sink.spans
    found = [
        {key: value for key, value in span.attributes.items() if ".header." in key}
        for span in spans
    ]
    assert found == ([] if expected is None else [expected])


# --- variables without effect ---------------------------------------------------------------


def test_a_variable_without_effect_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPONT": "http://misspelt",
        "OTEL_EXPORTER_OTLP_INSECURE": "true",
        "OTEL_LOG_LEVEL": "",
        "OTEL_SERVICE_NAME": "cruddur",
        "OTEL_PYTHON_EXCLUDED_URLS": "health",
        "PATH": "/bin",
    }
    warn_of_unused_variables(set_variables("OTEL_", environ))
    [line] = caplog.messages
    assert line.endswith(": OTEL_EXPORTER_OTLP_ENDPONT, OTEL_EXPORTER_OTLP_INSECURE")
    warn_of_unused_variables(["OTEL_SERVICE_NAME"])
    assert len(caplog.messages) == 1


def test_compose_passes_every_variable_that_has_an_effect() -> None:
    passed = yaml.safe_load(COMPOSE.read_text())["services"]["settings"]["environment"].keys()
    assert {variable for variable in DECLARED if has_effect(variable)} - passed == set()
    assert {v for v in passed if v.startswith("OTEL_") and not has_effect(v)} == set()


def test_every_declared_variable_is_classified() -> None:
    """A new version of OpenTelemetry that declares more variables fails here: support them, or
    name them in `unused_variables`."""
    assert sorted(filter(has_effect, DECLARED)) == WITH_EFFECT


WITH_EFFECT = [
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_BLRP_EXPORT_TIMEOUT",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BLRP_MAX_QUEUE_SIZE",
    "OTEL_BLRP_SCHEDULE_DELAY",
    "OTEL_BSP_EXPORT_TIMEOUT",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
    "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
    "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT",
    "OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_LOGS_EXPORTER",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_METRICS_EXPORTER",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_METRIC_EXPORT_TIMEOUT",
    "OTEL_PROPAGATORS",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_LOGS_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_METRICS_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_INSTRUMENTATION_HTTP_CAPTURE_ALL_METHODS",
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "OTEL_SEMCONV_STABILITY_OPT_IN",
    "OTEL_SERVICE_NAME",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_TRACES_EXPORTER",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
]
