"""HTTP/2 of Hypercorn on h2, with limits. Requests that would crash Hypercorn are refused."""

import asyncio
import re
from contextlib import suppress
from typing import Any

import h2.events
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.events import Body, EndBody, Response, StreamClosed, Trailers
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h2 import H2Protocol
from hyperframe.frame import GoAwayFrame

from cruddur.process.hypercorn.context import Context
from cruddur.process.hypercorn.error_responses import EMPTY_RESPONSE_HEADERS, error_response
from cruddur.process.hypercorn.frames import FloodError, FrameLimits
from cruddur.process.hypercorn.phases import BUSY, HEAD, IDLE, Phase
from cruddur.process.hypercorn.streams import discard_unread_events, is_head

METHOD = re.compile(rb"[A-Z0-9!#$%&'*+.^_`|~-]+")
"""A token (RFC 9110, 5.6.2) without lower case, since methods are case-sensitive."""

TARGET = re.compile(rb"[!-~]+")
"""The request targets that h11 also accepts."""


class HTTP2(H2Protocol):
    """One HTTP/2 connection.

    Attributes:
        is_closing: whether no more streams are accepted.
    """

    context: Context

    def __init__(self, *arguments: Any) -> None:
        """Accept the arguments that Hypercorn passes."""
        super().__init__(*arguments)
        self.is_closing = False
        self._frames = FrameLimits()
        self._receiving: set[int] = set()
        # Hypercorn also announces WebSockets on streams, which we do not support.
        self.connection.local_settings = Settings(
            client=False,
            initial_values={
                SettingCodes.MAX_CONCURRENT_STREAMS: self.config.h2_max_concurrent_streams,
                SettingCodes.MAX_HEADER_LIST_SIZE: self.config.h2_max_header_list_size,
            },
        )

    @property
    def phase(self) -> Phase:
        """The current phase."""
        if self._frames.is_in_header_block:
            return HEAD
        return BUSY if self.streams else IDLE

    async def handle(self, event: Event) -> None:
        """Handle received bytes, or the end of the connection."""
        if not isinstance(event, RawData):
            await super().handle(event)
            return
        try:
            self._frames.receive(event.data)
            await self._handle_events(self.connection.receive_data(event.data))
        except FloodError:
            await self._go_away(ErrorCodes.ENHANCE_YOUR_CALM)
        except ProtocolError:
            await self._flush()  # h2 has a GOAWAY ready
            await self.send(Closed())

    async def expire(self) -> bool:
        """Send GOAWAY before the connection is closed because of its timeout; return True."""
        is_fault = self.phase is HEAD
        await self._go_away(ErrorCodes.PROTOCOL_ERROR if is_fault else ErrorCodes.NO_ERROR)
        return True

    async def stream_send(self, event: StreamEvent) -> None:
        """Send a part of a response."""
        if isinstance(event, StreamClosed):
            await self._close_stream(event.stream_id)
            await self._flush()
            if self.context.terminated.is_set() and not self.streams and not self.stream_buffers:
                await self._go_away(ErrorCodes.NO_ERROR)  # in place of `Connection: close`
            await self.send(Updated(idle=not self.streams))
        elif isinstance(event, Response) and event.headers == EMPTY_RESPONSE_HEADERS:
            # HTTP/2 has no `Connection`: h2 would refuse to send it and the client would wait.
            headers, body = error_response(event.status_code)
            await super().stream_send(Response(event.stream_id, headers, event.status_code))
            if not is_head(self.streams.get(event.stream_id)):
                await super().stream_send(Body(event.stream_id, body))
        elif isinstance(event, Body | EndBody | Trailers):
            try:
                # The client's window may be closed, and only the client can open it.
                async with asyncio.timeout(self.context.timeouts.send):
                    await super().stream_send(event)
            except TimeoutError:
                await self._abort_stream(event.stream_id, ErrorCodes.CANCEL)
        else:
            await super().stream_send(event)

    async def _handle_events(self, events: list[h2.events.Event]) -> None:
        for event in events:
            if isinstance(event, h2.events.RequestReceived):
                await self._begin_stream(event)
            elif isinstance(event, h2.events.DataReceived):
                # There is no stream if the response was complete before the request.
                if stream := self.streams.get(event.stream_id):
                    await stream.handle(Body(event.stream_id, event.data))
                self.connection.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id
                )
            elif isinstance(event, h2.events.StreamEnded):
                self._receiving.discard(event.stream_id)
                if stream := self.streams.get(event.stream_id):
                    await stream.handle(EndBody(event.stream_id))
            elif isinstance(event, h2.events.StreamReset):
                # Reset by the client, or by h2 because the client broke a rule.
                self._frames.reset()
                self._receiving.discard(event.stream_id)
                await self._close_stream(event.stream_id)
                await self._window_updated(event.stream_id)
            elif isinstance(event, h2.events.WindowUpdated):
                await self._window_updated(event.stream_id)
            elif isinstance(event, h2.events.RemoteSettingsChanged):
                if SettingCodes.INITIAL_WINDOW_SIZE in event.changed_settings:
                    await self._window_updated(None)
            elif isinstance(event, h2.events.ConnectionTerminated):
                await self.send(Closed())
            # Priorities are ignored: they are optional (RFC 9113, 5.3.2), and Hypercorn's priority
            # tree raises an error for some of them.
        await self._flush()

    async def _begin_stream(self, request: h2.events.RequestReceived) -> None:
        if self.is_closing:
            self.connection.reset_stream(request.stream_id, ErrorCodes.REFUSED_STREAM)
            return
        if not request.stream_ended:
            self._receiving.add(request.stream_id)
        fields = dict(request.headers or ())
        method, path = fields.get(b":method", b""), fields.get(b":path", b"")
        if method == b"CONNECT":
            self._refuse_stream(request.stream_id, method, 405)
        elif not METHOD.fullmatch(method) or not TARGET.fullmatch(path):
            self._refuse_stream(request.stream_id, method, 400)
        else:
            await self._create_stream(request)
            await self.send(Updated(idle=False))
        if self.keep_alive_requests >= self.config.keep_alive_max_requests:
            self.is_closing = True
            # h2's own GOAWAY would end the open streams as well.
            goaway = GoAwayFrame(0, last_stream_id=request.stream_id)
            await self._flush()
            await self.send(RawData(goaway.serialize()))

    def _refuse_stream(self, stream_id: int, method: bytes, status: int) -> None:
        headers, body = error_response(status)
        headers = [(b":status", b"%d" % status), *headers, *self.config.response_headers("h2")]
        body = b"" if method == b"HEAD" else body
        try:
            self.connection.send_headers(stream_id, headers)
            self.connection.send_data(stream_id, body, end_stream=True)
        except ProtocolError:  # no window for the body
            self._reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
        self._stop_receiving(stream_id)

    async def _send_data(self, stream_id: int) -> None:
        window = self.connection.outbound_flow_control_window
        await super()._send_data(stream_id)
        self._frames.sent(max(0, window - self.connection.outbound_flow_control_window))
        if stream_id not in self.stream_buffers:  # everything is sent
            self._stop_receiving(stream_id)
            await self._flush()

    async def _close_stream(self, stream_id: int) -> None:
        if stream := self.streams.get(stream_id):
            discard_unread_events(stream)
        await super()._close_stream(stream_id)
        buffer = self.stream_buffers.get(stream_id)
        if self.closed or buffer is None:
            return
        if not buffer._complete:  # the application ended in the middle of its response
            await self._abort_stream(stream_id, ErrorCodes.INTERNAL_ERROR)

    async def _abort_stream(self, stream_id: int, code: ErrorCodes) -> None:
        """Abort an incomplete response. The sending task then drops the stream."""
        self._reset_stream(stream_id, code)
        await self._flush()
        if buffer := self.stream_buffers.get(stream_id):
            await buffer.close()
            await self._window_updated(stream_id)

    def _stop_receiving(self, stream_id: int) -> None:
        """Ask the client not to send the rest of an answered request (RFC 9113, 8.1)."""
        if stream_id in self._receiving:
            self._receiving.discard(stream_id)
            self._reset_stream(stream_id, ErrorCodes.NO_ERROR)

    def _reset_stream(self, stream_id: int, code: ErrorCodes) -> None:
        with suppress(ProtocolError):  # the stream, or the connection, is closed already
            self.connection.reset_stream(stream_id, code)

    async def _go_away(self, code: ErrorCodes) -> None:
        with suppress(ProtocolError):
            self.connection.close_connection(code)
        await self._flush()
        await self.send(Closed())
