"""Run systems around the service in a thread of their own, so that its event loop is unaffected."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def in_thread(manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Enter an asynchronous context manager in an event loop of its own, and yield its value."""
    entered: Future[tuple[T, Callable[[], object]]] = Future()

    async def main() -> None:
        loop, leaving = asyncio.get_running_loop(), asyncio.Event()
        async with manager as value:
            entered.set_result((value, lambda: loop.call_soon_threadsafe(leaving.set)))
            await leaving.wait()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            if entered.done():
                raise
            entered.set_exception(error)

    thread = threading.Thread(target=run, name="surroundings", daemon=True)
    thread.start()
    value, leave = entered.result()
    try:
        yield value
    finally:
        leave()
        thread.join()
