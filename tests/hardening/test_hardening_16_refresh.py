"""A session has one valid refresh token, however many requests exchange it at once."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.identity.keys import new_signing_key
from cruddur.settings import Settings
from support import Api, serving

pytestmark = pytest.mark.usefixtures("quick_passwords")

COOKIE = "cruddur_refresh"
EMAIL = "worf@example.com"
PASSWORD = "today is a good day"

LIVING = "SELECT count(*) FROM refresh_tokens WHERE used_at IS NULL"


@pytest.fixture
async def token(api: Api, codes: Callable[[str], str]) -> str:
    """The first refresh token of a session."""
    draft = {"email": EMAIL, "password": PASSWORD, "handle": "worf", "display_name": "Worf"}
    await api.post("/api/auth/signup", draft)
    await api.post("/api/auth/confirm", {"email": EMAIL, "code": codes(EMAIL)})
    await api.post("/api/auth/signout")
    body = {"email": EMAIL, "password": PASSWORD}
    response = await api.request("POST", "/api/auth/signin", json=body)
    api.http.cookies.clear()
    return response.cookies[COOKIE]


async def refresh(api: Api, token: str) -> str:
    headers = {"Cookie": f"{COOKIE}={token}"}
    response = await api.request("POST", "/api/auth/refresh", headers=headers)
    api.http.cookies.clear()
    return response.cookies[COOKIE]


async def refused(api: Api, token: str) -> None:
    await api.post("/api/auth/refresh", headers={"Cookie": f"{COOKIE}={token}"}, expect=401)


async def age(conn: asyncpg.Connection, token: str, seconds: int) -> None:
    """Move the exchange of the token into the past."""
    count = await conn.execute(
        "UPDATE refresh_tokens SET used_at = used_at - make_interval(secs => $1)"
        " WHERE token_hash = $2",
        seconds, hashlib.sha256(token.encode()).digest(),
    )  # fmt: skip
    assert count == "UPDATE 1"


async def test_hardening_16_concurrent_refreshes_get_one_successor(
    api: Api, token: str, database: asyncpg.Connection
) -> None:
    successors = await asyncio.gather(*(refresh(api, token) for _ in range(20)))
    assert len(set(successors)) == 1
    assert await database.fetchval(LIVING) == 1
    assert await database.fetchval("SELECT count(*) FROM sessions") == 1


async def test_hardening_16_workers_agree_on_the_successor(
    api: Api, token: str, settings: Settings, database: asyncpg.Connection
) -> None:
    async with serving(create_app(settings)) as other:
        apis = [api, other] * 5
        successors = await asyncio.gather(*(refresh(one, token) for one in apis))
    assert len(set(successors)) == 1
    assert await database.fetchval(LIVING) == 1


async def test_hardening_16_a_late_copy_gets_the_valid_token(
    api: Api, token: str, database: asyncpg.Connection
) -> None:
    second = await refresh(api, token)
    third = await refresh(api, second)
    # A slow tab's response replaces the browser's cookie, so its token must stay valid.
    assert await refresh(api, token) == third
    assert await refresh(api, second) == third
    await age(database, token, 60)
    await age(database, second, 60)
    assert await refresh(api, third) not in {token, second, third}
    assert await database.fetchval(LIVING) == 1


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_hardening_16_any_old_token_ends_the_session_after_the_grace_period(
    api: Api, token: str, database: asyncpg.Connection, place: int
) -> None:
    chain = [token]
    for _ in range(3):
        chain.append(await refresh(api, chain[-1]))
    await age(database, chain[place], 11)
    await refused(api, chain[place])
    await refused(api, chain[-1])
    assert await database.fetchval("SELECT count(*) FROM sessions") == 0


async def test_hardening_16_a_new_signing_key_breaks_no_chain(
    settings: Settings, api: Api, token: str, database: asyncpg.Connection
) -> None:
    kept = await database.fetch("SELECT private_key FROM signing_keys ORDER BY created_at DESC")
    second = await refresh(api, token)
    keys = "\n".join([new_signing_key(), *(row["private_key"] for row in kept)])
    async with serving(create_app(replace(settings, signing_key=keys))) as rotated:
        assert await refresh(rotated, token) == second
        third = await refresh(rotated, second)
        assert await refresh(rotated, token) == third


async def test_hardening_16_tokens_from_before_the_upgrade_are_exchanged(
    api: Api, token: str, database: asyncpg.Connection
) -> None:
    # The previous release did not record successors.
    await database.execute("UPDATE refresh_tokens SET used_at = now()")
    second = await refresh(api, token)
    assert await refresh(api, token) == second
    await refresh(api, second)
