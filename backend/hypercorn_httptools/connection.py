"""The state of an HTTP/1.1 connection without I/O, with the interface of `h11.Connection`."""

from typing import Any

import h11

from hypercorn_httptools.body import Body, ChunkedBody, SizedBody
from hypercorn_httptools.buffer import Buffer
from hypercorn_httptools.fields import Field
from hypercorn_httptools.head import parse_request
from hypercorn_httptools.response import Framing, encode_head, encode_informational

State = type[Any]
"""One of h11's states, such as `h11.IDLE`."""

Next = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]
"""The next event, or the reason why there is none."""

END = h11.EndOfMessage()


class Connection:
    """The server's side of a connection.

    Attributes:
        our_state: the state of the response.
        their_state: the state of the request.
        they_are_waiting_for_100_continue: whether the client waits before it sends its body.
    """

    def __init__(self, max_incomplete_event_size: int) -> None:
        """Set the maximum size of a head, of a line with a chunk size, and of trailers."""
        self.our_state: State = h11.IDLE
        self.their_state: State = h11.IDLE
        self.they_are_waiting_for_100_continue = False
        self._limit = max_incomplete_event_size
        self._buffer = Buffer()
        self._is_at_end = False
        self._is_last = False
        self._method = b""
        self._version = b""
        self._may_switch = False
        self._body: Body
        self._framing: Framing

    @property
    def trailing_data(self) -> tuple[bytes, bool]:
        """The bytes that are not parsed yet, and whether the client has stopped sending."""
        return self._buffer.rest(), self._is_at_end

    @property
    def missing_bytes(self) -> int | None:
        """The number of bytes of the response body that are still to be sent, if it is known."""
        return self._framing.missing

    def receive_data(self, data: bytes) -> None:
        """Add received bytes; no bytes mean that the client has stopped sending."""
        if data:
            self._buffer.append(data)
        else:
            self._is_at_end = True

    def next_event(self) -> Next:
        """Return the next event of the request.

        Raises:
            h11.RemoteProtocolError: if the request is invalid, also at each later call.
        """
        state = self.their_state
        if state is h11.ERROR:
            raise h11.RemoteProtocolError("the request is invalid")
        try:
            if state is h11.IDLE:
                return self._read_head()
            if state is h11.SEND_BODY:
                return self._read_body()
            return self._read_nothing()
        except h11.RemoteProtocolError:
            self.their_state = h11.ERROR
            raise

    def start_next_cycle(self) -> None:
        """Prepare for the next request."""
        if self.our_state is not h11.DONE or self.their_state is not h11.DONE:
            raise h11.LocalProtocolError("the request or its response is incomplete")
        self.our_state = self.their_state = h11.IDLE
        self._method = b""

    def send(self, event: h11.Event) -> bytes:
        """Return the bytes of an event of the response.

        Raises:
            h11.LocalProtocolError: if the response would be invalid, also at each later call.
        """
        if isinstance(event, h11.Response):
            return self.send_response(event.status_code, event.headers.raw_items())
        if isinstance(event, h11.InformationalResponse):
            return self._send_informational(event.status_code, event.headers.raw_items())
        if isinstance(event, h11.Data):
            return self.send_data(event.data)
        if isinstance(event, h11.EndOfMessage):
            return self.send_end()
        raise h11.LocalProtocolError(f"a server cannot send {type(event).__name__}")

    def send_response(self, status: int, headers: list[Field]) -> bytes:
        """Return the head of the response."""
        # If a header is invalid, the state stays, and another response can be sent.
        head, framing = encode_head(
            status, headers, method=self._method, version=self._version, is_last=self._is_last
        )
        self._leave(h11.IDLE, h11.SEND_RESPONSE)
        self._framing = framing
        self.they_are_waiting_for_100_continue = False
        self._is_last = framing.is_last
        if self._is_last and self.their_state is h11.DONE:
            self.their_state = h11.MUST_CLOSE
        is_tunnel = self._method == b"CONNECT" and status < 300
        self.our_state = h11.SWITCHED_PROTOCOL if is_tunnel else h11.SEND_BODY
        return head

    def send_data(self, data: bytes) -> bytes:
        """Return a part of the response body as it is sent."""
        self._leave(h11.SEND_BODY)
        data = self._framing.encode(data)
        self.our_state = h11.SEND_BODY
        return data

    def send_end(self) -> bytes:
        """Return the end of the response body."""
        self._leave(h11.SEND_BODY)
        data = self._framing.end()
        self.our_state = h11.MUST_CLOSE if self._is_last else h11.DONE
        return data

    def _send_informational(self, status: int, headers: list[Field]) -> bytes:
        self._leave(h11.SEND_RESPONSE)
        switches = status == 101
        if switches and not self._may_switch:
            raise h11.LocalProtocolError("the client did not ask for another protocol")
        data = encode_informational(status, headers)
        self.they_are_waiting_for_100_continue = False
        self.our_state = h11.SWITCHED_PROTOCOL if switches else h11.SEND_RESPONSE
        return data

    def _leave(self, *states: State) -> None:
        """Leave one of the states in which an event can be sent, until the event is encoded."""
        state, self.our_state = self.our_state, h11.ERROR
        if state not in states:
            raise h11.LocalProtocolError(f"the event cannot be sent in the state {state.__name__}")

    def _read_head(self) -> Next:
        buffer = self._buffer
        head = buffer.take_through(b"\n\r\n", self._limit)
        if head is None:
            if not buffer:
                return self._read_nothing()
            # Some requests are refused before they are complete, since they may never be.
            if buffer.rest(1) <= b" ":
                raise h11.RemoteProtocolError("invalid request line")
            if b"\n\n" in buffer.rest():
                raise h11.RemoteProtocolError("line without CR")
            return self._wait()
        request = parse_request(head)
        self._method, self._version = request.method, request.http_version
        self._is_last = request.is_last
        self._may_switch = request.has_upgrade or request.method == b"CONNECT"
        self.they_are_waiting_for_100_continue = request.expects_continue
        self._body = (
            ChunkedBody(self._limit) if request.length is None else SizedBody(request.length)
        )
        self.our_state, self.their_state = h11.SEND_RESPONSE, h11.SEND_BODY
        return request

    def _read_body(self) -> Next:
        data = b"" if self._body.is_complete else self._body.read(self._buffer)
        if data:
            self.they_are_waiting_for_100_continue = False
            return h11.Data(data=data)
        if self._body.is_complete:
            self.they_are_waiting_for_100_continue = False
            # Until the response denies a switch, the next bytes may be of another protocol.
            is_last = self._is_last and not self._may_switch
            self.their_state = h11.MUST_CLOSE if is_last else h11.DONE
            return END
        return self._wait()

    def _wait(self) -> Next:
        """Wait for the rest of a request."""
        if self._is_at_end:
            raise h11.RemoteProtocolError("the client closed in the middle of a request")
        return h11.NEED_DATA

    def _read_nothing(self) -> Next:
        """Read between two requests, or after the last one."""
        if self._buffer:
            if self.their_state is h11.DONE:
                return h11.PAUSED
            raise h11.RemoteProtocolError("data after the last request")
        if self._is_at_end:
            self.their_state = h11.CLOSED
            return h11.ConnectionClosed()
        return h11.NEED_DATA
