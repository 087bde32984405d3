"""What is known of each request: its server span, its headers for the caller, its log line.

    OpenTelemetryMiddleware     the server span and the metrics, named by `RouteNames`
     └ RequestLayer             errors, disconnects, redaction, traceresponse, the log line
        └ Quart

The layer inside sees the server span as the current one and acts between Quart and the
middleware, where neither of the two can.
"""

import logging
import re
import string
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote_from_bytes

from opentelemetry import context, propagate, trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware, asgi_getter
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TracerProvider,
)
from opentelemetry.util.types import AttributeValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from cruddur.telemetry.failures import report
from cruddur.telemetry.redaction import redact_odd, redact_path, redact_query
from cruddur.telemetry.work import (
    Instruments,
    Work,
    account,
    describe,
    error_type,
    milliseconds,
    working,
)

logger = logging.getLogger("cruddur.request")

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

PROBES = ("/api/health-check", "/api/ready", "/api/health/telemetry")
"""Asked every few seconds by machines; they would drown what people ask."""

ASSETS = "/assets/"
"""The files of the front end: each page asks for several, and none has a story to tell."""

STREAMS = ("/api/stream",)
"""Answers without an end: one short span when they open, a linked one when they close."""

METHODS = frozenset(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
)
"""Any other is `_OTHER` (semantic conventions), lest a caller invents span names."""

_PUBLIC_ARGUMENTS = frozenset(
    {"asset", "digest", "handle", "message_group_uuid", "subject", "uuid"}
)
_READ_HEADERS = frozenset(
    {b"host", b"user-agent", b"traceparent", b"tracestate", b"content-length"}
)
_HOST = re.compile(r"([\w.-]+|\[[\d:a-fA-F.]+\])(?::(\d{1,5}))?")
_ids = RandomIdGenerator()


def instrument(
    app: Application,
    url_map: Map,
    instruments: Instruments,
    tracer_provider: TracerProvider,
    meter_provider: MeterProvider,
    origins: Sequence[str],
) -> Application:
    """Wrap a Quart application's ASGI callable in both layers.

    `origins` are those whose pages may read the time and the trace of their requests.
    """
    unspanned = "|".join(re.escape(path) for path in (*PROBES, *STREAMS))
    names = RouteNames(url_map)
    traced = OpenTelemetryMiddleware(
        RequestLayer(app, names, instruments, ", ".join(origins)),
        excluded_urls=rf"^\w+://[^/]*/*(?:{unspanned})$",  # the router reads // as / too
        default_span_details=names.details,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        exclude_spans=["receive", "send"],
    )

    async def entry(scope: Scope, receive: Receive, send: Send) -> None:
        # HTTP/2 lets any byte through, and whoever reads the query reads UTF-8.
        query = scope.get("query_string", b"")
        if not query.isascii():
            scope["query_string"] = quote_from_bytes(query, safe=string.printable).encode()
        if not all(value.isascii() for _, value in scope.get("headers", ())):
            scope["headers"] = [_readable(*header) for header in scope["headers"]]
        await traced(scope, receive, send)

    return entry


class OpenStream(Protocol):
    """An answer that goes on after its request: put into the scope as `cruddur.stream`, it
    is run when the headers are sent, and otherwise released."""

    sent: int
    reason: str

    async def run(self, receive: Receive, send: Send) -> None:
        """Answer to the end."""

    def release(self) -> None:
        """It will not be run."""


