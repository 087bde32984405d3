"""Cancel background tasks."""

import asyncio
from typing import Any

_RETRY_SECONDS = 0.1


async def cancel_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks repeatedly until they have ended.

    One cancellation is not always enough: a library can swallow it while it closes a broken
    connection, and then reconnect.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_RETRY_SECONDS)
