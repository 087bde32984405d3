"""Attackers guess passwords and codes of one account and cause mail to it."""

import os
from collections import Counter

import httpx

from attacks.target import Target
from cruddur.services.seed import PASSWORD

HANDLE = "andrewbrown"
EMAIL = "andrewbrown@example.com"
UNKNOWN_CLIENTS_FACTOR = 4
"""Addresses that the attack comes from."""

GUESSES = 12
"""Number of wrong passwords, and of wrong codes, per address."""


async def attack(target: Target) -> str:
    """Return the responses to the attackers and, meanwhile, to the owner."""
    guesses: Counter[int] = Counter()
    codes: Counter[int] = Counter()
    asked: Counter[int] = Counter()
    first = 2 + os.getpid() % 200
    async with _from(target, "127.0.0.1") as owner:
        known = await _sign_in(owner, PASSWORD)
        for number in range(UNKNOWN_CLIENTS_FACTOR):
            async with _from(target, f"127.0.{first}.{number + 1}") as stranger:
                for _ in range(GUESSES):
                    guesses[await _sign_in(stranger, "not the password")] += 1
                    body = {"email": EMAIL}
                    asked[(await stranger.post("/api/auth/forgot", json=body)).status_code] += 1
                    reset = {**body, "code": "000000", "password": "glory to the empire"}
                    codes[(await stranger.post("/api/auth/reset", json=reset)).status_code] += 1
        async with _from(target, f"127.0.{first}.99") as elsewhere:
            new = await _sign_in(elsewhere, PASSWORD)
        after = await _sign_in(owner, PASSWORD)
    return (
        f"wrong passwords {dict(guesses)}, wrong codes {dict(codes)}, requests for mail"
        f" {dict(asked)} (see the log for the mails); the owner's right password: {known} before,"
        f" {after} on the same device, {new} from a new address"
    )


def _from(target: Target, address: str) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(local_address=address)
    return target.client(transport=transport)


async def _sign_in(client: httpx.AsyncClient, password: str) -> int:
    body = {"email": HANDLE, "password": password}
    return (await client.post("/api/auth/signin", json=body)).status_code
