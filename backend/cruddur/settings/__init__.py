"""Settings: the only reader of the environment.

Every field names its variable and says what it is for; `docs/operations.md` holds the
same table and a test keeps the two equal.
"""

import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from logging import getLevelNamesMapping
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints
from urllib.parse import quote, urlsplit

from cruddur.settings.database_url import driver_url, with_session_attributes
from cruddur.settings.library_variables import (
    check_environment,
    find_proxy,
    is_loopback_host,
    parse_daemon_address,
)


class SettingsError(Exception):
    """A variable is missing or makes no sense; the message names it."""


def setting(variable: str, default: str, meaning: str, *, secret: bool = False) -> Any:
    """Declare a field that is read from a variable.

    Args:
        variable: the name of the environment variable.
        default: the value without it, written as the variable would be.
        meaning: one phrase for the table in docs/operations.md.
        secret: whether `<variable>_FILE` may name a file that holds the value.
    """
    return field(
        metadata={"variable": variable, "default": default, "meaning": meaning, "secret": secret}
    )


ProviderName = Literal["local", "cognito"]
ProfileShape = Literal["auto", "profile", "list"]
LogFormat = Literal["auto", "json", "text"]
PublishedOn = Literal["", "loopback"]
Switch = Literal["auto", "on", "off"]
Cleartext = Literal["http/1.1", "h2c"]
XRayExporter = Literal["auto", "daemon", "api", "otlp", "none"]
OtlpExporter = Literal["otlp", "none"]
OtlpProtocol = Literal["http/protobuf"]
OtlpCompression = Literal["gzip", "deflate", "none"]
Signal = Literal["traces", "metrics", "logs"]

# requests reads networks and addresses of version 6 without brackets, urllib does neither.
_LOOPBACK = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1")

