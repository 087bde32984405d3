"""A client that sends raw bytes and reads raw responses."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from patience import PATIENCE

HEALTH = b"GET /api/health-check HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True)
class Response:
    """One HTTP/1.1 response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def codes(self) -> Any:
        """Return the body of a refusal, after checking its shape."""
        assert self.headers["content-type"] == "application/json"
        codes = json.loads(self.body)
        assert isinstance(codes, list)
        assert codes
        if self.status in {429, 503}:
            assert int(self.headers["retry-after"]) >= 1
        return codes

    @property
    def is_last(self) -> bool:
        """Whether the server announced that it closes the connection."""
        return self.headers.get("connection", "").lower() == "close"


class Wire:
    """One open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Send bytes. The server may have closed the connection already."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            pass

    async def response(self, *, has_body: bool = True) -> Response:
        """Read one response."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            lines = head.rstrip("\r\n").split("\r\n")
            status = int(lines[0].split(" ")[1])
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", 0)) if has_body else 0
            return Response(status, headers, await self.reader.readexactly(length))

    async def ask(self, request: bytes = HEALTH) -> Response:
        """Send a request and read its response."""
        await self.send(request)
        return await self.response()

    async def rest(self) -> bytes:
        """Read until the server closes or resets the connection."""
        received = b""
        async with asyncio.timeout(PATIENCE):
            try:
                while data := await self.reader.read(65536):
                    received += data
            except ConnectionError:
                pass
        return received

    def close(self) -> None:
        """Close the connection."""
        self.writer.close()


@asynccontextmanager
async def wired(url: str) -> AsyncIterator[Wire]:
    """Open a connection to a service and close it at the end."""
    parts = urlsplit(url)
    wire = Wire(*await asyncio.open_connection(parts.hostname, parts.port))
    try:
        yield wire
    finally:
        wire.close()
