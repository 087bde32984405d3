"""Threads of their own for slow work, with a bound on the work that waits for them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from cruddur.errors import OverloadedError

P = ParamSpec("P")
T = TypeVar("T")


class BoundedThreadPool:
    """A pool of threads that refuses work when its queue is full.

    A caller who is cancelled stops waiting at once. Its function is dropped if it has not begun;
    otherwise it keeps its thread until it returns, so that there is never more work under way
    than there are threads.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        """Set the bounds; a thread starts when it is first needed.

        Args:
            name: what the threads are called.
            threads: functions that run at once.
            waiting: functions that may wait for a thread.
        """
        self._most = threads + waiting
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._unfinished: list[Future[Any]] = []

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread and return its result.

        Raises:
            OverloadedError: too many wait already.
        """
        self._unfinished = [one for one in self._unfinished if not one.done()]
        if len(self._unfinished) >= self._most:
            raise OverloadedError
        future = self._executor.submit(function, *args, **kwargs)
        self._unfinished.append(future)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Drop what waits. A function that runs keeps its thread until it returns."""
        self._executor.shutdown(wait=False, cancel_futures=True)
