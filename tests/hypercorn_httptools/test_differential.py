"""What h11 refuses is refused, and what both accept reaches the application in the same way."""

import random
import re

import pytest
from driven import Connection
from hypercorn.protocol.h11 import H11Protocol
from raw_requests import MADE_BY_HAND, generated, split

from hypercorn_httptools import HTTPToolsProtocol

GENERATED = 19_500
SEEDS = 4

# The requests that h11 accepts and this package refuses: each reason, and what it looks like.
STRICTER = {
    "a line that ends without CR": rb"(?<!\r)\n",
    "a header on several lines": rb"\r\n[ \t]",
    "a control character in a header": rb"[\x01-\x08\x0e-\x1f\x7f]",
    "two lengths, though they are the same": rb"(?is)content-length:.*content-length:",
    "a list of lengths": rb"(?i)content-length:[^\r\n]*,",
    "a length of more than 64 bits": rb"(?i)content-length: [0-9]{20}",
    "a length and chunks": rb"(?is)content-length.*transfer-enc|transfer-enc.*content-length",
    "a tab after the transfer coding": rb"(?i)transfer-encoding:[^\r\n]*\t\r\n",
    "chunks before HTTP/1.1": rb"(?is)HTTP/(?:0\.[0-9]|1\.0)\r\n.*transfer-encoding",
    "white space after the size of a chunk": rb"\n[0-9a-fA-F]+[ \t]+\r\n",
    "a control character in a chunk extension": rb"\n[0-9a-fA-F]+;[^\r\n]*[\0\r\x0b\x0c](?!\n)",
    "the size of a chunk in more than 16 digits": rb"\n[0-9a-fA-F]{17,}",
}

REFUSAL = re.compile(rb"HTTP/1\.1 ([45]\d\d) ")


def _fed(protocol: type[H11Protocol], parts: list[bytes]) -> Connection:
    connection = Connection(protocol)
    for part in parts:
        connection.feed(part)
    return connection


def _refusal(connection: Connection) -> bytes | None:
    found = REFUSAL.findall(connection.output)
    return found[-1] if found else None


def _compare(parts: list[bytes]) -> Connection:
    """Compare the two for one connection, and return ours."""
    known, ours = _fed(H11Protocol, parts), _fed(HTTPToolsProtocol, parts)
    data = b"".join(parts)
    if _refusal(ours) is None:
        assert _refusal(known) is None, (data, "only h11 refuses it")
        assert (ours.exchanges, ours.output) == (known.exchanges, known.output), data
        assert (ours.is_closed, ours.switched) == (known.is_closed, known.switched), data
        return ours
    assert ours.is_closed, data
    assert len(ours.exchanges) <= len(known.exchanges), data
    for mine, theirs in zip(ours.exchanges, known.exchanges, strict=False):
        assert mine.scope == theirs.scope, data
        # What arrives together with a fault in the body is not delivered.
        assert theirs.body.startswith(mine.body), data
        assert not mine.is_complete or mine.body == theirs.body, data
    if len(ours.exchanges) < len(known.exchanges) or _refusal(known) is None:
        assert _reasons(data), (data, "only httptools refuses it")
    else:  # a request with several faults may get either status
        assert {_refusal(ours), _refusal(known)} in ({b"400"}, {b"501"}, {b"400", b"501"}), data
    return ours


def _reasons(data: bytes) -> set[str]:
    return {reason for reason, pattern in STRICTER.items() if re.search(pattern, data)}


@pytest.mark.parametrize("seed", range(SEEDS))
def test_generated_requests_are_treated_as_by_h11(seed: int) -> None:
    chosen = random.Random(seed)
    requests = generated(GENERATED // SEEDS, seed)
    accepted = [_refusal(_compare([*split(data, chosen), b""])) is None for data in requests]
    assert 0.3 < sum(accepted) / len(accepted) < 0.7, "both outcomes are tested"


@pytest.mark.parametrize("is_slow", [False, True], ids=["at once", "byte by byte"])
def test_requests_made_by_hand_are_treated_as_by_h11(is_slow: bool) -> None:
    for data in MADE_BY_HAND:
        parts = [data[i : i + 1] for i in range(len(data))] if is_slow else [data]
        _compare([*parts, b""])


@pytest.mark.parametrize("reason", STRICTER)
def test_every_reason_to_be_stricter_than_h11_is_needed(reason: str) -> None:
    """There is a request that only this reason explains."""
    assert any(
        _reasons(data) == {reason}
        and _refusal(_fed(H11Protocol, [data])) is None
        and _refusal(_fed(HTTPToolsProtocol, [data])) is not None
        for data in MADE_BY_HAND
    )
