"""API tokens: creation, use, the end of a token, and what remains of it."""

import hashlib
import re
from typing import Any

import asyncpg
import pytest

from accounts import PASSWORD, Codes, open_account, sign_in
from cruddur.identity import api_tokens as identity
from cruddur.services.accounts import MAX_SESSIONS
from cruddur.services.api_tokens import MAX_TOKENS
from support import Api, Member, refused

TOKENS = "/api/auth/tokens"
DRAFT = {"name": "Weather bot", "scopes": ["write", "read"], "ttl": "30-days"}


@pytest.mark.rule("C112")
async def test_a_token_is_shown_once_and_stored_as_a_digest(
    andrew: Member, database: asyncpg.Connection
) -> None:
    created = await andrew.post(TOKENS, DRAFT)
    token = created.pop("token")
    assert re.fullmatch(r"cruddur_[0-9a-f]{40}", token)
    assert created["name"] == "Weather bot"
    assert created["scopes"] == ["read", "write"]
    assert created["used_at"] is None
    assert await andrew.get(TOKENS) == [created]
    stored = await database.fetchrow("SELECT * FROM api_tokens")
    assert stored["token_hash"] == hashlib.sha256(token.encode()).digest()
    lifetime = await database.fetchval(
        "SELECT expires_at - created_at FROM sessions WHERE method = 'api_token'"
    )
    assert lifetime.days == 30


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": " "}, "token_name_blank"),
        ({"name": None}, "token_name_blank"),
        ({"name": "\x00"}, "token_name_blank"),
        ({"name": "x" * 51}, "token_name_exceed_max_chars"),
        ({"scopes": []}, "scopes_invalid"),
        ({"scopes": None}, "scopes_invalid"),
        ({"scopes": ["admin"]}, "scopes_invalid"),
        ({"scopes": ["read"] * 4}, "scopes_invalid"),
        ({"ttl": "2-days"}, "ttl_blank"),
        ({"ttl": None}, "ttl_blank"),
    ],
)
async def test_an_invalid_draft_is_rejected(andrew: Member, change: Any, code: str) -> None:
    assert await andrew.post(TOKENS, {**DRAFT, **change}, expect=422) == [code]
    assert await andrew.get(TOKENS) == []


async def test_a_member_has_a_limited_number_of_tokens(
    andrew: Member, database: asyncpg.Connection
) -> None:
    for _ in range(MAX_TOKENS):
        await andrew.post(TOKENS, DRAFT)
    assert await andrew.post(TOKENS, DRAFT, expect=422) == ["too_many_tokens"]
    await database.execute(
        "UPDATE sessions SET expires_at = now() WHERE uuid = ("
        "SELECT uuid FROM sessions WHERE method = 'api_token' LIMIT 1)"
    )
    await andrew.post(TOKENS, DRAFT)
    assert len(await andrew.get(TOKENS)) == MAX_TOKENS


@pytest.mark.rule("C110")
async def test_a_token_acts_for_its_member(andrew: Member, bayko: Member) -> None:
    bot = await andrew.api_token("read", "write", "message")
    crud = await bot.crud()
    assert crud["handle"] == "andrewbrown"
    await bot.put(f"/api/activities/{crud['uuid']}/like")
    for _ in range(3):  # the last ones from the response cache
        assert (await bot.get("/api/activities/home"))[0]["liked"]
    await bot.message("bayko", "from a bot")
    [group] = await bayko.get("/api/message_requests")
    assert (group["handle"], group["message"]) == ("andrewbrown", "from a bot")
    draft = {"message": "once", "ttl": "1-hour"}
    key = {"Idempotency-Key": "1"}
    first = await bot.post("/api/activities", draft, headers=key)
    assert await bot.post("/api/activities", draft, headers=key) == first


@pytest.mark.rule("C111")
async def test_a_token_without_read_gets_no_cached_page(andrew: Member) -> None:
    await andrew.crud()
    writer = await andrew.api_token("write")
    for _ in range(3):
        await andrew.get("/api/activities/home")
    assert await writer.get("/api/activities/home", expect=403) == ["insufficient_scope"]


ENDINGS = {
    "revoked": "DELETE FROM sessions WHERE uuid = $1",
    "expired": "UPDATE sessions SET expires_at = now() WHERE uuid = $1",
    "of a deleted member": "DELETE FROM users WHERE uuid = ("
    "SELECT user_uuid FROM sessions WHERE uuid = $1)",
}


