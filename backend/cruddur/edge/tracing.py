"""The standard ASGI instrumentation, with our route and a scope without private data.

`TracingMiddleware` is OpenTelemetry's own middleware: its constructor, its environment variables
and its hooks work as documented. It opens and ends the server span and records the HTTP server
metrics. This module uses its documented extension points, and corrects two defects of the pinned
version (docs/decisions/0009).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from opentelemetry import propagate
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.asgi.types import (
    ClientRequestHook,
    ClientResponseHook,
    ServerRequestHook,
)
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Span, TracerProvider
from opentelemetry.util.http import (
    OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS,
    ExcludeList,
    get_custom_headers,
    get_excluded_urls,
    sanitize_method,
)
from opentelemetry.util.types import AttributeValue

from cruddur.asgi_types import Application, Receive, Scope, Send
from cruddur.request_context import Kind, current_request
from cruddur.telemetry.redaction import HARMLESS_HEADERS, redact_query, scrub, scrub_if_suspicious

SENSITIVE_HEADERS = (
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "credential",
    "session",
    "signature",
    "api-?key",
    "idempotency-key",
    "referer",
)
"""Patterns of header names whose values are never captured, whatever an operator configures."""

_MAX_CACHED = 1024
"""Maximum number of hosts, of user agents and of query strings whose redacted form is cached."""

_MAX_CACHED_BYTES = 256
"""Maximum length of a query string that is cached."""

_MAX_LENGTH_DIGITS = 18
"""Maximum digits of a plausible Content-Length. HTTP/2 accepts more, but a metric does not."""

_HEADERS_READ = frozenset({b"host", b"user-agent", b"content-length"})
"""The request headers that the middleware reads, in addition to those of the propagators."""

_HOST = re.compile(r"([\w.-]+|\[[\d:a-fA-F.]+\])(?::(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Hooks:
    """Hooks of the standard middleware.

    Attributes:
        server_request: called with the server span and the scope of each traced request.
        client_request: called with the span of each message received; such spans exist only if
            this hook is set.
        client_response: the same for each message sent.
    """

    server_request: ServerRequestHook = None
    client_request: ClientRequestHook = None
    client_response: ClientResponseHook = None


class Exclusions(ExcludeList):
    """The requests without a server span or HTTP metrics.

    Probes are excluded by their declaration, others by `OTEL_PYTHON_ASGI_EXCLUDED_URLS` or
    `OTEL_PYTHON_EXCLUDED_URLS`, which the bare middleware does not read.
    """

    def __init__(self) -> None:
        """Read the environment variables."""
        super().__init__([])
        self._configured = get_excluded_urls("ASGI")

    def url_disabled(self, url: str) -> bool:
        """Return whether the current request, to this URL, is excluded."""
        request = current_request()
        if request.kind is Kind.PROBE:
            return True
        url = url.removesuffix(request.redacted_path) + request.scope["path"]
        return self._configured.url_disabled(url)


class TracingMiddleware(OpenTelemetryMiddleware):
    """OpenTelemetry's ASGI middleware.

    The middleware holds the content length of a response in one attribute of its own, which
    concurrent requests overwrite; here it is held in the request context (contrib PR 5081).
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Accept the arguments of the standard middleware."""
        super().__init__(*arguments, **options)
        self._is_capturing = self.http_capture_headers_server_request is not None
        # The middleware decodes every header several times, which costs as much as the span.
        self._headers_read: frozenset[bytes] | None = None
        if not self._is_capturing and self.server_request_hook is None:
            fields = propagate.get_global_textmap().fields
            self._headers_read = _HEADERS_READ | {name.lower().encode() for name in fields}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        if scope["type"] != "lifespan":
            scope = self._sanitized(scope)
        await super().__call__(scope, receive, send)

    def _sanitized(self, scope: Scope) -> Scope:
        """Return a copy of the scope without private data and without bytes that are not UTF-8.

        The path, the query and the user agent are redacted. The server is taken from `Host`,
        because behind a proxy the address of the socket is not the public one.
        """
        server = scope.get("server")
        headers = []
        for name, value in scope["headers"]:
            if self._headers_read is not None and name not in self._headers_read:
                continue
            if name == b"host":
                server = _parse_host(value, scope["scheme"]) or server
            elif name == b"user-agent":
                value = _scrub_user_agent(value)
            elif name == b"content-length" and not _is_length(value):
                continue
            elif self._is_capturing and name.decode("latin-1") not in HARMLESS_HEADERS:
                value = scrub(value.decode("latin-1")).encode()
            headers.append((name, value if value.isascii() else value.decode("latin-1").encode()))
        query = scope.get("query_string")
        return {
            **scope,
            "path": current_request().redacted_path,
            "query_string": _redact_query(query) if query else b"",
            "server": server,
            "headers": headers,
        }

    @property  # type: ignore[override]  # an attribute in the base class
    def content_length_header(self) -> int | None:
        """The content length of the response to the current request."""
        return current_request().content_length

    @content_length_header.setter
    def content_length_header(self, length: int | None) -> None:
        if length is not None:
            current_request().content_length = length

    def _get_otel_send(
        self,
        server_span: Span,
        server_span_name: str,
        scope: Scope,
        send: Send,
        duration_attrs: dict[str, AttributeValue],
    ) -> Any:
        # There is no other access to the attributes of the metrics, which need the same
        # `error.type` as the span.
        current_request().metric_attributes = duration_attrs
        return super()._get_otel_send(  # type: ignore[no-untyped-call]  # it has no annotations
            server_span, server_span_name, scope, send, duration_attrs
        )


def trace_requests(
    app: Application,
    *,
    tracer_provider: TracerProvider,
    meter_provider: MeterProvider,
    hooks: Hooks,
) -> TracingMiddleware:
    """Wrap an application in the standard middleware.

    Args:
        app: the application.
        tracer_provider: provides the tracer.
        meter_provider: provides the meter.
        hooks: called by the middleware.
    """
    sanitized = get_custom_headers(OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS)
    excluded_spans: list[Literal["receive", "send"]] = []
    if hooks.client_request is None:
        excluded_spans.append("receive")
    if hooks.client_response is None:
        excluded_spans.append("send")
    return TracingMiddleware(
        app,
        excluded_urls=Exclusions(),
        default_span_details=span_details,
        server_request_hook=hooks.server_request,
        client_request_hook=hooks.client_request,
        client_response_hook=hooks.client_response,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        http_capture_headers_sanitize_fields=[*sanitized, *SENSITIVE_HEADERS],
        exclude_spans=excluded_spans,
    )


def span_details(scope: Scope) -> tuple[str, dict[str, AttributeValue]]:
    """Return the name of a request's server span, and attributes that the middleware lacks."""
    request = current_request()
    request.is_traced = True
    attributes: dict[str, AttributeValue] = {}
    if scope.get("server"):
        attributes["server.address"] = scope["server"][0]  # the middleware appends the port
    if scope["type"] == "websocket":
        verb = "WS"
        attributes["http.request.method"] = "GET"
    else:
        verb = plain_method(scope["method"])
        if verb == "_OTHER":
            verb = "HTTP"
    if request.route is None:
        return verb, attributes
    attributes["http.route"] = request.route
    return f"{verb} {request.route}", attributes


@lru_cache(_MAX_CACHED)
def plain_method(method: str) -> str:
    """Return the value of `http.request.method`, `_OTHER` for one that HTTP does not define."""
    return sanitize_method(method)


@lru_cache(_MAX_CACHED)
def _parse_host(host: bytes, scheme: str) -> tuple[str, int] | None:
    match = _HOST.fullmatch(host.decode("latin-1"))
    if match is None:
        return None
    default = 443 if scheme in {"https", "wss"} else 80
    return match[1].strip("[]"), int(match[2] or default)


@lru_cache(_MAX_CACHED)
def _scrub_user_agent(value: bytes) -> bytes:
    return scrub_if_suspicious(value.decode("latin-1")).encode()


def _redact_query(query: bytes) -> bytes:
    return (
        _redact_query_cached(query)
        if len(query) <= _MAX_CACHED_BYTES
        else _redact_query_uncached(query)
    )


def _redact_query_uncached(query: bytes) -> bytes:
    return redact_query(query.decode()).encode()


_redact_query_cached = lru_cache(_MAX_CACHED)(_redact_query_uncached)


def _is_length(value: bytes) -> bool:
    return value.isdigit() and len(value) <= _MAX_LENGTH_DIGITS
