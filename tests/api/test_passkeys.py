"""Passkeys: adding, listing, renaming and removing them, and both kinds of sign-ins with them."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from quart import Quart

from accounts import EMAIL, HANDLE, PASSWORD, SIGN_IN, WRONG, Codes, open_account, sign_in
from authenticator import Authenticator, decoded, encoded
from cruddur.app import create_app
from cruddur.identity import second_factors as identity
from cruddur.identity.passkeys import MAX_PASSKEYS
from cruddur.settings import Settings
from moderators import CASES
from support import Api, Member, serving

pytestmark = pytest.mark.usefixtures("quick_passwords")

PATH = "/api/auth/passkeys"
ALONE = f"{SIGN_IN}/passkey"
APP = "/api/auth/second-factor"
TOKENS = "/api/auth/tokens"
AUDIT = "/api/moderation/audit"
CREDENTIALS = {"email": EMAIL, "password": PASSWORD}

Change = Callable[[Authenticator], Any]


@pytest.fixture
async def me(api: Api, codes: Codes) -> Api:
    """A signed-in user with a local account."""
    await open_account(api, codes)
    token = (await sign_in(api)).json()["access_token"]
    return Api(api.http, {"Authorization": f"Bearer {token}"})


async def begin(me: Api) -> dict[str, Any]:
    """Ask for a challenge for a new passkey."""
    return await me.post(f"{PATH}/registration", {"password": PASSWORD})


async def add(me: Api, key: Authenticator, name: str = "Phone", expect: int = 200) -> Any:
    """Add the passkey of an authenticator."""
    begun = await begin(me)
    draft = {
        "name": name,
        "attempt": begun["attempt"],
        "credential": key.create(begun["options"]),
    }
    return await me.post(PATH, draft, expect=expect)


async def challenge(api: Api, purpose: str = "sign_in") -> dict[str, Any]:
    """Ask for a challenge for a sign-in."""
    return await api.post(f"{PATH}/challenge", {"purpose": purpose})


async def answer(
    api: Api, key: Authenticator, purpose: str = "sign_in", **other: Any
) -> dict[str, Any]:
    """Return the answer to a new challenge, or to other options."""
    asked = await challenge(api, purpose)
    return {"attempt": asked["attempt"], "credential": key.get(asked["options"], **other)}


async def enter(api: Api, key: Authenticator, expect: int = 200) -> Any:
    """Sign in with a passkey alone."""
    return await api.post(ALONE, {"passkey": await answer(api, key)}, expect=expect)


async def enter_after_password(api: Api, key: Authenticator, expect: int = 200) -> Any:
    """Sign in with the password and a passkey."""
    passkey = await answer(api, key, "second_factor")
    return await api.post(SIGN_IN, {**CREDENTIALS, "passkey": passkey}, expect=expect)


@pytest.mark.rule("C150")
async def test_a_passkey_is_added_listed_renamed_and_removed(me: Api, api: Api) -> None:
    key, other = Authenticator(), Authenticator(credential_id=b"another")
    assert await me.get(f"{PATH}/support") == {"is_available": True}
    assert await me.get(PATH) == []
    wrong = await me.post(f"{PATH}/registration", {"password": WRONG}, expect=401)
    assert wrong == ["credentials_invalid"]
    options = (await begin(me))["options"]
    assert options["rp"] == {"id": "localhost", "name": "Cruddur"}
    assert options["user"]["name"] == HANDLE
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert {"type": "public-key", "alg": -7} in options["pubKeyCredParams"]
    added = await add(me, key)
    assert len(set(added["recovery_codes"])) == 10
    assert await me.get(PATH) == [added["passkey"]]
    assert added["passkey"]["name"] == "Phone"
    assert added["passkey"]["used_at"] is None
    assert (await begin(me))["options"]["excludeCredentials"] == [
        {"type": "public-key", "id": encoded(key.credential_id)}
    ]
    assert await add(me, key, expect=422) == ["passkey_invalid"]  # it is there
    second = await add(me, other, "Key")
    assert second["recovery_codes"] == []  # those of the first one remain
    one = f"{PATH}/{second['passkey']['uuid']}"
    assert await me.put(one, {"name": "  "}, expect=422) == ["passkey_name_blank"]
    too_long = await me.put(one, {"name": "x" * 51}, expect=422)
    assert too_long == ["passkey_name_exceed_max_chars"]
    renamed = await me.put(one, {"name": "Blue key"})
    assert renamed == {**second["passkey"], "name": "Blue key"}
    await enter(api, other)
    assert [key["used_at"] is None for key in await me.get(PATH)] == [True, False]
    assert await me.delete(one, {}, expect=422) == ["password_blank"]
    assert await me.delete(one, {"password": WRONG}, expect=401) == ["credentials_invalid"]
    assert await me.delete(one, {"password": PASSWORD}) == [added["passkey"]]
    assert await me.delete(one, {"password": PASSWORD}, expect=404) == ["not_found"]
    assert await me.put(one, {"name": "Gone"}, expect=404) == ["not_found"]
    assert await enter(api, other, expect=422) == ["passkey_invalid"]
    assert len(await me.get("/api/auth/sessions")) == 2  # all stay


@pytest.mark.rule("C151")
async def test_a_sign_in_needs_the_password_and_a_passkey(me: Api, api: Api) -> None:
    key = Authenticator()
    await add(me, key)
    response = await sign_in(api, expect=403)
    assert response.json() == ["passkey_required"]
    assert "set-cookie" not in response.headers
    asked = await challenge(api, "second_factor")
    assert asked["options"]["userVerification"] == "preferred"
    passkey = await answer(api, key, "second_factor")
    wrong = {"email": EMAIL, "password": WRONG, "passkey": passkey}
    assert await api.post(SIGN_IN, wrong, expect=401) == ["credentials_invalid"]
    key.verifies = False  # the password has identified the user
    entered = await enter_after_password(api, key)
    assert entered["user"]["handle"] == HANDLE
    methods = [session["method"] for session in await me.get("/api/auth/sessions")]
    assert methods == ["password_and_passkey", "password"]


@pytest.mark.rule("C152")
async def test_a_passkey_replaces_the_password(me: Api, api: Api) -> None:
    key = Authenticator(count=None)
    await add(me, key)
    asked = await challenge(api)
    assert asked["options"]["userVerification"] == "required"
    assert asked["options"]["rpId"] == "localhost"
    assert "allowCredentials" not in asked["options"]  # it reveals no account
    for _ in range(2):  # an authenticator may have no counter
        entered = await enter(api, key)
        assert entered["user"]["handle"] == HANDLE
    refreshed = await api.post("/api/auth/refresh")  # there is a cookie
    assert refreshed["user"] == entered["user"]
    methods = [session["method"] for session in await me.get("/api/auth/sessions")]
    assert methods == ["passkey", "passkey", "password"]


REFUSALS: dict[str, tuple[Change, dict[str, Any]]] = {
    "wrong origin": (lambda key: setattr(key, "origin", "http://localhost:4568"), {}),
    "another site": (lambda key: setattr(key, "origin", "https://cruddur.example"), {}),
    "a frame of another site": (lambda key: setattr(key, "is_framed", True), {}),
    "wrong relying party": (lambda _: None, {"rpId": "cruddur.example"}),
    "another challenge": (lambda _: None, {"challenge": encoded(bytes(32))}),
    "wrong signature": (
        lambda key: setattr(key, "key", ec.generate_private_key(ec.SECP256R1())),
        {},
    ),
    "a counter that stays": (lambda key: setattr(key, "count", 4), {}),
    "a counter that goes back": (lambda key: setattr(key, "count", 1), {}),
    "a counter that is gone": (lambda key: setattr(key, "count", None), {}),
    "another user": (lambda key: setattr(key, "user_handle", encoded(bytes(16))), {}),
    "an unknown passkey": (lambda key: setattr(key, "credential_id", b"unknown"), {}),
}


@pytest.mark.rule("C151", "C152")
@pytest.mark.parametrize("purpose", ["sign_in", "second_factor"])
async def test_wrong_answers_are_rejected(
    me: Api, api: Api, database: asyncpg.Connection, purpose: str
) -> None:
    for what, (change, other) in REFUSALS.items():
        await database.execute("DELETE FROM throttles")  # more than an account may try
        key = Authenticator(count=4, credential_id=what.encode())
        added = await add(me, key)
        credentials = {} if purpose == "sign_in" else CREDENTIALS
        path = ALONE if purpose == "sign_in" else SIGN_IN
        await api.post(path, {**credentials, "passkey": await answer(api, key, purpose)})
        assert key.count == 5
        change(key)
        passkey = await answer(api, key, purpose, **other)
        refusal = await api.post(path, {**credentials, "passkey": passkey}, expect=422)
        assert (what, refusal) == (what, ["passkey_invalid"])
        await me.delete(f"{PATH}/{added['passkey']['uuid']}", {"password": PASSWORD})


@pytest.mark.rule("C152")
async def test_without_the_password_the_authenticator_verifies_its_user(me: Api, api: Api) -> None:
    key = Authenticator(verifies=False)
    await add(me, key)
    assert await enter(api, key, expect=422) == ["passkey_invalid"]
    after = await answer(api, key, "second_factor")  # asks for less
    assert await api.post(ALONE, {"passkey": after}, expect=422) == ["challenge_invalid"]
    key.verifies = True
    await enter(api, key)


@pytest.mark.rule("C153")
async def test_a_challenge_has_one_answer_in_its_time_and_attempt(
    me: Api, api: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    key = Authenticator()
    await add(me, key)

    async def sent(passkey: dict[str, Any]) -> list[str]:
        rejection: list[str] = await api.post(ALONE, {"passkey": passkey}, expect=422)
        return rejection

    used = await answer(api, key)
    await api.post(ALONE, {"passkey": used})
    assert await sent(used) == ["challenge_invalid"]
    failed = await answer(api, key)
    broken = {**failed, "credential": {**failed["credential"], "rawId": encoded(b"another")}}
    assert await sent(broken) == ["passkey_invalid"]
    assert await sent(failed) == ["challenge_invalid"]  # the attempt is over
    late = await answer(api, key)
    await database.execute("UPDATE passkey_challenges SET expires_at = now()")
    assert await sent(late) == ["challenge_invalid"]
    first, second = await answer(api, key), await answer(api, key)
    assert await sent({**first, "attempt": second["attempt"]}) == ["passkey_invalid"]
    begun = await begin(me)
    assert await sent({**first, "attempt": begun["attempt"]}) == ["challenge_invalid"]
    draft = {"name": "x", "attempt": first["attempt"], "credential": key.create(begun["options"])}
    assert await me.post(PATH, draft, expect=422) == ["challenge_invalid"]
    stored = await database.fetch("SELECT attempt_hash FROM passkey_challenges")
    assert decoded(begun["attempt"]) not in {row["attempt_hash"] for row in stored}
    again = Api(api.http, {"Authorization": f"Bearer {(await enter(api, key))['access_token']}"})
    other = Authenticator(credential_id=b"other")
    draft = {"name": "x", "attempt": begun["attempt"], "credential": other.create(begun["options"])}
    assert await again.post(PATH, draft, expect=422) == ["challenge_invalid"]  # another session
    assert (await me.post(PATH, draft))["passkey"]["name"] == "x"


@pytest.mark.rule("C150")
async def test_a_new_passkey_is_checked(me: Api) -> None:
    wrong = {
        "wrong origin": (Authenticator(origin="https://cruddur.example"), {}),
        "a frame": (Authenticator(is_framed=True), {}),
        "wrong relying party": (Authenticator(), {"rp": {"id": "cruddur.example"}}),
        "another challenge": (Authenticator(), {"challenge": encoded(bytes(32))}),
        "unknown algorithm": (Authenticator(algorithm=-65535), {}),
    }
    for what, (key, other) in wrong.items():
        begun = await begin(me)
        draft = {"name": what, "attempt": begun["attempt"]}
        draft["credential"] = key.create(begun["options"], **other)
        assert await me.post(PATH, draft, expect=422) == ["passkey_invalid"], what
    begun = await begin(me)
    draft["credential"] = Authenticator().create(begun["options"])
    for malformed in ("", "gQ" * 5000, encoded(b"\xa0"), encoded(b"\xbf" * 99), encoded(b"")):
        draft["attempt"] = (await begin(me))["attempt"]
        draft["credential"]["response"]["attestationObject"] = malformed
        assert await me.post(PATH, draft, expect=422) == ["passkey_invalid"]
    draft["credential"]["id"] = "no base64"
    assert await me.post(PATH, draft, expect=422) == ["passkey_invalid"]
    assert await me.post(PATH, {**draft, "attempt": 1}, expect=422) == [
        "challenge_invalid",
        "passkey_invalid",
    ]
    assert await me.get(PATH) == []


@pytest.mark.rule("C151", "C152")
async def test_a_passkey_of_another_member_is_no_second_factor(
    me: Api, api: Api, codes: Codes
) -> None:
    key, theirs = Authenticator(), Authenticator(credential_id=b"theirs")
    await add(me, key)
    account = {"email": "odo@example.com", "password": PASSWORD, "handle": "odo"}
    await api.post("/api/auth/signup", {**account, "display_name": "Odo"})
    code = {"email": account["email"], "code": codes(account["email"])}
    session = (await api.post("/api/auth/confirm", code))["session"]
    odo = Api(api.http, {"Authorization": f"Bearer {session['access_token']}"})
    taken = Authenticator(credential_id=key.credential_id)
    assert await add(odo, taken, expect=422) == ["passkey_invalid"]
    added = await add(odo, theirs)
    assert await enter_after_password(api, theirs, expect=422) == ["passkey_invalid"]
    assert (await enter(api, theirs))["user"]["handle"] == "odo"
    one = f"{PATH}/{added['passkey']['uuid']}"
    assert await me.put(one, {"name": "Mine"}, expect=404) == ["not_found"]
    assert await me.delete(one, {"password": PASSWORD}, expect=404) == ["not_found"]
    assert await odo.get(PATH) != await me.get(PATH)


@pytest.mark.rule("C154")
async def test_recovery_codes_are_for_both_second_factors_and_end_with_the_last(
    me: Api, api: Api, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Authenticator()
    added = await add(me, key)
    first, second, third, *_ = added["recovery_codes"]
    await api.post(SIGN_IN, {**CREDENTIALS, "code": first})
    assert await api.post(SIGN_IN, {**CREDENTIALS, "code": first}, expect=422) == ["code_invalid"]
    assert await me.get(APP) == {"status": "off", "recovery_codes_left": 9}
    monkeypatch.setattr(identity, "now", lambda: 1_800_000_000.0)
    secret = (await me.post(APP, {"password": PASSWORD}))["secret"]
    app = HOTP(base64.b32decode(secret), 6, SHA1())
    code = app.generate(1_800_000_000 // 30).decode()
    assert await me.put(APP, {"code": code}) == {"recovery_codes": []}
    assert (await sign_in(api, expect=403)).json() == ["code_required", "passkey_required"]
    await enter_after_password(api, key)
    await api.post(SIGN_IN, {**CREDENTIALS, "code": second})
    off = await me.delete(APP, {"password": PASSWORD})
    assert off == {"status": "off", "recovery_codes_left": 8}
    assert (await sign_in(api, expect=403)).json() == ["passkey_required"]
    one = f"{PATH}/{added['passkey']['uuid']}"
    assert await me.delete(one, {"code": "a" * 16}, expect=422) == ["code_invalid"]
    assert await me.delete(one, {"code": third}) == []
    assert await database.fetchval("SELECT count(*) FROM recovery_codes") == 0
    await sign_in(api)  # without a second factor
    assert len((await add(me, key))["recovery_codes"]) == 10


@pytest.mark.parametrize("is_known", [True, False])
async def test_attempts_with_passkeys_count_like_those_at_passwords(
    me: Api, api: Api, app: Quart, is_known: bool
) -> None:
    key = Authenticator()
    await add(me, key)
    limit = app.extensions["cruddur"].settings.account_attempts
    stranger = Api(api.http, {"Cookie": ""})
    api.http.cookies.clear()
    wrong = Authenticator(credential_id=key.credential_id if is_known else b"unknown")
    wrong.user_handle = key.user_handle
    for _ in range(limit):
        await enter(stranger, wrong, expect=422)
    assert await enter(stranger, wrong, expect=429) == ["rate_limited"]
    # The password has the same count.
    await sign_in(stranger, WRONG, expect=429 if is_known else 401)
    if is_known:
        assert await enter_after_password(stranger, key, expect=429) == ["rate_limited"]


@pytest.mark.rule("C160")
@pytest.mark.parametrize("way", [enter, enter_after_password])
async def test_a_suspended_member_proves_themselves_with_a_passkey(
    me: Api, api: Api, database: asyncpg.Connection, way: Any
) -> None:
    key = Authenticator()
    await add(me, key)
    await database.execute("UPDATE users SET suspended_until = 'infinity'")
    api.http.cookies.clear()
    assert await way(api, key, expect=403) == ["account_suspended"]
    assert (await api.request("GET", "/api/auth/export")).content.startswith(b"PK")
    assert await api.delete("/api/auth/me", {"password": PASSWORD}) == {"status": "deleted"}


async def test_an_account_has_at_most_twenty_passkeys(
    me: Api, database: asyncpg.Connection
) -> None:
    begun = await begin(me)
    await database.execute(
        "INSERT INTO passkeys (user_uuid, credential_id, credential, sign_count, name)"
        " SELECT user_uuid, n::text::bytea, '', 0, 'x' FROM accounts, generate_series(1, $1) AS n",
        MAX_PASSKEYS,
    )
    refusal = await me.post(f"{PATH}/registration", {"password": PASSWORD}, expect=422)
    assert refusal == ["too_many_passkeys"]
    credential = Authenticator().create(begun["options"])
    draft = {"name": "x", "attempt": begun["attempt"], "credential": credential}
    assert await me.post(PATH, draft, expect=422) == ["passkey_invalid"]


async def test_without_a_local_account_there_are_no_passkeys(andrew: Member) -> None:
    assert await andrew.get(PATH) == []
    refusal = await andrew.post(f"{PATH}/registration", {"password": "x"}, expect=401)
    assert refusal == ["credentials_invalid"]


@pytest.mark.rule("C126")
async def test_moderators_need_a_second_factor_if_the_settings_require_it(
    me: Api, settings: Settings, database: asyncpg.Connection
) -> None:
    application = create_app(replace(settings, moderator_second_factor="required"))
    async with serving(application) as strict:
        mine = Api(strict.http, me.headers)

        async def tried(expect: int) -> Any:
            return await mine.get(CASES, expect=expect)

        assert await tried(403) == ["generic_403"]
        await database.execute("UPDATE users SET role = 'admin'")
        assert await tried(403) == ["second_factor_required"]
        assert await mine.get(AUDIT, expect=403) == ["second_factor_required"]
        assert await me.get(CASES) == []  # where it is optional
        await mine.post("/api/activities", {"message": "hello", "ttl": "1-hour"})
        added = await add(mine, Authenticator())
        assert await tried(200) == []
        token = {"name": "bot", "scopes": ["read"], "ttl": "1-day"}
        bot = {"Authorization": f"Bearer {(await mine.post(TOKENS, token))['token']}"}
        refusal = await mine.get(CASES, expect=403, headers=bot)
        assert refusal == ["insufficient_scope"]
        await mine.delete(f"{PATH}/{added['passkey']['uuid']}", {"password": PASSWORD})
        assert await tried(403) == ["second_factor_required"]
        await mine.post(APP, {"password": PASSWORD})
        assert await tried(403) == ["second_factor_required"]  # not confirmed yet
        await database.execute("UPDATE second_factors SET confirmed_at = now()")
        assert await tried(200) == []


HTTPS = "https://cruddur.example"


@pytest.mark.rule("C155")
@pytest.mark.parametrize(
    ("frontend", "backend", "serves_page", "domain", "origins"),
    [
        ("", "", False, "localhost", {"http://localhost:3000", "http://localhost:4567"}),
        (HTTPS, HTTPS, True, "cruddur.example", {HTTPS}),
        ("", f"{HTTPS}:443/", True, "cruddur.example", {HTTPS}),
        (HTTPS, "https://api.cruddur.example", False, "cruddur.example",
         {HTTPS, "https://api.cruddur.example"}),
        (HTTPS, "https://evilcruddur.example", False, "cruddur.example", {HTTPS}),
        (f"{HTTPS}:8443", "*", False, "cruddur.example", {f"{HTTPS}:8443"}),
        ("*", "https://API.example", False, "api.example", {"https://api.example"}),
        ("*", "*", True, "", set()),
        ("http://127.0.0.1:3000", "http://[::1]:4567", False, "", set()),
    ],
)  # fmt: skip
def test_passkeys_are_for_the_domain_of_the_page(
    frontend: str, backend: str, serves_page: bool, domain: str, origins: set[str]
) -> None:
    values = {"frontend_url": frontend} if frontend else {}
    settings = Settings(
        backend_url=backend, frontend_directory="/page" if serves_page else "", **values
    )
    assert (settings.passkey_domain, settings.passkey_origins) == (domain, origins)
