"""Generate requests, valid and hostile, from a seed; and a list made by hand."""

import random
from itertools import pairwise

HOST = b"Host: x"

METHODS = [
    b"GET",
    b"GET",
    b"POST",
    b"HEAD",
    b"OPTIONS",
    b"PUT",
    b"CONNECT",
    b"BREW",
    b"get",
    b"M-SEARCH",
]
METHODS += [
    b"G@T",
    b"GE T",
    b"",
    b"G\0T",
    b"G\xc3\x89T",
    b"PRI",
    b"SOURCE",
]
TARGETS = [
    b"/",
    b"/a?b=c",
    b"/%41/%2e%2e/x?y=%00",
    b"*",
    b"x:443",
    b"http://x/a",
    b"a",
    b"/a#b",
    b'/{}|^`"',
]
TARGETS += [
    b"/a b",
    b"/\xff",
    b"/a\0",
    b"/\x7f",
    b"/a\tb",
    b"",
    b" /",
    b"/\x01",
    b"//x",
]
VERSIONS = [b"HTTP/1.1"] * 8 + [
    b"HTTP/1.0",
    b"HTTP/1.0",
]
VERSIONS += [
    b"HTTP/1.2",
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"http/1.1",
    b"HTTP/1.10",
    b"HTTP/1",
    b"RTSP/1.0",
    b"",
    b"HTTP/1.1 ",
]

COMMON = [
    b"Accept: */*",
    b"User-Agent: Mozilla/5.0 (X11; Linux)",
    b"X-Empty:",
    b"X-Tabs:\tx\ty\t ",
    b"X-Text: caf\xc3\xa9",
    b"Cookie: a=b; c=d",
    b"Connection: keep-alive",
    b"Connection: close",
    b"Connection: Close, x",
    b"Expect: 100-continue",
    b"TE: trailers",
]
HOSTILE = [
    b"Host: y",
    b"host:x",
    b"Content-Length: 5",
    b"Content-Length: 6",
    b"Content-Length: +5",
    b"Content-Length: -5",
    b"Content-Length: 5, 5",
    b"Content-Length: 5, 6",
    b"Content-Length: 0x5",
    b"Content-Length: 5 5",
    b"Content-Length: 005",
    b"Content-Length: \xb2",
    b"Content-Length: 1_0",
    b"Content-Length:",
    b"Content-Length: 99999999999999999999999",
    b"Content-Length : 5",
    b"Content-Length\t: 5",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: Chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunked;a=b",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding:\tchunked\t",
    b"Transfer-Encoding : chunked",
    b"Transfer-Encoding:",
    b"Transfer_Encoding: chunked",
    b" Transfer-Encoding: chunked",
    b"X: y\n Transfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
    b"X: y\r\n z",
    b"X: y\r\n\tz",
    b"X : y",
    b"X y",
    b": y",
    b"X",
    b"X\0: y",
    b"X\x80: y",
    b"X(y): z",
    b"X: \0",
    b"X: a\0b",
    b"X: \x01",
    b"X: \x7f",
    b"X: a\x0bb",
    b"X: a\x0cb",
    b"X: a\rb",
    b"Upgrade: foo",
    b"Connection: upgrade",
    b"Upgrade: h2c",
    b"Upgrade: websocket",
    b"HTTP2-Settings: AAMAAABkAAQAAP__",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]
SIZES = [
    b"5",
    b"05",
    b"0000000000005",
    b"5;a",
    b"5;a=b",
    b'5;a="b;c"',
    b"5 ;a",
    b"5 ",
    b"5\t",
    b" 5",
    b"+5",
    b"0x5",
]
SIZES += [
    b"-5",
    b"",
    b"g",
    b"5;a\nb",
    b"5;a\rb",
    b"5;\0",
    b"5\n",
    b"00000000000000000005",
    b"ffffffffffffffff5",
]
TRAILERS = [
    b"X-Sum: 1",
    b"X : 1",
    b"X",
    b"X: \0",
    b" X: 1",
    b"X: 1\n",
    b"Content-Length: 5",
    b"Host: x",
    b"X: 1\r\n y",
]
BYTES = [
    b"\0",
    b"\n",
    b"\r",
    b"\r\n",
    b" ",
    b"\t",
    b":",
    b",",
    b"\x0b",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"0",
    b"a",
    b"\r\n\r\n",
]


GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
NEXT = GET + b"\r\n"
"""A request that follows: a client must not be able to hide it in the one before."""