@pytest.mark.rule("C113")
@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_token_that_ended_is_rejected_with_the_next_request(
    andrew: Member, database: asyncpg.Connection, ending: str
) -> None:
    bot = await andrew.api_token("read", "write")
    await bot.crud()
    home = await bot.get("/api/activities/home")
    assert home[0]["liked"] is False
    await database.execute(ENDINGS[ending], bot.session_uuid)
    draft = {"message": "too late", "ttl": "1-day"}
    for _ in range(2):  # from the cache, and without it
        assert await bot.post("/api/activities", draft, expect=401) == ["generic_401"]
        assert await bot.get("/api/auth/me", expect=401) == ["generic_401"]
        assert await bot.get("/api/activities/notifications", expect=401) == ["generic_401"]
    for crud in await bot.get("/api/activities/home"):  # public lists stay public
        assert "liked" not in crud


@pytest.mark.rule("C113")
async def test_a_member_revokes_their_own_tokens_only(andrew: Member, bayko: Member) -> None:
    bot = await andrew.api_token("read")
    await bot.get("/api/notifications")
    [listed] = await andrew.get(TOKENS)
    path = f"{TOKENS}/{listed['uuid']}"
    assert await bayko.delete(path, expect=404) == ["not_found"]
    assert await andrew.delete(f"{TOKENS}/{andrew.session_uuid}", expect=404) == ["not_found"]
    assert await andrew.delete(f"/api/auth/sessions/{listed['uuid']}", expect=404) == ["not_found"]
    await bot.get("/api/notifications")
    assert await andrew.delete(path) == {"uuid": listed["uuid"], "status": "revoked"}
    await bot.get("/api/notifications", expect=401)
    assert await andrew.get(TOKENS) == []
    assert await andrew.delete(path, expect=404) == ["not_found"]


@pytest.mark.parametrize(
    "token", ["cruddur_", "cruddur_" + "0" * 40, "cruddur_" + "0" * 39 + "\u0660", "cruddur_x.y.z"]
)
async def test_an_invalid_token_counts_as_no_token(api: Api, token: str) -> None:
    headers = {"Authorization": b"Bearer " + token.encode()}
    await api.get("/api/activities/home", headers=headers)
    response = await api.http.get("/api/auth/me", headers=headers)
    assert response.status_code == 401
    assert refused(response) == ["generic_401"]


async def test_the_last_use_of_a_token_is_recorded(
    andrew: Member, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await andrew.api_token("read")
    await bot.get("/api/notifications")
    [listed] = await andrew.get(TOKENS)
    assert listed["used_at"] > listed["created_at"]
    await database.execute("UPDATE sessions SET used_at = created_at")
    await bot.get("/api/notifications")
    assert (await andrew.get(TOKENS))[0]["used_at"] is None  # it was cached
    clock = identity.monotonic
    monkeypatch.setattr(identity, "monotonic", lambda: clock() + identity.LOOKUP_SECONDS)
    await bot.get("/api/notifications")
    assert (await andrew.get(TOKENS))[0]["used_at"] is not None


@pytest.mark.rule("C114")
async def test_sessions_and_tokens_have_separate_lists(andrew: Member) -> None:
    bot = await andrew.api_token("read")
    [session] = await andrew.get("/api/auth/sessions")
    assert session["uuid"] == str(andrew.session_uuid)
    assert session["method"] == "password"
    assert await andrew.delete("/api/auth/sessions") == [session]
    await bot.get("/api/notifications")


@pytest.mark.rule("C114")
async def test_sign_ins_end_no_token(
    api: Api, codes: Codes, quick_passwords: None, database: asyncpg.Connection
) -> None:
    await open_account(api, codes)
    entered = (await sign_in(api)).json()
    headers = {"Authorization": f"Bearer {entered['access_token']}"}
    created = await api.post(TOKENS, DRAFT, headers=headers)
    await database.execute("UPDATE sessions SET used_at = '-infinity' WHERE method = 'api_token'")
    await database.execute(
        "INSERT INTO sessions (user_uuid, device, address, expires_at)"
        " SELECT user_uuid, 'old', '', expires_at FROM sessions, generate_series(1, $1)"
        " WHERE method = 'api_token'",
        MAX_SESSIONS,
    )
    await sign_in(api)
    bot = {"Authorization": f"Bearer {created['token']}"}
    await api.get("/api/notifications", headers=bot)


@pytest.mark.rule("C114")
async def test_a_new_password_ends_all_tokens(
    api: Api, codes: Codes, quick_passwords: None
) -> None:
    await open_account(api, codes)
    entered = (await sign_in(api)).json()
    headers = {"Authorization": f"Bearer {entered['access_token']}"}
    created = await api.post(TOKENS, DRAFT, headers=headers)
    change = {"current_password": PASSWORD, "password": "glory to the empire"}
    await api.put("/api/auth/password", change, headers=headers)
    bot = {"Authorization": f"Bearer {created['token']}"}
    await api.get("/api/notifications", headers=bot, expect=401)
    assert await api.get(TOKENS, headers=headers) == []
