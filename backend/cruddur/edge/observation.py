"""Observe each request: its server span and metrics, its trace headers, its log line."""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

from opentelemetry import context, trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from cruddur.asgi_types import Application, Message, Receive, Scope, Send
from cruddur.request_context import Kind, OpenStream, RequestContext, current_request
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.ids import span_with_ids
from cruddur.telemetry.operation import (
    Instruments,
    Operation,
    describe,
    error_type,
    milliseconds,
    operation_attributes,
    operation_scope,
)
from cruddur.telemetry.redaction import redact_odd, redact_query
from cruddur.telemetry.registry import METRICS

logger = logging.getLogger("cruddur.request")

_MEASURED = METRICS["http.server.request.duration"].attributes
_ACTIVE = METRICS["http.server.active_requests"].attributes

_DIGITS = 19
"""Of a length that can be meant. HTTP/2 lets any number of them through."""

_CALLERS = frozenset({b"traceparent", b"tracestate"})
_callers_trace = TraceContextTextMapPropagator()


class Observation:
    """The ASGI layer."""

    def __init__(
        self,
        app: Application,
        *,
        instruments: Instruments,
        timing_origins: Sequence[str],
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            instruments: measure the requests.
            timing_origins: the origins whose pages may read the duration and the trace of their
                requests.
        """
        self.app = app
        self.instruments = instruments
        self._timing = (b"timing-allow-origin", ", ".join(timing_origins).encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        request = current_request()
        name, attributes = _first_attributes(scope, request)
        if request.kind is Kind.PROBE:
            await _Exchange(self, request, span_with_ids(_callers_context(scope)), attributes).run(
                receive, send
            )
            return
        span = self._start(scope, name, attributes)
        if scope["type"] == "websocket":
            await _Handshake(self, request, span, attributes).run(receive, send)
        elif request.kind is Kind.STREAM:
            await self._stream(_Opening(self, request, span, attributes), receive, send)
        else:
            await _Request(self, request, span, attributes).run(receive, send)

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

    def _start(self, scope: Scope, name: str, attributes: dict[str, AttributeValue]) -> Span:
        span = self.instruments.tracer.start_span(
            name, context=_callers_context(scope), kind=SpanKind.SERVER, attributes=attributes
        )
        # Without the SDK nothing gives ids, which serve all the same.
        return span if span.get_span_context().is_valid else span_with_ids(_callers_context(scope))

    async def _stream(self, opening: "_Opening", receive: Receive, send: Send) -> None:
        """The request is over when the stream is established: then its span ends, so that it
        can be seen while the stream is open, and nothing of the request is held. When the
        stream closes, a trace of its own is linked to it."""
        receive = _remembering(receive)
        route, ids = opening.request.route or "", opening.span.get_span_context()
        stream = await opening.established(receive, send)
        del opening
        if stream is None:
            return
        open_streams = self.instruments.gauges["app.streams.open"]
        open_streams.add(1)
        start = time.perf_counter()
        try:
            await stream.run(receive, send)
        finally:
            open_streams.add(-1)
            self._close_stream(route, stream, ids, time.perf_counter() - start)

    def _close_stream(
        self, route: str, stream: OpenStream, opening: SpanContext, seconds: float
    ) -> None:
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


class _Exchange:
    """One request and its answer, from the start of its span to its end and its log line."""

    def __init__(
        self,
        layer: Observation,
        request: RequestContext,
        span: Span,
        attributes: Mapping[str, AttributeValue],
    ) -> None:
        self.request = request
        self.scope = request.scope
        self.span = span
        self.status: int | None = None
        self.size = 0
        self.facts: dict[str, AttributeValue] = {}
        self.work = Operation(
            layer.instruments,
            span.is_recording(),
            request.scope,
            request.route,
            request.shown_path,
            request.private,
        )
        self._attributes = attributes
        self._layer = layer
        self._start = time.perf_counter()
        self._is_complete = False

    async def run(self, receive: Receive, send: Send) -> None:
        """Have it answered."""
        token = context.attach(trace.set_span_in_context(self.span))
        try:
            with operation_scope(self.work):
                try:
                    await self._answer(receive, send)
                except Exception as error:
                    # The first byte is gone, so no answer can tell of it.
                    report(error)
                    raise
                finally:
                    self._end(time.perf_counter() - self._start)
        finally:
            context.detach(token)

    async def _answer(self, receive: Receive, send: Send) -> None:
        has_body = self.scope["method"] != "HEAD"  # whose body the server leaves out

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect" and not self._is_complete:
                self.facts["app.client_disconnected"] = True
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = self.started(message)
            elif message["type"] == "http.response.body":
                if has_body:
                    self.size += len(message.get("body", b""))
                self._is_complete = not message.get("more_body")
            await send(message)

        try:
            await self._layer.app(self.scope, receiving, sending)
        finally:
            self.facts["http.response.body.size"] = self.size

    def started(self, message: Message) -> Message:
        """The start of the answer, which tells the trace."""
        self.status = message["status"]
        headers = [*message.get("headers", ()), *self._layer.headers(self.span)]
        return {**message, "headers": headers}

    def failure(self) -> str | None:
        """What made it fail, as `error.type` has it, if it did."""
        if self.work.error is not None:
            return error_type(self.work.error)
        return str(self.status) if self.status is not None and self.status >= 500 else None

    def _end(self, seconds: float) -> None:
        if self.status is not None:
            self.facts["http.response.status_code"] = self.status
        if failure := self.failure():
            self.facts["error.type"] = failure
        self.facts.update(operation_attributes(self.work))
        if self.span.is_recording():
            self.span.set_attributes(self.facts)
            if failure:
                error = self.work.error
                text = None if error is None else describe(error, self.work)
                self.span.set_status(Status(StatusCode.ERROR, text))
        self.span.end()
        level = logging.DEBUG if self._is_dull() else logging.INFO
        if logger.isEnabledFor(level):
            self._log(level, seconds)

    def _is_dull(self) -> bool:
        """Whether it is a probe, or a file of the front end that is there."""
        kind = self.request.kind
        return kind is Kind.PROBE or (kind is Kind.ASSET and self.status in {200, 304})

    def _log(self, level: int, seconds: float) -> None:
        """The canonical line: one a request, with all that its span knows."""
        known = self._attributes
        fields: dict[str, AttributeValue] = {
            "http.request.method": known["http.request.method"],
            "http.route": known.get("http.route", ""),
            "url.path": known["url.path"],
            "http.response.status_code": 0,
            "app.duration_ms": milliseconds(seconds),
            "client.address": known.get("client.address", ""),
            **self.facts,
        }
        method, path = known["http.request.method"], fields["http.route"] or fields["url.path"]
        outcome = self.status or "no answer"
        logger.log(level, "%s %s %s", method, path, outcome, extra={"fields": fields})


class _Request(_Exchange):
    """One that is measured beside."""

    async def run(self, receive: Receive, send: Send) -> None:
        active = self.work.instruments.gauges["http.server.active_requests"]
        measured = {key: self._attributes[key] for key in _ACTIVE}
        active.add(1, measured)
        try:
            await super().run(receive, send)
        finally:
            active.add(-1, measured)

    def _end(self, seconds: float) -> None:
        super()._end(seconds)
        known = {**self._attributes, **self.facts}
        measured = {key: known[key] for key in _MEASURED if key in known}
        histograms = self.work.instruments.histograms
        histograms["http.server.request.duration"].record(seconds, measured)
        histograms["http.server.response.body.size"].record(self.size, measured)
        length = dict(self.scope["headers"]).get(b"content-length", b"")
        if length.isdigit() and len(length) < _DIGITS:
            histograms["http.server.request.body.size"].record(int(length), measured)


class _Opening(_Exchange):
    """The request of a stream."""

    async def established(self, receive: Receive, send: Send) -> OpenStream | None:
        """The stream, if there is one after it."""
        try:
            await self.run(receive, send)
        except BaseException:
            _release_stream(self.request)
            raise
        if self.status != 200:  # refused after all, or the caller left before the answer
            _release_stream(self.request)
        return self.request.take_stream()

    async def _answer(self, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = self.started(message)
            elif self.status == 200 and self.request.stream is not None:
                return  # the answer goes on: this is the end of the request alone
            await send(message)

        await self._layer.app(self.scope, receive, sending)


class _Handshake(_Exchange):
    """A websocket: its handshake, and all that follows until it closes."""

    async def _answer(self, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            kind = message["type"]
            if kind == "websocket.accept":
                message = self.started({**message, "status": 101})
                del message["status"]
            elif kind == "websocket.http.response.start":
                self.status = message["status"]
            elif kind == "websocket.close" and self.status is None:
                self.status = 403  # what the server answers to a handshake that is closed
            await send(message)

        await self._layer.app(self.scope, receive, sending)


def _release_stream(request: RequestContext) -> None:
    if (stream := request.take_stream()) is not None:
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


def _callers_context(scope: Scope) -> context.Context:
    """The trace that the caller is in (W3C Trace Context), or none."""
    carrier = {
        name.decode(): value.decode("latin-1")
        for name, value in scope["headers"]
        if name in _CALLERS
    }
    return _callers_trace.extract(carrier, context.Context()) if carrier else context.Context()


METHODS = frozenset(
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
)
"""Any other is `_OTHER` (semantic conventions), so that callers cannot invent span names."""

_CACHED = 1024
_HOST = re.compile(r"([\w.-]+|\[[\d:a-fA-F.]+\])(?::(\d{1,5}))?")


def _first_attributes(
    scope: Scope, request: RequestContext
) -> tuple[str, dict[str, AttributeValue]]:
    """Return the span's name and its first attributes (semantic conventions for HTTP servers)."""
    is_websocket = scope["type"] == "websocket"
    verb = "WS" if is_websocket else scope["method"]
    method = "GET" if is_websocket else verb
    attributes: dict[str, AttributeValue] = {
        "http.request.method": method if method in METHODS else "_OTHER",
        "url.scheme": scope["scheme"],
        "url.path": request.shown_path,
        "network.protocol.version": scope["http_version"],
    }
    if query := scope.get("query_string"):
        attributes["url.query"] = redact_query(query.decode("latin-1"))
    if client := scope.get("client"):
        attributes["client.address"], attributes["client.port"] = client
    for name, value in scope["headers"]:
        if name == b"user-agent":
            attributes["user_agent.original"] = _user_agent(value)
        elif name == b"host" and (server := _server(value, scope["scheme"])):
            attributes["server.address"], attributes["server.port"] = server
    if request.route is None:
        return verb if verb in METHODS or is_websocket else "HTTP", attributes
    attributes["http.route"] = request.route
    return f"{verb} {request.route}", attributes


@lru_cache(_CACHED)
def _user_agent(value: bytes) -> str:
    return redact_odd(value.decode("latin-1"))


@lru_cache(_CACHED)
def _server(value: bytes, scheme: str) -> tuple[str, int] | None:
    """Return the host and port that the client used, where the scope has those of the socket."""
    host = _HOST.fullmatch(value.decode("latin-1"))
    if host is None:
        return None
    default = 443 if scheme in {"https", "wss"} else 80
    return host[1].strip("[]"), int(host[2] or default)
