"""The phases of a connection, each with a timeout of its own."""

from enum import Enum, auto


class Phase(Enum):
    """What a connection is waiting for."""

    IDLE = auto()
    """The first byte of a request, with the keep-alive timeout."""
    HEAD = auto()
    """The rest of a header section, with `Timeouts.head`."""
    BUSY = auto()
    """The application, which has its own timeouts; or a client that reads, with `Timeouts.send`."""


IDLE, HEAD, BUSY = Phase
