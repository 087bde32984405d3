"""The end of what runs beside."""

import asyncio
from typing import Any

_AGAIN_SECONDS = 0.1


async def cancel_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: what they clean up may fail in its turn, and a library's connection
    that breaks while it is closed looks like any that breaks.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_AGAIN_SECONDS)
