"""Local accounts: the sign-up flow, what responses must not reveal, limits, and mail."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from http.cookies import Morsel, SimpleCookie
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from patience import PATIENCE
from support import QUICK_HASHER, Api, Member, count_rows, refused, serving, untraced, visiting

pytestmark = pytest.mark.usefixtures("quick_passwords")

COOKIE = "cruddur_refresh"
EMAIL = "worf@example.com"
PASSWORD = "today is a good day"
OTHER_PASSWORD = "glory to the empire"

Codes = Callable[[str], str]
Start = Callable[..., Any]


@pytest.fixture
async def start(settings: Settings) -> AsyncIterator[Start]:
    """Start more applications on this worker's database with other settings."""
    async with AsyncExitStack() as stack:

        async def started(**changes: Any) -> Api:
            application = create_app(replace(settings, **changes))
            return await stack.enter_async_context(serving(application))

        yield started


def draft(**changes: Any) -> dict[str, Any]:
    """A valid sign-up body with changes."""
    return {
        "email": EMAIL,
        "password": PASSWORD,
        "handle": "worf",
        "display_name": "Worf",
        **changes,
    }


async def sign_up(api: Api, expect: int = 200, **changes: Any) -> Any:
    return await api.post("/api/auth/signup", draft(**changes), expect=expect)


async def confirm(api: Api, code: str, email: str = EMAIL, expect: int = 200) -> Any:
    return await api.post("/api/auth/confirm", {"email": email, "code": code}, expect=expect)


async def open_account(api: Api, codes: Codes, **changes: Any) -> None:
    """Sign up an account, confirm it, and sign out again."""
    await sign_up(api, **changes)
    email = changes.get("email", EMAIL)
    await confirm(api, codes(email), email)
    await api.post("/api/auth/signout")


async def reset(api: Api, code: str, password: str = OTHER_PASSWORD, expect: int = 200) -> Any:
    body = {"email": EMAIL, "code": code, "password": password}
    return await api.post("/api/auth/reset", body, expect=expect)


async def refuse_sign_in(
    api: Api, password: str = PASSWORD, expect: int = 401, email: str = EMAIL
) -> httpx.Response:
    body = {"email": email, "password": password}
    return await api.request("POST", "/api/auth/signin", json=body, expect=expect)


