"""Responses have the same bytes as with h11, in fewer writes."""

import itertools
from typing import Any

import pytest
from driven import Connection
from hypercorn.protocol.h11 import H11Protocol

from hypercorn_httptools import HTTPToolsProtocol
from hypercorn_httptools.protocol import JOINED_BYTES

Headers = list[tuple[bytes, bytes]]

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"HEAD / HTTP/1.0\r\n\r\n",
    b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n",
]
STATUSES = [200, 204, 304]
HEADERS: list[Headers] = [
    [],
    [(b"Content-Length", b"5"), (b"X-Case", b"Kept")],
    [(b"content-length", b"5"), (b"content-length", b"5")],
    [(b"content-length", b"5"), (b"content-length", b"6")],
    [(b"content-length", b"4")],
    [(b"content-length", b"6")],
    [(b"content-length", b"0")],
    [(b"content-length", b"-5")],
    [(b"transfer-encoding", b"chunked")],
    [(b"transfer-encoding", b"chunked"), (b"content-length", b"5")],
    [(b"transfer-encoding", b"gzip")],
    [(b"connection", b"close")],
    [(b"connection", b"Keep-Alive, x"), (b"content-length", b"5")],
    [(b"x", b"caf\xc3\xa9 \x01"), (b"x", b" stripped\t")],
    [(b"x", b"a\r\nset-cookie: b")],
    [(b"x", b"a\nb")],
    [(b"x", b"a\0b")],
    [(b"x\r\ny", b"a")],
    [(b"x y", b"a")],
    [(b"x:", b"a")],
]
BODIES = [[b"hello"], [b"he", b"", b"llo"], [b""]]


def _served(
    protocol: type, request: bytes, status: int, headers: Headers, parts: list[bytes]
) -> Connection:
    messages: list[dict[str, Any]] = [
        {"type": "http.response.start", "status": status, "headers": headers},
        *({"type": "http.response.body", "body": part, "more_body": True} for part in parts),
        {"type": "http.response.body"},
    ]
    connection = Connection(protocol, response=messages)
    connection.feed(request)
    return connection


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_a_response_has_the_bytes_that_h11_sends(headers: Headers) -> None:
    for request, status, parts in itertools.product(REQUESTS, STATUSES, BODIES):
        known = _served(H11Protocol, request, status, headers, parts)
        ours = _served(HTTPToolsProtocol, request, status, headers, parts)
        case = (request, status, parts)
        assert ours.output == known.output, case
        assert ours.is_closed == known.is_closed, case
        assert ours.exchanges == known.exchanges, case


SIZED: Headers = [(b"content-length", b"5")]


@pytest.mark.parametrize(
    ("request_line", "status", "headers", "parts", "writes"),
    [
        (REQUESTS[0], 200, SIZED, [b"hello"], 1),
        (REQUESTS[0], 200, SIZED, [b"he", b"llo"], 2),
        (REQUESTS[0], 204, [], [], 1),
        (REQUESTS[2], 200, SIZED, [b"hello"], 1),
        (REQUESTS[0], 200, [(b"content-length", b"0")], [b""], 1),
        # A stream: the head, each part and the end are written at once.
        (REQUESTS[0], 200, [], [b"he", b"llo"], 4),
        (REQUESTS[3], 200, [], [b"he", b"llo"], 3),
    ],
)
def test_a_response_is_written_in_few_pieces(
    request_line: bytes, status: int, headers: Headers, parts: list[bytes], writes: int
) -> None:
    served = _served(HTTPToolsProtocol, request_line, status, headers, parts)
    assert len(served.written) == writes
    assert all(served.written)


def test_a_large_body_is_not_copied() -> None:
    body = b"x" * (JOINED_BYTES + 1)
    headers = [(b"content-length", b"%d" % len(body))]
    served = _served(HTTPToolsProtocol, REQUESTS[0], 200, headers, [body])
    assert len(served.written) == 2
    assert served.written[1] is body


def test_the_head_is_sent_if_the_application_fails_before_its_body() -> None:
    """As by h11; the missing body tells the client that something failed."""
    start = {"type": "http.response.start", "status": 200, "headers": SIZED}
    for protocol in (H11Protocol, HTTPToolsProtocol):
        connection = Connection(protocol, response=[start])
        connection.feed(REQUESTS[0])
        assert connection.output == b"HTTP/1.1 200 \r\ncontent-length: 5\r\n\r\n"
        assert connection.is_closed
