"""Sign-ups do not wait for each other, and throttling comes before any work."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx
import pytest
from quart import Quart

from cruddur.app import create_app
from cruddur.identity import passwords
from cruddur.services.concurrent_calls import MAX_CONCURRENT_CALLS
from cruddur.settings import Settings
from patience import PATIENCE
from support import QUICK_HASHER, Api, count_rows, refused, serving, until_blocking, visiting
from telemetry.recorded import until

SIGN_UP = "/api/auth/signup"
KEY = {"Idempotency-Key": "once"}
FLOOD = 24


def draft(name: str) -> dict[str, Any]:
    return {
        "email": f"{name}@example.com",
        "handle": name,
        "display_name": name.title(),
        "password": f"{name}: the wormhole is open",
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
    await until_blocking(conn)
    try:
        yield task
    finally:
        await transaction.rollback()
        await task


async def test_hardening_06_a_sign_up_with_a_key_does_not_wait_for_another(
    api: Api, database: asyncpg.Connection
) -> None:
    async with blocked(api, database, "odo") as waiting:
        async with asyncio.timeout(PATIENCE):
            assert (await sign_up(api, "kira")).status_code == 200
        assert not waiting.done()
    assert (await waiting).status_code == 200
    assert await count_rows(database, "signups") == 2


async def test_hardening_06_the_throttle_comes_before_any_wait(
    settings: Settings, database: asyncpg.Connection
) -> None:
    application = create_app(replace(settings, address_attempts=1))
    async with serving(application) as api, blocked(api, database, "odo"):
        async with asyncio.timeout(PATIENCE):
            response = await sign_up(api, "kira")
        assert response.status_code == 429
        assert refused(response) == ["rate_limited"]


async def test_hardening_06_a_replay_is_throttled_as_well(
    settings: Settings, database: asyncpg.Connection
) -> None:
    async with serving(create_app(replace(settings, address_attempts=2))) as api:
        responses = [await sign_up(api, "odo") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]


async def test_hardening_06_sign_ups_need_one_connection_each_and_not_while_hashing(
    settings: Settings, database: asyncpg.Connection
) -> None:
    async with serving(create_app(replace(settings, pool_size=1))) as api:
        async with asyncio.timeout(PATIENCE):
            responses = await asyncio.gather(*(sign_up(api, f"odo{n}") for n in range(4)))
    assert [response.status_code for response in responses] == [200] * 4
    assert await count_rows(database, "signups") == 4


async def test_hardening_06_another_address_does_not_wait_for_a_flood_of_passwords(
    api: Api, app: Quart, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    release = threading.Event()

    def hash_later(password: str) -> str:
        started.append(password)
        assert release.wait(PATIENCE)
        return QUICK_HASHER.hash(password)

    monkeypatch.setattr(passwords, "_hasher", SimpleNamespace(hash=hash_later))
    flood = [asyncio.create_task(sign_up(api, f"odo{n}")) for n in range(FLOOD)]
    async with asyncio.timeout(PATIENCE):
        while True:
            if await database.fetchval("SELECT sum(attempts) FROM throttles") == 3 * FLOOD:
                break
            await asyncio.sleep(0.01)
    async with visiting(app, address="10.0.0.1") as elsewhere:
        last = asyncio.create_task(sign_up(elsewhere, "kira"))
        try:
            await until(lambda: len(passwords._threads._unfinished) > MAX_CONCURRENT_CALLS)
        finally:
            release.set()
        assert (await last).status_code == 200
    assert started.index(draft("kira")["password"]) <= MAX_CONCURRENT_CALLS
    assert [(await task).status_code for task in flood] == [200] * FLOOD