# The standard names; at our edge a caller's flag decides nothing, so both halves are one.
SAMPLERS = {
    "always_on": 1.0,
    "always_off": 0.0,
    "traceidratio": None,
    "parentbased_always_on": 1.0,
    "parentbased_always_off": 0.0,
    "parentbased_traceidratio": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may differ between two deployments of the same code."""

    connection_url: str = setting(
        "CONNECTION_URL", "", "PostgreSQL to use; empty: the embedded server", secret=True
    )
    direct_url: str = setting(
        "CRUDDUR_DIRECT_URL",
        "",
        "the same database without a pooler in between, for migrating, sweeping and listening;"
        " empty: CONNECTION_URL",
        secret=True,
    )
    prepared_statements: Switch = setting(
        "CRUDDUR_PREPARED_STATEMENTS",
        "auto",
        "whether statements are prepared; `auto`: not through a pooler",
    )
    database_password: str = setting(
        "PGPASSWORD", "", "password of CONNECTION_URL where it holds none", secret=True
    )
    data_directory: Path = setting(
        "CRUDDUR_DATA_DIRECTORY", ".local", "where the embedded server keeps its data"
    )
    port: int = setting("PORT", "4567", "port to serve on when no address is bound explicitly")
    bind: str = setting(
        "CRUDDUR_BIND",
        "",
        "`address[:port]` to serve on, several with commas; empty: loopback; port: PORT",
    )
    workers: int = setting("WEB_CONCURRENCY", "1", "worker processes")
    frontend_url: str = setting(
        "FRONTEND_URL", "http://localhost:3000", "origin allowed to call the API; `*` for any"
    )
    backend_url: str = setting(
        "BACKEND_URL", "", "our own origin, also in upload addresses; empty: http://localhost:PORT"
    )
    frontend_directory: str = setting(
        "CRUDDUR_FRONTEND_DIRECTORY",
        "",
        "built front end to serve beside the API; empty: the API alone",
    )
    trusted_hops: int = setting(
        "CRUDDUR_TRUSTED_HOPS", "0", "reverse proxies whose X-Forwarded-* headers are believed"
    )
    max_connections: int = setting(
        "CRUDDUR_CONNECTIONS",
        "0",
        "open connections per worker at most; 0: 2,000 more than CRUDDUR_STREAMS",
    )
    max_connections_per_address: int = setting(
        "CRUDDUR_CONNECTIONS_PER_ADDRESS",
        "0",
        "open connections per worker and address at most; 0: 900 more than"
        " CRUDDUR_STREAMS_PER_ADDRESS; not counted behind trusted proxies",
    )
    cleartext: Cleartext = setting(
        "CRUDDUR_CLEARTEXT",
        "http/1.1",
        "protocol without TLS; `h2c`: HTTP/2 as well, for a proxy that uses it",
    )
    pool_size: int = setting("CRUDDUR_POOL_SIZE", "10", "database connections per worker at most")
    statement_timeout: float = setting(
        "CRUDDUR_STATEMENT_TIMEOUT", "10", "seconds that one SQL statement may take"
    )
    sweep_interval: float = setting(
        "CRUDDUR_SWEEP_INTERVAL", "15", "seconds between two sweeps of what has expired"
    )
    ranking_interval: float = setting(
        "CRUDDUR_RANKING_INTERVAL",
        "5",
        "seconds for which a worker uses a reading of trending tags and suggested people",
    )
    bus: str = setting(
        "CRUDDUR_BUS",
        "",
        "`redis[s]://host:port` through which workers tell each other of new events (extra"
        " `redis`); empty: NOTIFY",
        secret=True,
    )
    overload_delay: float = setting(
        "CRUDDUR_OVERLOAD_DELAY",
        "50",
        "milliseconds over the usual latency at which a worker refuses requests; 0: never",
    )
    streams: int = setting("CRUDDUR_STREAMS", "10000", "open streams per worker at most")
    streams_per_address: int = setting(
        "CRUDDUR_STREAMS_PER_ADDRESS", "100", "open streams per worker and address at most"
    )
    profile_shape: ProfileShape = setting(
        "CRUDDUR_PROFILE_SHAPE", "auto", "`profile` or `list` pins the profile feed's shape"
    )
    demo_handle: str = setting(
        "CRUDDUR_DEMO_HANDLE", "", "requests without a token act as this user; loopback only"
    )
    published_on: PublishedOn = setting(
        "CRUDDUR_PUBLISHED_ON",
        "",
        "`loopback`: the port of this container is published on 127.0.0.1 only, which permits"
        " CRUDDUR_DEMO_HANDLE in it",
    )
    account_provider: str = setting(
        "CRUDDUR_ACCOUNT_PROVIDER", "", "`local` or `cognito`; empty: cognito if a pool is set"
    )
    signing_key: str = setting(
        "CRUDDUR_SIGNING_KEY",
        "",
        "EC P-256 private keys (PEM): the first signs our tokens; empty: kept in the database",
        secret=True,
    )
    address_attempts: int = setting(
        "CRUDDUR_ADDRESS_ATTEMPTS", "100", "account calls per address and kind in 15 minutes"
    )
    account_attempts: int = setting(
        "CRUDDUR_ACCOUNT_ATTEMPTS",
        "10",
        "account calls per account, client and kind in 15 minutes;"
        " of all unknown clients ten times as many",
    )
    rates: str = setting(
        "CRUDDUR_RATES",
        "read=1200,write=120,search=120,account=60,upload=20,stream=120,other=2400",
        "requests a minute that a member may send, by class; classes that are left out keep"
        " their default",
    )
    rate_address_factor: int = setting(
        "CRUDDUR_RATE_ADDRESS_FACTOR",
        "10",
        "how many times as many requests an address may send without a token",
    )
    rate_exempt: str = setting(
        "CRUDDUR_RATE_EXEMPT",
        "",
        "addresses and networks without rate limits, such as a load test's, with commas",
    )
    smtp_url: str = setting(
        "SMTP_URL",
        "",
        "`smtp[s]://user:password@host:port`; empty: codes are log lines",
        secret=True,
    )
    mail_from: str = setting("CRUDDUR_MAIL_FROM", "Cruddur <no-reply@localhost>", "sender of codes")
    aws_region: str = setting("AWS_DEFAULT_REGION", "us-east-1", "region of the Cognito pool")
    cognito_user_pool_id: str = setting(
        "AWS_COGNITO_USER_POOL_ID", "", "user pool whose access tokens are accepted"
    )
    cognito_client_id: str = setting(
        "AWS_COGNITO_USER_POOL_CLIENT_ID", "", "app client of the user pool"
    )
    cognito_endpoint: str = setting(
        "AWS_COGNITO_ENDPOINT_URL", "", "base URL of the Cognito API; empty: the region's"
    )
    log_level: str = setting("LOG_LEVEL", "INFO", "least severe log level that is written")
    log_format: LogFormat = setting(
        "LOG_FORMAT", "auto", "`json`, `text`, or `auto`: text on a terminal"
    )
    environment: str = setting(
        "CRUDDUR_ENVIRONMENT", "development", "`deployment.environment.name` in all telemetry"
    )
    service_name: str = setting("OTEL_SERVICE_NAME", "cruddur", "`service.name` in all telemetry")
    honeycomb_service_name: str = setting(
        "HONEYCOMB_SERVICE_NAME", "", "the same by another name, if OTEL_SERVICE_NAME is not set"
    )
    sdk_disabled: str = setting("OTEL_SDK_DISABLED", "false", "`true`: no spans and no metrics")
    traces_sampler: str = setting(
        "OTEL_TRACES_SAMPLER",
        "parentbased_always_on",
        "which traces are kept; a caller's own flag never decides",
    )
    traces_sampler_arg: float = setting(
        "OTEL_TRACES_SAMPLER_ARG",
        "1",
        "share of traces that the ratio samplers keep; the nearest 1/n is taken",
    )
    propagators: str = setting(
        "OTEL_PROPAGATORS",
        "tracecontext,baggage",
        "headers for trace context, with commas: `tracecontext`, `baggage`, `b3`, `b3multi`,"
        " `xray`; `none`: no headers",
    )
    otlp_endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "", "base URL of an OTLP/HTTP backend; empty: none"
    )
    otlp_headers: str = setting(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "",
        "headers that the OTLP backend needs, as `name=value,name=value`",
    )
    otlp_traces_endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "", "full URL for traces; empty: the base's"
    )
    otlp_metrics_endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "", "full URL for metrics; empty: the base's"
    )
    otlp_logs_endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "", "full URL for logs; empty: the base's"
    )
    otlp_protocol: OtlpProtocol = setting(
        "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "the only one that is spoken here"
    )
    otlp_timeout: float = setting(
        "OTEL_EXPORTER_OTLP_TIMEOUT", "10", "seconds (not milliseconds) that one export may take"
    )
    otlp_compression: OtlpCompression = setting(
        "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "`gzip`, `deflate` or `none`"
    )
    traces_exporter: OtlpExporter = setting(
        "OTEL_TRACES_EXPORTER", "otlp", "`none`: no traces by OTLP, whatever the endpoint"
    )
    metrics_exporter: OtlpExporter = setting(
        "OTEL_METRICS_EXPORTER", "otlp", "`none`: no metrics by OTLP, whatever the endpoint"
    )
    logs_exporter: OtlpExporter = setting(
        "OTEL_LOGS_EXPORTER", "none", "`otlp`: log lines go to the OTLP endpoint as well"
    )
    span_queue: int = setting("OTEL_BSP_MAX_QUEUE_SIZE", "2048", "spans that may wait for a sink")
    span_batch: int = setting("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "512", "spans per export at most")
    span_delay: float = setting(
        "OTEL_BSP_SCHEDULE_DELAY", "5000", "milliseconds between two exports"
    )
    span_timeout: float = setting(
        "OTEL_BSP_EXPORT_TIMEOUT",
        "30000",
        "milliseconds that one export of spans may take, if less than OTEL_EXPORTER_OTLP_TIMEOUT",
    )
    log_queue: int = setting(
        "OTEL_BLRP_MAX_QUEUE_SIZE", "2048", "log records that may wait for the OTLP backend"
    )
    log_batch: int = setting(
        "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "512", "log records per export at most"
    )
    log_delay: float = setting(
        "OTEL_BLRP_SCHEDULE_DELAY", "1000", "milliseconds between two exports of log records"
    )
    log_timeout: float = setting(
        "OTEL_BLRP_EXPORT_TIMEOUT",
        "30000",
        "milliseconds that one export of log records may take, if less than"
        " OTEL_EXPORTER_OTLP_TIMEOUT",
    )
    metric_interval: float = setting(
        "OTEL_METRIC_EXPORT_INTERVAL", "60000", "milliseconds between two exports of metrics"
    )
    metric_timeout: float = setting(
        "OTEL_METRIC_EXPORT_TIMEOUT",
        "30000",
        "milliseconds that one export of metrics may take, if less than OTEL_EXPORTER_OTLP_TIMEOUT",
    )
    honeycomb_api_key: str = setting(
        "HONEYCOMB_API_KEY",
        "",
        "ingest key: traces go to Honeycomb, or to the endpoint set above",
        secret=True,
    )
    honeycomb_api_endpoint: str = setting(
        "HONEYCOMB_API_ENDPOINT", "https://api.honeycomb.io", "Honeycomb's own URL, by region"
    )
    xray_daemon_address: str = setting(
        "AWS_XRAY_DAEMON_ADDRESS", "", "`host:port` of an X-Ray daemon (UDP)"
    )
    xray_exporter: XRayExporter = setting(
        "CRUDDUR_XRAY_EXPORTER",
        "auto",
        "`daemon`, `api` (PutTraceSegments) or `otlp` (SigV4); `auto`: daemon if one is set",
    )
    xray_endpoint: str = setting(
        "AWS_ENDPOINT_URL_XRAY", "", "base URL of X-Ray; empty: the region's"
    )
    rollbar_access_token: str = setting(
        "ROLLBAR_ACCESS_TOKEN", "", "failures go to Rollbar (extra `rollbar`)", secret=True
    )
    rollbar_endpoint: str = setting(
        "ROLLBAR_ENDPOINT", "https://api.rollbar.com/api/1/", "base URL of Rollbar's API"
    )
    rollbar_test: Switch = setting(
        "CRUDDUR_ROLLBAR_TEST",
        "auto",
        "whether `/rollbar/test` sends an item; `auto`: not in production",
    )
    cloudwatch_log_group: str = setting(
        "CRUDDUR_CLOUDWATCH_LOG_GROUP", "", "log lines go to this CloudWatch group (extra `aws`)"
    )
    cloudwatch_retention: int = setting(
        "CRUDDUR_CLOUDWATCH_RETENTION", "30", "days that CloudWatch keeps them"
    )
    trace_url: str = setting(
        "CRUDDUR_TRACE_URL", "", "where a trace is shown, with a place for `{trace_id}`"
    )
    traces_bind: str = setting(
        "CRUDDUR_TRACES_BIND",
        "127.0.0.1:4318",
        "`host:port` of the page of `serve --traces`; started there if it is loopback",
    )
    operator_token: str = setting(
        "CRUDDUR_OPERATOR_TOKEN",
        "",
        "bearer token of `/api/health/telemetry`; empty: 404",
        secret=True,
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every setting; an empty variable counts as unset.

        Raises:
            SettingsError: a value has the wrong form, or two contradict each other, or a
                library would fail on a variable that it reads itself.
        """
        types = get_type_hints(cls)
        values = {}
        for item in fields(cls):
            variable = item.metadata["variable"]
            text = environ.get(variable, "").strip()
            if not text and item.metadata["secret"]:
                text = _read_file(f"{variable}_FILE", environ)
            values[item.name] = _read(variable, text or item.metadata["default"], types[item.name])
        urls = {"connection_url": "CONNECTION_URL", "direct_url": "CRUDDUR_DIRECT_URL"}
        for name, variable in urls.items():
            if values[name]:
                try:
                    url = driver_url(values[name])
                except ValueError as error:
                    raise SettingsError(f"{variable} {error}") from None
                url = with_session_attributes(url, environ.get("PGTARGETSESSIONATTRS", ""))
                values[name] = _with_password(url, values["database_password"])
        if not environ.get("OTEL_SERVICE_NAME", "").strip() and values["honeycomb_service_name"]:
            values["service_name"] = values["honeycomb_service_name"]
        settings = cls(**values)
        settings.check()
        try:
            check_environment(environ)
            for url in settings.outgoing_urls:
                find_proxy(environ, url)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        return settings

    def check(self) -> None:
        """Raise SettingsError where settings contradict each other."""
        if self.direct_url and not self.connection_url:
            raise SettingsError("CRUDDUR_DIRECT_URL needs CONNECTION_URL")
        if bool(self.cognito_user_pool_id) != bool(self.cognito_client_id):
            raise SettingsError(
                "AWS_COGNITO_USER_POOL_ID and AWS_COGNITO_USER_POOL_CLIENT_ID go together"
            )
        if self.account_provider not in {"", *get_args(ProviderName)}:
            raise SettingsError("CRUDDUR_ACCOUNT_PROVIDER is neither local nor cognito")
        if self.provider == "cognito" and not self.cognito_user_pool_id:
            raise SettingsError(
                "CRUDDUR_ACCOUNT_PROVIDER=cognito needs AWS_COGNITO_USER_POOL_ID and"
                " AWS_COGNITO_USER_POOL_CLIENT_ID"
            )
        if self.demo_handle and not all(map(is_loopback, self.binds)):
            if self.published_on != "loopback":
                raise SettingsError(
                    "CRUDDUR_DEMO_HANDLE lets anybody act as a user, so it works only when the"
                    f" server is bound to loopback, and it is bound to {', '.join(self.binds)}"
                )
            if self.environment == "production":
                raise SettingsError(
                    "CRUDDUR_DEMO_HANDLE works in production only when the server is bound to"
                    " loopback, whatever CRUDDUR_PUBLISHED_ON says"
                )
        index = Path(self.frontend_directory, "index.html")
        if self.frontend_directory and not os.access(index, os.R_OK):
            raise SettingsError(
                "CRUDDUR_FRONTEND_DIRECTORY has no index.html that can be read:"
                f" {self.frontend_directory!r}"
            )
        if self.log_level.upper() not in getLevelNamesMapping():
            raise SettingsError(f"LOG_LEVEL is no level: {self.log_level!r}")
        if self.bus and not _is_url(self.bus, "redis", "rediss"):
            raise SettingsError("CRUDDUR_BUS is neither redis://host nor rediss://host")
        if self.smtp_url and not _is_url(self.smtp_url, "smtp", "smtps"):
            raise SettingsError("SMTP_URL is neither smtp://host nor smtps://host")
        self._check_rates()
        self._check_telemetry()
        for variable, url in (
            ("FRONTEND_URL", self.frontend_url),
            ("BACKEND_URL", self.backend_url),
            ("AWS_COGNITO_ENDPOINT_URL", self.cognito_endpoint),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.otlp_endpoint),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", self.otlp_traces_endpoint),
            ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", self.otlp_metrics_endpoint),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", self.otlp_logs_endpoint),
            ("HONEYCOMB_API_ENDPOINT", self.honeycomb_api_endpoint),
            ("AWS_ENDPOINT_URL_XRAY", self.xray_endpoint),
            ("ROLLBAR_ENDPOINT", self.rollbar_endpoint),
            ("CRUDDUR_TRACE_URL", self.trace_url),
        ):
            if url not in {"", "*"} and not _is_url(url, "http", "https"):
                raise SettingsError(f"{variable} is no http:// or https:// address")
        for bind in self.binds:
            if not _is_bind(bind):
                raise SettingsError(f"{bind!r} is no address to serve on (CRUDDUR_BIND, PORT)")
        if not _is_bind(self.traces_bind):
            raise SettingsError("CRUDDUR_TRACES_BIND is no host:port")
        for variable, number, least, most in (
            ("WEB_CONCURRENCY", self.workers, 1, 1000),
            ("CRUDDUR_TRUSTED_HOPS", self.trusted_hops, 0, 100),
            ("CRUDDUR_CONNECTIONS", self.max_connections, 0, 1_000_000),
            ("CRUDDUR_CONNECTIONS_PER_ADDRESS", self.max_connections_per_address, 0, 1_000_000),
            ("CRUDDUR_POOL_SIZE", self.pool_size, 1, 10_000),
            ("CRUDDUR_STATEMENT_TIMEOUT", self.statement_timeout, 0.1, 3600),
            # Contract, decision 7: gone within 60 s; half is left for the sweep itself.
            ("CRUDDUR_SWEEP_INTERVAL", self.sweep_interval, 0.1, 30),
            ("CRUDDUR_OVERLOAD_DELAY", self.overload_delay, 0, 60_000),
            # Expiries are known for 30 s ahead; a part of it is left for the reading itself.
            ("CRUDDUR_RANKING_INTERVAL", self.ranking_interval, 0, 20),
            ("CRUDDUR_STREAMS", self.streams, 1, 1_000_000),
            ("CRUDDUR_STREAMS_PER_ADDRESS", self.streams_per_address, 1, 1_000_000),
            ("CRUDDUR_RATE_ADDRESS_FACTOR", self.rate_address_factor, 1, 1000),
            ("CRUDDUR_ADDRESS_ATTEMPTS", self.address_attempts, 1, 1_000_000_000),
            ("CRUDDUR_ACCOUNT_ATTEMPTS", self.account_attempts, 1, 1_000_000_000),
            ("OTEL_TRACES_SAMPLER_ARG", self.traces_sampler_arg, 0, 1),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", self.otlp_timeout, 0.001, 100_000_000),
            ("OTEL_BSP_MAX_QUEUE_SIZE", self.span_queue, 1, 1_000_000),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", self.span_batch, 1, 100_000),
            ("OTEL_BSP_SCHEDULE_DELAY", self.span_delay, 1, 3_600_000),
            ("OTEL_BSP_EXPORT_TIMEOUT", self.span_timeout, 1, 3_600_000),
            ("OTEL_BLRP_MAX_QUEUE_SIZE", self.log_queue, 1, 1_000_000),
            ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", self.log_batch, 1, 100_000),
            ("OTEL_BLRP_SCHEDULE_DELAY", self.log_delay, 1, 3_600_000),
            ("OTEL_BLRP_EXPORT_TIMEOUT", self.log_timeout, 1, 3_600_000),
            ("OTEL_METRIC_EXPORT_INTERVAL", self.metric_interval, 10, 3_600_000),
            ("OTEL_METRIC_EXPORT_TIMEOUT", self.metric_timeout, 1, 3_600_000),
            ("CRUDDUR_CLOUDWATCH_RETENTION", self.cloudwatch_retention, 1, 3653),
        ):
            if not least <= number <= most:  # nan is neither
                raise SettingsError(f"{variable} must lie between {least:g} and {most:g}")

    def _check_rates(self) -> None:
        try:
            rates = _pairs(self.rates)
        except ValueError:
            raise SettingsError("CRUDDUR_RATES is not like read=1200,write=120") from None
        known = _pairs(_default("CRUDDUR_RATES"))
        if unknown := ", ".join(sorted(rates.keys() - known.keys())):
            raise SettingsError(f"CRUDDUR_RATES has {unknown}; the classes are {', '.join(known)}")
        if not all(1 <= rate <= 1_000_000 for rate in rates.values()):
            raise SettingsError("CRUDDUR_RATES must lie between 1 and 1000000")
        try:
            _ = self.rate_exempt_networks
        except ValueError as error:
            raise SettingsError(f"CRUDDUR_RATE_EXEMPT: {error}") from None

    def _check_telemetry(self) -> None:
        if self.traces_sampler not in SAMPLERS:
            raise SettingsError(f"OTEL_TRACES_SAMPLER is none of {', '.join(SAMPLERS)}")
        if self.sdk_disabled.lower() not in {"true", "false"}:
            raise SettingsError("OTEL_SDK_DISABLED is neither true nor false")
        if self.xray_exporter == "daemon" and not self.xray_daemon_address:
            raise SettingsError("CRUDDUR_XRAY_EXPORTER=daemon needs AWS_XRAY_DAEMON_ADDRESS")
        if self.xray_daemon_address:
            try:
                parse_daemon_address(self.xray_daemon_address)
            except ValueError as error:
                raise SettingsError(str(error)) from None
        for variable, token in (
            ("HONEYCOMB_API_KEY", self.honeycomb_api_key),
            ("ROLLBAR_ACCESS_TOKEN", self.rollbar_access_token),
        ):
            if not (token.isascii() and token.isprintable()):
                raise SettingsError(f"{variable} has a character that no header may have")
        if self.trace_url and "{trace_id}" not in self.trace_url:
            raise SettingsError("CRUDDUR_TRACE_URL has no place for {trace_id}")

    @property
    def warnings(self) -> tuple[str, ...]:
        """What an operator has probably forgotten, one sentence each; none of it stops a start."""
        if self.environment == "production" and self.provider == "local" and not self.smtp_url:
            return ("SMTP_URL is not set: nobody gets a code by mail, codes are log lines",)
        return ()

    @property
    def rate_quotas(self) -> Mapping[str, int]:
        """Requests a minute that an account may send, by class."""
        return {**_pairs(_default("CRUDDUR_RATES")), **_pairs(self.rates)}

    @property
    def rate_exempt_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Networks without rate limits."""
        return tuple(
            ip_network(part.strip()) for part in self.rate_exempt.split(",") if part.strip()
        )

    @property
    def is_sdk_disabled(self) -> bool:
        """Whether no spans and no metrics are made."""
        return self.sdk_disabled.lower() == "true"

    @property
    def sample_ratio(self) -> float:
        """The share of the traces that is kept, between 0 and 1."""
        fixed = SAMPLERS[self.traces_sampler]
        return self.traces_sampler_arg if fixed is None else fixed

    @property
    def traces_url(self) -> str:
        """Where traces go by OTLP, or empty."""
        if self.traces_exporter == "none":
            return ""
        fallback = self.honeycomb_api_endpoint if self.honeycomb_api_key else ""
        return self.otlp_traces_endpoint or _signal(self.otlp_endpoint or fallback, "traces")

    @property
    def metrics_url(self) -> str:
        """Where metrics go by OTLP, or empty."""
        if self.metrics_exporter == "none":
            return ""
        return self.otlp_metrics_endpoint or _signal(self.otlp_endpoint, "metrics")

    @property
    def logs_url(self) -> str:
        """Where log lines go by OTLP, or empty."""
        if self.logs_exporter == "none":
            return ""
        fallback = self.honeycomb_api_endpoint if self.honeycomb_api_key else ""
        return self.otlp_logs_endpoint or _signal(self.otlp_endpoint or fallback, "logs")

    @property
    def outgoing_urls(self) -> tuple[str, ...]:
        """The addresses of the HTTP services that are called, AWS's own with their region."""
        telemetry = (
            ("", "", "")
            if self.is_sdk_disabled
            else (self.traces_url, self.metrics_url, self.logs_url)
        )
        aws = f"{self.aws_region}.amazonaws.com"
        xray = self.xray_endpoint or f"https://xray.{aws}"
        urls = (
            self.cognito_url if self.cognito_user_pool_id else "",
            *telemetry,
            self.rollbar_endpoint if self.rollbar_access_token else "",
            xray if self.xray in {"api", "otlp"} else "",
            f"https://logs.{aws}" if self.cloudwatch_log_group else "",
        )
        return tuple(filter(None, urls))

    @property
    def xray(self) -> XRayExporter:
        """The way to X-Ray; `none` without one."""
        if self.xray_exporter == "auto":
            return "daemon" if self.xray_daemon_address else "none"
        return self.xray_exporter

    @property
    def is_rollbar_test_on(self) -> bool:
        """Whether `/rollbar/test` does anything."""
        if not self.rollbar_access_token or self.rollbar_test == "off":
            return False
        return self.rollbar_test == "on" or self.environment != "production"

    @property
    def unpooled_url(self) -> str:
        """The database for migrating, sweeping and listening."""
        return self.direct_url or self.connection_url

    @property
    def binds(self) -> tuple[str, ...]:
        """The addresses to serve on, as `host:port`."""
        parts = [part.strip() for part in self.bind.split(",") if part.strip()]
        return tuple(
            f"{part}:{self.port}" if _is_address(part) else part for part in parts or ["127.0.0.1"]
        )

    @property
    def connections(self) -> int:
        """The open connections of one worker at most."""
        return self.max_connections or self.streams + 2000

    @property
    def connections_per_address(self) -> int:
        """The open connections of one address to one worker at most."""
        return self.max_connections_per_address or self.streams_per_address + 900

    @property
    def provider(self) -> ProviderName:
        """Who keeps the accounts."""
        if self.account_provider:
            return "cognito" if self.account_provider == "cognito" else "local"
        return "cognito" if self.cognito_user_pool_id else "local"

    @property
    def backend_origin(self) -> str:
        """Our own origin, or `*` where it is whatever the caller used."""
        port = self.binds[0].rpartition(":")[2]
        default = f"http://localhost:{port}" if port.isdigit() else "http://localhost"
        return (self.backend_url or default).rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether our own origin is configured to be https."""
        return self.backend_origin.lower().startswith("https:")

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins that may call the API from a browser."""
        urls = (self.frontend_url, self.backend_origin)
        return ("*",) if "*" in urls else tuple(dict.fromkeys(url.rstrip("/") for url in urls))

    @property
    def cognito_url(self) -> str:
        """The base URL of the Cognito API, which is also the start of its issuer."""
        default = f"https://cognito-idp.{self.aws_region}.amazonaws.com"
        return (self.cognito_endpoint or default).rstrip("/")

    @property
    def cognito_issuer(self) -> str:
        """The issuer of the user pool's tokens."""
        return f"{self.cognito_url}/{self.cognito_user_pool_id}"


