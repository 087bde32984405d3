"""One client tries a password by handle and by e-mail address, and opens many sessions."""

import asyncio
import os
from collections import Counter

import httpx

from attacks.target import Target
from cruddur.services.seed import PASSWORD

VICTIM = ("altbrown", "altbrown@example.com")
ACCOUNT = "bayko"
GUESSES = 24
SIGN_INS = 60
AT_ONCE = 4


async def attack(target: Target) -> str:
    """Return how many guesses were checked, and how many sessions one account got."""
    transport = httpx.AsyncHTTPTransport(local_address=f"127.1.{os.getpid() % 200}.1")
    async with target.client(transport=transport) as client:
        guesses: Counter[int] = Counter()
        for number in range(GUESSES):
            body = {"email": VICTIM[number % 2], "password": "not the password"}
            guesses[(await client.post("/api/auth/signin", json=body)).status_code] += 1
        sign_ins: Counter[int] = Counter()
        tokens: list[str] = []

        async def sign_in() -> None:
            body = {"email": ACCOUNT, "password": PASSWORD}
            for _ in range(SIGN_INS // AT_ONCE):
                client.cookies.clear()
                response = await client.post("/api/auth/signin", json=body)
                sign_ins[response.status_code] += 1
                if response.status_code == 200:
                    tokens.append(response.json()["access_token"])

        await asyncio.gather(*(sign_in() for _ in range(AT_ONCE)))
        headers = {"Authorization": f"Bearer {tokens[-1]}"}
        sessions = (await client.get("/api/auth/sessions", headers=headers)).json()
    return (
        f"guesses by handle and address {dict(guesses)}; sign-ins {dict(sign_ins)},"
        f" {len(sessions)} sessions"
    )
