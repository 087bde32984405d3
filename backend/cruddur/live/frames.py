"""Encode events as server-sent events (WHATWG HTML, 9.2)."""

import random
from typing import Literal

import msgspec

from cruddur.db.positions import Position
from cruddur.wire import Reset

Name = Literal[
    "crud",
    "counts",
    "gone",
    "preview",
    "message",
    "request",
    "notification",
    "user",
    "follow",
    "hidden",
    "instance",
    "account",
    "reset",
]

HEARTBEAT = b":\n\n"
"""A comment that keeps proxies and clients from closing an idle stream."""

_RETRY_MILLISECONDS = (1000, 5000)


def frame(name: Name, data: object, after: Position | None = None) -> bytes:
    """Encode one event. Its id is the position after it.

    Without a position, the client keeps the last id that it received.
    """
    # The JSON contains no line feed.
    id_line = b"" if after is None else b"id: %b\n" % str(after).encode()
    return b"%bevent: %b\ndata: %b\n\n" % (id_line, name.encode(), msgspec.json.encode(data))


def with_trace(event: bytes, trace_id: int, span_id: int) -> bytes:
    """Add the trace context of its delivery to an encoded event.

    `EventSource` ignores the field, because the standard does not define it. The sampled flag is
    not shown (telemetry/sampling.py).
    """
    return b"traceparent: 00-%032x-%016x-00\n%b" % (trace_id, span_id, event)


def reset(latest: Position) -> bytes:
    """Encode a reset: events were missed, and the client has to reload what it shows."""
    return frame("reset", Reset(), latest)


def position(latest: Position) -> bytes:
    """Encode the latest position, so that a client resumes after it."""
    return b"id: %b\n\n" % str(latest).encode()


def retry() -> bytes:
    """Encode the delay before a client reconnects; random, to spread reconnections."""
    return b"retry: %d\n\n" % random.randint(*_RETRY_MILLISECONDS)  # noqa: S311  # no secret
