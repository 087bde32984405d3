"""Attackers cannot lock users out: not from sign-in, not from a code, not by mail."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import asyncpg
import pytest
from quart import Quart

from accounts import (
    CONFIRM,
    EMAIL,
    FORGOT,
    HANDLE,
    PASSWORD,
    RESEND,
    RESET,
    SIGN_IN,
    WRONG,
    Codes,
    guess,
    open_account,
    sign_in,
    sign_up,
    wrong,
)
from cruddur.app import create_app
from cruddur.settings import Settings
from support import Api, count_rows, visiting

pytestmark = pytest.mark.usefixtures("quick_passwords")

At = Callable[[str], AbstractAsyncContextManager[Api]]


@pytest.fixture
def at(app: Quart, database: asyncpg.Connection) -> At:
    """Yield the API, called from an address by a client without cookies."""
    return lambda address: visiting(app, address=address)


@pytest.fixture
async def strict(settings: Settings, database: asyncpg.Connection) -> AsyncIterator[Quart]:
    """An application with low limits: one attempt per client, ten for unknown clients."""
    application = create_app(replace(settings, account_attempts=1))
    async with application.test_app():
        yield application


@pytest.mark.parametrize("login", [HANDLE, EMAIL])
async def test_hardening_13_wrong_passwords_of_an_attacker_do_not_lock_out_the_owner(
    api: Api, at: At, codes: Codes, login: str
) -> None:
    await open_account(api, codes)
    async with at("10.0.0.1") as stranger:
        for _ in range(10):
            await sign_in(stranger, WRONG, login, expect=401)
        await sign_in(stranger, PASSWORD, login, expect=429)
    async with at("10.0.0.2") as owner:
        await sign_in(owner, PASSWORD, login)


async def test_hardening_13_a_known_device_can_sign_in_during_an_attack(
    strict: Quart, codes: Codes
) -> None:
    async with visiting(strict, address="10.0.0.1") as device:
        await open_account(device, codes)
        await sign_in(device)
        for number in range(10):
            async with visiting(strict, address=f"10.0.1.{number}") as stranger:
                await sign_in(stranger, WRONG, expect=401)
        async with visiting(strict, address="10.0.2.1") as unknown:
            await sign_in(unknown, expect=429)  # all unknown clients together are limited, too
        async with visiting(strict, address="10.0.2.2") as travelling:
            travelling.http.cookies = device.http.cookies
            await sign_in(travelling)
        async with visiting(strict, address="10.0.0.1") as browser:
            await sign_in(browser)  # without the cookie, from an address that is known


async def test_hardening_13_a_known_device_shares_no_limit_with_its_address(
    settings: Settings, database: asyncpg.Connection, codes: Codes
) -> None:
    application = create_app(replace(settings, address_attempts=5))
    async with application.test_app(), visiting(application) as device:
        await open_account(device, codes)
        await sign_in(device)
        async with visiting(application) as neighbor:
            for _ in range(5):
                await sign_in(neighbor, WRONG, "nobody@example.com", expect=401)
            await sign_in(neighbor, expect=429)
        await sign_in(device)


async def test_hardening_13_a_device_cookie_is_worth_nothing_to_others(
    strict: Quart, codes: Codes, database: asyncpg.Connection
) -> None:
    async with visiting(strict) as owner:
        await open_account(owner, codes)
    async with visiting(strict, address="10.0.0.1") as stranger:
        await sign_in(stranger, WRONG, expect=401)
        for device in ("x" * 43, "", "x" * 5000, "\xff" * 43):
            cookie = {"Cookie": f"cruddur_device={device}".encode("latin-1")}
            body = {"email": EMAIL, "password": WRONG}
            await stranger.request("POST", SIGN_IN, json=body, headers=cookie, expect=429)  # type: ignore[dict-item]  # raw bytes are sent as they are


async def test_hardening_13_guesses_with_a_known_device_are_limited(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    await sign_in(api)
    for _ in range(10):
        await sign_in(api, WRONG, expect=401)
    await sign_in(api, expect=429)


async def test_hardening_13_the_service_keeps_no_device_and_no_address(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    device = (await sign_in(api)).cookies["cruddur_device"]
    rows = await database.fetch("SELECT familiar_clients::text FROM familiar_clients")
    assert len(rows) == 2
    for (row,) in rows:
        assert "127.0.0.1" not in row
        assert device not in row
        assert device.encode().hex() not in row
    token = (await sign_in(api)).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    await api.delete("/api/auth/me", {"password": PASSWORD}, headers=headers)
    assert await count_rows(database, "familiar_clients") == 0


@pytest.mark.parametrize("path", [CONFIRM, RESET])
async def test_hardening_13_wrong_codes_of_attackers_do_not_invalidate_the_code(
    api: Api, at: At, codes: Codes, path: str
) -> None:
    if path == CONFIRM:
        await sign_up(api)
    else:
        await open_account(api, codes)
        await api.post(FORGOT, {"email": EMAIL})
    code = codes(EMAIL)
    for number in range(3):
        async with at(f"10.0.0.{number}") as stranger:
            for _ in range(5):
                await guess(stranger, path, wrong(code))
    async with at("10.0.0.9") as stranger:
        assert await guess(stranger, path, code) == ["code_invalid"]  # they share five attempts
    for _ in range(4):
        await guess(api, path, wrong(code))
    await guess(api, path, code, expect=200)


@pytest.mark.parametrize("path", [CONFIRM, RESET])
async def test_hardening_13_the_requesting_client_has_five_attempts(
    api: Api, codes: Codes, path: str
) -> None:
    if path == CONFIRM:
        await sign_up(api)
    else:
        await open_account(api, codes)
        await api.post(FORGOT, {"email": EMAIL})
    code = codes(EMAIL)
    for _ in range(5):
        await guess(api, path, wrong(code))
    await guess(api, path, code)


async def test_hardening_13_a_code_requested_by_an_attacker_works_for_the_owner(
    api: Api, at: At, codes: Codes
) -> None:
    await open_account(api, codes)
    async with at("10.0.0.1") as stranger, at("10.0.0.2") as other, at("10.0.0.3") as owner:
        await stranger.post(FORGOT, {"email": EMAIL})
        await owner.post(FORGOT, {"email": EMAIL})  # sends no second mail
        code = codes(EMAIL)
        for _ in range(6):
            await guess(stranger, RESET, wrong(code))
            await guess(other, RESET, wrong(code))
        await guess(owner, RESET, code, expect=200)
        await sign_in(owner, "glory to the empire")


async def test_hardening_13_a_repeated_request_gives_no_more_attempts(
    api: Api, codes: Codes
) -> None:
    await open_account(api, codes)
    await api.post(FORGOT, {"email": EMAIL})
    code = codes(EMAIL)
    for _ in range(5):
        await guess(api, RESET, wrong(code))
        await api.post(FORGOT, {"email": EMAIL})
    assert codes(EMAIL) == code  # nor another code
    await guess(api, RESET, code)


@pytest.mark.parametrize("path", [FORGOT, RESEND])
async def test_hardening_13_one_mail_in_a_few_minutes(
    api: Api,
    at: At,
    codes: Codes,
    caplog: pytest.LogCaptureFixture,
    database: asyncpg.Connection,
    path: str,
) -> None:
    await (open_account(api, codes) if path == FORGOT else sign_up(api))
    caplog.clear()
    responses = []
    for number in range(8):
        async with at(f"10.0.0.{number}") as anybody:
            responses.append(await anybody.post(path, {"email": EMAIL}))
    await asyncio.gather(*(api.post(path, {"email": EMAIL.upper()}) for _ in range(5)))
    assert responses == [responses[0]] * 8
    assert len(_mails(caplog)) == 1
    await database.execute("UPDATE throttles SET resets_at = now()")  # the few minutes are over
    await api.post(path, {"email": EMAIL})
    assert len(_mails(caplog)) == 2
    await guess(api, RESET if path == FORGOT else CONFIRM, codes(EMAIL), expect=200)


async def test_hardening_13_sign_ups_send_few_mails_to_one_address(
    api: Api, at: At, caplog: pytest.LogCaptureFixture, codes: Codes
) -> None:
    caplog.set_level("INFO", logger="cruddur.identity.mail")
    for number in range(8):
        async with at(f"10.0.0.{number}") as anybody:
            await sign_up(anybody)
    assert len(_mails(caplog)) == 5


def _mails(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line for line in caplog.messages if re.search(r"code for .*: \d{6}$", line)]
