"""Run slow work in a bounded pool of threads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from cruddur.errors import OverloadedError

P = ParamSpec("P")
T = TypeVar("T")


class BoundedThreadPool:
    """A pool of threads that rejects work when its queue is full.

    A cancelled caller stops waiting at once. Its function is dropped if it has not started.
    Otherwise the function keeps its thread until it returns, so there is never more work in
    progress than there are threads.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        """Set the limits; a thread starts when it is first needed.

        Args:
            name: the prefix of the threads' names.
            threads: maximum number of functions that run at the same time.
            waiting: maximum number of functions that wait for a thread.
        """
        self._max_unfinished = threads + waiting
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._unfinished: list[Future[Any]] = []

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread and return its result.

        Raises:
            OverloadedError: the queue is full.
        """
        self._unfinished = [future for future in self._unfinished if not future.done()]
        if len(self._unfinished) >= self._max_unfinished:
            raise OverloadedError
        future = self._executor.submit(function, *args, **kwargs)
        self._unfinished.append(future)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Drop waiting functions. Running functions continue until they return."""
        self._executor.shutdown(wait=False, cancel_futures=True)