def wrong(code: str) -> str:
    """Return a code that differs from this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def cookie_of(response: httpx.Response) -> Morsel[str]:
    return SimpleCookie(response.headers["set-cookie"])[COOKIE]


@dataclass(frozen=True)
class Device(Api):
    """A signed-in browser with an access token and a refresh token."""

    refresh_token: str = ""
    body: Any = None

    @classmethod
    async def sign_in(
        cls, api: Api, login: str = EMAIL, password: str = PASSWORD, agent: str = "Firefox"
    ) -> "Device":
        body = {"email": login, "password": password}
        headers = {"User-Agent": agent}
        response = await api.request("POST", "/api/auth/signin", json=body, headers=headers)
        return cls._holding(api.http, response)

    @classmethod
    def _holding(cls, http: httpx.AsyncClient, response: httpx.Response) -> "Device":
        http.cookies.clear()  # each device has its own cookies
        body = response.json()
        headers = {"Authorization": f"Bearer {body['access_token']}"}
        return cls(http, headers, cookie_of(response).value, body)

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.refresh_token}"}

    async def refresh(self) -> "Device":
        response = await self.request("POST", "/api/auth/refresh", headers=self.cookie)
        return self._holding(self.http, response)

    async def refuse_refresh(self) -> None:
        await self.request("POST", "/api/auth/refresh", headers=self.cookie, expect=401)

    async def is_over(self) -> None:
        """Check that neither token is valid any more."""
        await self.get("/api/auth/me", expect=401)
        await self.refuse_refresh()

    async def move_use_back(self, conn: asyncpg.Connection, seconds: int) -> None:
        """Move the last use of the refresh token into the past."""
        count = await conn.execute(
            "UPDATE refresh_tokens SET used_at = used_at - make_interval(secs => $1)"
            " WHERE token_hash = $2",
            seconds, hashlib.sha256(self.refresh_token.encode()).digest(),
        )  # fmt: skip
        assert count == "UPDATE 1"


@pytest.mark.rule("C53")
async def test_sign_up_confirm_sign_in_refresh_and_sign_out(api: Api, codes: Codes) -> None:
    assert await sign_up(api, email="Worf@Example.com") == {"status": "confirmation_sent"}
    confirmed = await api.request(
        "POST", "/api/auth/confirm", json={"email": "WORF@example.com", "code": codes(EMAIL)}
    )
    assert confirmed.json()["status"] == "confirmed"
    # That signs in already.
    session = confirmed.json()["session"]
    first = Api(api.http, {"Authorization": f"Bearer {session['access_token']}"})
    assert await first.get("/api/auth/me") == session["user"]
    renewed = await api.request("POST", "/api/auth/refresh", headers={})
    assert renewed.json()["user"] == session["user"]
    [only] = await first.get("/api/auth/sessions")
    assert only["current"]
    device = await Device.sign_in(api, "wOrF@eXample.com")
    user = device.body["user"]
    assert device.body["token_type"] == "Bearer"
    assert device.body["expires_in"] == 900
    assert {**user, "uuid": ""} == {
        "uuid": "",
        "handle": "worf",
        "display_name": "Worf",
        "email": EMAIL,
        "avatar_url": None,
        "role": "member",
        "unread_notices": 0,
        "open_cases": 0,
        "terms_version": None,
        "terms_accepted_at": None,
    }
    assert await device.get("/api/auth/me") == user
    later = await device.refresh()
    assert later.body["user"] == user
    assert later.refresh_token != device.refresh_token
    assert await later.get("/api/auth/me") == user
    out = await later.request("POST", "/api/auth/signout", headers=later.cookie)
    assert out.json() == {"status": "signed_out"}
    assert cookie_of(out).value == ""
    assert cookie_of(out)["max-age"] == "0"
    assert cookie_of(out)["path"] == "/api/auth"
    await later.is_over()
    await device.is_over()


@pytest.mark.parametrize("login", ["worf", "WORF", "Worf@Example.COM"])
async def test_sign_in_ignores_the_case_of_handle_and_address(
    api: Api, codes: Codes, login: str
) -> None:
    await open_account(api, codes)
    assert (await Device.sign_in(api, login)).body["user"]["handle"] == "worf"


@pytest.mark.rule("C56")
@pytest.mark.parametrize(("scheme", "secure"), [("http", ""), ("https", True)])
async def test_the_refresh_cookie_is_httponly_and_same_site(
    app: Quart, database: asyncpg.Connection, codes: Codes, scheme: str, secure: str | bool
) -> None:
    async with visiting(app, base_url=f"{scheme}://cruddur.example") as api:
        await open_account(api, codes)
        body = {"email": EMAIL, "password": PASSWORD}
        entered = await api.request("POST", "/api/auth/signin", json=body)
        exchanged = await api.request("POST", "/api/auth/refresh", headers={})
    for cookie in (cookie_of(entered), cookie_of(exchanged)):
        assert cookie["httponly"] is True
        assert cookie["samesite"] == "Strict"
        assert cookie["path"] == "/api/auth"
        assert cookie["secure"] == secure
        assert cookie["domain"] == ""
        assert int(cookie["max-age"]) == 30 * 24 * 3600


async def test_sign_out_without_a_session_returns_200(api: Api) -> None:
    assert await api.post("/api/auth/signout") == {"status": "signed_out"}
    headers = {"Cookie": f"{COOKIE}=invented"}
    assert await api.post("/api/auth/signout", headers=headers) == {"status": "signed_out"}


@pytest.mark.parametrize("cookie", ["", "invented", "x" * 5000, "\x7f~"])
async def test_an_unknown_refresh_token_is_rejected(api: Api, cookie: str) -> None:
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    assert await api.post("/api/auth/refresh", headers=headers, expect=401) == ["generic_401"]


async def test_refresh_without_a_cookie_is_rejected(api: Api) -> None:
    assert await api.post("/api/auth/refresh", expect=401) == ["generic_401"]


async def test_two_refreshes_with_one_token_within_the_grace_period_succeed(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    device = await Device.sign_in(api)
    first, second = await asyncio.gather(device.refresh(), device.refresh())
    await device.move_use_back(database, 9)
    third = await device.refresh()
    assert first.refresh_token == second.refresh_token == third.refresh_token
    for one in (first, second, third):
        await one.get("/api/auth/me")
        await one.refresh()


@pytest.mark.rule("C56")
async def test_a_refresh_token_reused_after_the_grace_period_ends_the_session(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    bystander = await Device.sign_in(api)
    stolen = await Device.sign_in(api)
    current = await stolen.refresh()
    await stolen.move_use_back(database, 11)
    await stolen.refuse_refresh()
    await current.is_over()
    await bystander.get("/api/auth/me")


async def test_an_expired_session_cannot_be_refreshed(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    device = await Device.sign_in(api)
    await database.execute("UPDATE sessions SET expires_at = now()")
    await device.is_over()


async def test_a_refresh_extends_the_session(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    device = await Device.sign_in(api)
    await database.execute("UPDATE sessions SET expires_at = now() + interval '1 hour'")
    await device.refresh()
    left = await database.fetchval("SELECT expires_at - now() FROM sessions")
    assert left.days == 29


async def test_a_resent_code_replaces_the_first_one(api: Api, codes: Codes) -> None:
    await sign_up(api)
    first = codes(EMAIL)
    resent = await api.post("/api/auth/resend", {"email": EMAIL.upper()})
    assert resent == {"status": "confirmation_sent"}
    second = codes(EMAIL)
    if first != second:
        assert await confirm(api, first, expect=422) == ["code_invalid"]
    await confirm(api, second)


@pytest.mark.rule("C54")
async def test_resend_for_an_unknown_address_looks_the_same_and_sends_nothing(
    api: Api, codes: Codes, caplog: pytest.LogCaptureFixture
) -> None:
    await open_account(api, codes)
    caplog.clear()
    for email in ("nobody@example.com", EMAIL):
        resent = await api.post("/api/auth/resend", {"email": email})
        assert resent == {"status": "confirmation_sent"}
    assert not [line for line in caplog.messages if "code for" in line]


@pytest.mark.rule("C53")
async def test_an_expired_code_is_rejected(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await sign_up(api)
    await database.execute("UPDATE signup_attempts SET code_expires_at = now()")
    assert await confirm(api, codes(EMAIL), expect=422) == ["code_invalid"]


async def test_a_code_works_only_once(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    assert await confirm(api, codes(EMAIL), expect=422) == ["code_invalid"]


async def test_a_code_works_only_for_its_address(api: Api, codes: Codes) -> None:
    await sign_up(api)
    await sign_up(api, email="jadzia@example.com", handle="jadzia")
    if codes(EMAIL) != codes("jadzia@example.com"):
        await confirm(api, codes(EMAIL), "jadzia@example.com", expect=422)


@pytest.mark.rule("C53")
async def test_five_wrong_attempts_invalidate_a_code(api: Api, codes: Codes) -> None:
    await sign_up(api)
    code = codes(EMAIL)
    for _ in range(5):
        assert await confirm(api, wrong(code), expect=422) == ["code_invalid"]
    assert await confirm(api, code, expect=422) == ["code_invalid"]
    await api.post("/api/auth/resend", {"email": EMAIL})
    await confirm(api, codes(EMAIL))


async def test_the_fifth_attempt_with_the_right_code_succeeds(api: Api, codes: Codes) -> None:
    await sign_up(api)
    code = codes(EMAIL)
    for _ in range(4):
        await confirm(api, wrong(code), expect=422)
    await confirm(api, code)


@pytest.mark.parametrize(
    "code", ["12345", "1234567", "abcdef", "", None, 123456, "12345\n", "\uff11" * 6]
)
async def test_a_malformed_code_is_rejected(api: Api, code: Any) -> None:
    body = {"email": EMAIL, "code": code}
    assert await api.post("/api/auth/confirm", body, expect=422) == ["code_invalid"]


async def test_exactly_one_of_simultaneous_sign_ups_gets_the_handle(
    http: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    responses = await asyncio.gather(
        *(
            http.post(
                "/api/auth/signup",
                json=draft(
                    email=f"worf{number}@example.com", password=f"{OTHER_PASSWORD} {number}"
                ),
            )
            for number in range(4)
        )
    )
    assert sorted(response.status_code for response in responses) == [200, 422, 422, 422]
    refusals = [refused(response) for response in responses if response.status_code == 422]
    assert refusals == [["handle_taken"]] * 3
    assert await count_rows(database, "signups") == 1


async def test_exactly_one_of_simultaneous_confirmations_succeeds(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await sign_up(api)
    body = {"email": EMAIL, "code": codes(EMAIL)}
    responses = await asyncio.gather(
        *(api.http.post("/api/auth/confirm", json=body) for _ in range(4))
    )
    assert sorted(response.status_code for response in responses) == [200, 422, 422, 422]
    assert await count_rows(database, "users") == 1
    assert await count_rows(database, "accounts") == 1


async def test_an_address_confirms_only_one_account_for_any_number_of_handles(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await sign_up(api)
    first = codes(EMAIL)
    await sign_up(api, handle="mogh")
    second = codes(EMAIL)
    responses = await asyncio.gather(
        *(
            api.http.post("/api/auth/confirm", json={"email": EMAIL, "code": code})
            for code in (first, second)
        )
    )
    assert sorted(response.status_code for response in responses) == [200, 422]
    assert await count_rows(database, "users") == 1


@pytest.mark.parametrize("key", [None, "one key each"])
async def test_more_simultaneous_sign_ups_than_connections_all_succeed(
    start: Start, key: str | None
) -> None:
    api = await start(pool_size=2)
    responses = await asyncio.gather(
        *(
            api.http.post(
                "/api/auth/signup",
                json=draft(email=f"worf{number}@example.com", handle=f"worf{number}"),
                headers={"Idempotency-Key": f"key-{number}"} if key else {},
            )
            for number in range(4)
        )
    )
    assert [response.status_code for response in responses] == [200] * 4


async def test_a_sign_up_repeated_with_its_idempotency_key_sends_one_code(
    api: Api, codes: Codes, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Idempotency-Key": "again"}
    for _ in range(2):
        await api.post("/api/auth/signup", draft(), headers=headers)
    assert len([line for line in caplog.messages if "code for" in line]) == 1
    await confirm(api, codes(EMAIL))


def observable(response: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """Return everything that an observer can compare. The trace id always differs."""
    headers = untraced(response)
    return response.status_code, response.content, headers


@pytest.mark.rule("C54")
async def test_sign_up_does_not_reveal_that_an_address_is_taken(
    api: Api, codes: Codes, caplog: pytest.LogCaptureFixture, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    caplog.clear()
    fresh = await api.request(
        "POST", "/api/auth/signup", json=draft(email="new@example.com", handle="jadzia")
    )
    taken = await api.request("POST", "/api/auth/signup", json=draft(handle="ezri"))
    assert observable(fresh) == observable(taken)
    assert f"sign-up with the address of an existing account: {EMAIL}" in caplog.messages
    assert not [line for line in caplog.messages if f"code for {EMAIL}" in line]
    # Both requests reserved their handle.
    for handle in ("jadzia", "ezri"):
        other = {"email": "third@example.com", "password": OTHER_PASSWORD}
        refusal = await sign_up(api, **other, handle=handle, expect=422)
        assert refusal == ["handle_taken"]


@pytest.mark.rule("C159")
async def test_a_mistyped_address_can_be_corrected_with_the_same_handle(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    mistyped = "wrof@example.com"
    await sign_up(api, email=mistyped)
    await sign_up(api)
    for email in (mistyped, EMAIL):
        assert await confirm(api, codes(mistyped), email, expect=422) == ["code_invalid"]
    await confirm(api, codes(EMAIL))
    opened = "SELECT users.handle, accounts.email FROM users JOIN accounts ON user_uuid = uuid"
    assert await database.fetchrow(opened) == ("worf", EMAIL)
    assert await count_rows(database, "signups") == 0


@pytest.mark.rule("C159")
async def test_passwords_of_a_reserved_handle_cannot_be_guessed(
    settings: Settings, codes: Codes
) -> None:
    application = create_app(replace(settings, account_attempts=1))
    async with serving(application) as api:
        await sign_up(api)
        for number in range(10):  # ten times the limit of one client
            async with visiting(application, address=f"10.0.0.{number}") as attacker:
                guess = {"email": f"{number}@example.com", "password": f"{OTHER_PASSWORD} {number}"}
                assert await sign_up(attacker, **guess, expect=422) == ["handle_taken"]
        assert await sign_up(api, email="right@example.com", expect=429) == ["rate_limited"]
        await confirm(api, codes(EMAIL))


async def test_a_taken_address_cannot_be_confirmed_even_with_the_right_code(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await sign_up(api)
    await sign_up(api, handle="mogh")
    second = codes(EMAIL)
    await database.execute("DELETE FROM signups WHERE handle = 'worf'")
    await open_account(api, codes, handle="worf")
    # As if an attacker had guessed the code that was never sent.
    await database.execute(
        "UPDATE signup_attempts SET tries_left = 5, code_expires_at = now() + interval '1 hour'"
    )
    assert await confirm(api, second, expect=422) == ["code_invalid"]
    assert await count_rows(database, "users") == 1


@pytest.mark.parametrize("intruder_is_first", [True, False])
async def test_a_code_opens_the_account_with_the_password_of_its_own_sign_up(
    api: Api, codes: Codes, intruder_is_first: bool
) -> None:
    async def intrude() -> None:
        await sign_up(api, password=OTHER_PASSWORD, display_name="Intruder")

    if intruder_is_first:
        await intrude()
    await sign_up(api)
    code = codes(EMAIL)
    if not intruder_is_first:
        await intrude()
    await confirm(api, code)
    device = await Device.sign_in(api)
    assert device.body["user"]["display_name"] == "Worf"
    await refuse_sign_in(api, OTHER_PASSWORD)


async def test_at_most_three_codes_are_pending_for_one_address(
    api: Api, database: asyncpg.Connection
) -> None:
    for handle in ("worf", "worf", "mogh", "worf", "kurn"):
        await sign_up(api, handle=handle)
    assert await count_rows(database, "signup_attempts") == 3


async def test_sign_in_without_confirmation_does_not_reveal_whether_the_address_is_taken(
    api: Api, codes: Codes
) -> None:
    await open_account(api, codes)
    await sign_up(api, password=OTHER_PASSWORD, handle="mogh")
    await sign_up(api, email="free@example.com", password=OTHER_PASSWORD, handle="kurn")
    logins = (EMAIL, "mogh", "free@example.com", "kurn")
    responses = [
        await refuse_sign_in(api, OTHER_PASSWORD, expect=403, email=login) for login in logins
    ]
    assert responses[0].json() == ["email_unconfirmed"]
    assert len({str(observable(response)) for response in responses}) == 1
    await Device.sign_in(api)


async def test_an_abandoned_sign_up_releases_its_handle(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await sign_up(api)
    await database.execute("UPDATE signups SET expires_at = now()")
    await open_account(api, codes, email="other@example.com", password=OTHER_PASSWORD)
    await Device.sign_in(api, "other@example.com", OTHER_PASSWORD)


@pytest.mark.rule("C47")
async def test_a_members_handle_is_taken_whatever_its_case(api: Api, andrew: Member) -> None:
    assert await sign_up(api, handle="andrewbrown", expect=422) == ["handle_taken"]


@pytest.mark.rule("C54")
async def test_forgot_does_not_reveal_whether_an_account_exists(
    api: Api, codes: Codes, caplog: pytest.LogCaptureFixture
) -> None:
    await open_account(api, codes)
    caplog.clear()
    known, unknown = [
        await api.request("POST", "/api/auth/forgot", json={"email": email})
        for email in (EMAIL, "nobody@example.com")
    ]
    assert known.json() == {"status": "code_sent"}
    assert observable(known) == observable(unknown)
    assert len([line for line in caplog.messages if "code for" in line]) == 1


@pytest.mark.rule("C54")
async def test_reset_does_not_reveal_whether_an_account_exists(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    await api.post("/api/auth/forgot", {"email": EMAIL})
    body = {"code": wrong(codes(EMAIL)), "password": OTHER_PASSWORD}
    known, unknown = [
        await api.request("POST", "/api/auth/reset", json={**body, "email": email}, expect=422)
        for email in (EMAIL, "nobody@example.com")
    ]
    assert observable(known) == observable(unknown)
    assert known.json() == ["code_invalid"]


@pytest.mark.rule("C57")
async def test_a_reset_changes_the_password_and_ends_all_sessions(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    devices = [await Device.sign_in(api) for _ in range(2)]
    await api.post("/api/auth/forgot", {"email": EMAIL})
    assert await reset(api, codes(EMAIL)) == {"status": "password_changed"}
    for device in devices:
        await device.is_over()
    await refuse_sign_in(api)
    await Device.sign_in(api, password=OTHER_PASSWORD)
    assert await reset(api, codes(EMAIL), expect=422) == ["code_invalid"]


async def test_reset_and_confirmation_codes_are_not_interchangeable(api: Api, codes: Codes) -> None:
    await sign_up(api)
    confirmation = codes(EMAIL)
    assert await reset(api, confirmation, expect=422) == ["code_invalid"]
    await confirm(api, confirmation)
    await api.post("/api/auth/forgot", {"email": EMAIL})
    assert await confirm(api, codes(EMAIL), expect=422) == ["code_invalid"]


async def test_five_wrong_attempts_invalidate_a_reset_code(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    await api.post("/api/auth/forgot", {"email": EMAIL})
    code = codes(EMAIL)
    for _ in range(5):
        assert await reset(api, wrong(code), expect=422) == ["code_invalid"]
    assert await reset(api, code, expect=422) == ["code_invalid"]
    await Device.sign_in(api)


async def test_an_expired_reset_code_is_rejected(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    await api.post("/api/auth/forgot", {"email": EMAIL})
    await database.execute("UPDATE password_resets SET expires_at = now()")
    assert await reset(api, codes(EMAIL), expect=422) == ["code_invalid"]


async def test_exactly_one_of_simultaneous_resets_succeeds(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    await api.post("/api/auth/forgot", {"email": EMAIL})
    passwords = [f"password of try {number}" for number in range(3)]
    body = {"email": EMAIL, "code": codes(EMAIL)}
    responses = await asyncio.gather(
        *(api.http.post("/api/auth/reset", json={**body, "password": one}) for one in passwords)
    )
    assert sorted(response.status_code for response in responses) == [200, 422, 422]


async def test_only_the_right_password_reveals_that_an_address_is_unconfirmed(
    api: Api, codes: Codes
) -> None:
    await sign_up(api)
    for login in (EMAIL, "worf"):
        right = await refuse_sign_in(api, expect=403, email=login)
        assert right.json() == ["email_unconfirmed"]
        wrong_one = await refuse_sign_in(api, OTHER_PASSWORD, email=login)
        assert wrong_one.json() == ["credentials_invalid"]


async def test_a_failed_sign_in_is_identical_for_known_and_unknown_logins(
    api: Api, codes: Codes
) -> None:
    await open_account(api, codes)
    logins = (EMAIL, "worf", "nobody@example.com", "nobody", "' OR true --", "%", "İ")
    responses = [await refuse_sign_in(api, OTHER_PASSWORD, email=login) for login in logins]
    assert responses[0].json() == ["credentials_invalid"]
    assert len({str(observable(response)) for response in responses}) == 1
    assert "set-cookie" not in responses[0].headers


@pytest.mark.rule("C55")
@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "9 letters",
        "1234567890",
        "Password123",
        "aaaaaaaaaaaa",
        "worf@example.com",
        "WORF@EXAMPLE.COM",
        "the_klingon",
        "The_Klingon",
        "Worf Son of Mogh",
        "with a NUL\x00 in it",
        None,
        1234567890123,
    ],
)
async def test_a_weak_password_is_rejected(
    api: Api, database: asyncpg.Connection, password: Any
) -> None:
    changes = {"handle": "the_klingon", "display_name": "Worf son of Mogh"}
    refusal = await sign_up(api, password=password, expect=422, **changes)
    assert refusal == ["password_too_weak"]
    assert await count_rows(database, "signups") == 0


@pytest.mark.rule("C55")
@pytest.mark.parametrize(
    ("password", "typed"),
    [
        ("Café für Møgh", "Cafe\N{COMBINING ACUTE ACCENT} fu\N{COMBINING DIAERESIS}r Møgh"),
        ("Cafe\N{COMBINING ACUTE ACCENT} au lait", "Café au lait"),
        ("today is a good day", "today\N{NO-BREAK SPACE}is\N{IDEOGRAPHIC SPACE}a good day"),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af 12345678", "한글 12345678"),
    ],
)
async def test_a_password_matches_in_every_form_of_its_characters(
    api: Api, codes: Codes, password: str, typed: str
) -> None:
    await open_account(api, codes, password=password)
    for form in (password, typed):
        await api.post("/api/auth/signin", {"email": EMAIL, "password": form})
    for other in (f"{typed} ", typed.replace("1", "\N{FULLWIDTH DIGIT ONE}").upper() + "A"):
        await refuse_sign_in(api, other)
    device = await Device.sign_in(api, password=typed)
    change = {"current_password": typed, "password": typed[::-1] + "e\N{COMBINING ACUTE ACCENT}"}
    await device.put("/api/auth/password", change)
    await api.post("/api/auth/signin", {"email": EMAIL, "password": change["password"]})


@pytest.mark.parametrize("stored", ["Cafe\N{COMBINING ACUTE ACCENT} au lait", "I ❤️ targs"])
async def test_a_password_from_before_passwords_were_prepared_still_matches(
    api: Api, codes: Codes, database: asyncpg.Connection, stored: str
) -> None:
    await open_account(api, codes)
    await database.execute("UPDATE accounts SET password_hash = $1", QUICK_HASHER.hash(stored))
    await api.post("/api/auth/signin", {"email": EMAIL, "password": stored})


@pytest.mark.rule("C55")
@pytest.mark.parametrize("character", ["\t", "\x7f", "\u200b", "\ufe0f", "\ufdd0", "\U000e0041"])
async def test_a_password_with_a_disallowed_character_is_rejected(
    api: Api, codes: Codes, character: str
) -> None:
    password = f"glory to {character} the empire"
    assert await sign_up(api, password=password, expect=422) == ["password_invalid"]
    await open_account(api, codes)
    await api.post("/api/auth/forgot", {"email": EMAIL})
    assert await reset(api, codes(EMAIL), password, expect=422) == ["password_invalid"]
    device = await Device.sign_in(api)
    body = {"current_password": PASSWORD, "password": password}
    assert await device.put("/api/auth/password", body, expect=422) == ["password_invalid"]


async def test_a_very_long_password_is_rejected_without_hashing(api: Api) -> None:
    refusal = await sign_up(api, password="long " * 100, expect=422)
    assert refusal == ["password_exceed_max_chars"]


async def test_reset_and_change_reject_weak_passwords_too(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    device = await Device.sign_in(api)
    await api.post("/api/auth/forgot", {"email": EMAIL})
    assert await reset(api, codes(EMAIL), "password123", expect=422) == ["password_too_weak"]
    body = {"current_password": PASSWORD, "password": "password123"}
    refusal = await device.put("/api/auth/password", body, expect=422)
    assert refusal == ["password_too_weak"]


@pytest.mark.rule("C47")
@pytest.mark.parametrize(
    "handle",
    ["", "w", "w" * 31, "Worf", "@worf", "wörf", "wo rf", "wo-rf", "worf\n", "worf\x00", None, 7],
)
async def test_an_invalid_handle_is_rejected(
    api: Api, database: asyncpg.Connection, handle: Any
) -> None:
    assert await sign_up(api, handle=handle, expect=422) == ["handle_invalid"]
    assert await count_rows(database, "signups") == 0


@pytest.mark.parametrize("handle", ["wo", "w" * 30, "_0", "007"])
async def test_a_handle_of_minimum_or_maximum_length_is_accepted(api: Api, handle: str) -> None:
    await sign_up(api, handle=handle)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "worf",
        "worf@",
        "@example.com",
        "worf@example",
        "worf@@example.com",
        "wo rf@example.com",
        "worf@example.com\n",
        "worf@example.com\x00",
        "jadzia,worf@example.com",
        "<worf@example.com>",
        'worf"@example.com',
        "=?utf-8?q?worf?=@example.com",
        "worf\x01@example.com",
        "w" * 250 + "@example.com",
        "İ" * 240 + "@example.com",
        None,
        ["worf@example.com"],
    ],
)
async def test_an_invalid_address_is_rejected(
    api: Api, database: asyncpg.Connection, email: Any
) -> None:
    assert await sign_up(api, email=email, expect=422) == ["email_invalid"]
    assert await count_rows(database, "signups") == 0


@pytest.mark.parametrize(
    "email", ["a@b.c", "w+tag@example.co.uk", "wörf@exämple.com", "w" * 242 + "@example.com"]
)
async def test_an_unusual_address_is_accepted(api: Api, email: str, codes: Codes) -> None:
    await open_account(api, codes, email=email)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "display_name_blank"),
        (" \u200b\t", "display_name_blank"),
        (None, "display_name_blank"),
        ("🖖" * 51, "display_name_exceed_max_chars"),
        ("Wo\x00rf", "display_name_invalid"),
    ],
)
async def test_an_invalid_display_name_is_rejected(api: Api, name: Any, code: str) -> None:
    assert await sign_up(api, display_name=name, expect=422) == [code]


@pytest.mark.parametrize("name", ["W", "🖖" * 50])
async def test_the_length_of_a_display_name_counts_code_points(
    api: Api, codes: Codes, name: str
) -> None:
    await open_account(api, codes, display_name=name)
    assert (await Device.sign_in(api)).body["user"]["display_name"] == name


@pytest.mark.rule("C60")
async def test_attempts_on_one_account_are_limited_across_client_addresses(
    start: Start, settings: Settings, codes: Codes
) -> None:
    application = create_app(replace(settings, account_attempts=1))
    async with serving(application) as api:
        await open_account(api, codes)
        for number in range(10):  # ten times the limit of one client
            async with visiting(application, address=f"10.0.0.{number}") as attacker:
                await refuse_sign_in(attacker, OTHER_PASSWORD, email=EMAIL.upper())
        limited = await refuse_sign_in(api, expect=429)
        assert limited.json() == ["rate_limited"]
        assert 0 < int(limited.headers["retry-after"]) <= 900
        await refuse_sign_in(api, email="somebody@else.example")


async def test_attempts_from_one_client_address_are_limited_across_accounts(
    settings: Settings, codes: Codes
) -> None:
    application = create_app(replace(settings, address_attempts=3))
    async with serving(application) as api:
        await open_account(api, codes)
        for number in range(3):
            await refuse_sign_in(api, email=f"guess{number}@example.com")
        await refuse_sign_in(api, expect=429)
        async with visiting(application, address="10.0.0.1") as elsewhere:
            await Device.sign_in(elsewhere)


async def test_a_header_does_not_change_the_client_address(start: Start) -> None:
    api = await start(address_attempts=1)
    await refuse_sign_in(api, email="one@example.com")
    body = {"email": "two@example.com", "password": PASSWORD}
    headers = {"X-Forwarded-For": "10.9.9.9", "Forwarded": "for=10.9.9.9"}
    await api.post("/api/auth/signin", body, headers=headers, expect=429)


async def test_behind_a_trusted_proxy_the_client_address_is_the_forwarded_one(start: Start) -> None:
    api = await start(address_attempts=1, trusted_hops=1)
    for number in range(2):
        body = {"email": f"guess{number}@example.com", "password": PASSWORD}
        headers = {"X-Forwarded-For": f"1.1.1.1, 10.9.9.{number}"}
        await api.post("/api/auth/signin", body, headers=headers, expect=401)
        await api.post("/api/auth/signin", body, headers=headers, expect=429)


@pytest.mark.rule("C60")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/auth/signup", draft()),
        ("/api/auth/confirm", {"email": EMAIL, "code": "000000"}),
        ("/api/auth/resend", {"email": EMAIL}),
        ("/api/auth/signin", {"email": EMAIL, "password": PASSWORD}),
        ("/api/auth/forgot", {"email": EMAIL}),
        ("/api/auth/reset", {"email": EMAIL, "code": "000000", "password": PASSWORD}),
    ],
)
async def test_every_account_route_is_limited(start: Start, path: str, body: Any) -> None:
    api = await start(account_attempts=1)
    assert (await api.http.post(path, json=body)).status_code != 429
    assert await api.post(path, body, expect=429) == ["rate_limited"]


async def test_guesses_at_the_current_password_are_limited(start: Start, codes: Codes) -> None:
    api = await start(account_attempts=1)
    await open_account(api, codes)
    device = await Device.sign_in(api)
    body = {"current_password": "not the right one", "password": OTHER_PASSWORD}
    await device.put("/api/auth/password", body, expect=401)
    await device.put("/api/auth/password", body, expect=429)
    await device.delete("/api/auth/me", {"password": PASSWORD}, expect=429)


async def test_a_success_resets_the_attempts(start: Start, codes: Codes) -> None:
    api = await start(account_attempts=2)
    await open_account(api, codes)
    await refuse_sign_in(api, OTHER_PASSWORD)
    for _ in range(3):
        await Device.sign_in(api)
    await refuse_sign_in(api, OTHER_PASSWORD)
    await refuse_sign_in(api, expect=429)


async def test_a_limit_ends_with_its_window(
    start: Start, codes: Codes, database: asyncpg.Connection
) -> None:
    api = await start(account_attempts=1)
    await open_account(api, codes)
    await refuse_sign_in(api, OTHER_PASSWORD)
    await refuse_sign_in(api, expect=429)
    await database.execute("UPDATE throttles SET resets_at = now()")
    await Device.sign_in(api)


async def test_replicas_share_the_attempt_counters(start: Start) -> None:
    one, two = await start(account_attempts=2), await start(account_attempts=2)
    await refuse_sign_in(one)
    await refuse_sign_in(two)
    await refuse_sign_in(one, expect=429)
    await refuse_sign_in(two, expect=429)


async def test_simultaneous_attempts_are_all_counted(start: Start) -> None:
    api = await start(account_attempts=3)
    body = {"email": EMAIL, "password": PASSWORD}
    responses = await asyncio.gather(
        *(api.http.post("/api/auth/signin", json=body) for _ in range(6))
    )
    assert sorted(response.status_code for response in responses) == [401] * 3 + [429] * 3


@pytest.mark.rule("C58")
async def test_sessions_are_listed_and_the_current_one_is_marked(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    phone = await Device.sign_in(api, agent="Phone")
    laptop = await Device.sign_in(api, agent="L" * 300)
    listed = await phone.get("/api/auth/sessions")
    assert [(one["device"], one["current"]) for one in listed] == [
        ("L" * 200, False),
        ("Phone", True),
    ]
    assert {one["address"] for one in listed} == {"127.0.0.1"}
    assert all(one["created_at"] <= one["used_at"] for one in listed)
    await phone.refresh()
    assert [one["device"] for one in await laptop.get("/api/auth/sessions")] == ["Phone", "L" * 200]


async def test_a_token_without_a_session_id_finds_the_current_session_by_its_cookie(
    start: Start, codes: Codes
) -> None:
    api = await start(demo_handle="worf")
    await open_account(api, codes)
    await Device.sign_in(api)
    device = await Device.sign_in(api)
    listed = await api.get("/api/auth/sessions", headers=device.cookie)
    assert [one["current"] for one in listed] == [True, False]
    without = await api.get("/api/auth/sessions")
    assert [one["current"] for one in without] == [False, False]


@pytest.mark.rule("C58")
async def test_an_ended_session_is_over_and_the_others_are_listed(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    phone = await Device.sign_in(api, agent="Phone")
    laptop = await Device.sign_in(api, agent="Laptop")
    lost = [one for one in await laptop.get("/api/auth/sessions") if not one["current"]]
    left = await laptop.delete(f"/api/auth/sessions/{lost[0]['uuid']}")
    assert [one["device"] for one in left] == ["Laptop"]
    await phone.is_over()
    await laptop.get("/api/auth/me")


async def test_a_member_cannot_end_the_session_of_another_member(
    api: Api, codes: Codes, andrew: Member, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    device = await Device.sign_in(api)
    [session] = await device.get("/api/auth/sessions")
    for uuid in (session["uuid"], uuid4()):
        refusal = await andrew.delete(f"/api/auth/sessions/{uuid}", expect=404)
        assert refusal == ["not_found"]
    await device.get("/api/auth/me")


@pytest.mark.rule("C57")
async def test_a_password_change_ends_all_other_sessions(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    other = await Device.sign_in(api)
    device = await Device.sign_in(api)
    body = {"current_password": PASSWORD, "password": OTHER_PASSWORD}
    assert await device.put("/api/auth/password", body) == {"status": "password_changed"}
    await other.is_over()
    await device.get("/api/auth/me")
    await device.refresh()
    await refuse_sign_in(api)
    await Device.sign_in(api, password=OTHER_PASSWORD)


async def test_a_wrong_current_password_changes_nothing(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    other = await Device.sign_in(api)
    device = await Device.sign_in(api)
    body = {"current_password": "not the right one", "password": OTHER_PASSWORD}
    assert await device.put("/api/auth/password", body, expect=401) == ["credentials_invalid"]
    refusal = await device.delete("/api/auth/me", {"password": OTHER_PASSWORD}, expect=401)
    assert refusal == ["credentials_invalid"]
    await other.get("/api/auth/me")
    await Device.sign_in(api)


@pytest.mark.rule("C59")
async def test_deleting_an_account_removes_all_its_rows(
    api: Api, codes: Codes, database: asyncpg.Connection, andrew: Member
) -> None:
    await open_account(api, codes)
    device = await Device.sign_in(api)
    worf = Member(api.http, device.headers, uuid=UUID(device.body["user"]["uuid"]), handle="worf")
    kept = await andrew.crud("Kept, with @worf in it")
    doomed = await worf.crud("Doomed, with @andrewbrown in it")
    await andrew.reply(doomed["uuid"])
    await worf.reply(kept["uuid"])
    for verb in ("like", "repost"):
        await worf.put(f"/api/activities/{kept['uuid']}/{verb}")
        await andrew.put(f"/api/activities/{doomed['uuid']}/{verb}")
    await worf.message("andrewbrown")
    await andrew.message("worf")

    response = await device.request(
        "DELETE", "/api/auth/me", json={"password": PASSWORD}, headers=device.cookie
    )
    assert response.json() == {"status": "deleted"}
    assert cookie_of(response).value == ""

    await device.is_over()
    [left] = await andrew.get("/api/activities/home")
    assert left["uuid"] == kept["uuid"]
    assert (left["likes_count"], left["reposts_count"], left["replies_count"]) == (0, 0, 0)
    assert await andrew.get("/api/message_groups") == []
    assert await andrew.get("/api/activities/notifications") == []
    await api.get("/api/users/@worf/short", expect=404)
    await api.get("/api/activities/@worf", expect=404)
    assert await count_rows(database, "users") == 1
    for table in ("accounts", "likes", "reposts", "messages", "message_groups", "notifications"):
        assert await count_rows(database, table) == 0, table
    assert await count_rows(database, "sessions") == 1  # Andrew's
    assert await count_rows(database, "activities") == 1


async def test_the_address_and_handle_of_a_deleted_account_are_free(api: Api, codes: Codes) -> None:
    await open_account(api, codes)
    device = await Device.sign_in(api)
    await device.delete("/api/auth/me", {"password": PASSWORD})
    await refuse_sign_in(api)
    await open_account(api, codes, password=OTHER_PASSWORD)
    again = await Device.sign_in(api, password=OTHER_PASSWORD)
    assert again.body["user"]["uuid"] != device.body["user"]["uuid"]
    await device.get("/api/auth/me", expect=401)


async def test_the_database_stores_no_plain_password_code_or_token(
    api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await sign_up(api, email="pending@example.com", handle="pending")
    await open_account(api, codes)
    device = await Device.sign_in(api)
    await api.post("/api/auth/forgot", {"email": EMAIL})
    secrets = [PASSWORD, device.refresh_token, codes(EMAIL), codes("pending@example.com")]
    for table in ("users", "accounts", "signups", "password_resets", "sessions", "refresh_tokens"):
        kept = str(await database.fetch(f"SELECT to_jsonb(t) - 'uuid' FROM {table} AS t"))
        assert not [one for one in secrets if one.encode().hex() in kept or f'"{one}"' in kept]


class Mailbox:
    """A real SMTP server on an ephemeral port that keeps the messages it receives."""

    def __init__(self, reply: str = "250 OK") -> None:
        self.reply = reply
        self.mails: asyncio.Queue[Envelope] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    async def handle_DATA(self, *call: Any) -> str:  # the name that aiosmtpd requires
        _, _, envelope = call
        self._loop.call_soon_threadsafe(self.mails.put_nowait, envelope)
        return self.reply

    async def received(self) -> Envelope:
        return await asyncio.wait_for(self.mails.get(), PATIENCE)


class EphemeralController(Controller):
    """An aiosmtpd controller that reads its port from the socket."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def deliver_to(mailbox: Mailbox) -> EphemeralController:
    controller = EphemeralController(mailbox, hostname="127.0.0.1", port=0)
    controller.start()
    return controller