def is_loopback(bind: str) -> bool:
    """Whether `host:port` can be reached from this machine only."""
    if bind.startswith("unix:"):
        return True
    return is_loopback_host(bind.rpartition(":")[0].strip("[]") or bind)


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the proxy that the environment names for calls of a URL, if any."""
    return find_proxy(environ, url)[1] or None


def credential_provider(signal: Signal, environ: Mapping[str, str] = os.environ) -> str:
    """Return the name of the plug-in that makes the session for OTLP `traces`, `metrics` or
    `logs`, as the SDK reads it; empty: none."""
    prefix = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_"
    of_all = environ.get(f"{prefix}CREDENTIAL_PROVIDER", "")
    return of_all or environ.get(f"{prefix}{signal.upper()}_CREDENTIAL_PROVIDER", "")


def signal_variable(signal: Signal, name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the variable of one signal, such as OTEL_EXPORTER_OTLP_TRACES_TIMEOUT for `TIMEOUT`;
    empty if it is not set, so that the variable of all signals applies."""
    return environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", "").strip()


def signal_certificates(signal: Signal, environ: Mapping[str, str] = os.environ) -> str:
    """Return the file of certificates to verify the backend of a signal with; empty: the usual."""
    of_all = environ.get("OTEL_EXPORTER_OTLP_CERTIFICATE", "").strip()
    return signal_variable(signal, "CERTIFICATE", environ) or of_all


