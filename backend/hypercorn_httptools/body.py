"""Decode the body of a request.

llhttp is not used here: httptools does not report where a message ends, so it would parse the next
pipelined request before the response to this one is complete.
"""

import re
from typing import Protocol

import h11

from hypercorn_httptools.buffer import Buffer
from hypercorn_httptools.head import parse_fields

CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t -~\x80-\xff]*)?\r\n")
"""The size of a chunk, and extensions without control characters, which are ignored."""


class Body(Protocol):
    """A decoder of one request body."""

    is_complete: bool

    def read(self, buffer: Buffer) -> bytes:
        """Take what can be decoded; return nothing if more bytes are needed or at the end."""


class SizedBody:
    """A body with a Content-Length, which may be 0."""

    __slots__ = ("_remaining", "is_complete")

    def __init__(self, length: int) -> None:
        self._remaining = length
        self.is_complete = length == 0

    def read(self, buffer: Buffer) -> bytes:
        """Take the bytes of the body that have arrived."""
        data = buffer.take(self._remaining)
        self._remaining -= len(data)
        self.is_complete = self._remaining == 0
        return data


class ChunkedBody:
    """A body in chunks. The trailers are checked and ignored."""

    __slots__ = ("_is_footer_due", "_is_in_trailers", "_limit", "_remaining", "is_complete")

    def __init__(self, limit: int) -> None:
        """Set the maximum size of a line with a chunk size, and of the trailers."""
        self._limit = limit
        self._remaining = 0
        self._is_footer_due = False
        self._is_in_trailers = False
        self.is_complete = False

    def read(self, buffer: Buffer) -> bytes:
        """Take all chunks that have arrived, also parts of them, in one piece."""
        parts = []
        while not self._is_in_trailers:
            if not self._remaining and not self._begin_chunk(buffer):
                break
            if self._remaining:
                part = buffer.take(self._remaining)
                if not part:
                    break
                parts.append(part)
                self._remaining -= len(part)
                self._is_footer_due = not self._remaining
        if self._is_in_trailers:
            self._read_trailers(buffer)
        return b"".join(parts)

    def _begin_chunk(self, buffer: Buffer) -> bool:
        """Take the line with the size of the next chunk; return whether it has arrived."""
        if self._is_footer_due:
            footer = buffer.rest(2)
            if not b"\r\n".startswith(footer):
                raise h11.RemoteProtocolError("invalid end of a chunk")
            if len(footer) < 2:
                return False
            buffer.take(2)
            self._is_footer_due = False
        line = buffer.take_through(b"\n", self._limit)
        if line is None:
            return False
        match = CHUNK_LINE.fullmatch(line)
        if match is None:
            raise h11.RemoteProtocolError("invalid chunk size")
        self._remaining = int(match[1], 16)
        self._is_in_trailers = self._remaining == 0
        return True

    def _read_trailers(self, buffer: Buffer) -> None:
        if buffer.rest(2) == b"\r\n":
            buffer.take(2)
            self.is_complete = True
        elif trailers := buffer.take_through(b"\n\r\n", self._limit):
            parse_fields(trailers)
            self.is_complete = True