async def test_with_smtp_codes_are_mailed_and_not_logged(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = Mailbox()
    controller = deliver_to(mailbox)
    try:
        api = await start(smtp_url=f"smtp://127.0.0.1:{controller.port}", mail_from="C <c@c.org>")
        with caplog.at_level("DEBUG", logger="cruddur"):
            await sign_up(api)
            mail = await mailbox.received()
            text = bytes(mail.content).decode()
            code = text.partition("code is ")[2][:6]
            await confirm(api, code)
            await sign_up(api, handle="mogh")
            hint = await mailbox.received()
            await api.post("/api/auth/forgot", {"email": EMAIL})
            second = await mailbox.received()
        reset_code = bytes(second.content).decode().partition("password is ")[2][:6]
        await reset(api, reset_code)
    finally:
        controller.stop()
    assert mail.mail_from == "c@c.org"
    assert mail.rcpt_tos == hint.rcpt_tos == second.rcpt_tos == [EMAIL]
    assert "Subject: Your Cruddur confirmation code" in text
    assert "already" in bytes(hint.content).decode()
    assert "code is" not in bytes(hint.content).decode()
    assert code not in caplog.text
    assert reset_code not in caplog.text
    assert EMAIL not in caplog.text


async def test_a_mail_server_that_rejects_mail_fails_no_request(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = Mailbox(reply="554 no")
    controller = deliver_to(mailbox)
    try:
        api = await start(smtp_url=f"smtp://127.0.0.1:{controller.port}")
        await sign_up(api)
        await mailbox.received()
        async with asyncio.timeout(PATIENCE):
            while "mail was not accepted" not in caplog.text:  # noqa: ASYNC110  # a log line
                await asyncio.sleep(0.01)
    finally:
        controller.stop()
    assert "code is" not in caplog.text


async def test_an_unreachable_mail_server_fails_no_request(start: Start) -> None:
    api = await start(smtp_url="smtp://127.0.0.1:1")
    assert await sign_up(api) == {"status": "confirmation_sent"}


async def test_a_hanging_mail_server_delays_no_request(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cruddur.identity.mail.SMTP_TIMEOUT", 3600)
    connected, released = asyncio.Event(), asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await released.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        application = create_app(replace(settings, smtp_url=f"smtp://127.0.0.1:{port}"))
        async with application.test_app(), visiting(application) as api:
            async with asyncio.timeout(PATIENCE):
                await sign_up(api)
                await connected.wait()
            released.set()


# --- All errors at once ---------------------------------------------------------------


@pytest.mark.rule("C69")
@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        (
            {"email": "no", "password": "short", "handle": "W!", "display_name": " "},
            ["email_invalid", "password_too_weak", "handle_invalid", "display_name_blank"],
        ),
        ({"email": "no", "handle": "andrewbrown"}, ["email_invalid", "handle_taken"]),
        ({"display_name": "", "password": "password123"},
         ["display_name_blank", "password_too_weak"]),
        ({"password": "password123", "handle": "andrewbrown"},
         ["password_too_weak", "handle_taken"]),
        ({"password": "x", "handle": "reserved"}, ["password_too_weak", "handle_taken"]),
        ({"password": "andrewbrown", "handle": "andrewbrown", "email": 1},
         ["email_invalid", "password_too_weak", "handle_taken"]),
    ],
)  # fmt: skip
async def test_a_sign_up_reports_all_errors_at_once(
    api: Api, andrew: Member, changes: dict[str, Any], codes: list[str]
) -> None:
    await sign_up(api, email="first@example.com", handle="reserved")
    assert await sign_up(api, expect=422, **changes) == codes


@pytest.mark.rule("C69")
async def test_a_sign_up_without_fields_reports_each(api: Api) -> None:
    assert await api.post("/api/auth/signup", {}, expect=422) == [
        "email_invalid",
        "password_too_weak",
        "handle_invalid",
        "display_name_blank",
    ]


@pytest.mark.rule("C69")
async def test_the_other_account_forms_report_all_errors_at_once(api: Api, andrew: Member) -> None:
    for path, body, codes in (
        ("confirm", {"email": "no", "code": "1"}, ["email_invalid", "code_invalid"]),
        ("signin", {"email": "", "password": ""}, ["email_blank", "password_blank"]),
        ("reset", {"email": "no", "code": "1", "password": "password123"},
         ["email_invalid", "code_invalid", "password_too_weak"]),
    ):  # fmt: skip
        assert await api.post(f"/api/auth/{path}", body, expect=422) == codes
    weak = {"current_password": "", "password": "password123"}
    assert await andrew.put("/api/auth/password", weak, expect=422) == [
        "current_password_blank",
        "password_too_weak",
    ]


async def test_one_s_own_reserved_handle_is_not_taken(api: Api) -> None:
    await sign_up(api)
    assert await sign_up(api, password="short", expect=422) == ["password_too_weak"]


# --- Where codes arrive ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "channel"),
    [
        ({}, "terminal"),
        ({"bind": "unix:/run/cruddur.sock"}, "terminal"),
        ({"smtp_url": "smtp://localhost:1"}, "mail"),
        ({"bind": "0.0.0.0"}, "mail"),
        ({"bind": "127.0.0.1,192.0.2.1"}, "mail"),
        ({"bind": "0.0.0.0", "published_on": "loopback"}, "terminal"),
        ({"bind": "0.0.0.0", "published_on": "loopback", "environment": "production"}, "mail"),
        ({"trusted_hops": 1}, "mail"),
    ],
)
async def test_codes_arrive_in_the_terminal_only_without_mail_and_on_loopback(
    start: Start, changes: dict[str, Any], channel: str
) -> None:
    api = await start(**changes)
    assert await api.get("/api/auth/code-delivery") == {"channel": channel}
