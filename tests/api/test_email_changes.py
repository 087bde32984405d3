"""The change of the address of a local account, with a code for each of both addresses."""

import re
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from accounts import EMAIL, FORGOT, PASSWORD, RESET, WRONG, Codes, open_account, sign_in, wrong
from cruddur.services.throttling import MAX_CODE_ATTEMPTS
from support import Api, Member, count_rows, swept

pytestmark = pytest.mark.usefixtures("quick_passwords")

PATH = "/api/auth/email"
STOP = "/api/auth/email/stop"
NEW = "mogh@example.com"
DRAFT = {"email": NEW, "password": PASSWORD}


@pytest.fixture
async def me(api: Api, codes: Codes) -> Api:
    """A signed-in user with a local account."""
    await open_account(api, codes)
    token = (await sign_in(api)).json()["access_token"]
    return Api(api.http, {"Authorization": f"Bearer {token}"})


StopCode = Callable[[str], str]


@pytest.fixture
def stop_code(caplog: pytest.LogCaptureFixture) -> StopCode:
    """Return the code that was sent to stop a change of this address."""

    def find(email: str) -> str:
        return re.findall(rf"stop code for {re.escape(email)}: (\S+)", caplog.text)[-1]

    return find


@pytest.fixture
async def unlimited(database: asyncpg.Connection) -> Callable[[], Any]:
    """Forget the mails and attempts so far."""
    return lambda: database.execute("DELETE FROM throttles")


@pytest.mark.rule("C146")
async def test_the_code_for_the_new_address_changes_it_and_sessions_stay(
    api: Api, me: Api, codes: Codes
) -> None:
    state = {"email": EMAIL, "pending": None, "can_change": True}
    assert await me.get(PATH) == state
    assert await me.post(PATH, {**DRAFT, "email": NEW.upper()}) == {"status": "code_sent"}
    assert await me.get(PATH) == {**state, "pending": NEW}
    await sign_in(api, login=NEW, expect=401)
    code = codes(NEW)
    assert await me.put(PATH, {"code": wrong(code)}, expect=422) == ["code_invalid"]
    assert await me.put(PATH, {"code": code}) == {**state, "email": NEW}
    assert (await me.get("/api/auth/me"))["email"] == NEW
    await sign_in(api, login=NEW)
    await sign_in(api, login=EMAIL, expect=401)
    assert await me.put(PATH, {"code": code}, expect=422) == ["code_invalid"]


@pytest.mark.rule("C146")
async def test_a_change_needs_the_password(me: Api, database: asyncpg.Connection) -> None:
    draft = {**DRAFT, "password": WRONG}
    assert await me.post(PATH, draft, expect=401) == ["credentials_invalid"]
    assert await me.post(PATH, {**DRAFT, "email": "x"}, expect=422) == ["email_invalid"]
    assert await me.post(PATH, {**DRAFT, "email": EMAIL}, expect=422) == ["email_unchanged"]
    assert await count_rows(database, "email_changes") == 0


@pytest.mark.rule("C146")
async def test_codes_can_be_tried_a_few_times_and_mails_are_limited(me: Api, codes: Codes) -> None:
    for mistyped in ("a@b.example", "b@c.example"):
        await me.post(PATH, {**DRAFT, "email": mistyped})
    await me.post(PATH, DRAFT)  # at once
    for old in ("a@b.example", "b@c.example"):
        assert await me.put(PATH, {"code": codes(old)}, expect=422) == ["code_invalid"]
    limited = await me.request("POST", PATH, json={**DRAFT, "email": "c@d.example"}, expect=429)
    assert int(limited.headers["retry-after"]) > 60
    code = codes(NEW)
    for _ in range(MAX_CODE_ATTEMPTS - 2):
        await me.put(PATH, {"code": wrong(code)}, expect=422)
    assert await me.put(PATH, {"code": code}, expect=422) == ["code_invalid"]


