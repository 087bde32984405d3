"""The lifetime of a conversation, which its next messages get."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from cruddur.db.messages import LIFETIMES
from support import Api, Member, acquaint, count_rows, expire_message, swept

pytestmark = pytest.mark.usefixtures("acquainted")


def life(message: Any) -> timedelta | None:
    """Return how long a message lives; None: without an end."""
    if message["expires_at"] is None:
        return None
    times = [datetime.fromisoformat(message[name]) for name in ("created_at", "expires_at")]
    return times[1] - times[0]


@pytest.mark.rule("C141")
async def test_each_message_keeps_the_expiry_that_it_was_sent_with(
    andrew: Member, bayko: Member
) -> None:
    path, other = "/api/messages/@bayko/lifetime", "/api/messages/@andrewbrown/lifetime"
    assert await andrew.get(path) == await bayko.get(other) == {"ttl": None}
    messages = [await andrew.message("bayko", "kept")]
    for ttl in LIFETIMES:
        assert await andrew.put(path, {"ttl": ttl}) == {"ttl": ttl}
        assert await bayko.get(other) == {"ttl": ttl}
        messages.append(await bayko.message("andrewbrown", ttl))
    assert await bayko.delete(other) == {"ttl": None}
    messages.append(await andrew.message("bayko", "kept, too"))
    assert [life(message) for message in messages] == [None, *LIFETIMES.values(), None]
    read = await bayko.get("/api/messages/@andrewbrown")
    assert [one for one in read if one["kind"] == "text"] == [
        {key: message[key] for key in message if key != "message_group_uuid"}
        for message in messages
    ]


@pytest.mark.rule("C142")
async def test_a_line_says_who_set_the_lifetime_to_what(andrew: Member, bayko: Member) -> None:
    path = "/api/messages/@bayko/lifetime"
    await andrew.put(path, {"ttl": "1-day"})
    await andrew.put(path, {"ttl": "1-day"})  # changes nothing
    await bayko.put("/api/messages/@andrewbrown/lifetime", {"ttl": "7-days"})
    await andrew.delete(path)
    await andrew.delete(path)
    for reader, other in ((andrew, "bayko"), (bayko, "andrewbrown")):
        lines = await reader.get(f"/api/messages/@{other}")
        assert [(one["kind"], one["handle"], one["ttl"], one["message"]) for one in lines] == [
            ("lifetime", "andrewbrown", "1-day", "New messages now disappear after 1 day."),
            ("lifetime", "bayko", "7-days", "New messages now disappear after 7 days."),
            ("lifetime", "andrewbrown", None, "New messages no longer disappear."),
        ]
        assert [life(line) for line in lines] == [timedelta(days=1), timedelta(days=7), None]
    [group] = await bayko.get("/api/message_groups")
    assert (group["kind"], group["ttl"], group["unread_count"]) == ("lifetime", None, 0)


async def test_a_lifetime_needs_another_user_who_accepts_messages(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    body = {"ttl": "1-day"}
    await andrew.put("/api/messages/@nobody/lifetime", body, expect=404)
    await andrew.get("/api/messages/@nobody/lifetime", expect=404)
    refused = await andrew.put("/api/messages/@andrewbrown/lifetime", body, expect=422)
    assert refused == ["message_to_self"]
    for wrong in ({}, {"ttl": "3-days"}, {"ttl": None}):
        assert await andrew.put("/api/messages/@bayko/lifetime", wrong, expect=422) == ["ttl_blank"]
    await bayko.put("/api/messages/policy", {"policy": "nobody"})
    refused = await andrew.put("/api/messages/@bayko/lifetime", body, expect=403)
    assert refused == ["messages_not_accepted"]
    assert await count_rows(database, "message_groups") == 0


async def test_the_lifetime_of_a_stranger_is_a_request(andrew: Member, bayko: Member) -> None:
    await bayko.delete("/api/users/@andrewbrown/follow")
    await andrew.put("/api/messages/@bayko/lifetime", {"ttl": "1-day"})
    [request] = await bayko.get("/api/message_requests")
    assert request["kind"] == "lifetime"
    assert await bayko.get("/api/messages/counter") == {"count": 0}
    assert await bayko.get("/api/activities/notifications") == []


async def test_a_conversation_is_listed_by_its_latest_live_message(
    api: Api, andrew: Member, bayko: Member, member: Any, database: asyncpg.Connection
) -> None:
    worf = await member("worf")
    await acquaint(database, andrew, worf)
    await bayko.message("andrewbrown", "first")
    await worf.message("andrewbrown", "second")
    late = await bayko.message("andrewbrown", "third")
    only = await worf.put("/api/messages/@andrewbrown/lifetime", {"ttl": "1-hour"})
    assert only == {"ttl": "1-hour"}
    await expire_message(database, late["uuid"])
    assert [one["message"] for one in await andrew.get("/api/message_groups")] == [
        "New messages now disappear after 1 hour.",
        "first",
    ]
    paged = await andrew.request("GET", "/api/message_groups?limit=1")
    assert [one["handle"] for one in paged.json()] == ["worf"]
    second = paged.links["next"]["url"]
    assert [one["handle"] for one in await andrew.get(second)] == ["bayko"]
    await database.execute("UPDATE messages SET expires_at = now() WHERE message <> 'first'")
    assert [one["handle"] for one in await andrew.get("/api/message_groups")] == ["bayko"]
    assert await andrew.get("/api/messages/counter") == {"count": 1}


@pytest.mark.rule("C140")
async def test_a_sweep_deletes_expired_messages_with_everything_attached(
    dsn: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    body = {"message": "fleeting", "handle": "bayko"}
    keyed = {"headers": {"Idempotency-Key": "key"}}
    sent = await andrew.post("/api/messages", body, **keyed)
    kept = await bayko.message("andrewbrown", "kept")
    hanging = ("messages", "notifications", "idempotency_answers")
    assert [await count_rows(database, table) for table in hanging] == [2, 2, 1]
    await expire_message(database, sent["uuid"])
    await swept(dsn)
    assert [await count_rows(database, table) for table in hanging] == [1, 1, 0]
    assert await database.fetchval("SELECT uuid FROM messages") == UUID(kept["uuid"])
