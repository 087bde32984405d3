"""The accounts API with a Cognito user pool, and the pool's tokens on every route.

All tests go through HTTP. The pool is a fake that implements the real protocol. Tests that
use only what cognito-local supports also run against that, where it is installed.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from quart import Quart

from cruddur import resources
from cruddur.app import create_app
from cruddur.settings import Settings
from fakes.cognito import ACCESS_SECONDS, FakeCognito, User
from fakes.cognito_local import CognitoLocal, why_not
from support import Api, Member

PASSWORD = "Correct-horse-1"
NEW_PASSWORD = "Battery-staple-2"

everywhere = pytest.mark.parametrize("pool", ["fake", "cognito-local"], indirect=True)
Pool = FakeCognito | CognitoLocal
Device = Callable[[], Awaitable[Api]]


@pytest.fixture(scope="session")
async def running_fake() -> AsyncIterator[FakeCognito]:
    """The fake, listening on its socket."""
    fake = FakeCognito()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture(scope="session")
def cognito_local() -> Iterator[CognitoLocal]:
    """The emulator, if it is installed."""
    if (reason := why_not()) is not None:
        pytest.skip(reason)
    emulator = CognitoLocal()
    yield emulator
    emulator.close()


@pytest.fixture
def fake(running_fake: FakeCognito) -> FakeCognito:
    """The fake without users."""
    running_fake.reset()
    return running_fake


@pytest.fixture
def pool(request: pytest.FixtureRequest) -> Pool:
    """The user pool that the application uses."""
    wanted = getattr(request, "param", "fake")
    return request.getfixturevalue("cognito_local" if wanted == "cognito-local" else "fake")


@pytest.fixture(scope="session")
async def start(worker_settings: Settings) -> AsyncIterator[Callable[[Pool], Awaitable[Quart]]]:
    """Start one application for each pool, and give it new resources for each test.

    So it has no verified tokens, and has not fetched the pool's keys yet.
    """
    started: dict[str, tuple[Quart, tuple[Any, ...]]] = {}
    parts: list[tuple[Any, ...]] = []

    def assemble(*arguments: Any) -> resources.Resources:
        parts.append(arguments)
        return original(*arguments)

    original = resources._assemble
    async with AsyncExitStack() as stack:

        async def application(pool: Pool) -> Quart:
            if pool.url not in started:
                new = create_app(
                    replace(
                        worker_settings,
                        account_provider="cognito",
                        cognito_user_pool_id=pool.pool_id,
                        cognito_client_id=pool.client_id,
                        cognito_endpoint=pool.url,
                    )
                )
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(resources, "_assemble", assemble)
                    await stack.enter_async_context(new.test_app())
                started[pool.url] = new, parts[-1]
            app, arguments = started[pool.url]
            app.extensions["cruddur"] = original(*arguments)
            return app

        yield application


@pytest.fixture
async def app(
    database: asyncpg.Connection, pool: Pool, start: Callable[[Pool], Awaitable[Quart]]
) -> Quart:
    """The application under test, which has not fetched the pool's keys yet."""
    return await start(pool)


@pytest.fixture
async def device(app: Quart) -> AsyncIterator[Device]:
    """Create another device with its own cookies."""
    clients: list[httpx.AsyncClient] = []

    async def make() -> Api:
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50001))
        clients.append(httpx.AsyncClient(transport=transport, base_url="http://localhost:4567"))
        return Api(clients[-1])

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def email() -> str:
    """A new address for each test, because the emulator keeps its users."""
    return f"worf-{uuid4().hex[:8]}@starfleet.example"


def bearer(token: str) -> dict[str, str]:
    """Return the header for an access token."""
    return {"Authorization": f"Bearer {token}"}


async def sign_up(api: Api, email: str, handle: str = "worf", **options: Any) -> Any:
    """Start a sign-up."""
    body = {"email": email, "password": PASSWORD, "handle": handle, "display_name": "Worf"}
    return await api.post("/api/auth/signup", body, **options)


async def sign_in(api: Api, login: str, password: str = PASSWORD, **options: Any) -> Any:
    """Start a session."""
    return await api.post("/api/auth/signin", {"email": login, "password": password}, **options)


async def enter(api: Api, pool: Pool, email: str, handle: str = "worf") -> Any:
    """Sign up, confirm and sign in."""
    await sign_up(api, email, handle)
    await api.post("/api/auth/confirm", {"email": email, "code": pool.code(email)})
    return await sign_in(api, email)


async def people(database: asyncpg.Connection) -> list[tuple[str, str]]:
    """Return the handles and names in our table."""
    rows = await database.fetch("SELECT handle, display_name FROM users ORDER BY handle")
    return [(row["handle"], row["display_name"]) for row in rows]


