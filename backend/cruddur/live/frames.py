"""Encode events as server-sent events (WHATWG HTML, 9.2)."""

import random
from typing import Literal

import msgspec

from cruddur.wire import Reset

Name = Literal["crud", "counts", "gone", "message", "notification", "reset"]

HEARTBEAT = b":\n\n"
"""A comment that keeps proxies and clients from closing an idle stream."""

_RETRY_MILLISECONDS = (1000, 5000)


def frame(name: Name, data: object, event_id: int | None = None) -> bytes:
    """Encode one event. Without an id, the client keeps the last id that it received."""
    # The JSON contains no line feed.
    id_line = b"" if event_id is None else b"id: %d\n" % event_id
    return b"%bevent: %b\ndata: %b\n\n" % (id_line, name.encode(), msgspec.json.encode(data))


def reset(event_id: int) -> bytes:
    """Encode a reset: events were missed, and the client has to reload what it shows."""
    return frame("reset", Reset(), event_id)


def position(event_id: int) -> bytes:
    """Encode the id of the latest event, so that a client resumes after it."""
    return b"id: %d\n\n" % event_id


def retry() -> bytes:
    """Encode the delay before a client reconnects; random, to spread reconnections."""
    return b"retry: %d\n\n" % random.randint(*_RETRY_MILLISECONDS)  # noqa: S311  # no secret
