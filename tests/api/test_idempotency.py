"""`Idempotency-Key`: repeated or simultaneous calls create one thing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from support import Api, Member, count_rows, expire, refused, swept

pytestmark = pytest.mark.usefixtures("quick_passwords")

KEY = "8f0c1a52-key"


@dataclass(frozen=True)
class Creation:
    """A POST that creates something: its kind, its path, and another valid body."""

    table: str
    path: str
    body: dict[str, Any]
    other: dict[str, Any]


SIGNUP = {
    "email": "odo@example.com",
    "password": "the wormhole is open",
    "handle": "odo",
    "display_name": "Odo",
}
CREATIONS = [
    Creation(
        "activities",
        "/api/activities",
        {"message": "hello", "ttl": "1-day"},
        {"message": "hello", "ttl": "3-days"},
    ),
    Creation(
        "activities", "/api/activities/{crud}/reply", {"message": "hello"}, {"message": "Hello"}
    ),
    Creation(
        "messages",
        "/api/messages",
        {"message": "hello", "handle": "bayko"},
        {"message": "hello!", "handle": "bayko"},
    ),
    Creation("signups", "/api/auth/signup", SIGNUP, {**SIGNUP, "handle": "odo_2"}),
]
SIGNING_UP = CREATIONS[-1]
every_creation = pytest.mark.parametrize("creation", CREATIONS, ids=lambda c: c.path)


@pytest.fixture
async def crud(andrew: Member, bayko: Member) -> Any:
    """A crud to reply to. Its author and the recipient of messages exist too."""
    return await bayko.crud()


async def call(
    member: Api, creation: Creation, crud: Any, *, key: str = KEY, **options: Any
) -> httpx.Response:
    options.setdefault("json", creation.body)
    path = creation.path.format(crud=crud["uuid"])
    return await member.request("POST", path, headers={"Idempotency-Key": key}, **options)


@pytest.mark.rule("C51")
@every_creation
async def test_the_same_key_returns_the_first_response(
    andrew: Member, crud: Any, database: asyncpg.Connection, creation: Creation
) -> None:
    before = await count_rows(database, creation.table)
    first = await call(andrew, creation, crud)
    # The same body, with another order, other whitespace and an unknown field.
    reordered = {"unknown": 1, **dict(reversed(creation.body.items()))}
    again = await call(andrew, creation, crud, json=reordered)
    assert again.content == first.content
    assert again.headers["content-type"] == "application/json"
    assert await count_rows(database, creation.table) == before + 1


@pytest.mark.rule("C51")
@every_creation
async def test_the_same_key_twice_at_once_creates_one_thing(
    andrew: Member, crud: Any, database: asyncpg.Connection, creation: Creation
) -> None:
    before = await count_rows(database, creation.table)
    responses = await asyncio.gather(*(call(andrew, creation, crud) for _ in range(4)))
    assert len({response.content for response in responses}) == 1
    assert await count_rows(database, creation.table) == before + 1


@pytest.mark.parametrize("creation", CREATIONS[:-1], ids=lambda c: c.path)
async def test_without_a_key_or_with_another_key_each_call_creates_one(
    andrew: Member, crud: Any, database: asyncpg.Connection, creation: Creation
) -> None:
    before = await count_rows(database, creation.table)
    await call(andrew, creation, crud)
    await call(andrew, creation, crud, key=KEY.upper())
    await andrew.post(creation.path.format(crud=crud["uuid"]), creation.body)
    assert await count_rows(database, creation.table) == before + 3


@pytest.mark.rule("C52")
@every_creation
async def test_the_same_key_with_another_body_is_rejected(
    andrew: Member, crud: Any, database: asyncpg.Connection, creation: Creation
) -> None:
    await call(andrew, creation, crud)
    before = await count_rows(database, creation.table)
    response = await call(andrew, creation, crud, json=creation.other, expect=422)
    assert refused(response) == ["idempotency_key_reused"]
    assert await count_rows(database, creation.table) == before


BAD_KEYS = ["", " ", "a b", "tab\there", "x" * 129, "clé", "\x7f"]


@every_creation
async def test_a_malformed_key_is_rejected(
    andrew: Member, crud: Any, database: asyncpg.Connection, creation: Creation
) -> None:
    before = await count_rows(database, creation.table)
    path = creation.path.format(crud=crud["uuid"])
    for key in BAD_KEYS:
        headers = {"Idempotency-Key": key.encode("latin-1"), **andrew.headers}
        response = await andrew.http.post(path, json=creation.body, headers=headers)
        assert response.status_code == 422, key
        assert refused(response) == ["idempotency_key_invalid"], key
    assert await count_rows(database, creation.table) == before


async def test_a_key_can_be_any_visible_ascii(andrew: Member, crud: Any) -> None:
    every = "".join(map(chr, range(0x21, 0x7F)))
    for key in ("!", every, "~" * 128):
        first, again = [await call(andrew, CREATIONS[0], crud, key=key) for _ in range(2)]
        assert first.content == again.content


@every_creation
async def test_a_rejected_call_does_not_use_up_its_key(
    andrew: Member, crud: Any, database: asyncpg.Connection, creation: Creation
) -> None:
    bad = {
        "activities": {"message": " "},
        "messages": {"message": "hello", "handle": "nobody"},  # rejected after the key was stored
        "signups": {"password": "password12"},
    }[creation.table]
    body = {**creation.body, **bad}
    options: dict[str, Any] = {"json": body, "expect": 404 if "handle" in bad else 422}
    await call(andrew, creation, crud, **options)
    assert await count_rows(database, "idempotency_keys") == 0
    await call(andrew, creation, crud)
    assert await count_rows(database, "idempotency_keys") == 1


async def test_a_reply_to_a_missing_crud_does_not_use_up_its_key(
    andrew: Member, crud: Any, database: asyncpg.Connection
) -> None:
    await expire(database, crud["uuid"])
    await call(andrew, CREATIONS[1], crud, expect=404)
    assert await count_rows(database, "idempotency_keys") == 0


@pytest.mark.rule("C52")
async def test_keys_of_different_members_are_independent(
    andrew: Member, bayko: Member, member: Callable[..., Any], crud: Any
) -> None:
    worf = await member("worf")
    for creation in CREATIONS[:3]:
        responses = [(await call(one, creation, crud)).json() for one in (andrew, worf)]
        assert [response["handle"] for response in responses] == ["andrewbrown", "worf"]
    # A sign-up has no session: the key belongs to the email address.
    for number in range(2):
        draft = {**SIGNUP, "email": f"odo{number}@example.com", "handle": f"odo{number}"}
        await call(andrew, SIGNING_UP, crud, json=draft)


@pytest.mark.rule("C52")
async def test_a_key_can_be_used_once_per_route(
    andrew: Member, bayko: Member, crud: Any, database: asyncpg.Connection
) -> None:
    other = await bayko.crud("another")
    responses = [await call(andrew, creation, crud) for creation in CREATIONS]
    responses.append(await call(andrew, CREATIONS[1], other))
    assert len({response.content for response in responses}) == 5
    assert await count_rows(database, "idempotency_keys") == 5


async def test_the_stored_response_about_an_expired_or_deleted_crud_is_gone(
    andrew: Member, crud: Any, database: asyncpg.Connection
) -> None:
    expired = (await call(andrew, CREATIONS[0], crud, key="expired")).json()
    deleted = (await call(andrew, CREATIONS[0], crud, key="deleted")).json()
    reply = (await call(andrew, CREATIONS[1], crud)).json()
    await expire(database, expired["uuid"])
    await expire(database, reply["uuid"])
    await andrew.delete(f"/api/activities/{deleted['uuid']}")
    before = await database.fetch("SELECT uuid FROM activities ORDER BY uuid")
    for creation, key in (
        (CREATIONS[0], "expired"),
        (CREATIONS[0], "deleted"),
        (CREATIONS[1], KEY),
    ):
        response = await call(andrew, creation, crud, key=key, expect=404)
        assert refused(response) == ["not_found"]
    assert await database.fetch("SELECT uuid FROM activities ORDER BY uuid") == before


async def test_a_stored_response_is_deleted_with_its_crud_but_the_key_remains(
    dsn: str, andrew: Member, crud: Any, database: asyncpg.Connection
) -> None:
    posted = (await call(andrew, CREATIONS[0], crud)).json()
    await call(andrew, CREATIONS[1], crud)
    await call(andrew, CREATIONS[2], crud)
    await expire(database, posted["uuid"])
    await expire(database, crud["uuid"])
    await swept(dsn)
    [left] = await database.fetch("SELECT message_uuid FROM idempotency_answers")
    assert left["message_uuid"] is not None
    assert await count_rows(database, "idempotency_keys") == 3
    await call(andrew, CREATIONS[0], crud, expect=404)
    assert await count_rows(database, "activities") == 0


@pytest.mark.rule("C51")
@every_creation
async def test_a_key_can_be_used_again_after_a_day(
    dsn: str, andrew: Member, crud: Any, database: asyncpg.Connection, creation: Creation
) -> None:
    first = await call(andrew, creation, crud)
    await move_keys(database, "23 hours 59 minutes")
    await swept(dsn)
    assert (await call(andrew, creation, crud)).content == first.content
    await move_keys(database, "24 hours")
    await swept(dsn)
    assert await count_rows(database, "idempotency_answers") == 0
    anew = await call(andrew, creation, crud, json=creation.other)
    if creation.table != "signups":
        assert anew.json()["uuid"] != first.json()["uuid"]


@pytest.mark.usefixtures("acquainted")
async def test_a_response_to_a_reply_by_message_is_stored_too(
    andrew: Member, bayko: Member, crud: Any, database: asyncpg.Connection
) -> None:
    await bayko.message("andrewbrown")
    [note] = await andrew.get("/api/activities/notifications")
    responses = [await call(andrew, CREATIONS[1], note) for _ in range(2)]
    assert responses[0].content == responses[1].content
    assert await count_rows(database, "messages") == 2


async def test_no_part_of_a_password_is_stored(
    andrew: Member, crud: Any, database: asyncpg.Connection
) -> None:
    await call(andrew, SIGNING_UP, crud)
    row = await database.fetchrow(
        "SELECT k::text || a::text AS text FROM idempotency_keys k"
        " JOIN idempotency_answers a ON a.key_uuid = k.uuid"
    )
    assert row is not None
    assert SIGNUP["password"] not in row["text"]
    assert SIGNUP["password"].encode().hex() not in row["text"]


async def move_keys(conn: asyncpg.Connection, age: str) -> None:
    await conn.execute("UPDATE idempotency_keys SET created_at = now() - $1::text::interval", age)


async def test_many_simultaneous_sign_ups_with_keys_succeed(
    andrew: Member, crud: Any, database: asyncpg.Connection
) -> None:
    calls = [
        call(
            andrew,
            SIGNING_UP,
            crud,
            key=f"key-{number}",
            json={**SIGNUP, "email": f"odo{number}@example.com", "handle": f"odo{number}"},
        )
        for number in range(12)  # more than there are connections
    ]
    await asyncio.gather(*calls)
    assert await count_rows(database, "signups") == 12
