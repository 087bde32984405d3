"""The state of one Hypercorn worker: its open connections, and how it stops."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from hypercorn.asyncio.worker_context import EventWrapper, WorkerContext

from cruddur.edge.connections import ConnectionLimits

ACCEPT_TURNS = 1000
"""Maximum number of event loop turns that a stopping worker spends on the listen backlog."""

IDLE_TURNS = 10
"""Turns without a new connection after which the backlog counts as empty.

The loop accepts one connection per turn, and needs two more turns to create it here.
"""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Maximum duration of each state of a connection, in seconds.

    Attributes:
        head: from the first byte of a request to the end of its header section.
        send: without progress while the server sends a response.
        linger: from the last byte that the server sends until the client closes its half.
        drain: of an idle connection after the worker has begun to stop.
    """

    head: float = 10.0
    send: float = 60.0
    linger: float = 1.0
    drain: float = 1.0


class Drainable(Protocol):
    """The part of a connection that the worker uses."""

    def drain(self) -> None:
        """Prepare for the shutdown of the worker."""


class Context(WorkerContext):
    """The state that the connections of one worker share.

    Attributes:
        limits: the limits of open connections.
        timeouts: the timeouts of a connection.
        has_h2c: whether HTTP/2 is accepted without TLS.
        connections: all open connections.
        refuse: returns the response to a request that is refused before parsing, else None.
        drain_until: the loop's time at which idle connections are closed, once the worker stops.
    """

    def __init__(
        self,
        max_requests: int | None,
        *,
        limits: ConnectionLimits,
        timeouts: Timeouts,
        has_h2c: bool,
        on_stop: Callable[[], None],
        refuse: Callable[[bytes], bytes | None] | None,
    ) -> None:
        """Set the shared state; `on_stop` is called when the worker begins to stop."""
        super().__init__(max_requests)
        self.limits = limits
        self.timeouts = timeouts
        self.has_h2c = has_h2c
        self.connections: set[Drainable] = set()
        self.drain_until: float | None = None
        self.refuse = refuse
        self.accepted = 0
        self.refusing = 0
        self._on_stop = on_stop
        self.terminated = _Signal(self._stop)

    async def _stop(self) -> None:
        """Drain the connections. Hypercorn waits for this after it has set `terminated`."""
        self.drain_until = self.time() + self.timeouts.drain
        self._on_stop()
        for connection in list(self.connections):
            connection.drain()
        await self._accept_backlog()

    async def _accept_backlog(self) -> None:
        """Accept the connections in the backlog: closing the listener would reset them."""
        idle_turns = 0
        for _ in range(ACCEPT_TURNS):
            before = self.accepted
            await asyncio.sleep(0)
            idle_turns = idle_turns + 1 if self.accepted == before else 0
            if idle_turns == IDLE_TURNS:
                return


class _Signal(EventWrapper):
    """An event whose `set` returns after a callback has finished."""

    def __init__(self, on_set: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._on_set = on_set

    async def set(self) -> None:
        if not self.is_set():
            await super().set()
            await self._on_set()