class TestAccounts:
    """From sign-up to sign-out."""

    @pytest.mark.rule("C61")
    @everywhere
    async def test_a_new_user_signs_up_confirms_and_signs_in(
        self, api: Api, pool: Pool, email: str, database: asyncpg.Connection
    ) -> None:
        assert await sign_up(api, email) == {"status": "confirmation_sent"}
        confirmed = await api.post("/api/auth/confirm", {"email": email, "code": pool.code(email)})
        assert confirmed == {"status": "confirmed"}
        assert await people(database) == []

        response = await sign_in(api, email)
        assert response["token_type"] == "Bearer"
        assert response["expires_in"] > 0
        assert response["user"]["handle"] == "worf"
        assert response["user"]["display_name"] == "Worf"
        assert response["user"]["email"] == email
        me = await api.get("/api/auth/me", headers=bearer(response["access_token"]))
        assert me == response["user"]
        assert await people(database) == [("worf", "Worf")]
        assert (await sign_in(api, email))["user"] == response["user"]

    @pytest.mark.rule("C138")
    async def test_sign_up_modes_apply_to_users_of_the_pool(
        self, api: Api, fake: FakeCognito, email: str, database: asyncpg.Connection
    ) -> None:
        async def switch(mode: str) -> None:
            await database.execute("UPDATE instance SET sign_up_mode = $1", mode)

        async def uses() -> int:
            return await database.fetchval("SELECT uses FROM invitations")

        await enter(api, fake, email)
        await switch("closed")
        assert (await sign_in(api, email))["user"]["handle"] == "worf"
        assert await sign_up(api, f"q-{email}", "qq", expect=403) == ["sign_up_closed"]

        await switch("invitation")
        assert await sign_up(api, f"q-{email}", "qq", expect=422) == ["invitation_blank"]
        code = "abcd2345abcd2345"
        await database.execute(
            "INSERT INTO invitations (code, max_uses, expires_at)"
            " VALUES ($1, 1, now() + interval '1 day')",
            code,
        )
        body = {"email": f"q-{email}", "handle": "qq", "display_name": "Q", "invitation": code}
        weak = {**body, "password": "no-capital-1"}
        assert await api.post("/api/auth/signup", weak, expect=422) == ["password_too_weak"]
        assert await uses() == 0
        await api.post("/api/auth/signup", {**body, "password": PASSWORD})
        assert await uses() == 1
        confirmed = {"email": f"q-{email}", "code": fake.code(f"q-{email}")}
        await api.post("/api/auth/confirm", confirmed)
        await switch("closed")
        assert await sign_in(api, f"q-{email}", expect=403) == ["sign_up_closed"]
        await switch("invitation")
        assert (await sign_in(api, f"q-{email}"))["user"]["handle"] == "qq"

    @pytest.mark.rule("C138")
    async def test_a_user_who_signed_up_at_the_pool_itself_needs_admission(
        self, api: Api, fake: FakeCognito, email: str, database: asyncpg.Connection
    ) -> None:
        token = bearer(fake.access_token(fake.add(email)))
        await database.execute("UPDATE instance SET sign_up_mode = 'invitation'")
        assert await sign_in(api, email, expect=422) == ["invitation_invalid"]
        await api.get("/api/auth/me", headers=token, expect=401)
        await api.get("/api/activities/home", headers=token)
        await database.execute(
            "UPDATE instance SET sign_up_mode = 'open', blocked_domains = '{example}'"
        )
        assert await sign_in(api, email, expect=422) == ["email_blocked"]
        await database.execute("UPDATE instance SET blocked_domains = '{}'")
        await api.get("/api/auth/me", headers=token)

    @pytest.mark.rule("C110")
    async def test_a_member_of_the_pool_has_api_tokens(
        self, api: Api, fake: FakeCognito, email: str
    ) -> None:
        entered = await enter(api, fake, email)
        draft = {"name": "bot", "scopes": ["write"], "ttl": "1-day"}
        own = bearer(entered["access_token"])
        created = await api.post("/api/auth/tokens", draft, headers=own)
        bot = bearer(created["token"])
        crud = await api.post("/api/activities", {"message": "x", "ttl": "1-day"}, headers=bot)
        assert crud["handle"] == "worf"
        assert len(await api.get("/api/auth/sessions", headers=own)) == 1
        await api.delete(f"/api/auth/tokens/{created['uuid']}", headers=own)
        await api.delete(f"/api/activities/{crud['uuid']}", headers=bot, expect=401)

    @everywhere
    async def test_the_case_of_an_address_does_not_matter(
        self, api: Api, pool: Pool, email: str
    ) -> None:
        await enter(api, pool, email.upper())
        assert (await sign_in(api, email.title()))["user"]["email"] == email

    @everywhere
    async def test_sign_in_with_the_handle(self, api: Api, pool: Pool, email: str) -> None:
        entered = await enter(api, pool, email)
        assert (await sign_in(api, "Worf"))["user"] == entered["user"]
        assert await sign_in(api, "nobody", expect=401) == ["credentials_invalid"]

    @everywhere
    async def test_wrong_credentials_are_rejected_alike(
        self, api: Api, pool: Pool, email: str
    ) -> None:
        await enter(api, pool, email)
        assert await sign_in(api, email, "Wrong-horse-1", expect=401) == ["credentials_invalid"]
        assert await sign_in(api, "q@continuum.example", expect=401) == ["credentials_invalid"]

    @everywhere
    async def test_only_the_right_password_reveals_an_unconfirmed_address(
        self, api: Api, email: str
    ) -> None:
        await sign_up(api, email)
        assert await sign_in(api, email, expect=403) == ["email_unconfirmed"]
        assert await sign_in(api, email, "Wrong-horse-1", expect=401) == ["credentials_invalid"]

    @everywhere
    async def test_a_wrong_code_does_not_confirm(self, api: Api, pool: Pool, email: str) -> None:
        await sign_up(api, email)
        wrong = {"email": email, "code": "000000"}
        assert await api.post("/api/auth/confirm", wrong, expect=422) == ["code_invalid"]
        stranger = {"email": "q@continuum.example", "code": "000000"}
        assert await api.post("/api/auth/confirm", stranger, expect=422) == ["code_invalid"]
        right = {"email": email, "code": pool.code(email)}
        await api.post("/api/auth/confirm", right)
        assert await api.post("/api/auth/confirm", right, expect=422) == ["code_invalid"]

    async def test_too_many_guesses_at_a_code_return_code_invalid(
        self, api: Api, email: str
    ) -> None:
        await sign_up(api, email)
        for _ in range(7):  # only an existing account reaches this limit
            wrong = {"email": email, "code": "000000"}
            assert await api.post("/api/auth/confirm", wrong, expect=422) == ["code_invalid"]

    async def test_a_new_code_replaces_the_old_one(
        self, api: Api, fake: FakeCognito, email: str
    ) -> None:
        await sign_up(api, email)
        fake.user(email).code = "forgotten"
        response = await api.post("/api/auth/resend", {"email": email})
        assert response == {"status": "confirmation_sent"}
        await api.post("/api/auth/confirm", {"email": email, "code": fake.code(email)})

    async def test_no_response_reveals_whether_an_address_has_an_account(
        self, api: Api, fake: FakeCognito, email: str
    ) -> None:
        fake.add("picard@starfleet.example")
        await sign_up(api, email, "pending")
        for number, address in enumerate(["picard@starfleet.example", email, "q@q.example"]):
            sent = {"status": "confirmation_sent"}
            assert await sign_up(api, address, f"handle_{number}") == sent
            assert await api.post("/api/auth/resend", {"email": address}) == sent
            forgot = await api.post("/api/auth/forgot", {"email": address})
            assert forgot == {"status": "code_sent"}
            guess = {"email": address, "code": "000000"}
            assert await api.post("/api/auth/confirm", guess, expect=422) == ["code_invalid"]
            reset = {**guess, "password": NEW_PASSWORD}
            assert await api.post("/api/auth/reset", reset, expect=422) == ["code_invalid"]
        assert fake.user("picard@starfleet.example").password == PASSWORD

    @everywhere
    async def test_a_taken_handle_is_reported(
        self, api: Api, email: str, member: Callable[..., Awaitable[Member]]
    ) -> None:
        await member("worf")
        assert await sign_up(api, email, "worf", expect=422) == ["handle_taken"]

    async def test_the_pools_rules_are_reported_with_our_codes(
        self, api: Api, fake: FakeCognito, email: str
    ) -> None:
        body = {"email": email, "handle": "worf", "display_name": "Worf"}
        for weak in ("no capital letters", " Leading space 1"):
            response = await api.post("/api/auth/signup", {**body, "password": weak}, expect=422)
            assert response == ["password_too_weak"]
        long = {**body, "email": f"{'x' * 150}@starfleet.example", "password": PASSWORD}
        assert await api.post("/api/auth/signup", long, expect=422) == ["email_invalid"]
        assert fake.users == {}

    async def test_a_user_with_a_second_factor_cannot_sign_in(
        self, api: Api, fake: FakeCognito
    ) -> None:
        fake.add("picard@starfleet.example").challenge = "SOFTWARE_TOKEN_MFA"
        refusal = await sign_in(api, "picard@starfleet.example", expect=401)
        assert refusal == ["credentials_invalid"]


