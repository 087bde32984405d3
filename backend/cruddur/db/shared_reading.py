"""Let concurrent callers share one reading that began after each of them asked for it."""

import asyncio
import math
from collections.abc import Awaitable, Callable


class SharedReading:
    """A reading that is repeated on demand.

    Attributes:
        began: when the latest one began, in seconds of the monotonic clock.
    """

    def __init__(self, read: Callable[[], Awaitable[float]]) -> None:
        """Set the function that reads, and returns when the reading began."""
        self.began = -math.inf
        self._read = read
        self._current: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def since(self, moment: float) -> None:
        """Read, unless a reading has begun since a moment of the monotonic clock.

        A reading in progress may have begun too early, so the caller waits for the next one.

        Raises:
            Exception: any exception of the reading.
        """
        if self.began >= moment:
            return
        if self._next is None:
            self._next = asyncio.create_task(self._run(self._current))
            self._next.add_done_callback(_retrieve)
        # A cancelled caller does not cancel it for the others.
        await asyncio.shield(self._next)

    def note(self, began: float) -> None:
        """Note that something else has read the same, which began at a moment."""
        self.began = max(self.began, began)

    async def _run(self, previous: asyncio.Task[None] | None) -> None:
        if previous is not None:
            await asyncio.wait([previous])
        self._current, self._next = self._next, None
        self.note(await self._read())


def _retrieve(reading: asyncio.Task[None]) -> None:
    """Mark the exception as retrieved, also if no caller waits for the result."""
    if not reading.cancelled():
        reading.exception()
