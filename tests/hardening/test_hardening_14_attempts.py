"""One account has one limit and a bounded number of sessions, and every attempt counts."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest
from quart import Quart

from accounts import EMAIL, HANDLE, WRONG, Codes, open_account, sign_in
from cruddur.app import create_app
from cruddur.services.accounts import MAX_SESSIONS
from cruddur.services.throttling import MAX_UNCOUNTED_SUCCESSES
from cruddur.settings import Settings
from support import Api, serving, visiting

pytestmark = pytest.mark.usefixtures("quick_passwords")

ME = "/api/auth/me"


@pytest.mark.parametrize("first", [HANDLE, EMAIL])
async def test_hardening_14_handle_and_address_share_one_limit(
    api: Api, codes: Codes, first: str
) -> None:
    await open_account(api, codes)
    logins = [first, EMAIL.upper(), HANDLE.upper(), EMAIL, HANDLE]
    for login in logins * 2:
        await sign_in(api, WRONG, login, expect=401)
    for login in logins:
        await sign_in(api, login=login, expect=429)


async def test_hardening_14_addresses_of_one_network_share_one_limit(
    app: Quart, api: Api, codes: Codes
) -> None:
    await open_account(api, codes)
    for number in range(10):
        async with visiting(app, address=f"2001:db8::{number + 1:x}") as stranger:
            await sign_in(stranger, WRONG, expect=401)
    async with visiting(app, address="2001:db8::ffff") as stranger:
        await sign_in(stranger, expect=429)
    async with visiting(app, address="2001:db8:0:1::1") as elsewhere:
        await sign_in(elsewhere)


async def test_hardening_14_only_a_limited_number_of_successes_is_not_counted(
    settings: Settings, database: asyncpg.Connection, codes: Codes
) -> None:
    async with serving(create_app(replace(settings, account_attempts=3))) as api:
        await open_account(api, codes)
        for _ in range(MAX_UNCOUNTED_SUCCESSES + 3):
            await sign_in(api)
            api.http.cookies.clear()
        await sign_in(api, expect=429)


async def test_hardening_14_the_oldest_session_ends(
    api: Api, codes: Codes, database: asyncpg.Connection, settings: Settings
) -> None:
    await open_account(api, codes)
    first, second = [(await sign_in(api)).json()["access_token"] for _ in range(2)]
    await database.execute(
        "INSERT INTO sessions (user_uuid, device, address, used_at, expires_at)"
        " SELECT uuid, 'test', '127.0.0.1', now(), now() + interval '1 day'"
        " FROM users, generate_series(1, $1) WHERE handle = $2",
        MAX_SESSIONS - 2, HANDLE,
    )  # fmt: skip
    await api.get(ME, headers={"Authorization": f"Bearer {first}"})
    last = (await sign_in(api)).json()["access_token"]
    assert await database.fetchval("SELECT count(*) FROM sessions") == MAX_SESSIONS
    await api.get(ME, headers={"Authorization": f"Bearer {first}"}, expect=401)
    for token in (second, last):
        await api.get(ME, headers={"Authorization": f"Bearer {token}"})


async def test_hardening_14_sign_ins_at_once_do_not_exceed_the_sessions(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    await database.execute(
        "INSERT INTO sessions (user_uuid, device, address, used_at, expires_at)"
        " SELECT uuid, 'test', '127.0.0.1', now(), now() + interval '1 day'"
        " FROM users, generate_series(1, $1) WHERE handle = $2",
        MAX_SESSIONS, HANDLE,
    )  # fmt: skip
    await asyncio.gather(*(sign_in(api) for _ in range(6)))
    assert await database.fetchval("SELECT count(*) FROM sessions") == MAX_SESSIONS