class TestSessions:
    """Refresh, sign-out and the list of devices."""

    @everywhere
    async def test_the_cookie_is_exchanged_for_a_new_access_token(
        self, api: Api, pool: Pool, email: str
    ) -> None:
        entered = await enter(api, pool, email)
        first = api.http.cookies["cruddur_refresh"]
        refreshed = await api.post("/api/auth/refresh")
        assert refreshed["user"] == entered["user"]
        if isinstance(pool, FakeCognito):
            assert refreshed["expires_in"] == entered["expires_in"] == ACCESS_SECONDS
        assert api.http.cookies["cruddur_refresh"] != first
        await api.get("/api/auth/me", headers=bearer(refreshed["access_token"]))
        await api.post("/api/auth/refresh")

    async def test_rotated_refresh_tokens_are_stored(
        self, api: Api, fake: FakeCognito, email: str
    ) -> None:
        fake.rotates = True
        await enter(api, fake, email)
        [first] = fake.user(email).refresh_tokens
        for _ in range(3):
            await api.post("/api/auth/refresh")
        [last] = fake.user(email).refresh_tokens
        assert last != first
        assert fake.calls["GetTokensFromRefreshToken"] == 3
        assert (
            fake.calls["InitiateAuth"] == 2
        )  # the sign-in, and one call that reveals the rotation

    async def test_an_old_cookie_ends_the_session_here_and_in_the_pool(
        self, api: Api, fake: FakeCognito, email: str, database: asyncpg.Connection
    ) -> None:
        await enter(api, fake, email)
        stolen = api.http.cookies["cruddur_refresh"]
        await api.post("/api/auth/refresh")
        await database.execute("UPDATE refresh_tokens SET used_at = used_at - interval '1 minute'")
        api.http.cookies.clear()
        cookie = {"Cookie": f"cruddur_refresh={stolen}"}
        assert await api.post("/api/auth/refresh", headers=cookie, expect=401) == ["generic_401"]
        assert fake.calls["RevokeToken"] == 1
        assert fake.user(email).refresh_tokens == {}
        assert await database.fetchval("SELECT count(*) FROM sessions") == 0

    @everywhere
    async def test_no_refresh_after_sign_out(self, api: Api, pool: Pool, email: str) -> None:
        await enter(api, pool, email)
        kept = api.http.cookies["cruddur_refresh"]
        assert await api.post("/api/auth/signout") == {"status": "signed_out"}
        assert "cruddur_refresh" not in api.http.cookies
        assert await api.post("/api/auth/refresh", expect=401) == ["generic_401"]
        cookie = {"Cookie": f"cruddur_refresh={kept}"}
        assert await api.post("/api/auth/refresh", headers=cookie, expect=401) == ["generic_401"]
        if isinstance(pool, FakeCognito):
            assert pool.calls["RevokeToken"] == 1
            assert pool.user(email).refresh_tokens == {}

    async def test_a_session_that_ended_in_the_pool_ends_here(
        self, api: Api, fake: FakeCognito, email: str
    ) -> None:
        await enter(api, fake, email)
        fake.user(email).refresh_tokens.clear()
        assert await api.post("/api/auth/refresh", expect=401) == ["generic_401"]

    @everywhere
    async def test_sessions_are_listed_and_ended_one_by_one(
        self, api: Api, pool: Pool, email: str, device: Device
    ) -> None:
        token = (await enter(api, pool, email))["access_token"]
        phone = await device()
        await sign_in(phone, email)
        listed = await api.get("/api/auth/sessions", headers=bearer(token))
        assert [session["current"] for session in listed] == [False, True]
        remaining = await api.delete(
            f"/api/auth/sessions/{listed[0]['uuid']}", headers=bearer(token)
        )
        assert [session["uuid"] for session in remaining] == [listed[1]["uuid"]]
        await phone.post("/api/auth/refresh", expect=401)
        await api.post("/api/auth/refresh")
        if isinstance(pool, FakeCognito):
            assert len(pool.user(email).refresh_tokens) == 1

    @pytest.mark.parametrize("mode", ["hang", "fail"])
    async def test_sign_out_does_not_wait_for_the_pool(
        self,
        api: Api,
        fake: FakeCognito,
        email: str,
        mode: Any,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        await enter(api, fake, email)
        fake.mode = mode
        monkeypatch.setattr("cruddur.identity.cognito.CALL_SECONDS", 0.2)
        assert await api.post("/api/auth/signout") == {"status": "signed_out"}
        assert "Cognito RevokeToken failed" in caplog.text


class TestPasswords:
    """Reset and change."""

    @everywhere
    async def test_a_reset_changes_the_password_and_ends_all_sessions(
        self,
        api: Api,
        pool: Pool,
        email: str,
        device: Device,
        database: asyncpg.Connection,
    ) -> None:
        await enter(api, pool, email)
        phone = await device()
        await sign_in(phone, email)
        assert await api.post("/api/auth/forgot", {"email": email}) == {"status": "code_sent"}
        body = {"email": email, "code": "999999", "password": NEW_PASSWORD}
        assert await api.post("/api/auth/reset", body, expect=422) == ["code_invalid"]

        response = await api.post("/api/auth/reset", {**body, "code": pool.code(email)})
        assert response == {"status": "password_changed"}
        assert await database.fetchval("SELECT count(*) FROM sessions") == 0
        await api.post("/api/auth/refresh", expect=401)
        await phone.post("/api/auth/refresh", expect=401)
        assert await sign_in(api, email, expect=401) == ["credentials_invalid"]
        await sign_in(api, email, NEW_PASSWORD)
        if isinstance(pool, FakeCognito):
            assert pool.calls["GlobalSignOut"] == 1
            assert len(pool.user(email).refresh_tokens) == 1  # from the last sign-in

    async def test_a_reset_ends_the_sessions_of_other_applications(
        self, api: Api, fake: FakeCognito
    ) -> None:
        user = fake.add("picard@starfleet.example")
        user.refresh_tokens["of another application"] = "family"
        await api.post("/api/auth/forgot", {"email": user.email})
        body = {"email": user.email, "code": fake.code(user.email), "password": NEW_PASSWORD}
        await api.post("/api/auth/reset", body)
        assert user.refresh_tokens == {}

    async def test_a_reset_succeeds_even_if_the_sessions_cannot_be_ended(
        self, api: Api, fake: FakeCognito, caplog: pytest.LogCaptureFixture
    ) -> None:
        user = fake.add("picard@starfleet.example")
        await api.post("/api/auth/forgot", {"email": user.email})
        fake.refuse_next("InitiateAuth", "TooManyRequestsException")
        body = {"email": user.email, "code": fake.code(user.email), "password": NEW_PASSWORD}
        assert await api.post("/api/auth/reset", body) == {"status": "password_changed"}
        assert user.password == NEW_PASSWORD
        assert "may not have been revoked after a reset" in caplog.text

    async def test_a_weak_new_password_is_reported_after_the_code_too(
        self, api: Api, fake: FakeCognito
    ) -> None:
        user = fake.add("picard@starfleet.example")
        await api.post("/api/auth/forgot", {"email": user.email})
        body = {
            "email": user.email,
            "code": fake.code(user.email),
            "password": "no capitals at all",
        }
        assert await api.post("/api/auth/reset", body, expect=422) == ["password_too_weak"]

    @everywhere
    async def test_a_password_change_ends_the_other_sessions(
        self, api: Api, pool: Pool, email: str, device: Device
    ) -> None:
        token = (await enter(api, pool, email))["access_token"]
        phone = await device()
        await sign_in(phone, email)
        body = {"current_password": PASSWORD, "password": NEW_PASSWORD}
        response = await api.put("/api/auth/password", body, headers=bearer(token))
        assert response == {"status": "password_changed"}
        await phone.post("/api/auth/refresh", expect=401)
        await api.post("/api/auth/refresh")
        await sign_in(api, email, NEW_PASSWORD)

    async def test_a_password_change_needs_the_current_and_a_strong_new_password(
        self, api: Api, fake: FakeCognito, email: str
    ) -> None:
        headers = bearer((await enter(api, fake, email))["access_token"])
        body = {"current_password": "Wrong-horse-1", "password": NEW_PASSWORD}
        response = await api.put("/api/auth/password", body, headers=headers, expect=401)
        assert response == ["credentials_invalid"]
        body = {"current_password": PASSWORD, "password": "no capitals at all"}
        response = await api.put("/api/auth/password", body, headers=headers, expect=422)
        assert response == ["password_too_weak"]
        assert fake.user(email).password == PASSWORD

    async def test_a_local_account_is_kept_but_has_no_password_here(
        self, member: Callable[..., Awaitable[Member]], fake: FakeCognito
    ) -> None:
        local = await member("worf")
        assert (await local.get("/api/auth/me"))["handle"] == "worf"
        body = {"current_password": PASSWORD, "password": NEW_PASSWORD}
        refusal = await local.put("/api/auth/password", body, expect=401)
        assert refusal == ["credentials_invalid"]
        refusal = await local.delete("/api/auth/me", {"password": PASSWORD}, expect=401)
        assert refusal == ["credentials_invalid"]
        assert not fake.calls


class TestDeletion:
    """Deletion here and in the pool."""

    @everywhere
    async def test_a_deleted_user_is_not_created_again_by_a_valid_token(
        self, api: Api, pool: Pool, email: str, database: asyncpg.Connection
    ) -> None:
        headers = bearer((await enter(api, pool, email))["access_token"])
        wrong = {"password": "Wrong-horse-1"}
        refusal = await api.delete("/api/auth/me", wrong, headers=headers, expect=401)
        assert refusal == ["credentials_invalid"]
        assert await people(database) == [("worf", "Worf")]

        response = await api.delete("/api/auth/me", {"password": PASSWORD}, headers=headers)
        assert response == {"status": "deleted"}
        assert await people(database) == []
        for _ in range(2):
            await api.get("/api/auth/me", headers=headers, expect=401)
            await api.get("/api/activities/home", headers=headers)
        assert await people(database) == []
        assert await sign_in(api, email, expect=401) == ["credentials_invalid"]
        await api.post("/api/auth/refresh", expect=401)

    @everywhere
    async def test_the_address_and_handle_of_a_deleted_user_are_free(
        self, api: Api, pool: Pool, email: str
    ) -> None:
        first = await enter(api, pool, email)
        headers = bearer(first["access_token"])
        await api.delete("/api/auth/me", {"password": PASSWORD}, headers=headers)
        second = await enter(api, pool, email)
        assert second["user"]["handle"] == "worf"
        assert second["user"]["uuid"] != first["user"]["uuid"]

    @pytest.mark.rule("C61", "C160", "C162")
    @everywhere
    async def test_a_banned_user_deletes_the_account_and_signs_up_again_in_vain(
        self, api: Api, pool: Pool, email: str, database: asyncpg.Connection
    ) -> None:
        await enter(api, pool, email)
        await database.execute("UPDATE users SET suspended_until = 'infinity'")
        api.http.cookies.clear()
        assert await sign_in(api, email, expect=403) == ["account_suspended"]
        archive = await api.request("GET", "/api/auth/export")
        assert archive.content.startswith(b"PK")
        wrong = {"password": "Wrong-horse-1"}
        assert await api.delete("/api/auth/me", wrong, expect=401) == ["credentials_invalid"]
        await api.delete("/api/auth/me", {"password": PASSWORD})
        assert await people(database) == []
        await sign_up(api, email)
        await api.post("/api/auth/confirm", {"email": email, "code": pool.code(email)})
        assert await sign_in(api, email, expect=403) == ["account_suspended"]
        await api.get("/api/auth/suspension", expect=401)
        assert await people(database) == []

    async def test_a_deletion_that_the_pool_has_already_done_is_completed(
        self, api: Api, fake: FakeCognito, email: str, database: asyncpg.Connection
    ) -> None:
        headers = bearer((await enter(api, fake, email))["access_token"])
        fake.refuse_next("DeleteUser", "UserNotFoundException")
        await api.delete("/api/auth/me", {"password": PASSWORD}, headers=headers)
        assert await people(database) == []

    async def test_nothing_is_deleted_here_if_the_pool_fails(
        self, api: Api, fake: FakeCognito, email: str, database: asyncpg.Connection
    ) -> None:
        headers = bearer((await enter(api, fake, email))["access_token"])
        fake.refuse_next("DeleteUser", "InternalErrorException")
        await api.delete("/api/auth/me", {"password": PASSWORD}, headers=headers, expect=503)
        assert await people(database) == [("worf", "Worf")]

    async def test_another_users_password_deletes_no_account(
        self, api: Api, fake: FakeCognito
    ) -> None:
        """A token may contain the username of another user."""
        worf, picard = fake.add("worf@starfleet.example"), fake.add("picard@starfleet.example")
        headers = bearer(fake.access_token(worf, username=picard.sub))
        response = await api.delete(
            "/api/auth/me", {"password": PASSWORD}, headers=headers, expect=401
        )
        assert response == ["credentials_invalid"]
        assert len(fake.users) == 2


class TestFirstSight:
    """A valid token of the pool creates the user row on first sight."""

    @pytest.fixture
    def picard(self, fake: FakeCognito) -> User:
        """A user of the pool without a row in our table."""
        return fake.add(
            "picard@starfleet.example", name="Jean-Luc Picard", preferred_username="jlp"
        )

    async def test_a_token_of_another_application_is_enough(
        self, api: Api, fake: FakeCognito, picard: User, database: asyncpg.Connection
    ) -> None:
        headers = bearer(fake.access_token(picard))
        posted = await api.post(
            "/api/activities", {"message": "Make it so", "ttl": "1-day"}, headers=headers
        )
        assert posted["handle"] == "jlp"
        assert posted["display_name"] == "Jean-Luc Picard"
        row = await database.fetchrow("SELECT issuer, subject, email FROM users")
        assert tuple(row or ()) == (fake.issuer, picard.sub, picard.email)
        assert (await sign_in(api, picard.email))["user"]["handle"] == "jlp"

    async def test_home_creates_users_too(
        self, api: Api, fake: FakeCognito, picard: User, database: asyncpg.Connection
    ) -> None:
        await api.get("/api/activities/home", headers=bearer(fake.access_token(picard)))
        assert await people(database) == [("jlp", "Jean-Luc Picard")]

    async def test_every_route_that_requires_a_token_accepts_it(
        self, api: Api, app: Quart, fake: FakeCognito, picard: User
    ) -> None:
        headers = bearer(fake.access_token(picard))
        needing = 0
        for rule in app.url_map.iter_rules():
            # The first route needs a cookie, and the second would never end.
            if not rule.rule.startswith("/api") or rule.rule in {
                "/api/auth/refresh",
                "/api/stream",
            }:
                continue
            path = rule.rule
            for argument in rule.arguments:
                converter = type(rule._converters[argument]).__name__
                value = str(uuid4()) if converter == "UUIDConverter" else "jlp"
                path = path.replace(f"<uuid:{argument}>", value).replace(f"<{argument}>", value)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                anonymous = await api.http.request(method, path, json={})
                known = await api.http.request(method, path, json={}, headers=headers)
                assert known.status_code < 500, f"{method} {path}: {known.text}"
                assert known.status_code != 401, f"{method} {path}"
                needing += anonymous.status_code == 401
        assert needing >= 15

    @pytest.mark.parametrize("in_the_pool", ["Café au lait", "Cafe\u0301 au lait"])
    async def test_a_password_matches_prepared_and_as_typed(
        self, api: Api, picard: User, in_the_pool: str
    ) -> None:
        """Other applications of the pool do not prepare passwords."""
        picard.password = in_the_pool
        await sign_in(api, picard.email, "Cafe\u0301 au lait")
        await sign_in(api, picard.email, "Cafe au lait", expect=401)

    @pytest.mark.parametrize(
        ("name", "stored"),
        [("Jean-Luc Picare\u0301", "Jean-Luc Picaré"), ("\U000e0041 ", "jlp")],
    )
    async def test_the_name_is_composed_and_never_blank(
        self, api: Api, fake: FakeCognito, picard: User, name: str, stored: str
    ) -> None:
        picard.attributes["name"] = name
        me = await api.get("/api/auth/me", headers=bearer(fake.access_token(picard)))
        assert me["display_name"] == stored

    async def test_ten_concurrent_requests_create_one_user(
        self, api: Api, fake: FakeCognito, picard: User, database: asyncpg.Connection
    ) -> None:
        headers = bearer(fake.access_token(picard))
        responses = await asyncio.gather(
            *(api.get("/api/auth/me", headers=headers) for _ in range(10))
        )
        assert len({response["uuid"] for response in responses}) == 1
        assert await people(database) == [("jlp", "Jean-Luc Picard")]

    async def test_ten_concurrent_sign_ins_create_one_user(
        self, api: Api, picard: User, database: asyncpg.Connection
    ) -> None:
        responses = await asyncio.gather(*(sign_in(api, picard.email) for _ in range(10)))
        assert len({response["user"]["uuid"] for response in responses}) == 1
        assert await people(database) == [("jlp", "Jean-Luc Picard")]

    async def test_a_taken_handle_gets_a_suffix(
        self,
        api: Api,
        fake: FakeCognito,
        picard: User,
        member: Callable[..., Awaitable[Member]],
    ) -> None:
        await member("jlp")
        me = await api.get("/api/auth/me", headers=bearer(fake.access_token(picard)))
        assert me["handle"].startswith("jlp_")
        assert me["display_name"] == "Jean-Luc Picard"

    @pytest.mark.parametrize(
        ("username", "handle"),
        [
            ("Jean_Luc", r"jean_luc"),
            ("picard@starfleet.example", r"cruddur_[0-9a-f]{6}"),
            (None, r"cruddur_[0-9a-f]{6}"),
        ],
    )
    async def test_without_attributes_a_suitable_username_becomes_the_handle(
        self, api: Api, fake: FakeCognito, picard: User, username: str | None, handle: str
    ) -> None:
        """A token of the hosted sign-in page may lack the scope to read attributes."""
        token = fake.access_token(picard, scope="openid", username=username)
        me = await api.get("/api/auth/me", headers=bearer(token))
        assert re.fullmatch(handle, me["handle"])
        assert me["display_name"]
        assert me["email"] is None

    async def test_a_hanging_pool_gives_no_user_a_wrong_handle(
        self, api: Api, fake: FakeCognito, picard: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await api.get("/api/auth/me", headers=bearer("x"), expect=401)
        other = fake.add("riker@starfleet.example", preferred_username="riker")
        await api.get("/api/auth/me", headers=bearer(fake.access_token(other)))  # fetches the keys
        fake.mode = "hang"
        monkeypatch.setattr("cruddur.identity.cognito.CALL_SECONDS", 0.2)
        headers = bearer(fake.access_token(picard))
        assert await api.get("/api/auth/me", headers=headers, expect=503) == ["unavailable"]
        assert await api.get("/api/activities/home", headers=headers) == []
        fake.mode = "answer"
        me = await api.get("/api/auth/me", headers=headers)
        assert me["handle"] == picard.attributes["preferred_username"]


class TestTokens:
    """A token that is not a valid access token of this pool is ignored."""

    @pytest.fixture
    def picard(self, fake: FakeCognito) -> User:
        return fake.add("picard@starfleet.example", preferred_username="jlp")

    @pytest.fixture
    def bad_tokens(self, fake: FakeCognito, picard: User) -> dict[str, str]:
        """Invalid tokens by their fault."""
        now = int(time.time())
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        good = fake.access_claims(picard)
        header = {"kid": fake.kid}
        return {
            "an id token": fake.id_token(picard),
            "another client": fake.access_token(picard, client_id="another"),
            "no client": fake.access_token(picard, client_id=None),
            "another pool": fake.access_token(picard, iss=f"{fake.url}/us-east-1_Other0000"),
            "our own issuer": fake.access_token(picard, iss="cruddur"),
            "no issuer": fake.access_token(picard, iss=None),
            "no subject": fake.access_token(picard, sub=None),
            "expired": fake.access_token(picard, iat=now - 4000, exp=now - 400),
            "never expires": fake.access_token(picard, exp=None),
            "not yet valid": fake.access_token(picard, nbf=now + 400),
            "another key": jwt.encode(good, stranger, algorithm="RS256", headers=header),
            "the public key as a secret": fake.forge(good, "HS256"),
            "no signature": fake.forge(good, "none"),
            "cut off": fake.access_token(picard)[:-4],
            "unknown kid": fake.sign(good, kid="unknown"),
            "not a token": "null",
        }

    async def test_invalid_tokens_are_rejected_where_one_is_required_and_ignored_on_home(
        self,
        api: Api,
        fake: FakeCognito,
        bad_tokens: dict[str, str],
        database: asyncpg.Connection,
    ) -> None:
        for fault, token in bad_tokens.items():
            headers = bearer(token)
            refusal = await api.get("/api/auth/me", headers=headers, expect=401)
            assert refusal == ["generic_401"], fault
            assert await api.get("/api/activities/home", headers=headers) == [], fault
        assert await people(database) == []
        assert fake.jwks_fetches <= 1

    async def test_valid_tokens_cause_one_fetch_of_the_keys(
        self, api: Api, fake: FakeCognito, picard: User
    ) -> None:
        tokens = [fake.access_token(picard) for _ in range(10)]
        await asyncio.gather(*(api.get("/api/auth/me", headers=bearer(t)) for t in tokens))
        assert fake.jwks_fetches == 1
        fake.calls.clear()
        for token in tokens:
            await api.get("/api/auth/me", headers=bearer(token))
            await api.get("/api/activities/home", headers=bearer(token))
        assert fake.jwks_fetches == 1
        assert not fake.calls

    async def test_unknown_key_ids_do_not_cause_repeated_fetches(
        self, api: Api, fake: FakeCognito, picard: User
    ) -> None:
        claims = fake.access_claims(picard)
        tokens = [fake.sign(claims, kid=f"unknown-{number}") for number in range(20)]
        await asyncio.gather(
            *(api.get("/api/auth/me", headers=bearer(t), expect=401) for t in tokens)
        )
        assert fake.jwks_fetches == 1

    async def test_a_new_key_of_the_pool_is_found(
        self, api: Api, fake: FakeCognito, picard: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await api.get("/api/auth/me", headers=bearer(fake.access_token(picard)))
        monkeypatch.setattr("cruddur.identity.jwks.REFRESH_INTERVAL", 0.0)
        monkeypatch.setattr(fake, "kid", "pool-key-2")
        await api.get("/api/auth/me", headers=bearer(fake.access_token(picard)))
        assert fake.jwks_fetches == 2

    async def test_a_cached_token_is_rejected_after_the_pool_removes_its_key(
        self, api: Api, fake: FakeCognito, picard: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        headers = bearer(fake.access_token(picard))
        for _ in range(2):
            await api.get("/api/auth/me", headers=headers)
        monkeypatch.setattr("cruddur.identity.jwks.REFRESH_INTERVAL", 0.0)
        monkeypatch.setattr(fake, "kid", "pool-key-2")
        await api.get("/api/auth/me", headers=bearer(fake.access_token(picard)))
        await api.get("/api/auth/me", headers=headers, expect=401)

    async def test_without_keys_home_works_and_the_rest_recovers_later(
        self, api: Api, fake: FakeCognito, picard: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        headers = bearer(fake.access_token(picard))
        async with fake.unreachable():
            assert await api.get("/api/auth/me", headers=headers, expect=503) == ["unavailable"]
            assert await api.get("/api/activities/home", headers=headers) == []
        await api.get("/api/auth/me", headers=headers, expect=503)
        assert fake.jwks_fetches == 0, "the failure must be cached, so that no request waits again"
        monkeypatch.setattr("cruddur.identity.jwks.RETRY_INTERVAL", 0.0)
        await api.get("/api/auth/me", headers=headers)

    async def test_known_users_do_not_need_the_pool(
        self, api: Api, fake: FakeCognito, picard: User
    ) -> None:
        headers = bearer(fake.access_token(picard))
        await api.get("/api/auth/me", headers=headers)
        async with fake.unreachable():
            await api.get("/api/auth/me", headers=headers)


class TestTrouble:
    """A pool that does not respond, rejects calls, or is misconfigured."""

    async def call_everything(self, api: Api, token: str, expect: int) -> None:
        """Call every route of the accounts API that uses the pool, except sign-out."""
        email, code = "picard@starfleet.example", "123456"
        headers = bearer(token)
        await sign_up(api, email, expect=expect)
        await api.post("/api/auth/confirm", {"email": email, "code": code}, expect=expect)
        await api.post("/api/auth/resend", {"email": email}, expect=expect)
        await sign_in(api, email, expect=expect)
        await api.post("/api/auth/refresh", expect=expect)
        await api.post("/api/auth/forgot", {"email": email}, expect=expect)
        reset = {"email": email, "code": code, "password": NEW_PASSWORD}
        await api.post("/api/auth/reset", reset, expect=expect)
        change = {"current_password": PASSWORD, "password": NEW_PASSWORD}
        await api.put("/api/auth/password", change, headers=headers, expect=expect)
        await api.delete("/api/auth/me", {"password": PASSWORD}, headers=headers, expect=expect)

    @pytest.mark.parametrize("mode", ["hang", "fail", "html", "refuse"])
    async def test_an_unusable_pool_returns_503_within_a_time_limit(
        self,
        api: Api,
        fake: FakeCognito,
        mode: Any,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        database: asyncpg.Connection,
    ) -> None:
        fake.add("picard@starfleet.example", preferred_username="jlp")
        token = (await sign_in(api, "picard@starfleet.example"))["access_token"]
        await api.get("/api/auth/me", headers=bearer(token))
        monkeypatch.setattr("cruddur.identity.cognito.CALL_SECONDS", 0.2)
        caplog.clear()
        if mode == "refuse":
            async with fake.unreachable():
                await self.call_everything(api, token, 503)
        else:
            fake.mode = mode
            await self.call_everything(api, token, 503)
        if mode == "hang":
            logged = [line for line in caplog.messages if "Cognito did not respond" in line]
            assert len(logged) == 9
            assert all(line.endswith(": TimeoutError()") for line in logged), "another limit"
        assert await people(database) == [("jlp", "jlp")]
        assert fake.user("picard@starfleet.example").password == PASSWORD

    async def test_throttling_by_the_pool_returns_429(self, api: Api, fake: FakeCognito) -> None:
        fake.add("picard@starfleet.example", preferred_username="jlp")
        token = (await sign_in(api, "picard@starfleet.example"))["access_token"]
        await api.get("/api/auth/me", headers=bearer(token))
        for action in (
            "SignUp",
            "ConfirmSignUp",
            "ResendConfirmationCode",
            "InitiateAuth",
            "InitiateAuth",
            "InitiateAuth",
            "ForgotPassword",
            "ConfirmForgotPassword",
            "ChangePassword",
        ):
            fake.refuse_next(action, "TooManyRequestsException", "Rate exceeded")
        await self.call_everything(api, token, 429)

    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("ResourceNotFoundException", "User pool client does not exist."),
            ("NotAuthorizedException", "Client is configured with secret but none was received"),
            ("NotAuthorizedException", "Unable to verify secret hash for client"),
            (
                "InvalidParameterException",
                "USER_PASSWORD_AUTH flow not enabled for this client",
            ),
            ("SomethingNewException", "an unknown error"),
        ],
    )
    async def test_a_misconfigured_pool_is_a_server_error(
        self,
        api: Api,
        fake: FakeCognito,
        kind: str,
        message: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        fake.refuse_next("InitiateAuth", kind, message)
        await sign_in(api, "picard@starfleet.example", expect=503)
        [record, failure] = [r for r in caplog.records if r.levelno == logging.ERROR]
        assert record.getMessage().endswith(f"InitiateAuth: {kind}: {message}")
        assert failure.getMessage() == "POST /api/auth/signin failed: unavailable"

    async def test_tokens_of_another_issuer_are_not_sent_to_the_pool(
        self, api: Api, fake: FakeCognito, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fake.add("picard@starfleet.example")
        monkeypatch.setattr(FakeCognito, "issuer", "https://elsewhere.example/pool")
        await sign_in(api, "picard@starfleet.example", expect=503)

    @pytest.mark.parametrize(
        ("action", "kind", "path", "status", "response"),
        [
            ("SignUp", "com.example#UsernameExistsException", "signup", 200, "confirmation_sent"),
            ("SignUp", "CodeDeliveryFailureException", "signup", 200, "confirmation_sent"),
            ("SignUp", "UserLambdaValidationException", "signup", 422, "email_invalid"),
            ("SignUp", "LimitExceededException", "signup", 429, "rate_limited"),
            ("ConfirmSignUp", "AliasExistsException", "confirm", 422, "code_invalid"),
            ("ConfirmSignUp", "UserLambdaValidationException", "confirm", 200, "confirmed"),
            ("ConfirmSignUp", "UnexpectedLambdaException", "confirm", 200, "confirmed"),
            (
                "ResendConfirmationCode",
                "LimitExceededException",
                "resend",
                200,
                "confirmation_sent",
            ),
            ("ForgotPassword", "LimitExceededException", "forgot", 200, "code_sent"),
            ("ForgotPassword", "CodeDeliveryFailureException", "forgot", 200, "code_sent"),
            ("ForgotPassword", "NotAuthorizedException", "forgot", 200, "code_sent"),
            ("ConfirmForgotPassword", "LimitExceededException", "reset", 422, "code_invalid"),
            (
                "ConfirmForgotPassword",
                "PasswordHistoryPolicyViolationException",
                "reset",
                422,
                "password_too_weak",
            ),
            (
                "InitiateAuth",
                "PasswordResetRequiredException",
                "signin",
                401,
                "credentials_invalid",
            ),
            ("InitiateAuth", "UserLambdaValidationException", "signin", 401, "credentials_invalid"),
        ],
    )
    async def test_errors_of_cognito_are_mapped_to_our_codes(
        self,
        api: Api,
        fake: FakeCognito,
        action: str,
        kind: str,
        path: str,
        status: int,
        response: str,
    ) -> None:
        body = {
            "signup": {"password": PASSWORD, "handle": "worf", "display_name": "Worf"},
            "confirm": {"code": "123456"},
            "reset": {"code": "123456", "password": NEW_PASSWORD},
            "signin": {"password": PASSWORD},
        }.get(path, {})
        fake.refuse_next(action, kind)
        body = {"email": "worf@starfleet.example", **body}
        said = await api.post(f"/api/auth/{path}", body, expect=status)
        assert said == ({"status": response} if status == 200 else [response])

    async def test_no_secret_is_logged(
        self, api: Api, fake: FakeCognito, email: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        entered = await enter(api, fake, email)
        refresh_token = next(iter(fake.user(email).refresh_tokens))
        await sign_in(api, email, "Wrong-horse-1", expect=401)
        fake.mode = "fail"
        await sign_in(api, email, expect=503)
        await api.post("/api/auth/signout")
        assert caplog.text
        for secret in (PASSWORD, "Wrong-horse-1", entered["access_token"], refresh_token):
            assert secret not in caplog.text
