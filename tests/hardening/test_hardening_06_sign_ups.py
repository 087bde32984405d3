"""Sign-ups do not wait for each other, and throttling comes before any work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from support import Api, count_rows, refused, serving, visiting

SIGN_UP = "/api/auth/signup"
KEY = {"Idempotency-Key": "once"}
FLOOD = 24
SOON = 5
"""Seconds. A sign-up that waited for the blocked one would take longer."""

WAITING = """
    SELECT EXISTS (
        SELECT FROM pg_locks AS wanted
        JOIN pg_locks AS held USING (transactionid)
        WHERE NOT wanted.granted AND held.granted AND held.pid = pg_backend_pid()
    )
"""
"""Whether another transaction waits for this one."""


def draft(name: str) -> dict[str, Any]:
    return {
        "email": f"{name}@example.com",
        "handle": name,
        "display_name": name.title(),
        "password": "the wormhole is open",
    }


async def sign_up(api: Api, name: str) -> httpx.Response:
    return await api.http.post(SIGN_UP, json=draft(name), headers=KEY)


@asynccontextmanager
async def blocked(api: Api, conn: asyncpg.Connection, name: str) -> AsyncIterator[asyncio.Task]:
    """A keyed sign-up that waits for another transaction with the same key."""
    transaction = conn.transaction()
    await transaction.start()
    await conn.execute(
        "INSERT INTO idempotency_keys (member, route, key, body_digest) VALUES ($1, $2, $3, '')",
        draft(name)["email"], SIGN_UP, KEY["Idempotency-Key"],
    )  # fmt: skip
    task = asyncio.create_task(sign_up(api, name))
    async with asyncio.timeout(SOON):
        while True:
            if await conn.fetchval(WAITING):
                break
            await asyncio.sleep(0.01)
    try:
        yield task
    finally:
        await transaction.rollback()
        await task


async def test_hardening_06_a_sign_up_with_a_key_does_not_wait_for_another(
    api: Api, database: asyncpg.Connection
) -> None:
    async with blocked(api, database, "odo") as waiting:
        async with asyncio.timeout(SOON):
            assert (await sign_up(api, "kira")).status_code == 200
        assert not waiting.done()
    assert (await waiting).status_code == 200
    assert await count_rows(database, "signups") == 2


async def test_hardening_06_the_throttle_comes_before_any_wait(
    settings: Settings, database: asyncpg.Connection
) -> None:
    application = create_app(replace(settings, address_attempts=1))
    async with serving(application) as api, blocked(api, database, "odo"):
        async with asyncio.timeout(SOON):
            response = await sign_up(api, "kira")
        assert response.status_code == 429
        assert refused(response) == ["rate_limited"]


async def test_hardening_06_a_replay_is_throttled_as_well(
    settings: Settings, database: asyncpg.Connection
) -> None:
    async with serving(create_app(replace(settings, address_attempts=2))) as api:
        answers = [await sign_up(api, "odo") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


async def test_hardening_06_sign_ups_need_one_connection_each_and_not_while_hashing(
    settings: Settings, database: asyncpg.Connection
) -> None:
    async with serving(create_app(replace(settings, pool_size=1))) as api:
        async with asyncio.timeout(SOON):
            answers = await asyncio.gather(*(sign_up(api, f"odo{n}") for n in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert await count_rows(database, "signups") == 4


async def test_hardening_06_another_address_does_not_wait_for_a_flood_of_passwords(
    api: Api, app: Quart, database: asyncpg.Connection
) -> None:
    flood = [asyncio.create_task(sign_up(api, f"odo{n}")) for n in range(FLOOD)]
    async with asyncio.timeout(SOON):
        while True:
            if await database.fetchval("SELECT sum(attempts) FROM throttles") == 3 * FLOOD:
                break
            await asyncio.sleep(0.01)
    async with visiting(app, address="10.0.0.1") as elsewhere:
        assert (await sign_up(elsewhere, "kira")).status_code == 200
    assert sum(not task.done() for task in flood) > 3
    assert [(await task).status_code for task in flood] == [200] * FLOOD
