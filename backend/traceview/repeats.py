"""Recognize requests that are sent again, because their response was late or got lost."""

import hashlib
from collections import OrderedDict
from typing import NamedTuple

REMEMBERED = 1_000
"""How many requests are remembered."""


class Outcome(NamedTuple):
    """How many items of a request were rejected, and why."""

    rejected: int
    reason: str


class Repeats:
    """The outcomes of the last requests, by their contents."""

    def __init__(self) -> None:
        """Start without requests."""
        self._outcomes: OrderedDict[bytes, Outcome] = OrderedDict()

    def find(self, body: bytes) -> Outcome | None:
        """Return the outcome of a request with the same body; None if there was none."""
        return self._outcomes.get(_digest(body))

    def add(self, body: bytes, outcome: Outcome) -> None:
        """Remember a request whose items are stored."""
        self._outcomes[_digest(body)] = outcome
        if len(self._outcomes) > REMEMBERED:
            self._outcomes.popitem(last=False)

    def clear(self) -> None:
        """Forget all requests, because what they contained was deleted."""
        self._outcomes.clear()


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()
