"""The second factor of local accounts: enrolment, sign-in, replay, recovery codes, removal."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from quart import Quart

from accounts import EMAIL, HANDLE, PASSWORD, SIGN_IN, WRONG, Codes, open_account, sign_in
from cruddur.identity import second_factors as identity
from moderators import CASES, appoint, decide, report
from support import Api, Member

pytestmark = pytest.mark.usefixtures("quick_passwords")

PATH = "/api/auth/second-factor"
START = 1_800_000_000


@dataclass
class Clock:
    """The clock of the codes, which only a test advances; `now` is in seconds."""

    now: float = START


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(identity, "now", lambda: made.now)
    return made


@dataclass(frozen=True)
class App:
    """An authenticator app, by RFC 6238, with the clock of the service."""

    secret: bytes
    clock: Clock

    def code(self, steps: int = 0) -> str:
        """Return the code of the present, or of some steps later."""
        counter = int(self.clock.now) // 30 + steps
        return HOTP(self.secret, 6, SHA1()).generate(counter).decode()


@dataclass(frozen=True)
class Account:
    """An account with a second factor, signed in on one device."""

    me: Api
    app: App
    recovery_codes: list[str]


async def enter(api: Api, **other: str) -> Any:
    """Sign in and return the access token's header."""
    body = {"email": EMAIL, "password": PASSWORD, **other}
    token = (await api.post(SIGN_IN, body))["access_token"]
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def me(api: Api, codes: Codes) -> Api:
    """A signed-in user with a local account."""
    await open_account(api, codes)
    return Api(api.http, await enter(api))


@pytest.fixture
async def account(me: Api, clock: Clock) -> Account:
    """An account whose second factor is on."""
    secret = (await me.post(PATH, {"password": PASSWORD}))["secret"]
    app = App(base64.b32decode(secret), clock)
    confirmed = await me.put(PATH, {"code": app.code()})
    clock.now += 30
    return Account(me, app, confirmed["recovery_codes"])


