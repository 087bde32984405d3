"""Requests that two servers may read differently are refused, and limits hold."""

import pytest
from driven import Connection
from hypercorn.config import Config

from hypercorn_httptools import HTTPToolsProtocol
from hypercorn_httptools.head import MAX_FIELDS

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKS = b"\r\n\r\n0\r\n\r\n"

HEADS = {
    "length and chunks": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked" + CHUNKS, 400),
    "chunks and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5" + CHUNKS, 400),
    "two lengths": (POST + b"Content-Length: 5\r\nContent-Length: 6" + CHUNKS, 400),
    "the same length twice": (POST + b"Content-Length: 5\r\nContent-Length: 5" + CHUNKS, 400),
    "a list of lengths": (POST + b"Content-Length: 5, 5" + CHUNKS, 400),
    "a length with a sign": (POST + b"Content-Length: +5" + CHUNKS, 400),
    "a negative length": (POST + b"Content-Length: -5" + CHUNKS, 400),
    "a length with digits of another script": (POST + b"Content-Length: \xb2" + CHUNKS, 400),
    "an empty length": (POST + b"Content-Length:" + CHUNKS, 400),
    "a length of more than 64 bits": (POST + b"Content-Length: 18446744073709551616" + CHUNKS, 400),
    "a space before a colon": (POST + b"Content-Length : 5" + CHUNKS, 400),
    "a tab before a colon": (POST + b"Transfer-Encoding\t: chunked" + CHUNKS, 400),
    "chunks before HTTP/1.1": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked" + CHUNKS, 400),
    "an unknown coding": (POST + b"Transfer-Encoding: gzip" + CHUNKS, 501),
    "an unknown coding before chunks": (POST + b"Transfer-Encoding: gzip, chunked" + CHUNKS, 501),
    "an unknown coding in a line of its own": (
        POST + b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked" + CHUNKS,
        501,
    ),
    "a coding with a control character": (POST + b"Transfer-Encoding: \x0bchunked" + CHUNKS, 400),
    "a header on two lines": (GET + b"X: y\r\n Transfer-Encoding: chunked" + CHUNKS, 400),
    "a header before the first one": (b"GET / HTTP/1.1\r\n Host: x" + CHUNKS, 400),
    "lines without CR": (b"GET / HTTP/1.1\nHost: x\n\n", 400),
    "one line without CR": (GET + b"X: y\nTransfer-Encoding: chunked" + CHUNKS, 400),
    "CR without LF": (GET + b"X: y\rTransfer-Encoding: chunked" + CHUNKS, 400),
    "NUL in a value": (GET + b"X: a\0b\r\n\r\n", 400),
    "a control character in a value": (GET + b"X: a\x01b\r\n\r\n", 400),
    "DEL in a value": (GET + b"X: a\x7fb\r\n\r\n", 400),
    "NUL in a name": (GET + b"X\0: a\r\n\r\n", 400),
    "a name that is not ASCII": (GET + b"X\x80: a\r\n\r\n", 400),
    "no name": (GET + b": a\r\n\r\n", 400),
    "no colon": (GET + b"X\r\n\r\n", 400),
    "NUL in the target": (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a control character in the target": (b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "DEL in the target": (b"GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a target that is not ASCII": (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "two spaces before the target": (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "two spaces after the target": (b"GET /  HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a space after the version": (b"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
    "a tab in the request line": (b"GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no version": (b"GET /\r\nHost: x\r\n\r\n", 400),
    "another protocol": (b"GET / RTSP/1.0\r\nHost: x\r\n\r\n", 400),
    "a method that is no token": (b"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "an empty line before the request": (b"\r\n" + GET + b"\r\n", 400),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (GET + b"Host: x\r\n\r\n", 400),
    "two Hosts in HTTP/1.0": (b"GET / HTTP/1.0\r\nHost: x\r\nhost: y\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "too many headers": (GET + b"X: y\r\n" * MAX_FIELDS + b"\r\n", 431),
}

BODIES = {
    "no size": (b"\r\nhello\r\n0\r\n\r\n", 400),
    "a size with a sign": (b"+5\r\nhello\r\n0\r\n\r\n", 400),
    "a size with a prefix": (b"0x5\r\nhello\r\n0\r\n\r\n", 400),
    "a space before the size": (b" 5\r\nhello\r\n0\r\n\r\n", 400),
    "a space after the size": (b"5 \r\nhello\r\n0\r\n\r\n", 400),
    "a space before an extension": (b"5 ;a\r\nhello\r\n0\r\n\r\n", 400),
    "LF in an extension": (b"5;a\nb\r\nhello\r\n0\r\n\r\n", 400),
    "CR in an extension": (b"5;a\rb\r\nhello\r\n0\r\n\r\n", 400),
    "NUL in an extension": (b"5;\0\r\nhello\r\n0\r\n\r\n", 400),
    "a size without CR": (b"5\nhello\r\n0\r\n\r\n", 400),
    "a size of more than 64 bits": (b"10000000000000005\r\nhello\r\n0\r\n\r\n", 400),
    "a chunk that is longer than its size": (b"5\r\nhello!\r\n0\r\n\r\n", 400),
    "a chunk without CR at its end": (b"5\r\nhello\n0\r\n\r\n", 400),
    "a trailer without a colon": (b"0\r\nX\r\n\r\n", 400),
    "a trailer with a space before its colon": (b"0\r\nX : y\r\n\r\n", 400),
    "a trailer without CR": (b"0\r\nX: y\n\r\n", 400),
}


def _status(connection: Connection) -> int:
    """Return the status of the only response; the connection must be closed."""
    assert connection.is_closed
    assert connection.output.count(b"HTTP/1.1 ") == 1
    assert b"\r\nconnection: close\r\n" in connection.output.lower()
    return int(connection.output.split(b" ")[1])


@pytest.mark.parametrize("case", HEADS)
def test_a_head_of_doubtful_meaning_reaches_no_application(case: str) -> None:
    head, status = HEADS[case]
    connection = Connection(HTTPToolsProtocol)
    connection.feed(head + SMUGGLED)
    assert _status(connection) == status
    assert connection.exchanges == []


@pytest.mark.parametrize("case", BODIES)
def test_a_body_of_doubtful_length_is_never_complete(case: str) -> None:
    body, status = BODIES[case]
    connection = Connection(HTTPToolsProtocol)
    connection.feed(CHUNKED + body + SMUGGLED)
    assert _status(connection) == status
    assert [exchange.is_complete for exchange in connection.exchanges] == [False]


ACCEPTED = {
    "extensions": b'5;a;b=c;d="e f"\r\nhello\r\n0;x\r\n\r\n',
    "leading zeros": b"0005\r\nhello\r\n00\r\n\r\n",
    "trailers": b"5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
    "several chunks": b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("case", ACCEPTED)
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_chunked_body_arrives_in_pieces_of_any_size(case: str, size: int) -> None:
    connection = Connection(HTTPToolsProtocol)
    data = CHUNKED + ACCEPTED[case] + SMUGGLED
    for start in range(0, len(data), size):
        connection.feed(data[start : start + size])
    assert [exchange.body for exchange in connection.exchanges] == [b"hello", b""]
    assert [exchange.scope["path"] for exchange in connection.exchanges] == ["/", "/smuggled"]
    assert not connection.is_closed


@pytest.fixture
def limited() -> Connection:
    """A connection with a limit of 1,000 bytes."""
    config = Config()
    config.h11_max_incomplete_size = 1000
    return Connection(HTTPToolsProtocol, config)


FILL = b"x" * 1000


@pytest.mark.parametrize("size", [100, 10_000], ids=["in pieces", "at once"])
@pytest.mark.parametrize(
    "data",
    [
        GET + b"X: " + FILL,
        GET + b"X: " + FILL + b"\r\n\r\n",
        b"GET /" + FILL,
        FILL + b"x",
        CHUNKED + b"5;" + FILL,
        CHUNKED + b"5;" + FILL + b"\r\nhello\r\n0\r\n\r\n",
        CHUNKED + b"0\r\nX: " + FILL,
        CHUNKED + b"0\r\nX: " + FILL + b"\r\n\r\n",
    ],
    ids=lambda data: data[-20:].decode(),
)
def test_a_part_that_exceeds_the_limit_is_refused(
    limited: Connection, data: bytes, size: int
) -> None:
    """Also if it is complete when it arrives, so that the limit does not depend on packets."""
    for start in range(0, len(data), size):
        limited.feed(data[start : start + size])
    assert _status(limited) == 431
    assert not any(exchange.is_complete for exchange in limited.exchanges)


def test_a_body_is_not_limited(limited: Connection) -> None:
    limited.feed(POST + b"Content-Length: 5000\r\n\r\n" + FILL * 5)
    limited.feed(CHUNKED + b"1388\r\n" + FILL * 5 + b"\r\n0\r\n\r\n")
    assert [len(exchange.body) for exchange in limited.exchanges] == [5000, 5000]


@pytest.mark.parametrize(
    "data", [GET, POST + b"Content-Length: 5\r\n\r\nhell", CHUNKED + b"5\r\nhe"]
)
def test_a_request_that_the_client_abandons_is_refused(data: bytes) -> None:
    connection = Connection(HTTPToolsProtocol)
    connection.feed(data)
    connection.feed(b"")
    assert _status(connection) == 400
