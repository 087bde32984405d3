"""3,000 connections from one address that never send anything."""

import asyncio
from collections import Counter

from attacks.target import Target

CONNECTIONS = 3000
SECONDS = 8.0

ATTACKER = "127.0.0.2"
"""Not the address of the client whose requests are measured."""


async def attack(target: Target) -> str:
    """Open and hold the connections; count what the service does with each."""
    statuses: Counter[str] = Counter()

    async def hold() -> None:
        try:
            reader, writer = await asyncio.open_connection(
                target.host, target.port, local_addr=(ATTACKER, 0)
            )
        except OSError:
            statuses["not accepted"] += 1
            return
        try:
            line = await reader.readline()
            statuses[line[9:12].decode() or "closed"] += 1
        except OSError:
            statuses["reset"] += 1
        finally:
            writer.close()

    async with asyncio.TaskGroup() as group:
        held = []
        for number in range(CONNECTIONS):
            held.append(group.create_task(hold()))
            if number % 100 == 0:
                await asyncio.sleep(0.05)
        await asyncio.sleep(SECONDS)
        count = sum(not task.done() for task in held)
        for task in held:
            task.cancel()
    refused = ", ".join(f"{count} {status}" for status, count in statuses.items())
    return f"{count} of {CONNECTIONS} held; {refused or 'none refused'}"