@pytest.mark.rule("C116")
async def test_a_second_factor_is_on_once_a_code_has_been_entered(
    me: Api, api: Api, clock: Clock
) -> None:
    off = {"status": "off", "recovery_codes_left": 0}
    assert await me.get(PATH) == off
    assert await me.put(PATH, {"code": "123456"}, expect=404) == ["not_found"]
    assert await me.post(PATH, {"password": WRONG}, expect=401) == ["credentials_invalid"]
    first = await me.post(PATH, {"password": PASSWORD})
    begun = await me.post(PATH, {"password": PASSWORD})
    assert begun["secret"] != first["secret"]
    uri = urlsplit(begun["uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", f"/Cruddur:{HANDLE}")
    assert parse_qs(uri.query) == {
        "secret": [begun["secret"]],
        "issuer": ["Cruddur"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
    assert await me.get(PATH) == off
    await enter(api)  # sign-ins do not ask for a code yet
    old = App(base64.b32decode(first["secret"]), clock)
    app = App(base64.b32decode(begun["secret"]), clock)
    assert await me.put(PATH, {"code": old.code()}, expect=422) == ["code_invalid"]
    code = app.code()
    codes = (await me.put(PATH, {"code": f"{code[:3]} {code[3:]}"}))["recovery_codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", one) for one in codes)
    assert await me.get(PATH) == {"status": "on", "recovery_codes_left": 10}
    for method, body in (("POST", {"password": PASSWORD}), ("PUT", {"code": app.code(1)})):
        response = await me.request(method, PATH, json=body, expect=422)
        assert response.json() == ["second_factor_on"]


@pytest.mark.rule("C117")
async def test_a_sign_in_needs_the_password_and_a_code(account: Account, api: Api) -> None:
    response = await sign_in(api, expect=403)
    assert response.json() == ["code_required"]
    assert "set-cookie" not in response.headers
    body = {"email": HANDLE, "password": PASSWORD, "code": "000000"}
    if account.app.code() == "000000":
        body["code"] = "000001"
    assert await api.post(SIGN_IN, body, expect=422) == ["code_invalid"]
    refusal = await api.post(SIGN_IN, {**body, "password": WRONG}, expect=401)
    assert refusal == ["credentials_invalid"]
    assert await sign_in(api, WRONG, expect=401)  # a wrong password does not show the factor
    entered = await api.post(SIGN_IN, {**body, "code": account.app.code()})
    assert entered["user"]["handle"] == HANDLE
    sessions = await account.me.get("/api/auth/sessions")
    assert [session["method"] for session in sessions] == ["password_and_code", "password"]


@pytest.mark.rule("C118")
async def test_a_code_works_once(account: Account, api: Api, clock: Clock) -> None:
    code = account.app.code()
    await enter(api, code=code)
    body = {"email": EMAIL, "password": PASSWORD, "code": code}
    assert await api.post(SIGN_IN, body, expect=422) == ["code_invalid"]
    earlier = account.app.code(-1)  # valid at this time, but an older one than the last
    assert await api.post(SIGN_IN, {**body, "code": earlier}, expect=422) == ["code_invalid"]
    clock.now += 30
    assert await api.post(SIGN_IN, body, expect=422) == ["code_invalid"]
    await enter(api, code=account.app.code())


@pytest.mark.rule("C118")
@pytest.mark.parametrize(("steps", "is_valid"), [(-2, False), (-1, True), (1, True), (2, False)])
async def test_the_clock_of_the_app_may_differ_by_one_step(
    account: Account, api: Api, clock: Clock, steps: int, is_valid: bool
) -> None:
    clock.now += 300
    code = account.app.code(steps)
    assert code != account.app.code()
    body = {"email": EMAIL, "password": PASSWORD, "code": code}
    await api.post(SIGN_IN, body, expect=200 if is_valid else 422)


@pytest.mark.rule("C119")
async def test_a_recovery_code_works_once_and_is_stored_as_a_digest(
    account: Account, api: Api, database: asyncpg.Connection
) -> None:
    stored = {row["code_hash"] for row in await database.fetch("SELECT * FROM recovery_codes")}
    assert stored == {
        hashlib.sha256(code.replace("-", "").encode()).digest() for code in account.recovery_codes
    }
    first, second, *_ = account.recovery_codes
    await enter(api, code=first)
    body = {"email": EMAIL, "password": PASSWORD, "code": first}
    assert await api.post(SIGN_IN, body, expect=422) == ["code_invalid"]
    await enter(api, code=second.replace("-", " ").upper())
    assert await account.me.get(PATH) == {"status": "on", "recovery_codes_left": 8}


@pytest.mark.rule("C119")
@pytest.mark.parametrize("proof", ["password", "code of the app", "recovery code"])
async def test_a_second_factor_is_turned_off_with_a_proof(
    account: Account, api: Api, database: asyncpg.Connection, proof: str
) -> None:
    await enter(api, code=account.recovery_codes[0])
    proofs = {
        "password": ({"password": WRONG}, {"password": PASSWORD}),
        "code of the app": ({"code": account.app.code(5)}, {"code": account.app.code()}),
        "recovery code": ({"code": "a" * 16}, {"code": account.recovery_codes[1]}),
    }
    wrong, right = proofs[proof]
    await account.me.delete(PATH, {}, expect=422)
    await account.me.delete(PATH, wrong, expect=401 if "password" in wrong else 422)
    assert (await account.me.get(PATH))["status"] == "on"
    off = {"status": "off", "recovery_codes_left": 0}
    assert await account.me.delete(PATH, right) == off
    assert await account.me.get(PATH) == off
    assert await account.me.delete(PATH, {"password": PASSWORD}, expect=404) == ["not_found"]
    assert len(await account.me.get("/api/auth/sessions")) == 2  # all stay
    assert await database.fetchval("SELECT count(*) FROM recovery_codes") == 0
    await enter(api)


async def test_attempts_at_codes_count_like_those_at_passwords(
    account: Account, api: Api, app: Quart
) -> None:
    limit = app.extensions["cruddur"].settings.account_attempts
    body = {"email": EMAIL, "password": PASSWORD, "code": account.app.code(9)}
    stranger = Api(api.http, {"Cookie": ""})
    api.http.cookies.clear()
    for _ in range(limit):
        await stranger.post(SIGN_IN, body, expect=422)
    right = {**body, "code": account.app.code()}
    assert await stranger.post(SIGN_IN, right, expect=429) == ["rate_limited"]


async def test_asking_for_the_code_does_not_use_up_attempts(
    account: Account, api: Api, app: Quart
) -> None:
    limit = app.extensions["cruddur"].settings.account_attempts
    for _ in range(limit + 1):
        await sign_in(api, expect=403)
    await enter(api, code=account.app.code())


async def test_the_secret_is_encrypted(account: Account, database: asyncpg.Connection) -> None:
    sealed = await database.fetchval("SELECT sealed_secret FROM second_factors")
    assert account.app.secret not in sealed
    assert base64.b32encode(account.app.secret) not in sealed


async def test_a_reset_of_the_password_keeps_the_second_factor(
    account: Account, api: Api, codes: Callable[[str], str]
) -> None:
    await api.post("/api/auth/forgot", {"email": EMAIL})
    new = "glory to the empire"
    await api.post("/api/auth/reset", {"email": EMAIL, "code": codes(EMAIL), "password": new})
    assert (await sign_in(api, new, expect=403)).json() == ["code_required"]
    await api.post(SIGN_IN, {"email": EMAIL, "password": new, "code": account.app.code()})


async def test_without_a_local_account_there_is_no_second_factor(andrew: Member) -> None:
    """As for a user of a Cognito pool: the pool has its own."""
    assert (await andrew.get(PATH))["status"] == "unavailable"
    assert await andrew.post(PATH, {"password": "x"}, expect=401) == ["credentials_invalid"]


@pytest.mark.rule("C127", "C160")
async def test_a_suspended_member_proves_the_second_factor_once(
    account: Account, api: Api, member: Any, database: asyncpg.Connection
) -> None:
    """The sign-in that was rejected has used up the code."""
    uuid = (await account.me.get("/api/auth/me"))["uuid"]
    moderator = await appoint(database, await member("moderator"))
    await report(await member("reporter"), "profile", uuid)
    await decide(moderator, (await moderator.get(CASES))[0]["uuid"], "ban")
    credentials = {"email": EMAIL, "password": PASSWORD}
    api.http.cookies.clear()
    wrong = {**credentials, "code": "000000" if account.app.code() != "000000" else "000001"}
    assert await api.post(SIGN_IN, credentials, expect=403) == ["code_required"]
    assert await api.post(SIGN_IN, wrong, expect=422) == ["code_invalid"]
    await api.get("/api/auth/suspension", expect=401)
    with_code = {**credentials, "code": account.app.code()}
    assert await api.post(SIGN_IN, with_code, expect=403) == ["account_suspended"]
    notice = await api.get("/api/auth/suspension")
    assert notice["reason"] == "You know the rules"
    await api.post(f"/api/notices/{notice['uuid']}/appeal", {"words": "I do not"})
    archive = await api.request("GET", "/api/auth/export")
    assert archive.content.startswith(b"PK")


@pytest.mark.rule("C146")
async def test_a_change_of_the_address_needs_a_code(account: Account, clock: Clock) -> None:
    draft = {"email": "new@example.com", "password": PASSWORD}
    assert await account.me.post("/api/auth/email", draft, expect=403) == ["code_required"]
    refused = await account.me.post("/api/auth/email", {**draft, "code": "000000"}, expect=422)
    assert refused == ["code_invalid"]
    await account.me.post("/api/auth/email", {**draft, "code": account.app.code()})
    assert (await account.me.get("/api/auth/email"))["pending"] == "new@example.com"