def set_variables(prefix: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the names of the variables that have a value and start with a prefix."""
    return sorted(
        name for name, text in environ.items() if name.startswith(prefix) and text.strip()
    )


@contextmanager
def default_variable(
    variable: str, text: str, environ: MutableMapping[str, str] = os.environ
) -> Iterator[None]:
    """Set a variable that a library reads inside, and that is its only switch, unless it is set."""
    if environ.get(variable, "").strip():
        yield
        return
    environ[variable] = text
    try:
        yield
    finally:
        del environ[variable]


def exempt_loopback(environ: MutableMapping[str, str] = os.environ) -> None:
    """Have the libraries that read NO_PROXY call this machine directly."""
    named = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    missing = [host for host in _LOOPBACK if host not in named.replace(",", " ").split()]
    if missing:
        environ["no_proxy"] = environ["NO_PROXY"] = ",".join(filter(None, (named, *missing)))


def prefer_stable_conventions(environ: MutableMapping[str, str] = os.environ) -> None:
    """Have the instrumentations use the stable semantic conventions, unless an operator decided."""
    if not environ.get("OTEL_SEMCONV_STABILITY_OPT_IN", "").strip():
        environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http,database"


@contextmanager
def without_variables(
    prefix: str, environ: MutableMapping[str, str] = os.environ
) -> Iterator[None]:
    """Hide variables from a library that reads them when it is imported, and may fail on them.

    Empty ones stay away: an empty variable counts as unset.
    """
    hidden = {name: environ.pop(name) for name in list(environ) if name.startswith(prefix)}
    try:
        yield
    finally:
        environ.update({name: text for name, text in hidden.items() if text.strip()})


def _default(variable: str) -> str:
    defaults = {item.metadata["variable"]: item.metadata["default"] for item in fields(Settings)}
    return str(defaults[variable])


def _pairs(text: str) -> dict[str, int]:
    """Read `name=number,name=number`. Raises ValueError for anything else."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): int(number) for name, _, number in pairs}


def _signal(base: str, signal: str) -> str:
    return f"{base.rstrip('/')}/v1/{signal}" if base else ""


def _is_address(text: str) -> bool:
    """Whether it is an IP address, one of version 6 in brackets, and nothing more."""
    try:
        return ip_address(text.strip("[]")).version == (6 if text.startswith("[") else 4)
    except ValueError:
        return False


def _is_bind(bind: str) -> bool:
    host, _, port = bind.rpartition(":")
    if host in {"unix", "fd"} or bind.startswith("unix:"):
        return True
    return port.isdigit() and int(port) <= 65535 and ":" in bind


def _is_url(text: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _read_file(variable: str, environ: Mapping[str, str]) -> str:
    """Return the text of the file that a variable names; empty if it names none.

    Raises:
        SettingsError: the file cannot be read as text.
    """
    path = environ.get(variable, "").strip()
    if not path:
        return ""
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{variable} cannot be read: {path}: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or a null byte in the path
        raise SettingsError(f"{variable} is not a text file: {path!r}") from error


def _with_password(url: str, password: str) -> str:
    """Put the password into a database URL that has none.

    As a parameter: it then belongs to each of several hosts, and needs no other escaping.
    """
    user = url.partition("://")[2].partition("?")[0].rpartition("@")[0]
    if not url or not password or ":" in user or re.search(r"[?&]password=", url):
        return url
    return f"{url}{'&' if '?' in url else '?'}password={quote(password, safe='')}"


def _read(variable: str, text: str, kind: Any) -> Any:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SettingsError(f"{variable} is not UTF-8") from None
    choices = get_args(kind)
    if choices:
        if text not in choices:
            raise SettingsError(f"{variable} is none of {', '.join(choices)}: {text!r}")
        return text
    try:
        return kind(text)
    except ValueError:
        raise SettingsError(f"{variable} is not of type {kind.__name__}: {text!r}") from None
