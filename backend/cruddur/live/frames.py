"""Events as bytes (WHATWG HTML, 9.2: server-sent events)."""

import random
from typing import Literal

import msgspec

from cruddur.wire import Reset

Name = Literal["crud", "counts", "gone", "message", "notification", "reset"]

HEARTBEAT = b":\n\n"
"""A comment: says nothing, and keeps everything between from thinking that nobody is there."""

_RETRY_MILLISECONDS = (1000, 5000)


def frame(name: Name, data: object, event_id: int | None = None) -> bytes:
    """One event. Without an id a reader's last one stays. JSON has no line feed in it."""
    place = b"" if event_id is None else b"id: %d\n" % event_id
    return b"%bevent: %b\ndata: %b\n\n" % (place, name.encode(), msgspec.json.encode(data))


def reset(event_id: int) -> bytes:
    """Something was missed: everything is to be read anew, and goes on after that event."""
    return frame("reset", Reset(), event_id)


def place(event_id: int) -> bytes:
    """Where a reader is, which has been told everything up to there."""
    return b"id: %d\n\n" % event_id


def retry() -> bytes:
    """When to come back after the end: by chance, so that not all come at once."""
    return b"retry: %d\n\n" % random.randint(*_RETRY_MILLISECONDS)  # noqa: S311  # no secret
