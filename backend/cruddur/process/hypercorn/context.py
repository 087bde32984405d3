"""One worker of Hypercorn: its open connections, and how it stops."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from hypercorn.asyncio.worker_context import EventWrapper, WorkerContext

from cruddur.edge.connections import ConnectionLimits

ACCEPT_TURNS = 1000
"""Turns of the event loop that a stopping worker spends on connections in the backlog at most."""

QUIET_TURNS = 10
"""Turns without a new connection after which the backlog is empty. The loop accepts one
connection a turn and needs two more until it exists here."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that a connection may spend in each state.

    Attributes:
        head: from the first byte of a request to the last of its header section.
        send: that the client takes nothing of a response that waits for it.
        linger: that the client may continue to send after the last byte of the server.
        drain: that an idle connection stays open after the worker began to stop.
    """

    head: float = 10.0
    send: float = 60.0
    linger: float = 1.0
    drain: float = 1.0


class Draining(Protocol):
    """A connection, as far as the worker knows it."""

    def drain(self) -> None:
        """Prepare for the end of the worker."""


class Context(WorkerContext):
    """What the connections of one worker share.

    Attributes:
        limits: of open connections.
        timeouts: of a connection.
        has_h2c: whether HTTP/2 is accepted without TLS.
        connections: all that are open.
        refuse: returns the response to a request that is refused unparsed, else None.
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
        """Set what the connections share; `on_stop` is called when the worker begins to stop."""
        super().__init__(max_requests)
        self.limits = limits
        self.timeouts = timeouts
        self.has_h2c = has_h2c
        self.connections: set[Draining] = set()
        self.drain_until: float | None = None
        self.refuse = refuse
        self.accepted = 0
        self.refusing = 0
        self._on_stop = on_stop
        self.terminated = _Signal(self._stop)

    async def _stop(self) -> None:
        """Drain the connections. Hypercorn sets `terminated` first and waits for that."""
        self.drain_until = self.time() + self.timeouts.drain
        self._on_stop()
        for connection in list(self.connections):
            connection.drain()
        await self._accept_backlog()

    async def _accept_backlog(self) -> None:
        """Accept what the kernel holds already: closing the listener would reset it."""
        quiet = 0
        for _ in range(ACCEPT_TURNS):
            before = self.accepted
            await asyncio.sleep(0)
            quiet = quiet + 1 if self.accepted == before else 0
            if quiet == QUIET_TURNS:
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
