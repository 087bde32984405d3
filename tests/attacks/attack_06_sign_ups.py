"""One address sends 150 sign-ups at once, each with an Idempotency-Key."""

import asyncio
import time
from collections import Counter
from uuid import uuid4

import httpx

from attacks.target import Target

SIGN_UPS = 150
NEWCOMERS = 5
ELSEWHERE = "127.0.0.2"
"""The address that legitimate new users sign up from."""


async def attack(target: Target) -> str:
    """Return the results of the sign-ups, and how long new users at another address waited."""
    limits = httpx.Limits(max_connections=SIGN_UPS)
    transport = httpx.AsyncHTTPTransport(local_address=ELSEWHERE)
    async with target.client(limits=limits) as client, target.client(transport=transport) as other:
        attackers = [asyncio.create_task(_sign_up(client)) for _ in range(SIGN_UPS)]
        await asyncio.sleep(0.2)
        newcomers: list[str] = []
        for _ in range(NEWCOMERS):
            start = time.perf_counter()
            status = await _sign_up(other)
            newcomers.append(f"{status} after {time.perf_counter() - start:.1f} s")
        counts = Counter(await asyncio.gather(*attackers))
    return f"sign-ups {dict(counts)}; newcomers from {ELSEWHERE}: {', '.join(newcomers)}"


async def _sign_up(client: httpx.AsyncClient) -> int:
    name = f"a{uuid4().hex[:20]}"
    draft = {
        "email": f"{name}@example.com",
        "handle": name,
        "display_name": name,
        "password": "the wormhole is open",
    }
    response = await client.post("/api/auth/signup", json=draft, headers={"Idempotency-Key": name})
    return response.status_code
