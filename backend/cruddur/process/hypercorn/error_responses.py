"""Build the error responses that the server sends without calling the application."""

from http import HTTPStatus

import msgspec
from hypercorn.config import Config

from cruddur.errors import GENERIC_CODES

Headers = list[tuple[bytes, bytes]]

RETRY_SECONDS = b"5"

EMPTY_RESPONSE_HEADERS: Headers = [(b"content-length", b"0"), (b"connection", b"close")]
"""The headers of the empty responses that Hypercorn sends when the application sends none."""


def error_response(status: int) -> tuple[Headers, bytes]:
    """Return the headers and the body of an error response.

    Args:
        status: the status of the response, which determines the code in its body.
    """
    # GENERIC_CODES has the code for a body that is not JSON under 400.
    code = f"generic_{status}" if status == 400 else GENERIC_CODES.get(status, f"generic_{status}")
    body = msgspec.json.encode([code])
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    if status in {429, 503}:
        headers.append((b"retry-after", RETRY_SECONDS))
    return headers, body


def http1_error_response(status: int, config: Config) -> bytes:
    """Return a complete HTTP/1.1 response that refuses a connection before its first request."""
    headers, body = error_response(status)
    headers = [*headers, (b"connection", b"close"), *config.response_headers("h11")]
    lines = [b"HTTP/1.1 %d %b" % (status, HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b" % header for header in headers]
    return b"\r\n".join([*lines, b"", body])
