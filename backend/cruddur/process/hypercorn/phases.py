"""The phases of a connection, each with a timeout of its own."""

from enum import Enum, auto


class Phase(Enum):
    """What a connection waits for."""

    IDLE = auto()
    """For the first byte of a request: the keep-alive timeout."""
    HEAD = auto()
    """For the rest of a header section: `Timeouts.head`."""
    BUSY = auto()
    """For the application, which limits the time of bodies and statements, or for the client to
    read: `Timeouts.send`."""


IDLE, HEAD, BUSY = Phase