@pytest.mark.rule("C147")
async def test_a_taken_address_is_like_a_free_one(
    api: Api,
    me: Api,
    codes: Codes,
    database: asyncpg.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await database.execute(
        "WITH other AS (INSERT INTO users (issuer, subject, handle, display_name)"
        " VALUES ('x', 'x', 'kurn', 'Kurn') RETURNING uuid)"
        " INSERT INTO accounts SELECT uuid, $1, 'hash' FROM other",
        NEW,
    )
    assert await me.post(PATH, DRAFT) == {"status": "code_sent"}
    assert (await me.get(PATH))["pending"] == NEW
    assert f"change to the address of an existing account: {NEW}" in caplog.text
    assert f"address code for {NEW}" not in caplog.text
    for guess in ("000000", "123456"):
        assert await me.put(PATH, {"code": guess}, expect=422) == ["code_invalid"]


@pytest.mark.rule("C147")
async def test_an_address_that_is_taken_meanwhile_is_not_assigned(
    me: Api, codes: Codes, database: asyncpg.Connection
) -> None:
    await me.post(PATH, DRAFT)
    await database.execute(
        "WITH other AS (INSERT INTO users (issuer, subject, handle, display_name)"
        " VALUES ('x', 'x', 'kurn', 'Kurn') RETURNING uuid)"
        " INSERT INTO accounts SELECT uuid, $1, 'hash' FROM other",
        NEW,
    )
    assert await me.put(PATH, {"code": codes(NEW)}, expect=422) == ["code_invalid"]
    assert (await me.get("/api/auth/me"))["email"] == EMAIL


@pytest.mark.rule("C148")
@pytest.mark.parametrize("is_confirmed", [False, True])
async def test_the_old_address_stops_a_change_and_takes_it_back(
    api: Api,
    me: Api,
    codes: Codes,
    stop_code: StopCode,
    unlimited: Callable[[], Any],
    database: asyncpg.Connection,
    is_confirmed: bool,
) -> None:
    await me.post(PATH, DRAFT)
    stop, code = stop_code(EMAIL), codes(NEW)
    if is_confirmed:
        await me.put(PATH, {"code": code})
        await unlimited()
        # A further change does not make the code of the first one useless.
        await me.post(PATH, {**DRAFT, "email": "third@example.com"})
        await me.put(PATH, {"code": codes("third@example.com")})
    assert await api.post(STOP, {"code": f" {stop}\n".strip()}) == {
        "status": "email_change_stopped"
    }
    await me.get("/api/auth/me", expect=401)
    await unlimited()
    await sign_in(api, login=EMAIL)
    assert await count_rows(database, "email_changes") == 0
    for again in (stop, "no code"):
        assert await api.post(STOP, {"code": again}, expect=422) == ["code_invalid"]
    fresh = Api(
        api.http, {"Authorization": f"Bearer {(await sign_in(api)).json()['access_token']}"}
    )
    assert await fresh.put(PATH, {"code": code}, expect=422) == ["code_invalid"]


@pytest.mark.rule("C149")
async def test_a_change_waits_for_a_reset_in_progress(
    api: Api, me: Api, codes: Codes, unlimited: Callable[[], Any], database: asyncpg.Connection
) -> None:
    await me.post(PATH, DRAFT)
    code = codes(NEW)
    await api.post(FORGOT, {"email": EMAIL})
    assert await me.put(PATH, {"code": code}, expect=422) == ["code_invalid"]
    await unlimited()
    assert await me.post(PATH, DRAFT, expect=422) == ["reset_in_progress"]
    reset = {"email": EMAIL, "code": codes(EMAIL), "password": "glory to the empire"}
    await api.post(RESET, reset)
    fresh = (await sign_in(api, "glory to the empire")).json()["access_token"]
    me = Api(api.http, {"Authorization": f"Bearer {fresh}"})
    await me.post(PATH, {**DRAFT, "password": "glory to the empire"})
    assert await me.put(PATH, {"code": codes(NEW)})


async def test_expired_changes_are_swept(
    dsn: str, me: Api, codes: Codes, stop_code: StopCode, database: asyncpg.Connection
) -> None:
    await me.post(PATH, DRAFT)
    lifetime = "SELECT expires_at - now() > interval '6 days' FROM email_changes"
    assert await database.fetchval(lifetime) is False
    await me.put(PATH, {"code": codes(NEW)})
    assert await database.fetchval(lifetime) is True
    await database.execute("UPDATE email_changes SET expires_at = now()")
    await me.post(STOP, {"code": stop_code(EMAIL)}, expect=422)
    await swept(dsn)
    assert await count_rows(database, "email_changes") == 0


async def test_users_of_other_issuers_have_no_address_to_change(andrew: Member) -> None:
    assert (await andrew.get(PATH))["can_change"] is False
    assert await andrew.post(PATH, DRAFT, expect=401) == ["credentials_invalid"]
