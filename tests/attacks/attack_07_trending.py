"""Twelve clients request trending tags without a pause (`seed.py --alive 1` adds live cruds)."""

import asyncio
import time
from collections import Counter

from attacks.target import Target

SECONDS = 20
CLIENTS = 12


async def attack(target: Target) -> str:
    """Return the number of responses by status."""
    counts: Counter[int] = Counter()
    until = time.monotonic() + SECONDS

    async def ask() -> None:
        async with target.client() as client:
            while time.monotonic() < until:
                counts[(await client.get("/api/trending")).status_code] += 1

    await asyncio.gather(*(ask() for _ in range(CLIENTS)))
    return f"answers in {SECONDS} s {dict(counts)}"
