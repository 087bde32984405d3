"""Add what the standard middleware lacks: exceptions, disconnects, trace headers, log lines.

This layer runs inside the tracing middleware. It completes the server span, adds the response
headers that report the trace, counts what the request cost, and writes one log line per request.
"""

import logging
import time
from collections.abc import Sequence
from typing import Any, cast

from opentelemetry import propagate, trace
from opentelemetry.instrumentation.asgi import asgi_getter
from opentelemetry.trace import Span, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from cruddur.asgi_types import Application, Message, Receive, Scope, Send
from cruddur.edge.tracing import plain_method
from cruddur.request_context import Kind, RequestContext, current_request
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

logger = logging.getLogger("cruddur.request")


class Observation:
    """The ASGI layer."""

    def __init__(
        self,
        app: Application,
        *,
        instruments: Instruments,
        timing_origins: Sequence[str],
        is_sampling: bool,
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            instruments: measure the requests.
            timing_origins: the origins whose pages may read the duration and the trace of their
                requests.
            is_sampling: whether only a fraction of the traces is kept.
        """
        self._is_sampling = is_sampling
        self.app = app
        self.instruments = instruments
        self._timing = (b"timing-allow-origin", ", ".join(timing_origins).encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        request = current_request()
        current = trace.get_current_span()
        request.span = span = _server_span(request, scope, current)
        exchange_class = _WebSocketExchange if scope["type"] == "websocket" else _Exchange
        exchange = exchange_class(self, request)
        if span is current:
            await exchange.run(receive, send)
        else:
            with trace.use_span(span):
                await exchange.run(receive, send)

    def headers(self, request: RequestContext) -> tuple[tuple[bytes, bytes], ...]:
        """Return the response headers that report the trace.

        `traceresponse` is from W3C Trace Context, level 2. Scripts of a page can read
        `Server-Timing` of any resource. A caller that chose the trace id is not shown whether the
        trace is kept: it could search for a kept id, and use it for all its requests.
        """
        ids = request.span.get_span_context()
        flags = int(ids.trace_flags)
        headers = request.scope["headers"]
        if self._is_sampling and any(name == b"traceparent" for name, _ in headers):
            flags &= ~TraceFlags.SAMPLED
        value = b"00-%032x-%016x-%02x" % (ids.trace_id, ids.span_id, flags)
        return (
            (b"traceresponse", value),
            (b"server-timing", b'traceparent;desc="%b"' % value),
            self._timing,
        )


class _Exchange:
    """One request and its response, up to the log line."""

    def __init__(self, layer: Observation, request: RequestContext) -> None:
        self.request = request
        self.span = request.span
        self.status: int | None = None
        self.size = 0
        self.attributes: dict[str, AttributeValue] = {}
        self.operation = Operation(
            layer.instruments,
            request.span.is_recording(),
            request.scope,
            request.route,
            request.redacted_path,
            request.private,
        )
        self._layer = layer
        self._start = time.perf_counter()
        self._is_complete = False

    async def run(self, receive: Receive, send: Send) -> None:
        """Process the request and observe it."""
        self._receive, self._send = receive, send
        with operation_scope(self.operation):
            try:
                await self._layer.app(self.request.scope, self.receive, self.send)
            except Exception as error:
                report(error)  # the response has started, so it cannot show the error
                self._complete()
                self.span.end()  # before the middleware records the exception again, unredacted
                raise
            finally:
                self._complete()
                self._log(time.perf_counter() - self._start)

    async def receive(self) -> Message:
        """Receive a message for the application."""
        message = await self._receive()
        if message["type"] == "http.disconnect" and not self._is_complete:
            self.attributes["app.client_disconnected"] = True
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), *self._layer.headers(self.request)]
            await self._send({**message, "headers": headers})
            return
        if message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
            if not message.get("more_body"):
                self._complete()  # the middleware ends the span when it has sent the message
        await self._send(message)

    def failure(self) -> str | None:
        """Return the value of `error.type`, None if the request did not fail."""
        if self.operation.error is not None:
            return error_type(self.operation.error)
        return str(self.status) if self.status is not None and self.status >= 500 else None

    def _complete(self) -> None:
        """Complete the server span, while it is still open."""
        if self._is_complete:
            return
        self._is_complete = True
        # The server leaves out the body of a response to HEAD.
        is_head = self.request.scope.get("method") == "HEAD"
        self.attributes["http.response.body.size"] = 0 if is_head else self.size
        self._complete_span()

    def _complete_span(self) -> None:
        failure = self.failure()
        if failure:
            self.attributes["error.type"] = failure
            if self.request.metric_attributes is not None:
                self.request.metric_attributes["error.type"] = failure
        if self.span.is_recording():
            self.span.set_attributes({**self.attributes, **operation_attributes(self.operation)})
            if failure:
                error = self.operation.error
                text = None if error is None else describe(error, self.operation)
                self.span.set_status(Status(StatusCode.ERROR, text))

    def _is_quiet(self) -> bool:
        """Return whether this is a probe, telemetry, or a file of the front end that was found."""
        kind = self.request.kind
        if kind is Kind.ASSET:
            return self.status in {200, 304}
        return kind in {Kind.PROBE, Kind.TELEMETRY}

    def _log(self, seconds: float) -> None:
        """Write the canonical log line: one per request, with all attributes of its span."""
        level = logging.DEBUG if self._is_quiet() else logging.INFO
        if not logger.isEnabledFor(level):
            return
        scope, route = self.request.scope, self.request.route
        method = plain_method(scope.get("method", "GET"))
        client = scope.get("client")
        fields: dict[str, AttributeValue] = {
            "http.request.method": method,
            "http.route": route or "",
            "url.path": self.request.redacted_path,
            "http.response.status_code": self.status or 0,
            "app.duration_ms": milliseconds(seconds),
            "client.address": client[0] if client else "",
            **self.attributes,
            **operation_attributes(self.operation),
        }
        path = route or self.request.redacted_path
        outcome = self.status or "no response"
        logger.log(level, "%s %s %s", method, path, outcome, extra={"fields": fields})


class _WebSocketExchange(_Exchange):
    """A WebSocket, from its handshake until it closes."""

    async def receive(self) -> Message:
        """Receive a message for the application."""
        return await self._receive()

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        kind = message["type"]
        if kind == "websocket.accept":
            self.status = 101
            headers = [*message.get("headers", ()), *self._layer.headers(self.request)]
            message = {**message, "headers": headers}
        elif kind == "websocket.http.response.start":
            self.status = message["status"]
        elif kind == "websocket.close" and self.status is None:
            self.status = 403  # what the server responds to a handshake that is closed
        await self._send(message)

    def _complete(self) -> None:
        if self._is_complete:
            return
        self._is_complete = True
        if self.status is not None:  # the middleware records every message as a 200
            self.span.set_attribute("http.response.status_code", self.status)
        self._complete_span()


def _server_span(request: RequestContext, scope: Scope, current: Span) -> Span:
    """Return the span of the middleware, or one that only has ids if the middleware opened none.

    It opens none for excluded requests and under `suppress_http_instrumentation`. With
    `OTEL_SDK_DISABLED=true` its span has the ids of the caller's, which are not ours.
    """
    if request.is_traced:
        ids = current.get_span_context()
        if ids.is_valid and not ids.is_remote:
            return current
    return span_with_ids(propagate.extract(cast("dict[str, Any]", scope), getter=asgi_getter))
