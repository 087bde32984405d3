"""Decompress request bodies, with limits."""

import zlib

from traceview.errors import MalformedError, TooLargeError, UnsupportedError

BODY_BYTES = 16 * 1024 * 1024
"""Maximum size of a body as sent, in bytes."""

INFLATED_BYTES = 64 * 1024 * 1024
"""Maximum size of a decompressed body, in bytes."""

MEMBERS = 10_000
"""Maximum number of members of a body in gzip."""

_PIECE_BYTES = 64 * 1024

_ZLIB, _RAW, _GZIP = zlib.MAX_WBITS, -zlib.MAX_WBITS, zlib.MAX_WBITS | 16


def inflate(body: bytes, encoding: str) -> bytes:
    """Return the decompressed body: gzip, deflate or identity.

    Raises:
        UnsupportedError: another encoding.
        MalformedError: the body is not in this encoding, is truncated, or has trailing data.
        TooLargeError: it would become larger than INFLATED_BYTES.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding in {"gzip", "x-gzip"}:
        return _inflate(body, _GZIP)
    if encoding == "deflate":
        # "deflate" is the zlib format (RFC 9110, 8.4.1.2), but some senders omit its header.
        return _inflate(body, _ZLIB if _is_zlib(body) else _RAW)
    raise UnsupportedError(f"the content encoding {encoding[:40]!r} is not supported")


def _inflate(body: bytes, window: int) -> bytes:
    """Decompress a body; one in gzip can consist of several members (RFC 1952, 2.2)."""
    inflated = bytearray()
    at = members = 0
    while True:
        stream = zlib.decompressobj(window)
        # In pieces, because each member copies the rest of the piece that it ends in.
        while at < len(body) and not stream.eof:
            piece = body[at : at + _PIECE_BYTES]
            try:
                inflated += stream.decompress(piece, INFLATED_BYTES + 1 - len(inflated))
            except zlib.error as error:
                raise MalformedError(f"the body cannot be decompressed: {error}") from error
            if len(inflated) > INFLATED_BYTES:
                raise TooLargeError(f"the body decompresses to more than {INFLATED_BYTES} bytes")
            at += len(piece) - len(stream.unused_data)
        if not stream.eof:
            raise MalformedError("the body cannot be decompressed: it is truncated")
        members += 1
        if at == len(body):
            return bytes(inflated)
        if window != _GZIP:
            raise MalformedError("the body cannot be decompressed: it has trailing data")
        if members == MEMBERS:
            raise TooLargeError(f"the body has more than {MEMBERS} gzip members")


def _is_zlib(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
