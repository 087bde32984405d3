"""One account posts as fast as eight connections can (needs the members of make load-seed)."""

import asyncio
import time
from collections import Counter

import httpx

from attacks.target import Target
from load.people import PASSWORD, email_of

SECONDS = 20
CONNECTIONS = 8
DRAFT = {"message": "again and again", "ttl": "1-hour"}


async def attack(target: Target) -> str:
    """Return the number of posted cruds, and the error responses."""
    async with target.client() as client:
        member = {"email": email_of(1), "password": PASSWORD}
        entry = await client.post("/api/auth/signin", json=member)
        if entry.status_code != 200:
            return f"nothing: the sign-in of {email_of(1)} was answered {entry.status_code}"
        client.headers["Authorization"] = f"Bearer {entry.json()['access_token']}"
        counts: Counter[int] = Counter()
        headers: dict[str, str] = {}
        until = time.monotonic() + SECONDS

        async def post() -> None:
            while time.monotonic() < until:
                response = await client.post("/api/activities", json=DRAFT)
                counts[response.status_code] += 1
                if response.status_code == 429:
                    headers.update(_limits(response))

        await asyncio.gather(*(post() for _ in range(CONNECTIONS)))
    return f"answers in {SECONDS} s {dict(counts)}; {headers or 'no limits'}"


def _limits(response: httpx.Response) -> dict[str, str]:
    names = ("retry-after", "ratelimit", "ratelimit-policy")
    return {name: response.headers[name] for name in names if name in response.headers}
