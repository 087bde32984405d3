"""Likes and reposts: idempotent, with correct counts under concurrency."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from support import Api, Member, count_rows, expire

KINDS = ["like", "repost"]
TABLES = {"like": "likes", "repost": "reposts"}
COUNTS = {"like": "likes_count", "repost": "reposts_count"}
FLAGS = {"like": "liked", "repost": "reposted"}


def path_of(crud: Any, kind: str) -> str:
    return f"/api/activities/{crud['uuid']}/{kind}"


async def counters_hold(conn: asyncpg.Connection) -> None:
    """Check that each stored counter equals its number of rows."""
    wrong = await conn.fetch(
        "SELECT message, likes_count, reposts_count FROM activities"
        " WHERE likes_count <> (SELECT count(*) FROM likes WHERE activity_uuid = uuid)"
        " OR reposts_count <> (SELECT count(*) FROM reposts WHERE activity_uuid = uuid)"
    )
    assert wrong == []


@pytest.mark.rule("C29")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_repeated_reaction_counts_once(
    andrew: Member, bayko: Member, database: asyncpg.Connection, kind: str
) -> None:
    crud = await andrew.crud()
    path = path_of(crud, kind)
    expected = {
        "uuid": crud["uuid"],
        "replies_count": 0,
        "reposts_count": 0,
        "likes_count": 0,
        "liked": False,
        "reposted": False,
    }
    done = {**expected, COUNTS[kind]: 1, FLAGS[kind]: True}
    assert await bayko.delete(path) == expected
    assert [await bayko.put(path) for _ in range(3)] == [done] * 3
    assert await count_rows(database, TABLES[kind]) == 1
    assert await count_rows(database, "notifications") == 1
    assert [await bayko.delete(path) for _ in range(2)] == [expected] * 2
    assert await count_rows(database, TABLES[kind]) == 0
    assert await count_rows(database, "notifications") == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_counts_are_global_and_flags_belong_to_the_viewer(
    api: Api, andrew: Member, bayko: Member, kind: str
) -> None:
    crud = await andrew.crud()
    await bayko.put(path_of(crud, kind))
    show = f"/api/activities/{crud['uuid']}"
    views = [(await member.get(show))["activity"] for member in (andrew, bayko, api)]
    assert [view[COUNTS[kind]] for view in views] == [1, 1, 1]
    assert [view.get(FLAGS[kind]) for view in views] == [False, True, None]
    assert (await andrew.put(path_of(crud, kind)))[COUNTS[kind]] == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_reacting_to_ones_own_crud_sends_no_notification(
    andrew: Member, database: asyncpg.Connection, kind: str
) -> None:
    crud = await andrew.crud()
    assert (await andrew.put(path_of(crud, kind)))[COUNTS[kind]] == 1
    assert await count_rows(database, "notifications") == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reply_can_be_liked_and_reposted(andrew: Member, bayko: Member, kind: str) -> None:
    crud = await andrew.crud()
    reply = await bayko.reply(crud["uuid"])
    assert (await andrew.put(path_of(reply, kind)))[COUNTS[kind]] == 1
    [shown] = (await andrew.get(f"/api/activities/{crud['uuid']}"))["replies"]
    assert (shown[COUNTS[kind]], shown[FLAGS[kind]]) == (1, True)


@pytest.mark.parametrize("kind", KINDS)
async def test_reacting_to_a_missing_crud_returns_404(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection, kind: str
) -> None:
    gone, unliked = await andrew.crud(), await andrew.crud()
    await bayko.put(path_of(gone, kind))
    for crud in (gone, unliked):
        await expire(database, crud["uuid"])
    for crud in (gone, unliked, {"uuid": uuid4()}):
        for call in (bayko.put, bayko.delete):
            assert await call(path_of(crud, kind), expect=404) == ["not_found"]
    rows = await database.fetch(
        f"SELECT activity_uuid FROM {TABLES[kind]} WHERE activity_uuid <> $1", UUID(gone["uuid"])
    )
    assert rows == []
    live = await andrew.crud()
    for verb in ("PUT", "DELETE"):
        await api.request(verb, path_of(live, kind), expect=401)
        await api.request(verb, "/api/activities/not-a-uuid/" + kind, expect=404)


async def test_counts_are_correct_after_concurrent_reactions(
    andrew: Member,
    member: Callable[..., Any],
    database: asyncpg.Connection,
) -> None:
    crud = await andrew.crud()
    crowd = [await member(f"member_{number}") for number in range(12)]
    verbs = ["PUT", "PUT", "DELETE"]
    calls = [
        one.request(verb, path_of(crud, kind)) for one in crowd for kind in KINDS for verb in verbs
    ]
    await asyncio.gather(*calls)
    await counters_hold(database)

    for kind in KINDS:
        await asyncio.gather(*(one.put(path_of(crud, kind)) for one in crowd))
    await asyncio.gather(*(one.delete(path_of(crud, "like")) for one in crowd[:5]))
    await counters_hold(database)
    shown = (await andrew.get(f"/api/activities/{crud['uuid']}"))["activity"]
    assert (shown["likes_count"], shown["reposts_count"]) == (7, 12)
    assert await count_rows(database, "notifications") == 19


async def test_two_concurrent_likes_of_one_member_count_once(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    responses = await asyncio.gather(*(bayko.put(path_of(crud, "like")) for _ in range(8)))
    assert [response["likes_count"] for response in responses] == [1] * 8
    assert await count_rows(database, "notifications") == 1


async def test_a_crud_can_be_deleted_during_reactions(
    andrew: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    crowd = [await member(f"member_{number}") for number in range(6)]
    for _ in range(3):
        crud = await andrew.crud()
        reactions = [
            one.http.put(path_of(crud, k), headers=one.headers) for one in crowd for k in KINDS
        ]
        half = len(reactions) // 2
        deletion = andrew.delete(f"/api/activities/{crud['uuid']}")
        responses = await asyncio.gather(*reactions[:half], deletion, *reactions[half:])
        del responses[half]
        assert {response.status_code for response in responses} <= {200, 404}
    for table in ("activities", "likes", "reposts", "notifications"):
        assert await count_rows(database, table) == 0, table


async def test_counts_decrease_when_an_account_is_deleted(
    api: Api,
    andrew: Member,
    bayko: Member,
    member: Callable[..., Any],
    database: asyncpg.Connection,
) -> None:
    worf = await member("worf")
    crud, doomed = await andrew.crud("andrew's"), await bayko.crud("bayko's")
    reply = await bayko.reply(crud["uuid"])
    for one in (andrew, bayko, worf):
        for item in (crud, doomed, reply):
            for kind in KINDS:
                await one.put(path_of(item, kind))
    await database.execute("DELETE FROM users WHERE uuid = $1", bayko.uuid)
    await counters_hold(database)
    [left] = await api.get("/api/activities/home")
    counts = (left["likes_count"], left["reposts_count"], left["replies_count"])
    assert (left["uuid"], counts) == (crud["uuid"], (2, 2, 0))
    for table, number in {"activities": 1, "likes": 2, "reposts": 2, "notifications": 2}.items():
        assert await count_rows(database, table) == number, table
