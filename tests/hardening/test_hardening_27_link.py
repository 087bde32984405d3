"""`cruddur users link`: an operator links a seeded user to a user of the Cognito pool."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.services.seed import PASSWORD
from cruddur.settings import Settings
from fakes.cognito import FakeCognito, User
from processes import cruddur
from support import Api, serving

pytestmark = pytest.mark.usefixtures("quick_passwords")


@pytest.fixture
async def pool() -> AsyncIterator[FakeCognito]:
    fake = FakeCognito()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def environment(dsn: str, data: Path, pool: FakeCognito) -> dict[str, str]:
    """The environment of a deployment with the pool and the seeded people."""
    assert cruddur(data, "seed", CONNECTION_URL=dsn).stdout == "seeded\n"
    return {
        "CONNECTION_URL": dsn,
        "AWS_COGNITO_ENDPOINT_URL": pool.url,
        "AWS_COGNITO_USER_POOL_ID": pool.pool_id,
        "AWS_COGNITO_USER_POOL_CLIENT_ID": pool.client_id,
    }


def _user(pool: FakeCognito, handle: str) -> User:
    """A confirmed user of the pool."""
    email = f"{handle}@example.com"
    attributes = {"email": email, "preferred_username": handle, "name": handle.title()}
    user = User(attributes=attributes, password="today-is-a-good-day", confirmed=True)
    pool.users[user.sub] = user
    return user


def _as(api: Api, pool: FakeCognito, user: User) -> Api:
    return replace(api, headers={"Authorization": f"Bearer {pool.access_token(user)}"})


async def test_hardening_27_a_seeded_person_is_claimed(
    environment: dict[str, str], data: Path, pool: FakeCognito
) -> None:
    user = _user(pool, "andrewbrown")
    async with serving(
        create_app(Settings.from_env(environment | {"CRUDDUR_ACCOUNT_PROVIDER": "local"}))
    ) as api:
        local = await api.post("/api/auth/signin", {"email": "andrewbrown", "password": PASSWORD})
        response = cruddur(data, "users", "link", "AndrewBrown", user.sub, **environment)
        assert (response.returncode, response.stderr) == (0, "")
        assert user.sub in response.stdout

        signed_in = _as(api, pool, user)
        me = await signed_in.get("/api/auth/me")
        assert (me["handle"], me["email"]) == ("andrewbrown", None)
        posted = await signed_in.post("/api/activities", {"message": "mine", "ttl": "1-hour"})
        assert posted["handle"] == "andrewbrown"
        profile = await api.get("/api/activities/@andrewbrown?shape=profile")
        assert profile["profile"]["cognito_user_uuid"] == user.sub
        messages = {crud["message"] for crud in profile["activities"]}
        assert {"mine", "This was imported as seed data!"} <= messages
        assert len(await signed_in.get("/api/message_groups")) == 1

        before = replace(api, headers={"Authorization": f"Bearer {local['access_token']}"})
        await before.get("/api/auth/me", expect=401)
        await api.post(
            "/api/auth/signin", {"email": "andrewbrown", "password": PASSWORD}, expect=401
        )

        again = cruddur(data, "users", "link", "andrewbrown", user.sub.upper(), **environment)
        assert (again.returncode, again.stdout) == (0, "linked already\n")
        assert (await signed_in.get("/api/auth/me"))["uuid"] == me["uuid"]


async def test_hardening_27_a_token_finds_the_user_that_its_subject_is_linked_to_later(
    environment: dict[str, str], data: Path, pool: FakeCognito, database: asyncpg.Connection
) -> None:
    """Although the user that the token named before was cached."""
    user = _user(pool, "worf")
    async with serving(create_app(Settings.from_env(environment))) as api:
        signed_in = _as(api, pool, user)
        assert (await signed_in.get("/api/auth/me"))["handle"] == "worf"
        await database.execute("DELETE FROM users WHERE handle = 'worf'")
        response = cruddur(data, "users", "link", "andrewbrown", user.sub, **environment)
        assert (response.returncode, response.stderr) == (0, "")
        unknown = f"/api/activities/{uuid4()}"
        assert await signed_in.delete(unknown, expect=401) == ["generic_401"]
        assert await signed_in.delete(unknown, expect=404) == ["not_found"]
        assert (await signed_in.get("/api/auth/me"))["handle"] == "andrewbrown"


async def test_hardening_27_a_failed_link_is_reported_in_one_line(
    environment: dict[str, str], data: Path, pool: FakeCognito
) -> None:
    worf, bayko = _user(pool, "worf"), _user(pool, "bayko")
    async with serving(create_app(Settings.from_env(environment))) as api:
        assert (await _as(api, pool, worf).get("/api/auth/me"))["handle"] == "worf"

    def refusal(*arguments: str, **more: str) -> str:
        response = cruddur(data, "users", "link", *arguments, **(environment | more))
        assert response.returncode == 1
        [line] = response.stderr.splitlines()
        return line

    assert refusal("nobody", str(uuid4())) == "cruddur: there is no user nobody"
    assert "which is a UUID" in refusal("bayko", "MOCK")
    assert "which is a UUID" in refusal("bayko", "")
    assert f"{worf.sub} is linked to worf already" in refusal("bayko", worf.sub)
    assert cruddur(data, "users", "link", "bayko", bayko.sub, **environment).returncode == 0
    assert f"bayko is linked to {bayko.sub}" in refusal("bayko", str(uuid4()))
    assert "AWS_COGNITO_USER_POOL_ID" in refusal(
        "londo",
        str(uuid4()),
        AWS_COGNITO_USER_POOL_ID="",
        AWS_COGNITO_USER_POOL_CLIENT_ID="",
    )


def test_hardening_27_help_says_how(data: Path) -> None:
    text = cruddur(data, "users", "link", "--help").stdout
    assert "HANDLE COGNITO-SUB" in text
