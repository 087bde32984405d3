"""The HTTP/1.1 connection that Hypercorn runs, on httptools."""

from typing import Any, cast

import h11
from hypercorn.events import RawData
from hypercorn.protocol.events import Body, EndBody, Response, StreamClosed
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h11 import H11Protocol, H11WSConnection
from hypercorn.typing import H11SendableEvent

from hypercorn_httptools.connection import Connection

JOINED_BYTES = 2**18
"""Maximum size of a part of a body that is copied to be written together with the head."""


class HTTPToolsProtocol(H11Protocol):
    """One connection, in place of Hypercorn's `H11Protocol`.

    If the length of a body is known, the head is held until the first part of the body. A response
    of unknown length may be a stream whose client needs the head at once.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Accept the arguments that Hypercorn passes."""
        super().__init__(*arguments, **named)
        self._http = Connection(self.config.h11_max_incomplete_size)
        self.connection = cast("h11.Connection", self._http)
        self._head = b""

    async def stream_send(self, event: StreamEvent) -> None:
        """Send a part of a response."""
        # The events have an abstract base class, so `isinstance` would be slow.
        if type(event) is StreamClosed:  # an application may fail before the first part of the body
            await self._write(b"")
        if isinstance(self.connection, H11WSConnection):
            await super().stream_send(event)
            return
        try:
            if type(event) is Body:
                data = self._http.send_data(event.data)
            elif type(event) is EndBody:
                data = self._http.send_end()
            elif type(event) is Response and event.status_code >= 200:
                data = self._send_head(event)
            else:
                await super().stream_send(event)
                return
        except h11.LocalProtocolError:
            if self._http.their_state is not h11.ERROR:
                raise
        else:
            if data:
                await self._write(data)

    def _send_head(self, response: Response) -> bytes:
        """Return the head of a response, or hold it and return nothing."""
        headers = [*response.headers, *self.config.response_headers("h11")]
        if self.keep_alive_requests >= self.config.keep_alive_max_requests:
            headers.append((b"connection", b"close"))
        head = self._http.send_response(response.status_code, headers)
        if not self._http.missing_bytes:
            return head
        self._head = head
        return b""

    async def _send_h11_event(self, event: H11SendableEvent) -> None:
        try:
            data = self.connection.send(event)
        except h11.LocalProtocolError:
            if self.connection.their_state is not h11.ERROR:
                raise
        else:
            await self._write(data)

    async def _write(self, data: bytes) -> None:
        """Write bytes behind the head that is held."""
        if self._head:
            head, self._head = self._head, b""
            if len(data) > JOINED_BYTES:
                await self.send(RawData(head))
            else:
                data = head + data
        if data:
            await self.send(RawData(data))
