"""Encode the head of a response, and frame its body."""

import re
from dataclasses import dataclass
from functools import lru_cache

import h11

from hypercorn_httptools.fields import Field, options

TOKEN = re.compile(rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
FORBIDDEN = re.compile(rb"[\0\n\v\f\r]")
"""Bytes that a header value must not have, because they could end its line."""


@dataclass(slots=True)
class Framing:
    """How the body of a response is sent.

    Attributes:
        missing: the number of bytes that are still to be sent, or None if the length is unknown.
        is_chunked: whether the body is sent in chunks. Another body of unknown length ends with the
            connection.
        is_last: whether the connection is closed after the response.
    """

    missing: int | None
    is_chunked: bool = False
    is_last: bool = False

    def encode(self, data: bytes) -> bytes:
        """Return a part of the body as it is sent."""
        if self.missing is not None:
            self.missing -= len(data)
            if self.missing < 0:
                raise h11.LocalProtocolError("too much data for the declared Content-Length")
        elif self.is_chunked and data:
            return b"%x\r\n%b\r\n" % (len(data), data)
        return data

    def end(self) -> bytes:
        """Return the bytes that end the body."""
        if self.missing:
            raise h11.LocalProtocolError("too little data for the declared Content-Length")
        return b"0\r\n\r\n" if self.is_chunked else b""


def encode_informational(status: int, headers: list[Field]) -> bytes:
    """Return a response with a status below 200."""
    return _encode(status, headers)


def encode_head(
    status: int, headers: list[Field], *, method: bytes, version: bytes, is_last: bool
) -> tuple[bytes, Framing]:
    """Return the head of a response and the framing of its body.

    The headers that frame the message are completed in the same way as by h11.

    Args:
        status: a status from 200.
        headers: the headers of the application and of the server.
        method: the method of the request, or nothing if there was no request.
        version: the version of the request, such as `1.1`, or nothing if there was no request.
        is_last: whether the connection is closed after this response in any case.

    Raises:
        h11.LocalProtocolError: if a header is invalid.
    """
    if not 200 <= status < 1000:
        raise h11.LocalProtocolError(f"{status} is not a final status")
    fields = {name.lower(): value for name, value in headers}
    if len(fields) != len(headers):
        headers = _without_duplicates(headers)
    length = _declared_length(fields)
    has_no_body = status in (204, 304) or (method == b"CONNECT" and status < 300)
    is_chunked = False
    replaced: set[bytes] = set()
    added: list[Field] = []
    if not has_no_body and (length is None or b"transfer-encoding" in fields):
        length = None
        replaced = {b"content-length", b"transfer-encoding"}
        is_chunked = version >= b"1.1"
        if is_chunked:
            added.append((b"Transfer-Encoding", b"chunked"))
        elif method != b"HEAD":
            is_last = True
    if is_last:
        replaced.add(b"connection")
        kept = (options(headers, b"connection") | {b"close"}) - {b"keep-alive"}
        added += [(b"Connection", option) for option in sorted(kept)]
    elif b"connection" in fields:
        is_last = b"close" in options(headers, b"connection")
    if replaced:
        headers = [field for field in headers if field[0].lower() not in replaced] + added
    if has_no_body or method == b"HEAD":
        length, is_chunked = 0, False
    return _encode(status, headers), Framing(length, is_chunked, is_last)


def _without_duplicates(headers: list[Field]) -> list[Field]:
    """Return the headers with one Content-Length, if all of them are the same."""
    names = [name.lower() for name, _ in headers]
    if names.count(b"transfer-encoding") > 1:
        raise h11.LocalProtocolError("several Transfer-Encoding headers")
    if names.count(b"content-length") < 2:
        return headers
    lengths = [field for field in headers if field[0].lower() == b"content-length"]
    if len({value for _, value in lengths}) > 1:
        raise h11.LocalProtocolError("conflicting Content-Length headers")
    return [field for field in headers if field not in lengths] + lengths[:1]


def _declared_length(fields: dict[bytes, bytes]) -> int | None:
    if fields.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise h11.LocalProtocolError("the only transfer coding is chunked")
    length = fields.get(b"content-length")
    if length is None:
        return None
    if not length.isdigit():
        raise h11.LocalProtocolError("invalid Content-Length")
    return int(length)


def _encode(status: int, headers: list[Field]) -> bytes:
    if FORBIDDEN.search(b" ".join([value for _, value in headers])):
        raise h11.LocalProtocolError("a header value has a control character")
    lines = [_line_start(name) + value for name, value in headers]
    return b"\r\n".join([b"HTTP/1.1 %d " % status, *lines, b"\r\n"])


@lru_cache(maxsize=256)
def _line_start(name: bytes) -> bytes:
    """Return the start of a header line. An application always sends the same few names."""
    if not TOKEN.fullmatch(name):
        raise h11.LocalProtocolError("invalid header name")
    return name + b": "