class RouteNames:
    """Names requests by the rule that they match, before anything else is known of them."""

    def __init__(self, url_map: Map) -> None:
        """Take the application's rules; more may be added until the first request."""
        self._url_map = url_map
        self._adapter = url_map.bind("")

    def details(self, scope: Scope) -> tuple[str, dict[str, AttributeValue]]:
        """The span's name and the attributes that the middleware gets wrong or lacks."""
        is_websocket = scope["type"] == "websocket"
        method = "WS" if is_websocket else scope["method"]
        path = scope["path"]
        attributes = _addresses(scope)
        if query := scope.get("query_string"):
            attributes["url.query"] = redact_query(query.decode("latin-1"))
        try:
            rule, arguments = self._match(path, scope)
        except HTTPException:
            scope["cruddur.path"] = attributes["url.path"] = redact_path(path)
            if not is_websocket and method not in METHODS:
                return "HTTP", attributes
            return method, attributes
        if arguments.keys() <= _PUBLIC_ARGUMENTS:
            shown = redact_odd(path)
        else:  # a signed address
            shown = rule.rule
            scope["cruddur.private"] = [str(value) for value in arguments.values()]
        scope["cruddur.path"] = attributes["url.path"] = shown
        scope["cruddur.route"] = attributes["http.route"] = rule.rule
        return f"{method} {rule.rule}", attributes

    def _match(self, path: str, scope: Scope) -> tuple[Rule, Mapping[str, Any]]:
        is_websocket = scope["type"] == "websocket"
        method = "GET" if is_websocket else scope["method"]
        return self._adapter.match(path, method, return_rule=True, websocket=is_websocket)


