"""An HTTP/2 client on a raw connection that can break the rules."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import h2.events
from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.settings import SettingCodes, Settings

from hardening.wire import Wire, wired
from patience import PATIENCE

Fields = list[tuple[bytes, bytes]]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def fields(path: bytes = b"/api/health-check", method: bytes = b"GET") -> Fields:
    """Return the fields of a request."""
    return [(b":method", method), (b":scheme", b"http"), (b":authority", b"x"), (b":path", path)]


class Http2Wire:
    """One HTTP/2 connection: what was received so far, by stream."""

    def __init__(self, wire: Wire, *, window: int | None = None, auto_ack: bool = True) -> None:
        self.wire = wire
        self.h2 = H2Connection(
            H2Configuration(
                client_side=True,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.headers: dict[int, dict[bytes, bytes]] = {}
        self.bodies: dict[int, bytes] = {}
        self.ended: set[int] = set()
        self.resets: dict[int, int] = {}
        self.goaways: list[tuple[int, int]] = []
        self.is_closed = False
        self._auto_ack = auto_ack
        self._received = b""
        if window is not None:
            values = {SettingCodes.INITIAL_WINDOW_SIZE: window, SettingCodes.ENABLE_PUSH: 0}
            self.h2.local_settings = Settings(client=True, initial_values=values)

    async def open(self) -> None:
        """Send the preface."""
        self.h2.initiate_connection()
        await self.flush()

    async def flush(self) -> None:
        """Send the data that h2 has queued."""
        await self.wire.send(self.h2.data_to_send())

    async def request(self, headers: Fields | None = None, *, end: bool = True) -> int:
        """Send a request and return its stream."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, headers or fields(), end_stream=end)
        await self.flush()
        return stream

    async def read(self) -> bool:
        """Read once; False at the end."""
        try:
            async with asyncio.timeout(PATIENCE):
                data = await self.wire.reader.read(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.is_closed = True
            return False
        self._received += data
        while len(self._received) >= 9:
            end = 9 + int.from_bytes(self._received[:3])
            if len(self._received) < end:
                break
            frame, self._received = self._received[:end], self._received[end:]
            for event in self.h2.receive_data(frame):
                self._take(event)
        await self.flush()
        return True

    async def until_ended(self, streams: Iterable[int]) -> None:
        """Read until the streams have ended, in whatever way."""
        while not all(stream in self.ended or stream in self.resets for stream in streams):
            assert await self.read(), "the server closed the connection"

    async def response(self, stream: int) -> tuple[int, bytes]:
        """Read the complete response of a stream."""
        await self.until_ended([stream])
        return self.status(stream), self.bodies.get(stream, b"")

    async def ask(self, headers: Fields | None = None) -> tuple[int, bytes]:
        """Send a request and read its response."""
        return await self.response(await self.request(headers))

    async def rest(self) -> None:
        """Read until the server closes the connection."""
        while await self.read():
            pass

    def status(self, stream: int) -> int:
        """Return the status of a response."""
        return int(self.headers[stream][b":status"])

    def codes(self, stream: int) -> Any:
        """Return the codes of a refusal."""
        assert self.headers[stream][b"content-type"] == b"application/json"
        return json.loads(self.bodies[stream])

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived():
                self.headers[event.stream_id] = dict(event.headers)
            case h2.events.DataReceived():
                stream = event.stream_id
                self.bodies[stream] = self.bodies.get(stream, b"") + event.data
                if self._auto_ack:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
            case h2.events.StreamEnded():
                self.ended.add(event.stream_id)
            case h2.events.StreamReset():
                self.resets[event.stream_id] = int(event.error_code)
            case h2.events.ConnectionTerminated():
                self.goaways.append((int(event.error_code), event.last_stream_id))
                # Otherwise h2 would read nothing more, not even of the streams that continue.
                self.h2.state_machine.state = ConnectionState.CLIENT_OPEN


@asynccontextmanager
async def http2(url: str, **options: Any) -> AsyncIterator[Http2Wire]:
    """Open an HTTP/2 connection by prior knowledge."""
    async with wired(url) as wire:
        client = Http2Wire(wire, **options)
        await client.open()
        yield client
