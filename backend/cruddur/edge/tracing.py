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
from opentelemetry.instrumentation.asgi import (
    OpenTelemetryMiddleware,
    collect_request_attributes,
    get_default_span_details,
)
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
"""Maximum number of requests whose attributes are cached, and of redacted query strings."""

_MAX_CACHED_BYTES = 512
"""Maximum length of the texts of a request that is cached, and of a query string."""

_MAX_LENGTH_DIGITS = 18
"""Maximum digits of a plausible Content-Length. HTTP/2 accepts more, but a metric does not."""

_HEADERS_READ = frozenset({b"content-length"})
"""The request headers that the middleware reads, in addition to those of the propagators."""

_HOST = re.compile(r"([\w.-]+|\[[\d:a-fA-F.]+\])(?::([1-9]\d{0,4}))?")


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

    Probes and telemetry of pages are excluded by their declaration, others by
    `OTEL_PYTHON_ASGI_EXCLUDED_URLS` or `OTEL_PYTHON_EXCLUDED_URLS`, which the bare middleware does
    not read.
    """

    def __init__(self) -> None:
        """Read the environment variables."""
        super().__init__([])
        self._configured = get_excluded_urls("ASGI")

    def url_disabled(self, _: str) -> bool:
        """Return whether the current request is excluded; the URL passed is redacted."""
        request = current_request()
        if request.kind in {Kind.PROBE, Kind.TELEMETRY}:
            return True
        scope = request.scope
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        return self._configured.url_disabled(f"{scope['scheme']}://{host}{scope['path']}")


class TracingMiddleware(OpenTelemetryMiddleware):
    """OpenTelemetry's ASGI middleware.

    The middleware holds the content length of a response in one attribute of its own, which
    concurrent requests overwrite; here it is held in the request context (contrib PR 5081).

    The attributes that requests have in common are collected once, by the middleware's own
    function, and cached. They reach the span through `default_span_details`, and the middleware
    gets only the rest of the scope. It decodes each header several times, which costs more.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Accept the arguments of the standard middleware."""
        super().__init__(*arguments, **options)
        has_own_details = self.default_span_details is get_default_span_details
        if has_own_details:
            self.default_span_details = self._span_details
        self._cached_details = lru_cache(_MAX_CACHED)(self._details)
        self._is_capturing = self.http_capture_headers_server_request is not None
        self._headers_read: frozenset[bytes] | None = None
        if has_own_details and not self._is_capturing and self.server_request_hook is None:
            fields = propagate.get_global_textmap().fields
            self._headers_read = _HEADERS_READ | {name.lower().encode() for name in fields}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        if scope["type"] != "lifespan":
            scope = self._sanitized(scope)
        await super().__call__(scope, receive, send)

    def _sanitized(self, scope: Scope) -> Scope:
        """Return a copy of the scope without private data and without bytes that are not UTF-8.

        The path, the query and the user agent are redacted. Unless headers are captured or a hook
        is set, the copy has only what the middleware reads and `_details` does not have.
        """
        headers = []
        for name, value in scope["headers"]:
            if self._headers_read is not None and name not in self._headers_read:
                continue
            if name == b"user-agent":
                value = _scrub_user_agent(value)
            elif name == b"content-length" and not _is_length(value):
                continue
            elif self._is_capturing and name.decode("latin-1") not in HARMLESS_HEADERS:
                value = scrub(value.decode("latin-1")).encode()
            headers.append((name, _utf8(value)))
        path = current_request().redacted_path
        if self._headers_read is not None:
            return {
                "type": scope["type"],
                "path": path,
                "client": scope.get("client"),
                "server": ("", 0),
                "headers": headers,
            }
        query = _redact_query(scope.get("query_string", b""))
        return {**scope, "path": path, "query_string": query, "headers": headers}

    def _span_details(self, _: Scope) -> tuple[str, dict[str, AttributeValue]]:
        """Return the name of a request's server span, and attributes for it."""
        request = current_request()
        request.is_traced = True
        scope, headers = request.scope, dict(request.scope["headers"])
        query = _redact_query(scope.get("query_string", b""))
        host, user_agent = headers.get(b"host", b""), headers.get(b"user-agent", b"")
        size = len(request.redacted_path) + len(query) + len(host) + len(user_agent)
        server = scope.get("server")
        details = self._cached_details if size <= _MAX_CACHED_BYTES else self._details
        return details(
            scope["type"],
            scope.get("method", ""),
            scope["scheme"],
            scope.get("http_version"),
            tuple(server) if server else None,
            request.route,
            request.redacted_path,
            query,
            host,
            user_agent,
        )

    def _details(
        self,
        scope_type: str,
        method: str,
        scheme: str,
        http_version: str | None,
        server: tuple[str, int | None] | None,
        route: str | None,
        path: str,
        query: bytes,
        host: bytes,
        user_agent: bytes,
    ) -> tuple[str, dict[str, AttributeValue]]:
        """Return the details of all requests with the same texts, whichever client sends them."""
        # Behind a proxy, the address of the socket is not the public one.
        server = _parse_host(host, scheme) or server
        headers = {b"host": host, b"user-agent": _scrub_user_agent(user_agent)}
        scope = {
            "type": scope_type,
            "method": method,
            "scheme": scheme,
            "http_version": http_version,
            "server": server,
            "path": path,
            "query_string": query,
            "headers": [(name, _utf8(value)) for name, value in headers.items() if value],
        }
        attributes: dict[str, AttributeValue] = collect_request_attributes(  # type: ignore[no-untyped-call]  # it has no annotations
            scope, self._sem_conv_opt_in_mode
        )
        if server:
            attributes["server.address"] = server[0]  # the middleware appends the port
        if scope_type == "websocket":
            verb = "WS"
            attributes["http.request.method"] = "GET"
        else:
            verb = plain_method(method)
            if verb == "_OTHER":
                verb = "HTTP"
        if route is None:
            return verb, attributes
        attributes["http.route"] = route
        return f"{verb} {route}", attributes

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
        server_request_hook=hooks.server_request,
        client_request_hook=hooks.client_request,
        client_response_hook=hooks.client_response,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        http_capture_headers_sanitize_fields=[*sanitized, *SENSITIVE_HEADERS],
        exclude_spans=excluded_spans,
    )


@lru_cache(_MAX_CACHED)
def plain_method(method: str) -> str:
    """Return the value of `http.request.method`, `_OTHER` for one that HTTP does not define."""
    return sanitize_method(method)


def _parse_host(host: bytes, scheme: str) -> tuple[str, int] | None:
    match = _HOST.fullmatch(host.decode("latin-1"))
    if match is None:
        return None
    default = 443 if scheme in {"https", "wss"} else 80
    return match[1].strip("[]"), int(match[2] or default)


def _scrub_user_agent(value: bytes) -> bytes:
    return scrub_if_suspicious(value.decode("latin-1")).encode("latin-1")


def _utf8(value: bytes) -> bytes:
    """Return a value that the middleware can decode."""
    return value if value.isascii() else value.decode("latin-1").encode()


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