class RequestLayer:
    """Between the middleware and Quart; see the module."""

    def __init__(
        self, app: Application, names: RouteNames, instruments: Instruments, origins: str
    ) -> None:
        """Take the application to wrap, and the value of `Timing-Allow-Origin`."""
        self.app = app
        self.instruments = instruments
        self._names = names
        self._timing = (b"timing-allow-origin", origins.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        if scope["type"] == "http":
            if _plain(scope["path"]) in STREAMS:
                await self._stream(scope, receive, send)
            else:
                await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def headers(self, span: Span) -> tuple[tuple[bytes, bytes], ...]:
        """The response headers that tell a caller its trace: W3C Trace Context, level 2, and
        Server-Timing, which a page's scripts can read of any resource."""
        ids = span.get_span_context()
        value = b"00-%032x-%016x-%02x" % (ids.trace_id, ids.span_id, ids.trace_flags)
        return (
            (b"traceresponse", value),
            (b"server-timing", b'traceparent;desc="%b"' % value),
            self._timing,
        )

    def work(self, scope: Scope, span: Span) -> Work:
        """The unit of work that a request, a stream or a websocket is."""
        route = scope.get("cruddur.route")
        return Work(self.instruments, span.is_recording(), scope, route)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        span = trace.get_current_span()
        if span.get_span_context().is_valid:
            await _Exchange(self, scope, span).run(receive, send)
            return
        # Nothing is recorded, a probe's for example; the ids serve all the same.
        self._names.details(scope)
        token = context.attach(trace.set_span_in_context(unrecorded(scope)))
        try:
            span = trace.get_current_span()
            await _Exchange(self, scope, span).run(receive, send)
        finally:
            context.detach(token)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The request is over when the stream is established: then its span ends, so that it
        can be seen while the stream is open, and nothing of the request is held. When the
        stream closes, a trace of its own is linked to it."""
        receive = _remembering(receive)
        opening = await self._open_stream(scope, receive, send)
        stream: OpenStream | None = scope.pop("cruddur.stream", None)
        if stream is None:
            return
        open_streams = self.instruments.gauges["app.streams.open"]
        open_streams.add(1)
        start = time.perf_counter()
        try:
            await stream.run(receive, send)
        finally:
            open_streams.add(-1)
            self._close_stream(scope, stream, opening, time.perf_counter() - start)

    async def _open_stream(self, scope: Scope, receive: Receive, send: Send) -> SpanContext:
        name, attributes = self._names.details(scope)
        opening = self.instruments.tracer.start_span(
            name,
            context=_callers_context(scope),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": scope["method"],
                "url.scheme": scope["scheme"],
                **attributes,
            },
        )
        if not opening.get_span_context().is_valid:
            opening = unrecorded(scope)
        work = self.work(scope, opening)
        start = time.perf_counter()
        status: int | None = None

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *self.headers(opening)]
                opening.set_attribute("http.response.status_code", status)
                if status >= 500:
                    opening.set_status(Status(StatusCode.ERROR))
            elif status == 200 and "cruddur.stream" in scope:
                return  # the answer goes on: this is the end of the request alone
            await send(message)

        token = context.attach(trace.set_span_in_context(opening))
        try:
            with working(work):
                await self.app(scope, receive, sending)
        except BaseException:
            _release_stream(scope)
            raise
        else:
            if status != 200:  # refused after all, or the caller left before the answer
                _release_stream(scope)
        finally:
            if work.error is not None:
                _mark(opening, work)
            opening.set_attributes(account(work))
            opening.end()
            _log_request(logging.INFO, scope, work, status, time.perf_counter() - start, {})
            context.detach(token)
        return opening.get_span_context()

    def _close_stream(
        self, scope: Scope, stream: "OpenStream", opening: SpanContext, seconds: float
    ) -> None:
        route = scope["cruddur.route"]
        facts: dict[str, AttributeValue] = {
            "app.stream.messages": stream.sent,
            "app.stream.duration_ms": milliseconds(seconds),
            "app.stream.close_reason": stream.reason,
        }
        closing = self.instruments.tracer.start_span(
            f"close {route}", context=context.Context(), links=[Link(opening)], attributes=facts
        )
        token = context.attach(trace.set_span_in_context(closing))
        logger.info("close %s", route, extra={"fields": {"http.route": route, **facts}})
        context.detach(token)
        closing.end()

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        span = trace.get_current_span()
        start = time.perf_counter()
        status: int | None = None

        async def sending(message: Message) -> None:
            nonlocal status
            kind = message["type"]
            if kind == "websocket.accept":
                status = 101
                message["headers"] = [*message.get("headers", ()), *self.headers(span)]
            elif kind == "websocket.http.response.start":
                status = message["status"]
            elif kind == "websocket.close" and status is None:
                status = 403  # what the server answers to a handshake that is closed
            await send(message)

        work = self.work(scope, span)
        with working(work):
            try:
                await self.app(scope, receive, sending)
            finally:
                if status is not None and span.is_recording():
                    # The middleware takes every message for an answer with status 200.
                    span.set_attribute("http.response.status_code", status)
                if work.error is not None:
                    _mark(span, work)
                elif status is not None and status >= 500:
                    span.set_status(Status(StatusCode.ERROR))
                span.set_attributes(account(work))
                seconds = time.perf_counter() - start
                _log_request(logging.INFO, scope, work, status, seconds, {})


class _Exchange:
    """One request and its answer."""

    def __init__(self, layer: RequestLayer, scope: Scope, span: Span) -> None:
        self._layer = layer
        self._scope = scope
        self._span = span
        self._work = layer.work(scope, span)
        self._start = time.perf_counter()
        self._status: int | None = None
        self._size = 0
        self._is_complete = False
        self._is_disconnected = False

    async def run(self, receive: Receive, send: Send) -> None:
        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and not self._is_complete:
                self._is_disconnected = True
                self._span.set_attribute("app.client_disconnected", True)
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._begin(message, send)
            elif message["type"] == "http.response.body":
                if self._scope["method"] != "HEAD":  # whose body the server leaves out
                    self._size += len(message.get("body", b""))
                if not message.get("more_body"):
                    self._complete()
                await send(message)
            else:
                await send(message)

        with working(self._work):
            try:
                await self._layer.app(self._scope, receiving, sending)
            except Exception as error:
                # The first byte is gone, so no answer can tell of it. The span ends here:
                # the middleware would record the exception once more, with its raw text.
                report(error)
                self._complete()
                self._span.end()
                raise
            finally:
                self._log()

    async def _begin(self, message: Message, send: Send) -> None:
        self._status = message["status"]
        message["headers"] = [*message.get("headers", ()), *self._layer.headers(self._span)]
        await send(message)
        if self._work.error is not None:
            _mark(self._span, self._work)

    def _complete(self) -> None:
        """Everything is known; the middleware ends the span when it has sent the rest."""
        self._is_complete = True
        if self._span.is_recording():
            attributes = account(self._work)
            attributes["http.response.body.size"] = self._size
            self._span.set_attributes(attributes)

    def _log(self) -> None:
        if not self._is_complete and self._span.is_recording():
            self._span.set_attributes(account(self._work))
        level = logging.DEBUG if self._is_dull() else logging.INFO
        if logger.isEnabledFor(level):
            duration = time.perf_counter() - self._start
            _log_request(level, self._scope, self._work, self._status, duration, self._facts())

    def _is_dull(self) -> bool:
        """Whether it is a probe, or a file of the front end that is there."""
        path = _plain(self._scope["path"])
        return path in PROBES or (path.startswith(ASSETS) and self._status in {200, 304})

    def _facts(self) -> dict[str, AttributeValue]:
        facts: dict[str, AttributeValue] = {"http.response.body.size": self._size}
        if self._is_disconnected:
            facts["app.client_disconnected"] = True
        return facts


def unrecorded(scope: Scope) -> Span:
    """A span that records nothing and has ids: the caller's trace, or a new one."""
    known = trace.get_current_span(_callers_context(scope)).get_span_context()
    trace_id = known.trace_id if known.is_valid else _ids.generate_trace_id()
    flags = TraceFlags(TraceFlags.RANDOM_TRACE_ID)
    return NonRecordingSpan(SpanContext(trace_id, _ids.generate_span_id(), False, flags))


def _readable(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A header that the middleware reads, in characters on which it does not fail."""
    if value.isascii() or name not in _READ_HEADERS:
        return name, value
    return name, value.decode("latin-1").encode("ascii", "backslashreplace")


def _release_stream(scope: Scope) -> None:
    stream: OpenStream | None = scope.pop("cruddur.stream", None)
    if stream is not None:
        stream.release()


def _remembering(receive: Receive) -> Receive:
    """A server says once that the caller has left. Quart, which listens while it answers, may
    have heard it, and whoever goes on with the connection would wait for it for ever."""
    farewell: Message | None = None

    async def receiving() -> Message:
        nonlocal farewell
        if farewell is not None:
            return farewell
        message = await receive()
        if message["type"] == "http.disconnect":
            farewell = message
        return message

    return receiving


def _plain(path: str) -> str:
    """The path with one slash before it, as the router takes it."""
    return "/" + path.lstrip("/")


def _callers_context(scope: Scope) -> context.Context:
    carrier: dict[str, Any] = dict(scope)
    return propagate.extract(carrier, getter=asgi_getter)


def _mark(span: Span, work: Work) -> None:
    """Repeat what the middleware has just replaced by the bare status."""
    if work.error is not None and span.is_recording():
        span.set_attribute("error.type", error_type(work.error))
        span.set_status(Status(StatusCode.ERROR, describe(work.error, work)))


def _addresses(scope: Scope) -> dict[str, AttributeValue]:
    """Host and port that the caller used, where the middleware gives those of the socket,
    and the name of its browser."""
    found: dict[str, AttributeValue] = {}
    for name, value in scope["headers"]:
        if name == b"user-agent":
            found["user_agent.original"] = redact_odd(value.decode("latin-1"))
        elif name == b"host" and (host := _HOST.fullmatch(value.decode("latin-1"))):
            default = 443 if scope["scheme"] in {"https", "wss"} else 80
            found["server.address"] = host[1].strip("[]")
            found["server.port"] = int(host[2] or default)
    return found


def _log_request(
    level: int,
    scope: Scope,
    work: Work,
    status: int | None,
    seconds: float,
    facts: dict[str, AttributeValue],
) -> None:
    """The canonical line: one a request, with all that its span knows."""
    method = scope.get("method", "GET")  # a websocket's handshake has no other
    method = method if method in METHODS else "_OTHER"
    client = scope.get("client")
    fields: dict[str, AttributeValue] = {
        "http.request.method": method,
        "http.route": work.route or "",
        "url.path": scope.get("cruddur.path", ""),
        "http.response.status_code": status or 0,
        "app.duration_ms": milliseconds(seconds),
        "client.address": client[0] if client else "",
        **facts,
        **account(work),
    }
    if work.error is not None:
        fields["error.type"] = error_type(work.error)
    outcome = status or "no answer"
    path = work.route or fields["url.path"]
    logger.log(level, "%s %s %s", method, path, outcome, extra={"fields": fields})
