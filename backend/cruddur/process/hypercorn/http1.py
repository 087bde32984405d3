"""HTTP/1.1 of Hypercorn on h11 or httptools, with stricter checks and errors in our format."""

import logging

import h11
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.events import Body, EndBody, Response
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol, H11WSConnection
from hypercorn.protocol.ws_stream import WSStream

from cruddur.process.hypercorn.context import Context
from cruddur.process.hypercorn.error_responses import EMPTY_RESPONSE_HEADERS, error_response
from cruddur.process.hypercorn.phases import BUSY, HEAD, IDLE, Phase
from cruddur.process.hypercorn.streams import discard_unread_events, is_head
from hypercorn_httptools import HTTPToolsProtocol, missing_names

logger = logging.getLogger(__name__)

CLOSE = (b"connection", b"close")


class RefusedError(Exception):
    """The request is refused before it reaches the application."""

    def __init__(self, status: int, method: bytes) -> None:
        """Set the response status and the method, because a response to HEAD has no body."""
        super().__init__(status)
        self.status = status
        self.method = method


class HTTP1(H11Protocol):
    """One HTTP/1.1 connection on h11."""

    is_closing = False
    context: Context

    @property
    def phase(self) -> Phase:
        """The current phase."""
        if self.stream is not None:
            return BUSY
        return HEAD if self.connection.trailing_data[0] else IDLE

    async def handle(self, event: Event) -> None:
        """Handle received bytes, or the end of the connection."""
        if isinstance(event, RawData) and self._is_upgrading():
            return
        try:
            await super().handle(event)
        except RefusedError as error:
            await self._send_refusal(error.status, has_body=error.method != b"HEAD")
            await self.send(Closed())

    async def expire(self) -> bool:
        """Answer a request with an incomplete header section; return whether there is one."""
        if self.phase is not HEAD:
            return False
        await self._send_refusal(408)
        return True

    async def stream_send(self, event: StreamEvent) -> None:
        """Send a part of a response."""
        # The events have an abstract base class, so `isinstance` would be slow.
        if type(event) is Response and event.status_code >= 200:
            await self._start_response(event)
            return
        await super().stream_send(event)
        if type(event) is EndBody and isinstance(self.connection, H11WSConnection):
            # A refused WebSocket. If Hypercorn itself refused it, it does not close the connection.
            await self.send(Closed())

    async def _start_response(self, response: Response) -> None:
        headers, body = response.headers, b""
        if headers == EMPTY_RESPONSE_HEADERS:
            headers, body = error_response(response.status_code)
            headers = [*headers, CLOSE]
        elif self._is_last_response() or self._is_body_incomplete():
            headers = [*headers, CLOSE]
        await super().stream_send(Response(STREAM_ID, headers, response.status_code))
        if body and not is_head(self.stream):
            await super().stream_send(Body(STREAM_ID, body))

    def _is_last_response(self) -> bool:
        """Whether this is the last response: the worker stops, and no pipelined request is left."""
        return self.context.terminated.is_set() and not self.connection.trailing_data[0]

    def _is_body_incomplete(self) -> bool:
        """Whether a part of the request body is still to come.

        The connection is closed after the response, and the client must know (RFC 9112, 9.6).
        """
        return self.connection.their_state is h11.SEND_BODY

    def _is_upgrading(self) -> bool:
        """Whether a WebSocket handshake is unanswered; until then clients must not send.

        If one does, Hypercorn would send a second response and fail.
        """
        return isinstance(self.stream, WSStream) and not self.stream.handshake.accepted

    async def _check_protocol(self, event: h11.Request) -> None:
        if self.context.has_h2c and not self.ssl and self._may_switch(event):
            await super()._check_protocol(event)  # raises if the client asks for HTTP/2
        if event.http_version not in {b"1.1", b"1.0"}:
            raise RefusedError(505, event.method)
        # Methods are case-sensitive (RFC 9110, 9.1); Hypercorn would turn `get` into `GET`.
        if event.method != event.method.upper():
            raise RefusedError(400, event.method)
        names = {name for name, _ in event.headers}
        # A proxy in front may use the length and parse the rest of the body as a request
        # (RFC 9112, 6.1). HTTP/1.0 has no transfer codings.
        if b"transfer-encoding" in names and (
            b"content-length" in names or event.http_version == b"1.0"
        ):
            raise RefusedError(400, event.method)

    @staticmethod
    def _may_switch(event: h11.Request) -> bool:
        """Return whether an upgrade to HTTP/2 is possible, if the client requests one."""
        settings = [value for name, value in event.headers if name == b"http2-settings"]
        if not settings:
            return event.method == b"PRI"
        trial = H2Connection(H2Configuration(client_side=False))
        try:
            trial.initiate_upgrade_connection(settings[0])
        except Exception as error:  # base64, frames and values raise different errors
            raise RefusedError(400, event.method) from error
        return len(settings) == 1 and event.method != b"CONNECT"

    async def _send_error_response(self, status_code: int) -> None:
        await self._send_refusal(status_code)

    async def _send_refusal(self, status: int, *, has_body: bool = True) -> None:
        headers, body = error_response(status)
        headers = [*headers, CLOSE, *self.config.response_headers("h11")]
        await self._send_h11_event(h11.Response(status_code=status, headers=headers))
        if has_body:
            await self._send_h11_event(h11.Data(data=body))
        await self._send_h11_event(h11.EndOfMessage())

    async def _maybe_recycle(self) -> None:
        """Wait for the next request, also when the worker stops."""
        await self._close_stream()
        must_close = self.connection.our_state is not h11.DONE
        if must_close or self.connection.their_state is not h11.DONE:
            await self.can_read.set()
            await self.send(Closed())
        else:
            self.connection.start_next_cycle()
            await self.can_read.set()
            await self.send(Updated(idle=True))

    async def _close_stream(self) -> None:
        if self.stream is not None:
            discard_unread_events(self.stream)
        await super()._close_stream()


class HTTPToolsHTTP1(HTTP1, HTTPToolsProtocol):
    """One HTTP/1.1 connection on httptools, with the same checks."""


def http1_class(parser: str) -> type[HTTP1]:
    """Return the class of HTTP/1.1 connections.

    Args:
        parser: `httptools` or `h11`. With an unknown version of Hypercorn, h11 is used.
    """
    if parser != "httptools":
        return HTTP1
    if missing := missing_names():
        logger.warning("HTTP/1.1 is parsed by h11: Hypercorn has no %s", ", ".join(missing))
        return HTTP1
    return HTTPToolsHTTP1
