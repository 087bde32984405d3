"""Rotation of the signing key: existing tokens stay valid on every replica."""

import asyncio
import base64
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import jwt
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from quart import Quart

from cruddur.app import create_app
from cruddur.db.signing_keys import SETTLE
from cruddur.identity.keys import SigningKey, new_signing_key
from cruddur.services.accounts import SESSION_LIFETIME
from cruddur.settings import Settings
from patience import PATIENCE
from processes import inherited
from support import Api, Member, serving

EMAIL = "worf@example.com"
PASSWORD = "today-is-a-good-day"
DRAFT = {"handle": "worf", "display_name": "Worf", "email": EMAIL, "password": PASSWORD}
CRUD = {"message": "Today is a good day", "ttl": "1-day"}
KEYED = {"Idempotency-Key": "once"}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080200000090"
    "7753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


def replica(settings: Settings, *pems: str) -> Quart:
    """The service with these keys; the first one signs."""
    return create_app(replace(settings, signing_key="\n".join(pems)))


def on_one_line(pem: str) -> str:
    """A key in a form that fits into an env file."""
    return pem.replace("\n", r"\n")


def kid(token: str) -> Any:
    return jwt.get_unverified_header(token)["kid"]


async def sign_in(api: Api) -> str:
    response = await api.post("/api/auth/signin", {"email": EMAIL, "password": PASSWORD})
    return str(response["access_token"])


async def test_a_configured_key_is_rotated_in_two_steps(
    settings: Settings, database: asyncpg.Connection, codes: Callable[[str], str]
) -> None:
    old, new = new_signing_key(), new_signing_key()
    async with (
        serving(replica(settings, old)) as before,
        serving(replica(settings, old, new)) as between,
        serving(replica(settings, on_one_line(new), on_one_line(old))) as after,
    ):
        await before.post("/api/auth/signup", DRAFT)
        await after.post("/api/auth/confirm", {"email": EMAIL, "code": codes(EMAIL)})
        token = await sign_in(before)
        assert kid(token) == kid(await sign_in(between)) == SigningKey(old).kid
        headers = {"Authorization": f"Bearer {token}"}
        assert (await after.get("/api/auth/me", headers=headers))["handle"] == "worf"

        first = await before.post("/api/activities", CRUD, headers=headers | KEYED)
        assert await after.post("/api/activities", CRUD, headers=headers | KEYED) == first

        asked = await before.post("/api/avatars/key_upload", {"extension": "png"}, headers=headers)
        path = asked["url"].removeprefix("http://localhost:4567")
        await after.request("PUT", path, content=PIXEL, headers={"Content-Type": "image/png"})

        newer = await sign_in(after)
        assert kid(newer) == SigningKey(new).kid
        headers = {"Authorization": f"Bearer {newer}"}
        assert (await between.get("/api/auth/me", headers=headers))["handle"] == "worf"
        await after.post("/api/auth/forgot", {"email": EMAIL})
        changed = {"email": EMAIL, "code": codes(EMAIL), "password": "another-good-day"}
        await between.post("/api/auth/reset", changed)
        [*kids] = [key["kid"] for key in (await after.get("/.well-known/jwks.json"))["keys"]]
        assert kids == [SigningKey(new).kid, SigningKey(old).kid]


def rotate(dsn: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cruddur", "rotate-key"],
        env={**inherited(), "CONNECTION_URL": dsn, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


async def test_a_stored_key_is_rotated_while_the_service_runs(
    settings: Settings, make_database: Callable[..., Any]
) -> None:
    dsn = await make_database()
    database = await asyncpg.connect(dsn)

    async def held(api: Api) -> list[str]:
        return [key["kid"] for key in (await api.get("/.well-known/jwks.json"))["keys"]]

    async def until_held(api: Api, *kids: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while await held(api) != [*kids]:  # noqa: ASYNC110  # another task reads the keys
                await asyncio.sleep(0.02)

    async def pass_time(time: timedelta) -> None:
        await database.execute(
            "UPDATE signing_keys SET created_at = created_at - $1::interval", time
        )

    app = create_app(replace(settings, connection_url=dsn, sweep_interval=0.1))
    async with serving(app) as api:
        andrew = await Member.enter(api, database, app, "andrew", "Andrew")
        [old] = await held(api)

        done = await asyncio.to_thread(rotate, dsn)
        assert (done.returncode, done.stderr) == (0, "")
        new = done.stdout.partition(" ")[0]
        assert done.stdout == f"{new} signs in 5 minutes\n"
        await until_held(api, old, new)

        await pass_time(SETTLE)
        await until_held(api, new, old)
        assert (await andrew.get("/api/auth/me"))["handle"] == "andrew"
        bayko = await Member.enter(api, database, app, "bayko", "Bayko")
        assert kid(bayko.headers["Authorization"].removeprefix("Bearer ")) == new

        # All tokens of the first key have expired, so the next rotation deletes it.
        await pass_time(SESSION_LIFETIME)
        newest = (await asyncio.to_thread(rotate, dsn)).stdout.partition(" ")[0]
        await until_held(api, new, newest)
    await database.close()


async def test_a_second_factor_survives_the_removal_of_the_key_that_encrypted_it(
    settings: Settings, database: asyncpg.Connection, codes: Callable[[str], str]
) -> None:
    old, new = new_signing_key(), new_signing_key()
    path = "/api/auth/second-factor"

    async def sealed() -> Any:
        return await database.fetchval("SELECT sealed_secret FROM second_factors")

    async with serving(replica(settings, old)) as api:
        await api.post("/api/auth/signup", DRAFT)
        await api.post("/api/auth/confirm", {"email": EMAIL, "code": codes(EMAIL)})
        me = {"Authorization": f"Bearer {await sign_in(api)}"}
        begun = await api.post(path, {"password": PASSWORD}, headers=me)
        app = TOTP(base64.b32decode(begun["secret"]), 6, SHA1(), 30)
        confirmed = await api.put(path, {"code": app.generate(time.time()).decode()}, headers=me)
    before = await sealed()
    async with serving(replica(settings, new, old)), asyncio.timeout(PATIENCE):
        while await sealed() == before:  # noqa: ASYNC110  # the database has no such event
            await asyncio.sleep(0.01)
    credentials = {"email": EMAIL, "password": PASSWORD}
    async with serving(replica(settings, new)) as api:
        code = app.generate(time.time() + 30).decode()
        await api.post("/api/auth/signin", {**credentials, "code": code})
    async with serving(replica(settings, new_signing_key())) as api:
        code = app.generate(time.time() + 30).decode()
        await api.post("/api/auth/signin", {**credentials, "code": code}, expect=422)
        recovery_code = confirmed["recovery_codes"][0]
        await api.post("/api/auth/signin", {**credentials, "code": recovery_code})


def test_the_command_does_not_rotate_a_configured_key(dsn: str) -> None:
    done = rotate(dsn, CRUDDUR_SIGNING_KEY=new_signing_key())
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "CRUDDUR_SIGNING_KEY" in line
