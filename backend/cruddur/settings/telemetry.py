"""Settings of telemetry: logs, OpenTelemetry, Honeycomb, X-Ray, Rollbar and CloudWatch."""

from dataclasses import dataclass
from typing import Annotated, Literal

from cruddur.settings import checks
from cruddur.settings.declaration import setting

LogFormat = Literal["auto", "json", "text"]
Switch = Literal["auto", "on", "off"]
XRayExporter = Literal["auto", "daemon", "api", "otlp", "none"]
OtlpExporter = Literal["otlp", "none"]
OtlpProtocol = Literal["http/protobuf"]
OtlpCompression = Literal["gzip", "deflate", "none"]
Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]


@dataclass(frozen=True, kw_only=True)
class TelemetrySettings:
    """What the service records, and the sinks that it exports to."""

    log_level: Annotated[
        str,
        setting("LOG_LEVEL", "Minimum level of log lines that are written", check=checks.log_level),
    ] = "INFO"
    log_format: Annotated[
        LogFormat, setting("LOG_FORMAT", "Format of log lines; `auto`: `text` on a terminal")
    ] = "auto"
    environment: Annotated[
        str,
        setting(
            "CRUDDUR_ENVIRONMENT",
            "`deployment.environment.name` in all telemetry",
            compose="set",
        ),
    ] = "development"
    service_name: Annotated[
        str, setting("OTEL_SERVICE_NAME", "`service.name` in all telemetry", compose="set")
    ] = "cruddur"
    honeycomb_service_name: Annotated[
        str,
        setting("HONEYCOMB_SERVICE_NAME", "`service.name` if OTEL_SERVICE_NAME is not set"),
    ] = ""
    sdk_disabled: Annotated[
        str,
        setting("OTEL_SDK_DISABLED", "`true`: no spans and no metrics", check=checks.boolean),
    ] = "false"
    traces_sampler: Annotated[
        Sampler,
        setting("OTEL_TRACES_SAMPLER", "Which traces are kept; a client's own flag never decides"),
    ] = "parentbased_always_on"
    traces_sampler_arg: Annotated[
        float,
        setting(
            "OTEL_TRACES_SAMPLER_ARG",
            "Fraction of traces that the ratio samplers keep, rounded to the nearest 1/n",
            ge=0,
            le=1,
        ),
    ] = 1.0
    propagators: Annotated[
        str,
        setting(
            "OTEL_PROPAGATORS",
            "Comma-separated headers for trace context: `tracecontext`, `baggage`, `b3`,"
            " `b3multi`, `xray`; `none`: no headers",
        ),
    ] = "tracecontext,baggage"
    otlp_endpoint: Annotated[
        str,
        setting(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "Base URL of an OTLP/HTTP backend; empty: none",
            check=checks.http_url,
        ),
    ] = ""
    otlp_headers: Annotated[
        str,
        setting(
            "OTEL_EXPORTER_OTLP_HEADERS", "Headers for the OTLP backend, `name=value,name=value`"
        ),
    ] = ""
    otlp_traces_endpoint: Annotated[
        str,
        setting(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "Full URL for traces; empty: below the base URL",
            check=checks.http_url,
        ),
    ] = ""
    otlp_metrics_endpoint: Annotated[
        str,
        setting(
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            "Full URL for metrics; empty: below the base URL",
            check=checks.http_url,
        ),
    ] = ""
    otlp_logs_endpoint: Annotated[
        str,
        setting(
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            "Full URL for logs; empty: below the base URL",
            check=checks.http_url,
        ),
    ] = ""
    otlp_protocol: Annotated[
        OtlpProtocol,
        setting("OTEL_EXPORTER_OTLP_PROTOCOL", "OTLP transport; only this one is supported"),
    ] = "http/protobuf"
    otlp_timeout: Annotated[
        float,
        setting(
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "Maximum duration of one export; not in milliseconds",
            ge=0.001,
            le=100_000_000,
            unit="s",
        ),
    ] = 10.0
    otlp_compression: Annotated[
        OtlpCompression,
        setting("OTEL_EXPORTER_OTLP_COMPRESSION", "Compression of exports by OTLP"),
    ] = "gzip"
    traces_exporter: Annotated[
        OtlpExporter, setting("OTEL_TRACES_EXPORTER", "`none`: export no traces by OTLP")
    ] = "otlp"
    metrics_exporter: Annotated[
        OtlpExporter, setting("OTEL_METRICS_EXPORTER", "`none`: export no metrics by OTLP")
    ] = "otlp"
    logs_exporter: Annotated[
        OtlpExporter, setting("OTEL_LOGS_EXPORTER", "`otlp`: also export log lines by OTLP")
    ] = "none"
    span_queue: Annotated[
        int,
        setting("OTEL_BSP_MAX_QUEUE_SIZE", "Spans that wait for export", ge=1, le=1_000_000),
    ] = 2048
    span_batch: Annotated[
        int, setting("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "Spans per export", ge=1, le=100_000)
    ] = 512
    span_delay: Annotated[
        float,
        setting(
            "OTEL_BSP_SCHEDULE_DELAY",
            "Interval between two exports of spans",
            ge=1,
            le=3_600_000,
            unit="ms",
        ),
    ] = 5000.0
    span_timeout: Annotated[
        float,
        setting(
            "OTEL_BSP_EXPORT_TIMEOUT",
            "Maximum duration of one export of spans, if less than OTEL_EXPORTER_OTLP_TIMEOUT",
            ge=1,
            le=3_600_000,
            unit="ms",
        ),
    ] = 30_000.0
    log_queue: Annotated[
        int,
        setting(
            "OTEL_BLRP_MAX_QUEUE_SIZE",
            "Log records that wait for export by OTLP",
            ge=1,
            le=1_000_000,
        ),
    ] = 2048
    log_batch: Annotated[
        int,
        setting("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "Log records per export", ge=1, le=100_000),
    ] = 512
    log_delay: Annotated[
        float,
        setting(
            "OTEL_BLRP_SCHEDULE_DELAY",
            "Interval between two exports of log records",
            ge=1,
            le=3_600_000,
            unit="ms",
        ),
    ] = 1000.0
    log_timeout: Annotated[
        float,
        setting(
            "OTEL_BLRP_EXPORT_TIMEOUT",
            "Maximum duration of one export of log records, if less than"
            " OTEL_EXPORTER_OTLP_TIMEOUT",
            ge=1,
            le=3_600_000,
            unit="ms",
        ),
    ] = 30_000.0
    metric_interval: Annotated[
        float,
        setting(
            "OTEL_METRIC_EXPORT_INTERVAL",
            "Interval between two exports of metrics",
            ge=10,
            le=3_600_000,
            unit="ms",
        ),
    ] = 60_000.0
    metric_timeout: Annotated[
        float,
        setting(
            "OTEL_METRIC_EXPORT_TIMEOUT",
            "Maximum duration of one export of metrics, if less than OTEL_EXPORTER_OTLP_TIMEOUT",
            ge=1,
            le=3_600_000,
            unit="ms",
        ),
    ] = 30_000.0
    honeycomb_api_key: Annotated[
        str,
        setting(
            "HONEYCOMB_API_KEY",
            "Ingest key: traces go to Honeycomb, or to the endpoint that is set above",
            secret=True,
            check=checks.header_value,
        ),
    ] = ""
    honeycomb_api_endpoint: Annotated[
        str,
        setting(
            "HONEYCOMB_API_ENDPOINT",
            "Honeycomb's base URL, by region",
            check=checks.http_url,
        ),
    ] = "https://api.honeycomb.io"
    xray_daemon_address: Annotated[
        str,
        setting(
            "AWS_XRAY_DAEMON_ADDRESS",
            "`host:port` of an X-Ray daemon (UDP)",
            check=checks.daemon_address,
        ),
    ] = ""
    xray_exporter: Annotated[
        XRayExporter,
        setting(
            "CRUDDUR_XRAY_EXPORTER",
            "How traces reach X-Ray: `api` is PutTraceSegments, `otlp` is signed (SigV4), `auto`"
            " is `daemon` if one is set",
        ),
    ] = "auto"
    xray_endpoint: Annotated[
        str,
        setting(
            "AWS_ENDPOINT_URL_XRAY",
            "Base URL of X-Ray; empty: the region's",
            check=checks.http_url,
        ),
    ] = ""
    rollbar_access_token: Annotated[
        str,
        setting(
            "ROLLBAR_ACCESS_TOKEN",
            "Errors are reported to Rollbar (extra `rollbar`)",
            secret=True,
            check=checks.header_value,
        ),
    ] = ""
    rollbar_endpoint: Annotated[
        str,
        setting("ROLLBAR_ENDPOINT", "Base URL of Rollbar's API", check=checks.http_url),
    ] = "https://api.rollbar.com/api/1/"
    rollbar_test: Annotated[
        Switch,
        setting(
            "CRUDDUR_ROLLBAR_TEST",
            "Whether `/rollbar/test` sends an item; `auto`: except in production",
        ),
    ] = "auto"
    cloudwatch_log_group: Annotated[
        str,
        setting(
            "CRUDDUR_CLOUDWATCH_LOG_GROUP",
            "CloudWatch log group for log lines (extra `aws`); empty: none",
        ),
    ] = ""
    cloudwatch_retention: Annotated[
        int,
        setting(
            "CRUDDUR_CLOUDWATCH_RETENTION",
            "How long CloudWatch keeps log lines",
            ge=1,
            le=3653,
            unit="days",
        ),
    ] = 30
    trace_url: Annotated[
        str,
        setting(
            "CRUDDUR_TRACE_URL",
            "Page that shows a trace, with a place for `{trace_id}`",
            check=checks.trace_url,
        ),
    ] = ""
    traces_bind: Annotated[
        str,
        setting(
            "CRUDDUR_TRACES_BIND",
            "`host:port` of the trace explorer; `serve --traces` starts it if this is loopback",
            check=checks.host_and_port,
            compose="fixed",
        ),
    ] = "127.0.0.1:4318"
    browser_telemetry: Annotated[
        Switch,
        setting(
            "CRUDDUR_BROWSER_TELEMETRY",
            "Whether pages send traces and errors to `/api/telemetry`, if traces are exported;"
            " `auto`: except in production",
        ),
    ] = "auto"
    operator_token: Annotated[
        str,
        setting(
            "CRUDDUR_OPERATOR_TOKEN",
            "Bearer token of `/api/health/telemetry`; empty: 404",
            secret=True,
        ),
    ] = ""

    @property
    def is_sdk_disabled(self) -> bool:
        """Whether no spans and no metrics are recorded."""
        return self.sdk_disabled.lower() == "true"

    @property
    def sample_ratio(self) -> float:
        """The fraction of traces that is kept, between 0 and 1."""
        if self.traces_sampler.endswith("traceidratio"):
            return self.traces_sampler_arg
        return 1.0 if self.traces_sampler.endswith("always_on") else 0.0

    @property
    def traces_url(self) -> str:
        """The OTLP URL for traces, or empty."""
        if self.traces_exporter == "none":
            return ""
        return self.otlp_traces_endpoint or _signal(self._otlp_or_honeycomb, "traces")

    @property
    def metrics_url(self) -> str:
        """The OTLP URL for metrics, or empty."""
        if self.metrics_exporter == "none":
            return ""
        return self.otlp_metrics_endpoint or _signal(self.otlp_endpoint, "metrics")

    @property
    def logs_url(self) -> str:
        """The OTLP URL for log lines, or empty."""
        if self.logs_exporter == "none":
            return ""
        return self.otlp_logs_endpoint or _signal(self._otlp_or_honeycomb, "logs")

    @property
    def xray(self) -> XRayExporter:
        """How traces reach X-Ray; `none` if they do not."""
        if self.xray_exporter == "auto":
            return "daemon" if self.xray_daemon_address else "none"
        return self.xray_exporter

    @property
    def is_rollbar_test_on(self) -> bool:
        """Whether `/rollbar/test` sends an item."""
        if not self.rollbar_access_token or self.rollbar_test == "off":
            return False
        return self.rollbar_test == "on" or self.environment != "production"

    @property
    def is_browser_telemetry_on(self) -> bool:
        """Whether telemetry of pages is accepted, if traces are exported."""
        if self.browser_telemetry == "auto":
            return self.environment != "production"
        return self.browser_telemetry == "on"

    @property
    def _otlp_or_honeycomb(self) -> str:
        fallback = self.honeycomb_api_endpoint if self.honeycomb_api_key else ""
        return self.otlp_endpoint or fallback


def _signal(base: str, signal: str) -> str:
    return f"{base.rstrip('/')}/v1/{signal}" if base else ""
