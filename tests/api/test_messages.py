"""Conversations: access, one per pair of users, paging, and unread counts."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from quart import Quart

from cruddur.db.messages import insert_message
from support import Api, Member, acquaint, count_rows, pages

pytestmark = pytest.mark.usefixtures("acquainted")

KEYS = {
    *("uuid", "display_name", "handle", "avatar_url"),
    *("message", "created_at", "expires_at", "kind", "ttl"),
}


@pytest.mark.rule("C44")
@pytest.mark.parametrize("field", ["handle", "user_receiver_handle"])
async def test_a_message_to_a_user_starts_a_conversation(
    andrew: Member, bayko: Member, field: str
) -> None:
    sent = await andrew.post("/api/messages", {"message": "Hello", field: "Bayko"})
    assert sent.keys() == KEYS | {"message_group_uuid"}
    assert (sent["handle"], sent["display_name"]) == ("andrewbrown", "Andrew Brown")
    assert sent["uuid"] not in {str(andrew.uuid), sent["message_group_uuid"]}
    [read] = await bayko.get(f"/api/messages/{sent['message_group_uuid']}")
    assert read == {key: sent[key] for key in KEYS}


@pytest.mark.rule("C42")
async def test_every_way_to_address_a_user_leads_to_one_conversation(
    andrew: Member, bayko: Member
) -> None:
    first = await andrew.message("bayko", "one")
    group = first["message_group_uuid"]
    body = {"message": "two", "message_group_uuid": group}
    second = await bayko.post("/api/messages", body)
    third = await bayko.message("andrewbrown", "three")
    assert second.keys() == first.keys()
    assert {second["message_group_uuid"], third["message_group_uuid"]} == {group}
    for reader, path in (
        (andrew, group),
        (bayko, group),
        (andrew, "@bayko"),
        (bayko, "@ANDREWBROWN"),
    ):
        read = await reader.get(f"/api/messages/{path}")
        assert [one["message"] for one in read] == ["one", "two", "three"]
        assert [one["handle"] for one in read] == ["andrewbrown", "bayko", "bayko"]


@pytest.mark.rule("C42")
async def test_a_group_takes_precedence_over_a_handle_and_a_handle_over_its_old_name(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    await member("londo")
    group = (await andrew.message("bayko"))["message_group_uuid"]
    everything = {"message": "x", "message_group_uuid": group, "handle": "londo"}
    assert (await andrew.post("/api/messages", everything))["message_group_uuid"] == group
    handles = {"message": "x", "handle": "bayko", "user_receiver_handle": "londo"}
    assert (await andrew.post("/api/messages", handles))["message_group_uuid"] == group
    blank_first = {"message": "x", "handle": "", "user_receiver_handle": "bayko"}
    assert (await andrew.post("/api/messages", blank_first))["message_group_uuid"] == group


async def test_simultaneous_first_messages_create_one_conversation(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    sent = await asyncio.gather(
        *(
            sender.message(receiver)
            for sender, receiver in ((andrew, "bayko"), (bayko, "andrewbrown")) * 4
        )
    )
    assert len({one["message_group_uuid"] for one in sent}) == 1
    assert await count_rows(database, "message_groups") == 1
    read = await andrew.get("/api/messages/@bayko")
    assert {one["uuid"] for one in read} == {one["uuid"] for one in sent}


@pytest.mark.rule("C43")
async def test_only_its_two_members_can_read_a_conversation(
    andrew: Member, bayko: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    londo = await member("londo")
    group = (await andrew.message("bayko"))["message_group_uuid"]
    body = {"message": "Let me in", "message_group_uuid": group}
    nowhere = str(uuid4())
    for uuid in (group, nowhere):
        assert await londo.get(f"/api/messages/{uuid}", expect=404) == ["not_found"]
        refusal = await londo.post(
            "/api/messages", {**body, "message_group_uuid": uuid}, expect=404
        )
        assert refusal == ["not_found"]
    assert await londo.get("/api/message_groups") == []
    assert await londo.get("/api/messages/counter") == {"count": 0}
    assert await count_rows(database, "messages") == 1
    assert await bayko.get("/api/messages/counter") == {"count": 1}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/message_groups"),
        ("GET", "/api/messages/counter"),
        ("GET", "/api/messages/@bayko"),
        ("GET", "/api/messages/0198d5f2-0000-7000-8000-000000000000"),
        ("POST", "/api/messages"),
    ],
)
async def test_a_visitor_has_no_messages(api: Api, method: str, path: str) -> None:
    response = await api.request(method, path, json={"message": "x"}, expect=401)
    assert response.json() == ["generic_401"]


@pytest.mark.parametrize(
    ("body", "expect", "code"),
    [
        ({"handle": "ANDREWBROWN"}, 422, "message_to_self"),
        ({"user_receiver_handle": "andrewbrown"}, 422, "message_to_self"),
        ({}, 422, "user_reciever_handle_blank"),
        ({"handle": " "}, 422, "user_reciever_handle_blank"),
        ({"handle": None, "user_receiver_handle": None}, 422, "user_reciever_handle_blank"),
        ({"handle": 7}, 422, "user_reciever_handle_blank"),
        ({"handle": "nobody_there"}, 404, "not_found"),
        ({"handle": "no such handle"}, 404, "not_found"),
        ({"handle": "@bayko"}, 404, "not_found"),
        ({"handle": "bay\x00ko"}, 422, "handle_invalid"),
        ({"message_group_uuid": "5ae290ed"}, 422, "message_group_uuid_blank"),
        ({"message_group_uuid": ""}, 422, "message_group_uuid_blank"),
        ({"handle": "bayko", "message": ""}, 422, "message_blank"),
        ({"handle": "bayko", "message": " \n\t\u200b"}, 422, "message_blank"),
        ({"handle": "bayko", "message": None}, 422, "message_blank"),
        ({"handle": "bayko", "message": "x" * 1025}, 422, "message_exceed_max_chars_1024"),
        ({"handle": "bayko", "message": "a\x00b"}, 422, "message_invalid"),
        ({"handle": "nobody_there", "message": ""}, 422, "message_blank"),
    ],
)
async def test_an_invalid_message_is_rejected_and_not_stored(
    andrew: Member,
    bayko: Member,
    database: asyncpg.Connection,
    body: dict[str, Any],
    expect: int,
    code: str,
) -> None:
    response = await andrew.post("/api/messages", {"message": "Hello", **body}, expect=expect)
    assert response == [code]
    assert await count_rows(database, "message_groups") == 0
    assert await count_rows(database, "notifications") == 0


async def test_a_message_without_text_is_rejected(andrew: Member, bayko: Member) -> None:
    refusal = await andrew.post("/api/messages", {"handle": "bayko"}, expect=422)
    assert refusal == ["message_blank"]


@pytest.mark.rule("C24")
async def test_the_length_of_a_message_counts_code_points(andrew: Member, bayko: Member) -> None:
    sent = await andrew.message("bayko", "🖖" * 1024)
    assert sent["message"] == "🖖" * 1024


@pytest.mark.rule("C45")
async def test_a_long_conversation_is_paged_back_in_time(andrew: Member, bayko: Member) -> None:
    for number in range(5):
        sender, receiver = ((andrew, "bayko"), (bayko, "andrewbrown"))[number % 2]
        group = (await sender.message(receiver, f"{number}"))["message_group_uuid"]
    for path in (group, "@bayko"):
        read = [
            [one["message"] for one in page]
            async for page in pages(andrew, f"/api/messages/{path}?limit=2")
        ]
        assert read == [["3", "4"], ["1", "2"], ["0"]]


async def test_a_page_has_40_messages_unless_the_limit_says_otherwise(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    group = UUID((await andrew.message("bayko"))["message_group_uuid"])
    await database.execute(
        "INSERT INTO messages (message_group_uuid, user_uuid, message)"
        " SELECT $1, $2, n::text FROM generate_series(1, 120) AS n",
        group, andrew.uuid,
    )  # fmt: skip
    assert len(await bayko.get(f"/api/messages/{group}")) == 40
    assert len(await bayko.get(f"/api/messages/{group}?limit=100")) == 100
    for limit in ("0", "101", "x", ""):
        refusal = await bayko.get(f"/api/messages/{group}?limit={limit}", expect=422)
        assert refusal == ["limit_invalid"]
    # All have one creation time: the uuid decides the order, without gaps or duplicates.
    seen = [one["uuid"] async for page in pages(bayko, f"/api/messages/{group}") for one in page]
    assert len(seen) == len(set(seen)) == 121


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!" * 32,
        "a" * 28,
        "a" * 32,  # well-formed, but not a time
        "gAAA" + "A" * 28,
        "%00",
        "%C3%A4",
        "a" * 201,
    ],
)
async def test_an_invalid_cursor_is_rejected(andrew: Member, bayko: Member, cursor: str) -> None:
    group = (await andrew.message("bayko"))["message_group_uuid"]
    for path in (f"/api/messages/{group}", "/api/messages/@bayko", "/api/message_groups"):
        assert await andrew.get(f"{path}?cursor={cursor}", expect=422) == ["cursor_invalid"]


@pytest.mark.rule("C45")
async def test_conversations_are_listed_by_their_latest_message(
    andrew: Member, bayko: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    londo = await member("londo", "Londo Mollari")
    await acquaint(database, andrew, londo)
    with_bayko = await andrew.message("bayko", "to Bayko")
    with_londo = await londo.message("andrewbrown", "to Andrew")
    listed = await andrew.get("/api/message_groups")
    assert listed == [
        {
            "uuid": with_londo["message_group_uuid"],
            "display_name": "Londo Mollari",
            "handle": "londo",
            "avatar_url": None,
            "message": "to Andrew",
            "created_at": with_londo["created_at"],
            "expires_at": None,
            "kind": "text",
            "ttl": None,
            "unread_count": 1,
        },
        {
            "uuid": with_bayko["message_group_uuid"],
            "display_name": "Andrew Bayko",
            "handle": "bayko",
            "avatar_url": None,
            "message": "to Bayko",
            "created_at": with_bayko["created_at"],
            "expires_at": None,
            "kind": "text",
            "ttl": None,
            "unread_count": 0,
        },
    ]
    await bayko.message("andrewbrown", "an answer")
    listed = await andrew.get("/api/message_groups")
    assert [one["message"] for one in listed] == ["an answer", "to Andrew"]
    paged = [
        one["handle"] async for page in pages(andrew, "/api/message_groups?limit=1") for one in page
    ]
    assert paged == ["bayko", "londo"]


@pytest.mark.rule("C45")
async def test_conversations_of_last_year_are_still_listed(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    await andrew.message("bayko")
    await database.execute("UPDATE messages SET created_at = created_at - interval '2 years'")
    await database.execute(
        "UPDATE message_groups SET latest_message_at = latest_message_at - interval '2 years'"
    )
    assert len(await andrew.get("/api/message_groups")) == 1
    assert len(await andrew.get("/api/messages/@bayko")) == 1


async def test_a_message_is_unread_until_its_recipient_reads_it(
    andrew: Member, bayko: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    londo = await member("londo")
    await acquaint(database, andrew, londo)
    group = (await bayko.message("andrewbrown"))["message_group_uuid"]
    await bayko.message("andrewbrown")
    await andrew.message("bayko")
    await londo.message("andrewbrown")
    assert await andrew.get("/api/messages/counter") == {"count": 3}
    unread = {one["handle"]: one["unread_count"] for one in await andrew.get("/api/message_groups")}
    assert unread == {"bayko": 2, "londo": 1}
    await andrew.get(f"/api/messages/{group}")
    assert await andrew.get("/api/messages/counter") == {"count": 1}
    await andrew.get("/api/messages/@londo")
    assert await andrew.get("/api/messages/counter") == {"count": 0}
    await bayko.message("andrewbrown")
    assert await andrew.get("/api/messages/counter") == {"count": 1}
    assert await bayko.get("/api/messages/counter") == {"count": 1}


async def test_reading_older_messages_does_not_mark_newer_ones_read(
    andrew: Member, bayko: Member
) -> None:
    for _ in range(3):
        group = (await bayko.message("andrewbrown"))["message_group_uuid"]
    newest = await andrew.request("GET", f"/api/messages/{group}?limit=1")
    await bayko.message("andrewbrown")
    await andrew.get(newest.links["next"]["url"])
    assert await andrew.get("/api/messages/counter") == {"count": 1}


async def test_a_message_committed_after_the_read_is_not_marked_read(
    andrew: Member, bayko: Member, app: Quart, database: asyncpg.Connection
) -> None:
    group = UUID((await andrew.message("bayko", "first"))["message_group_uuid"])
    async with app.extensions["cruddur"].database.transaction() as conn:
        await conn.fetchval("SELECT now()")  # the sender's transaction has begun
        assert len(await andrew.get(f"/api/messages/{group}")) == 1
        await insert_message(conn, message_group_uuid=group, viewer=bayko, message="second")
    assert await andrew.get("/api/messages/counter") == {"count": 1}


async def test_a_conversation_without_messages_is_empty(andrew: Member, bayko: Member) -> None:
    for handle in ("bayko", "BAYKO", "nobody_there", "andrewbrown"):
        assert await andrew.get(f"/api/messages/@{handle}") == []


@pytest.mark.parametrize("handle", ["Andrew%20Brown", "%00", "%ff", "x" * 3000, "b%C3%A4yko"])
async def test_an_invalid_handle_returns_404(andrew: Member, handle: str) -> None:
    assert await andrew.get(f"/api/messages/@{handle}", expect=404) == ["not_found"]


async def test_no_handle_hides_the_counter_route(
    andrew: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    counter = await member("counter")
    await acquaint(database, andrew, counter)
    await counter.message("andrewbrown")
    assert await andrew.get("/api/messages/counter") == {"count": 1}
    assert len(await andrew.get("/api/messages/@counter")) == 1
    assert await andrew.get("/api/messages/not-a-uuid", expect=404) == ["not_found"]


async def test_deleting_a_member_deletes_their_conversations(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    group = (await andrew.message("bayko"))["message_group_uuid"]
    await bayko.message("andrewbrown")
    await database.execute("DELETE FROM users WHERE handle = 'bayko'")
    assert await andrew.get("/api/message_groups") == []
    assert await andrew.get("/api/messages/@bayko") == []
    assert await andrew.get("/api/messages/counter") == {"count": 0}
    await andrew.get(f"/api/messages/{group}", expect=404)
    body = {"message": "Still there?", "message_group_uuid": group}
    await andrew.post("/api/messages", body, expect=404)
    await bayko.get("/api/message_groups", expect=401)


async def test_an_unchanged_list_returns_304(andrew: Member, bayko: Member) -> None:
    group = (await andrew.message("bayko"))["message_group_uuid"]
    for path in ("/api/message_groups", f"/api/messages/{group}", "/api/messages/@bayko"):
        first = await andrew.request("GET", path)
        headers = {"If-None-Match": first.headers["etag"]}
        again = await andrew.request("GET", path, headers=headers, expect=304)
        assert again.content == b""
        await bayko.message("andrewbrown")
        await andrew.request("GET", path, headers=headers)


async def test_a_message_repeated_with_its_key_is_the_same_message(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    body = {"message": "Once", "handle": "bayko"}
    headers = {"Idempotency-Key": "once"}
    responses = await asyncio.gather(
        *(andrew.post("/api/messages", body, headers=headers) for _ in range(4))
    )
    assert len({one["uuid"] for one in responses}) == 1
    assert await count_rows(database, "messages") == 1
    refusal = await andrew.post(
        "/api/messages", {**body, "message": "Twice"}, headers=headers, expect=422
    )
    assert refusal == ["idempotency_key_reused"]
