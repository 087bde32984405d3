"""1,500 clients each send one request on a new connection and close it."""

import asyncio

from attacks.target import Target

CLIENTS = 1500
PER_SECOND = 150

REQUEST = b"GET /api/health-check HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def attack(target: Target) -> str:
    """Send the requests concurrently and close the connections."""
    answered = 0

    async def visit() -> None:
        nonlocal answered
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection(target.host, target.port)
                writer.write(REQUEST)
                line = await reader.readline()
                answered += b" 200 " in line
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError):
            pass

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(visit())
            await asyncio.sleep(1 / PER_SECOND)
    return f"{answered} of {CLIENTS} answered"