MADE_BY_HAND = [
    *(b"%b / HTTP/1.1\r\nHost: x\r\n\r\n" % method + NEXT for method in METHODS),
    *(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target + NEXT for target in TARGETS),
    *(b"GET / %b\r\nHost: x\r\n\r\n" % version + NEXT for version in VERSIONS),
    *(b"GET / %b\r\n\r\n" % version for version in VERSIONS),
    *(start + line + b"\r\n\r\nhello" + NEXT for start in (GET, POST) for line in COMMON + HOSTILE),
    *(b"POST / HTTP/1.0\r\n" + line + b"\r\n\r\nhello" + NEXT for line in COMMON + HOSTILE),
    *(
        POST + first + b"\r\n" + second + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + NEXT
        for first in HOSTILE[2:27]
        for second in (b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Upgrade: h2c")
    ),
    *(CHUNKED + size + b"\r\nhello\r\n0\r\n\r\n" + NEXT for size in SIZES),
    *(CHUNKED + b"5\r\nhello" + end + b"0\r\n\r\n" + NEXT for end in BYTES),
    *(CHUNKED + b"0\r\n" + trailer + b"\r\n\r\n" + NEXT for trailer in TRAILERS),
    *(
        CHUNKED + last + NEXT
        for last in (b"0\r\n", b"0\n\r\n", b"0\r\n\n", b"00\r\n\r\n", b"0;a\r\n\r\n")
    ),
    *(
        POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        POST + b"Content-Length: 18446744073709551616\r\n\r\n",
    ),
    b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    *(before + NEXT for before in BYTES),
    NEXT.replace(b"\r\n", b"\n"),
    NEXT.replace(b"\r\n", b"\r"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    NEXT * 30,
]


def generated(count: int, seed: int) -> list[bytes]:
    """Return requests, some of them pipelined and most of them with a few faults."""
    chosen = random.Random(seed)
    return [_connection(chosen) for _ in range(count)]


def split(data: bytes, chosen: random.Random) -> list[bytes]:
    """Return the data in up to three parts."""
    cuts = sorted(chosen.randrange(len(data) + 1) for _ in range(chosen.randrange(3)))
    bounds = [0, *cuts, len(data)]
    return [part for a, b in pairwise(bounds) if (part := data[a:b])]


def _connection(chosen: random.Random) -> bytes:
    data = b"".join(_request(chosen) for _ in range(chosen.choice([1, 1, 1, 1, 2])))
    for _ in range(chosen.choice([0, 0, 0, 0, 0, 0, 1, 2])):
        data = _damaged(data, chosen)
    return data


def _request(chosen: random.Random) -> bytes:
    is_plain = chosen.random() < 0.85
    method = chosen.choice(METHODS[:6] if is_plain else METHODS)
    target = chosen.choice(TARGETS[:4] if is_plain else TARGETS)
    version = chosen.choice(VERSIONS[:10] if is_plain else VERSIONS)
    lines = chosen.sample(COMMON, chosen.choice([0, 1, 2, 3]))
    if chosen.random() < 0.99:
        lines.append(HOST)
    body = b""
    kind = chosen.random()
    if kind < 0.25:
        body = chosen.randbytes(chosen.choice([1, 5, 40]))
        lines.append(b"Content-Length: %d" % len(body))
    elif kind < 0.5:
        body = _chunks(chosen)
        lines.append(b"Transfer-Encoding: chunked")
    if chosen.random() < 0.15:
        lines += chosen.sample(HOSTILE, chosen.choice([1, 1, 1, 2]))
    chosen.shuffle(lines)
    return b"\r\n".join([b"%b %b %b" % (method, target, version), *lines, b"", body])


def _chunks(chosen: random.Random) -> bytes:
    parts = []
    for _ in range(chosen.choice([0, 1, 2])):
        size = chosen.choice(SIZES) if chosen.random() < 0.1 else chosen.choice(SIZES[:6])
        parts.append(size + b"\r\nhello" + (b"\r\n" if chosen.random() < 0.99 else b"\n"))
    trailers = chosen.sample(TRAILERS, 1) if chosen.random() < 0.1 else []
    return b"".join(parts) + b"\r\n".join([b"0", *trailers, b"", b""])


def _damaged(data: bytes, chosen: random.Random) -> bytes:
    position = chosen.randrange(len(data) + 1)
    change = chosen.random()
    if change < 0.5:
        return data[:position] + chosen.choice(BYTES) + data[position:]
    if change < 0.75:
        return data[:position] + data[position + 1 :]
    if change < 0.9:
        return data.replace(b"\r\n", chosen.choice([b"\n", b"\r", b"\r\r\n", b"\n\n"]), 1)
    return data[:position]
