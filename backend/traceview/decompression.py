"""Undoing a request's Content-Encoding, within bounds."""

import zlib

from traceview.errors import MalformedError, TooLargeError, UnsupportedError

BODY_BYTES = 16 * 1024 * 1024
"""The largest body as it is sent."""

INFLATED_BYTES = 64 * 1024 * 1024
"""The largest body once it is inflated."""

_ZLIB, _RAW, _GZIP = zlib.MAX_WBITS, -zlib.MAX_WBITS, zlib.MAX_WBITS | 16


def inflate(body: bytes, encoding: str) -> bytes:
    """Return the body without its encoding: gzip, deflate or identity.

    Raises:
        UnsupportedError: another encoding.
        MalformedError: the body is not in it, is cut off, or goes on behind its end.
        TooLargeError: it would become larger than INFLATED_BYTES.
    """
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding in {"gzip", "x-gzip"}:
        return _inflate(body, _GZIP)
    if encoding == "deflate":
        # The name means zlib's format (RFC 9110, 8.4.1.2), and some senders leave its frame out.
        return _inflate(body, _ZLIB if _is_zlib(body) else _RAW)
    raise UnsupportedError(f"the content encoding {encoding[:40]!r} is not known here")


def _inflate(body: bytes, window: int) -> bytes:
    stream = zlib.decompressobj(window)
    try:
        inflated = stream.decompress(body, INFLATED_BYTES + 1)
    except zlib.error as error:
        raise MalformedError(f"the body cannot be inflated: {error}") from error
    if len(inflated) > INFLATED_BYTES:
        raise TooLargeError(f"the body inflates to more than {INFLATED_BYTES} bytes")
    if not stream.eof or stream.unused_data:
        raise MalformedError("the body cannot be inflated: it does not end where it should")
    return inflated


def _is_zlib(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
