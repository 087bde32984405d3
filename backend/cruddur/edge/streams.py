"""Run responses that continue after their request, such as server-sent events.

The request of a stream ends when the stream is established. Its span ends then too, so that it is
visible while the stream is open, and the resources of the request are not held for hours. When the
stream closes, a span in a new trace links to the one that opened it.
"""

import logging
import time

from opentelemetry import context, trace
from opentelemetry.trace import Link
from opentelemetry.util.types import AttributeValue

from cruddur.asgi_types import Application, Message, Receive, Scope, Send
from cruddur.request_context import Kind, OpenStream, RequestContext, current_request
from cruddur.telemetry.operation import Instruments, milliseconds

logger = logging.getLogger("cruddur.request")


class Streams:
    """The ASGI layer."""

    def __init__(self, app: Application, *, opening_app: Application, instruments: Instruments):
        """Wrap the application.

        Args:
            app: handles all other requests.
            opening_app: the same application for the requests that open a stream.
            instruments: measure the streams.
        """
        self._app = app
        self._opening_app = opening_app
        self._instruments = instruments
        # Without it, a process exports no value before its first stream, which autoscalers need.
        instruments.gauges["app.streams.open"].add(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        if scope["type"] != "http" or current_request().kind is not Kind.STREAM:
            await self._app(scope, receive, send)
            return
        request = current_request()
        receive = _repeating_disconnect(receive)
        stream = await self._open(request, scope, receive, send)
        if stream is None:
            return
        open_streams = self._instruments.gauges["app.streams.open"]
        open_streams.add(1)
        start = time.perf_counter()
        try:
            await stream.run(receive, send)
        finally:
            open_streams.add(-1)
            self._record_close(request, stream, time.perf_counter() - start)

    async def _open(
        self, request: RequestContext, scope: Scope, receive: Receive, send: Send
    ) -> OpenStream | None:
        """Process the request; return its stream if the response is one."""
        status: int | None = None

        async def send_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status == 200 and request.stream is not None:
                return  # only the request ends here, its response continues
            await send(message)

        try:
            await self._opening_app(scope, receive, send_headers)
        except BaseException:
            _release(request)
            raise
        if status != 200:  # the request failed, or the client left before the response
            _release(request)
        return request.take_stream()

    def _record_close(self, request: RequestContext, stream: OpenStream, seconds: float) -> None:
        route = request.route or ""
        attributes: dict[str, AttributeValue] = {
            "app.stream.messages": stream.sent,
            "app.stream.duration_ms": milliseconds(seconds),
            "app.stream.close_reason": stream.reason,
        }
        closing = request.span
        if request.is_traced:
            closing = self._instruments.tracer.start_span(
                f"close {route}",
                context=context.Context(),
                links=[Link(request.span.get_span_context())],
                attributes=attributes,
            )
        token = context.attach(trace.set_span_in_context(closing))
        logger.info("close %s", route, extra={"fields": {"http.route": route, **attributes}})
        context.detach(token)
        closing.end()


def _release(request: RequestContext) -> None:
    if (stream := request.take_stream()) is not None:
        stream.release()


def _repeating_disconnect(receive: Receive) -> Receive:
    """Return a `receive` that repeats the disconnect message, which a server sends only once.

    Quart consumes it while it handles the request; the stream would wait for it forever.
    """
    disconnect: Message | None = None

    async def receive_again() -> Message:
        nonlocal disconnect
        if disconnect is None:
            message = await receive()
            if message["type"] != "http.disconnect":
                return message
            disconnect = message
        return disconnect

    return receive_again
