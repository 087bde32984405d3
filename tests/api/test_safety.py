"""Blocks, mutes, and the policy of messages, one rule after the other.

`test_hidden_people.py` requests every route for them.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from support import Api, Member, count_rows, pages, swept, until_blocking

BLOCK = "/api/users/@{}/block"
MUTE = "/api/users/@{}/mute"
POLICY = "/api/messages/policy"
REQUESTS = "/api/message_requests"


async def follow(conn: asyncpg.Connection, follower: Member, followee: Member) -> None:
    await conn.execute(
        "INSERT INTO follows (follower_uuid, followee_uuid) VALUES ($1, $2)",
        follower.uuid, followee.uuid,
    )  # fmt: skip


def uuids(cruds: list[dict[str, Any]]) -> list[str]:
    return [crud["uuid"] for crud in cruds]


# --- Blocks and mutes ----------------------------------------------------------------


@pytest.mark.rule("C102", "C103")
@pytest.mark.parametrize(
    ("path", "body", "name", "items"),
    [(BLOCK, None, "blocked", "/api/blocks"), (MUTE, {}, "muted", "/api/mutes")],
)
async def test_a_block_or_mute_can_be_repeated_and_undone(
    andrew: Member, bayko: Member, path: str, body: Any, name: str, items: str
) -> None:
    person = {
        "uuid": str(bayko.uuid),
        "handle": "bayko",
        "display_name": "Andrew Bayko",
        "avatar_url": None,
    }
    relation = {**person, "blocked": False, "muted": False, name: True}
    for handle in ("bayko", "BAYKO"):
        assert await andrew.put(path.format(handle), body) == relation
    [listed] = await andrew.get(items)
    assert person.items() <= listed.items()
    assert await bayko.get(items) == []
    for _ in range(2):
        assert await andrew.delete(path.format("bayko")) == {**relation, name: False}
    assert await andrew.get(items) == []


@pytest.mark.rule("C102", "C103")
async def test_no_member_can_block_or_mute_themselves(
    andrew: Member, database: asyncpg.Connection
) -> None:
    for change in (andrew.put, andrew.delete):
        assert await change(BLOCK.format("AndrewBrown"), expect=422) == ["block_self"]
    assert await andrew.put(MUTE.format("andrewbrown"), {}, expect=422) == ["mute_self"]
    assert await andrew.delete(MUTE.format("andrewbrown"), expect=422) == ["mute_self"]
    assert await count_rows(database, "hidden_authors") == 0


@pytest.mark.rule("C102", "C103")
@pytest.mark.parametrize("handle", ["no_one", "no handle", "é"])
async def test_an_unknown_person_can_be_neither_blocked_nor_muted(
    andrew: Member, handle: str
) -> None:
    for change in (andrew.put, andrew.delete):
        assert await change(BLOCK.format(handle), expect=404) == ["not_found"]
        assert await change(MUTE.format(handle), {}, expect=404) == ["not_found"]


async def test_a_user_who_blocks_can_be_blocked_in_return(andrew: Member, bayko: Member) -> None:
    await andrew.put(BLOCK.format("bayko"))
    assert (await bayko.put(BLOCK.format("andrewbrown")))["blocked"] is True
    await andrew.delete(BLOCK.format("bayko"))
    await andrew.get("/api/activities/@bayko", expect=404)
    await bayko.delete(BLOCK.format("andrewbrown"))
    await andrew.get("/api/activities/@bayko")


async def test_simultaneous_blocks_of_both_end_in_two_blocks(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    await asyncio.gather(
        *(
            one.put(BLOCK.format(other.handle))
            for one, other in ((andrew, bayko), (bayko, andrew)) * 4
        )
    )
    assert await count_rows(database, "blocks") == 2


@pytest.mark.rule("C102")
async def test_a_block_ends_the_follows_of_both(
    andrew: Member, bayko: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    worf = await member("worf")
    for one, other in ((andrew, bayko), (bayko, andrew), (andrew, worf), (worf, bayko)):
        await follow(database, one, other)
    await andrew.put(BLOCK.format("bayko"))
    left = await database.fetch("SELECT follower_uuid, followee_uuid FROM follows")
    assert {tuple(row) for row in left} == {(andrew.uuid, worf.uuid), (worf.uuid, bayko.uuid)}
    await andrew.delete(BLOCK.format("bayko"))
    assert await count_rows(database, "follows") == 2


@pytest.mark.rule("C103")
async def test_a_mute_ends_after_its_duration(
    andrew: Member, bayko: Member, dsn: str, database: asyncpg.Connection
) -> None:
    crud = await bayko.crud()
    for duration, seconds in (("1-hour", 3600), ("1-day", 86400), ("7-days", 7 * 86400)):
        await andrew.put(MUTE.format("bayko"), {"duration": duration})
        assert await database.fetchval(
            "SELECT round(extract(epoch FROM ends_at - now())) BETWEEN $1::int - 60 AND $1::int"
            " FROM mutes",
            seconds,
        )
    [muted] = await andrew.get("/api/mutes")
    assert muted["ends_at"] is not None
    assert await andrew.get("/api/activities/home") == []
    await database.execute("UPDATE mutes SET ends_at = now()")
    assert await andrew.get("/api/mutes") == []
    assert uuids(await andrew.get("/api/activities/home")) == [crud["uuid"]]
    await swept(dsn)
    assert await count_rows(database, "mutes") == 0
    await andrew.put(MUTE.format("bayko"), {"duration": None})
    [muted] = await andrew.get("/api/mutes")
    assert muted["ends_at"] is None


@pytest.mark.parametrize("body", [{"duration": "2-hours"}, {"duration": 7}, {"duration": ""}])
async def test_an_unknown_duration_is_rejected(
    andrew: Member, bayko: Member, database: asyncpg.Connection, body: dict[str, Any]
) -> None:
    assert await andrew.put(MUTE.format("bayko"), body, expect=422) == ["duration_invalid"]
    assert await count_rows(database, "mutes") == 0


@pytest.mark.parametrize("kind", ["block", "mute"])
async def test_the_lists_are_paged_with_the_latest_first(
    andrew: Member, member: Callable[..., Any], kind: str
) -> None:
    handles = [f"person_{number}" for number in range(5)]
    for handle in handles:
        await member(handle)
        await andrew.put(f"/api/users/@{handle}/{kind}", {} if kind == "mute" else None)
    listed = [page async for page in pages(andrew, f"/api/{kind}s?limit=2")]
    assert [len(page) for page in listed] == [2, 2, 1]
    assert [user["handle"] for page in listed for user in page] == handles[::-1]


@pytest.mark.rule("C103")
async def test_a_muted_profile_has_no_cruds_and_says_that_it_is_muted(
    api: Api, andrew: Member, bayko: Member
) -> None:
    await bayko.crud()
    other = await andrew.crud()
    await bayko.put(f"/api/activities/{other['uuid']}/repost")
    await andrew.put(MUTE.format("bayko"), {})
    path = "/api/activities/@bayko?shape=profile"
    for _ in range(3):  # also from the cache
        for reader, muted, count in ((andrew, True, 0), (bayko, False, 2), (api, None, 2)):
            page = await reader.get(path)
            assert page["profile"].get("muted") is muted
            assert len(page["activities"]) == count


@pytest.mark.rule("C103")
async def test_the_muted_user_notices_nothing(andrew: Member, bayko: Member) -> None:
    crud = await andrew.crud()
    await andrew.put(MUTE.format("bayko"), {})
    assert uuids(await bayko.get("/api/activities/home")) == [crud["uuid"]]
    reply = await bayko.reply(crud["uuid"])
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    page = await bayko.get(f"/api/activities/{crud['uuid']}")
    assert uuids(page["replies"]) == [reply["uuid"]]
    assert (await andrew.get(f"/api/activities/{crud['uuid']}"))["replies"] == []
    assert await andrew.get("/api/notifications") == []
    assert await andrew.get("/api/activities/notifications/counter") == {"count": 0}
    await andrew.delete(MUTE.format("bayko"))
    assert [note["kind"] for note in await andrew.get("/api/notifications")] == ["like", "reply"]


# --- What is left of pages ------------------------------------------------------------


@pytest.mark.rule("C104")
@pytest.mark.parametrize("kind", ["block", "mute"])
async def test_a_reply_to_a_hidden_author_does_not_name_them(
    andrew: Member, bayko: Member, member: Callable[..., Any], kind: str
) -> None:
    worf = await member("worf")
    hidden = await bayko.crud("hidden #thread")
    reply = await worf.reply(hidden["uuid"], "@andrewbrown look, a #thread")
    nested = await andrew.reply(reply["uuid"], "I look")
    await andrew.put(f"/api/users/@bayko/{kind}", {} if kind == "mute" else None)
    paths = [f"/api/activities/{reply['uuid']}", "/api/activities/search?term=%23thread"]
    for path in paths * 3:  # also from the cache
        page = await andrew.get(path)
        [shown] = page if isinstance(page, list) else [page["activity"]]
        assert shown["uuid"] == reply["uuid"]
        assert "reply_to_handle" not in shown
    [group] = await andrew.get("/api/notifications")
    assert "reply_to_handle" not in group["activity"]
    for _ in range(3):
        page = await andrew.get(f"/api/activities/{nested['uuid']}")
        assert uuids(page["ancestors"]) == [reply["uuid"]]
        other = await worf.get(f"/api/activities/{nested['uuid']}")
        assert uuids(other["ancestors"]) == [hidden["uuid"], reply["uuid"]]
        assert other["ancestors"][1]["reply_to_handle"] == "bayko"


@pytest.mark.rule("C104")
async def test_ancestors_end_below_a_hidden_crud(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    top = await worf.crud()
    hidden = await bayko.reply(top["uuid"])
    below = await worf.reply(hidden["uuid"])
    last = await worf.reply(below["uuid"])
    await andrew.put(BLOCK.format("bayko"))
    for _ in range(3):
        page = await andrew.get(f"/api/activities/{last['uuid']}")
        assert uuids(page["ancestors"]) == [below["uuid"]]
        assert (await andrew.get(f"/api/activities/{top['uuid']}"))["replies"] == []
        [reply] = (await worf.get(f"/api/activities/{top['uuid']}"))["replies"]
        assert uuids(reply["replies"]) == [below["uuid"]]


@pytest.mark.rule("C104")
@pytest.mark.parametrize("first", ["andrew", "bayko", "worf"])
async def test_members_share_a_page_whoever_of_them_hides_others(
    api: Api, andrew: Member, bayko: Member, member: Callable[..., Any], first: str
) -> None:
    """The page that is cached is complete, also if a member who hides others requested it first."""
    worf = await member("worf")
    own, crud = await andrew.crud(), await bayko.crud()
    await andrew.put(BLOCK.format("bayko"))
    members = {"andrew": andrew, "bayko": bayko, "worf": worf}
    expected = {"andrew": [own["uuid"]], "bayko": [crud["uuid"]]}
    everything = [crud["uuid"], own["uuid"]]
    for name in [first] * 3 + [*members] * 3:
        page = await members[name].get("/api/activities/home")
        assert uuids(page) == expected.get(name, everything), name
    assert uuids(await api.get("/api/activities/home")) == everything


@pytest.mark.rule("C104")
async def test_a_page_without_hidden_cruds_is_shorter_and_leads_to_the_next(
    andrew: Member, bayko: Member
) -> None:
    cruds = [await (bayko if number % 3 else andrew).crud(f"{number}") for number in range(9)]
    await andrew.put(MUTE.format("bayko"), {})
    for _ in range(3):
        listed = [page async for page in pages(andrew, "/api/activities/home?limit=2")]
        assert len(listed) == 5
        assert [crud["uuid"] for page in listed for crud in page] == uuids(cruds[::3])[::-1]


async def test_an_entity_tag_belongs_to_what_the_member_sees(andrew: Member, bayko: Member) -> None:
    await bayko.crud()
    seen = []
    for _ in range(4):
        response = await andrew.request("GET", "/api/activities/home")
        seen.append(response.headers["etag"])
    assert len(set(seen)) == 1
    await andrew.put(BLOCK.format("bayko"))
    headers = {"If-None-Match": seen[0]}
    response = await andrew.request("GET", "/api/activities/home", headers=headers)
    assert response.json() == []
    headers = {"If-None-Match": response.headers["etag"]}
    await andrew.request("GET", "/api/activities/home", headers=headers, expect=304)


@pytest.mark.rule("C102")
async def test_a_group_of_notifications_counts_only_visible_users(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    crud = await andrew.crud()
    for fan in (worf, bayko):
        await fan.put(f"/api/activities/{crud['uuid']}/like")
    await andrew.put(BLOCK.format("bayko"))
    assert await andrew.get("/api/activities/notifications/counter") == {"count": 1}
    [group] = await andrew.get("/api/notifications")
    assert group["actors_count"] == 1
    assert [actor["handle"] for actor in group["actors"]] == ["worf"]


@pytest.mark.rule("C102")
async def test_suggestions_are_filled_up_with_others(
    app: Any, andrew: Member, member: Callable[..., Any]
) -> None:
    for number in range(8):
        person = await member(f"person_{number}")
        await person.crud()
        if number < 3:
            await andrew.put(BLOCK.format(person.handle))
    app.extensions["cruddur"].suggestions._latest = None  # it may be of another test
    shown = [user["handle"] for user in await andrew.get("/api/users/suggested")]
    assert len(shown) == 5
    assert {"person_0", "person_1", "person_2"}.isdisjoint(shown)


@pytest.mark.rule("C102")
async def test_no_one_completes_the_handle_of_a_blocked_user(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    await andrew.put(BLOCK.format("bayko"))
    assert await andrew.get("/api/users?prefix=bay") == []
    assert await bayko.get("/api/users?prefix=andrewbr") == []
    assert len(await worf.get("/api/users?prefix=bay")) == 1


@pytest.mark.rule("C102")
async def test_a_mention_of_a_blocked_user_makes_no_notification(
    andrew: Member, bayko: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    worf = await member("worf")
    crud = await worf.crud()
    await andrew.put(BLOCK.format("bayko"))
    await andrew.crud("@bayko")
    await bayko.crud("@andrewbrown")
    await andrew.reply(crud["uuid"], "@bayko")
    await bayko.reply(crud["uuid"], "@andrewbrown")
    kinds = await database.fetch("SELECT kind, user_uuid FROM notifications")
    assert [tuple(row) for row in kinds] == [("reply", worf.uuid)] * 2


# --- Messages -------------------------------------------------------------------------


@pytest.mark.rule("C105")
async def test_a_message_of_a_stranger_is_a_request_that_does_not_notify(
    andrew: Member, bayko: Member
) -> None:
    sent = await andrew.message("bayko", "hello")
    assert await bayko.get("/api/message_groups") == []
    assert await bayko.get("/api/messages/counter") == {"count": 0}
    assert await bayko.get("/api/activities/notifications") == []
    [request] = await bayko.get(REQUESTS)
    assert request["uuid"] == sent["message_group_uuid"]
    assert (request["handle"], request["message"]) == ("andrewbrown", "hello")
    assert await andrew.get(REQUESTS) == []
    [group] = await andrew.get("/api/message_groups")
    assert group["uuid"] == sent["message_group_uuid"]
    [read] = await bayko.get("/api/messages/@andrewbrown")
    assert read["message"] == "hello"


@pytest.mark.rule("C105")
@pytest.mark.parametrize("way", ["accepting", "answering", "following"])
async def test_a_request_becomes_a_conversation(
    andrew: Member, bayko: Member, database: asyncpg.Connection, way: str
) -> None:
    group = (await andrew.message("bayko", "hello"))["message_group_uuid"]
    if way == "accepting":
        for _ in range(2):
            accepted = await bayko.put(f"{REQUESTS}/{group}")
            assert accepted == {"uuid": group, "status": "accepted"}
    elif way == "answering":
        await bayko.post("/api/messages", {"message": "hi", "message_group_uuid": group})
    else:
        await follow(database, bayko, andrew)
    assert await bayko.get(REQUESTS) == []
    assert [listed["uuid"] for listed in await bayko.get("/api/message_groups")] == [group]
    await andrew.message("bayko", "again")
    counter = await bayko.get("/api/messages/counter")
    assert counter == {"count": 2}
    [note] = await bayko.get("/api/activities/notifications")
    assert note["message"] == "again"


@pytest.mark.rule("C105")
async def test_a_deleted_request_is_gone_for_its_recipient_alone(
    andrew: Member, bayko: Member
) -> None:
    group = (await andrew.message("bayko", "one"))["message_group_uuid"]
    deleted = await bayko.delete(f"{REQUESTS}/{group}")
    assert deleted == {"uuid": group, "status": "deleted"}
    assert await bayko.delete(f"{REQUESTS}/{group}", expect=404) == ["not_found"]
    assert await bayko.get(REQUESTS) == []
    assert await bayko.get("/api/messages/@andrewbrown") == []
    assert len(await andrew.get("/api/messages/@bayko")) == 1
    await andrew.message("bayko", "two")
    [request] = await bayko.get(REQUESTS)
    assert (request["message"], request["unread_count"]) == ("two", 1)
    await bayko.put(f"{REQUESTS}/{group}")
    assert [one["message"] for one in await bayko.get("/api/messages/@andrewbrown")] == ["two"]


async def test_only_a_request_of_ones_own_can_be_accepted_or_deleted(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    group = (await andrew.message("bayko"))["message_group_uuid"]
    for change in (worf.put, worf.delete):
        assert await change(f"{REQUESTS}/{group}", expect=404) == ["not_found"]
    assert await andrew.delete(f"{REQUESTS}/{group}", expect=404) == ["not_found"]
    await bayko.put(f"{REQUESTS}/{group}")
    assert await bayko.delete(f"{REQUESTS}/{group}", expect=404) == ["not_found"]


@pytest.mark.rule("C106")
@pytest.mark.parametrize(
    ("policy", "is_followed", "accepts"),
    [
        ("everyone", False, True),
        ("following", False, False),
        ("following", True, True),
        ("nobody", True, False),
    ],
)
async def test_a_member_chooses_who_may_start_a_conversation(
    andrew: Member,
    bayko: Member,
    database: asyncpg.Connection,
    policy: str,
    is_followed: bool,
    accepts: bool,
) -> None:
    assert await bayko.get(POLICY) == {"policy": "everyone"}
    assert await bayko.put(POLICY, {"policy": policy}) == {"policy": policy}
    assert await bayko.get(POLICY) == {"policy": policy}
    if is_followed:
        await follow(database, bayko, andrew)
    body = {"message": "hello", "handle": "bayko"}
    if accepts:
        await andrew.post("/api/messages", body)
    else:
        refusal = await andrew.post("/api/messages", body, expect=403)
        assert refusal == ["messages_not_accepted"]
        assert await count_rows(database, "message_groups") == 0


@pytest.mark.rule("C106")
async def test_conversations_that_were_accepted_go_on(andrew: Member, bayko: Member) -> None:
    await bayko.put(POLICY, {"policy": "nobody"})
    await bayko.message("andrewbrown", "I write to you")
    await andrew.message("bayko", "and I answer")
    assert await bayko.get("/api/messages/counter") == {"count": 1}


@pytest.mark.parametrize("body", [{}, {"policy": None}, {"policy": "friends"}])
async def test_an_unknown_policy_is_rejected(andrew: Member, body: dict[str, Any]) -> None:
    assert await andrew.put(POLICY, body, expect=422) == ["policy_invalid"]
    assert await andrew.get(POLICY) == {"policy": "everyone"}


@pytest.mark.rule("C102")
@pytest.mark.parametrize("blocker", ["andrewbrown", "bayko"])
async def test_blocked_users_have_no_conversation(
    andrew: Member, bayko: Member, database: asyncpg.Connection, blocker: str
) -> None:
    group = (await andrew.message("bayko", "one"))["message_group_uuid"]
    await bayko.message("andrewbrown", "two")
    one, other = (andrew, bayko) if blocker == "andrewbrown" else (bayko, andrew)
    await one.put(BLOCK.format(other.handle))
    for reader in (andrew, bayko):
        name = "bayko" if reader is andrew else "andrewbrown"
        assert await reader.get("/api/message_groups") == []
        assert await reader.get("/api/messages/counter") == {"count": 0}
        assert await reader.get(f"/api/messages/@{name}") == []
        await reader.get(f"/api/messages/{group}", expect=404)
        for to in ({"handle": name}, {"message_group_uuid": group}):
            body = {"message": "three", **to}
            assert await reader.post("/api/messages", body, expect=404) == ["not_found"]
        await reader.get(f"/api/users/@{name}/short", expect=404)
    assert await count_rows(database, "messages") == 2
    await one.delete(BLOCK.format(other.handle))
    assert len(await andrew.get("/api/messages/@bayko")) == 2


@pytest.mark.rule("C102")
@pytest.mark.parametrize("first", ["follow", "block"])
async def test_no_follow_outlives_a_block_of_the_same_moment(
    andrew: Member, bayko: Member, dsn: str, database: asyncpg.Connection, first: str
) -> None:
    changes = {
        "follow": (
            "INSERT INTO follows (follower_uuid, followee_uuid) VALUES ($2, $1)",
            lambda: bayko.put("/api/users/@andrewbrown/follow"),
        ),
        "block": (
            "INSERT INTO blocks (blocker_uuid, blocked_uuid) VALUES ($1, $2)",
            lambda: andrew.put(BLOCK.format("bayko")),
        ),
    }
    statement, _ = changes.pop(first)
    [(_, call)] = changes.values()
    conn = await asyncpg.connect(dsn)
    try:
        async with conn.transaction():
            await conn.execute(statement, andrew.uuid, bayko.uuid)
            second = asyncio.create_task(call())
            await until_blocking(conn)
        await second
    finally:
        await conn.close()
    assert await count_rows(database, "blocks") == 1
    assert await count_rows(database, "follows") == 0
    assert await count_rows(database, "notifications") == 0
    counts = await database.fetchval("SELECT sum(followers_count) FROM follow_counts")
    assert not counts
