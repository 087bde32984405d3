"""Follows: idempotent, counted, listed, and announced to the user who is followed."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from cruddur.services import follows
from support import Api, Member, count_rows, pages

FOLLOW = "/api/users/@{}/follow"
NOTIFICATIONS = "/api/activities/notifications"
GROUPS = "/api/notifications"

WRONG_COUNTS = """
SELECT handle, followers_count, following_count
FROM users
LEFT JOIN follow_counts ON user_uuid = uuid
WHERE COALESCE(followers_count, 0)
    <> (SELECT count(*) FROM follows WHERE followee_uuid = uuid)
   OR COALESCE(following_count, 0)
    <> (SELECT count(*) FROM follows WHERE follower_uuid = uuid)
"""


async def profile(reader: Api, handle: str) -> Any:
    return (await reader.get(f"/api/activities/@{handle}?shape=profile"))["profile"]


async def follow(follower: Member, *followed: Member) -> None:
    for one in followed:
        await follower.put(FOLLOW.format(one.handle))


@pytest.mark.rule("C94")
async def test_a_repeated_follow_counts_once(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    path = FOLLOW.format("AndrewBrown")
    none = {
        "uuid": str(andrew.uuid),
        "followers_count": 0,
        "following_count": 0,
        "followed": False,
    }
    done = {**none, "followers_count": 1, "followed": True}
    assert await bayko.delete(path) == none
    assert [await bayko.put(path) for _ in range(3)] == [done] * 3
    assert await count_rows(database, "follows") == 1
    assert await count_rows(database, "notifications") == 1
    assert [await bayko.delete(path) for _ in range(2)] == [none] * 2
    assert await count_rows(database, "follows") == 0
    assert await count_rows(database, "notifications") == 0


@pytest.mark.rule("C94")
async def test_a_member_follows_neither_themselves_nor_an_unknown_user(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    assert await andrew.put(FOLLOW.format("andrewbrown"), expect=422) == ["follow_self"]
    for handle in ("nobody", "%00", "a b"):
        assert await andrew.put(FOLLOW.format(handle), expect=404) == ["not_found"]
        assert await andrew.delete(FOLLOW.format(handle), expect=404) == ["not_found"]
    assert (await andrew.delete(FOLLOW.format("andrewbrown")))["followed"] is False
    await api.put(FOLLOW.format("andrewbrown"), expect=401)
    assert await count_rows(database, "follows") == 0


@pytest.mark.rule("C94")
async def test_a_member_follows_a_limited_number(
    andrew: Member, bayko: Member, member: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follows, "MAX_FOLLOWED", 1)
    await member("worf")
    await follow(andrew, bayko)
    assert await andrew.put(FOLLOW.format("worf"), expect=422) == ["too_many_followed"]
    await follow(andrew, bayko)
    await andrew.delete(FOLLOW.format("bayko"))
    assert (await andrew.put(FOLLOW.format("worf")))["followed"] is True


@pytest.mark.rule("C95")
async def test_profiles_show_the_counts_and_whether_the_viewer_follows(
    api: Api, andrew: Member, bayko: Member, member: Any
) -> None:
    worf = await member("worf")
    readers = (api, andrew, bayko, worf)
    for _ in range(3):  # the third response comes from the response cache
        shown = [await profile(reader, "bayko") for reader in readers]
        assert [one.get("followed") for one in shown] == [None, False, False, False]
        assert {(one["followers_count"], one["following_count"]) for one in shown} == {(0, 0)}
    await follow(andrew, bayko)
    await follow(worf, bayko)
    await follow(bayko, andrew)
    for _ in range(3):
        shown = [await profile(reader, "bayko") for reader in readers]
        assert [one.get("followed") for one in shown] == [None, True, False, True]
        assert {(one["followers_count"], one["following_count"]) for one in shown} == {(2, 1)}


@pytest.mark.rule("C95")
@pytest.mark.parametrize("direction", ["followers", "following"])
async def test_lists_have_each_user_once_the_latest_first(
    api: Api,
    andrew: Member,
    bayko: Member,
    member: Any,
    database: asyncpg.Connection,
    direction: str,
) -> None:
    path = f"/api/users/@andrewbrown/{direction}"
    assert await api.get(path) == []
    others = [bayko, *[await member(f"member_{number}") for number in range(6)]]
    for other in others:
        await (follow(andrew, other) if direction == "following" else follow(other, andrew))
    await follow(bayko, others[1])
    latest_first = [other.handle for other in reversed(others)]
    assert [user["handle"] for user in await api.get(path)] == latest_first
    assert all(user.keys() == {"uuid", "handle", "display_name", "avatar_url"}
               for user in await api.get(path))  # fmt: skip
    seen = await bayko.get(path)
    assert [user["handle"] for user in seen if user["followed"]] == ["member_0"]
    # The hardest case: all have the same time.
    await database.execute("UPDATE follows SET created_at = now()")
    whole = await api.get(path)
    walked = [page async for page in pages(api, f"{path}?limit=3")]
    assert [len(page) for page in walked] == [3, 3, 1]
    assert [user for page in walked for user in page] == whole


@pytest.mark.rule("C96")
async def test_a_follow_notifies_until_it_is_withdrawn(
    api: Api, andrew: Member, bayko: Member
) -> None:
    await follow(bayko, andrew)
    assert await andrew.get(f"{NOTIFICATIONS}/counter") == {"count": 1}
    [note] = await andrew.get(NOTIFICATIONS)
    assert await andrew.get(f"{NOTIFICATIONS}/counter") == {"count": 0}
    assert (note["kind"], note["handle"], note["message"]) == ("follow", "bayko", "followed you")
    assert (note["activity_uuid"], note["message_group_uuid"], note["expires_at"]) == (None,) * 3
    path = f"/api/activities/@bayko/status/{note['uuid']}"
    assert (await andrew.get(path))["activity"]["message"] == "followed you"
    for stranger in (api, bayko):
        assert await stranger.get(path, expect=404) == ["not_found"]
    reply = f"/api/activities/{note['uuid']}/reply"
    assert await andrew.post(reply, {"message": "thanks"}, expect=404) == ["not_found"]
    await bayko.delete(FOLLOW.format("andrewbrown"))
    assert await andrew.get(NOTIFICATIONS) == []
    assert await andrew.get(GROUPS) == []


@pytest.mark.rule("C96")
async def test_follows_of_one_day_are_one_group(
    andrew: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    crowd = [await member(f"member_{number}") for number in range(7)]
    crud = await andrew.crud()
    await crowd[0].reply(crud["uuid"])
    for one in crowd:
        await follow(one, andrew)
    days = {"member_0": 2, "member_1": 2, "member_2": 1}
    for handle, age in days.items():
        await database.execute(
            "UPDATE notifications SET created_at = date_trunc('day', now(), 'UTC')"
            " + interval '1 hour' - make_interval(days => $2) FROM users"
            " WHERE actor_uuid = users.uuid AND handle = $1 AND kind = 'follow'",
            handle, age,
        )  # fmt: skip
    walked = [page async for page in pages(andrew, f"{GROUPS}?limit=1")]
    groups = [group for page in walked for group in page]
    assert [len(page) for page in walked] == [1] * 4
    assert [(group["kind"], group["actors_count"]) for group in groups] == [
        ("follow", 4),
        ("reply", 1),
        ("follow", 1),
        ("follow", 2),
    ]
    today, _, yesterday, _ = groups
    assert today["activity"] is None
    assert [actor["handle"] for actor in today["actors"]] == [
        "member_6", "member_5", "member_4", "member_3"
    ]  # fmt: skip
    assert [actor["handle"] for actor in yesterday["actors"]] == ["member_2"]
    assert await andrew.get(f"{GROUPS}?limit=100") == [
        {**group, "unread": False} for group in groups
    ]
    mentions = await andrew.get(f"{GROUPS}?feed=mentions")
    assert [group["kind"] for group in mentions] == ["reply"]


@pytest.mark.rule("C96")
async def test_a_follow_is_unread_until_the_groups_are_read(andrew: Member, bayko: Member) -> None:
    await follow(bayko, andrew)
    await andrew.get(f"{GROUPS}?feed=mentions")
    assert await andrew.get(f"{NOTIFICATIONS}/counter") == {"count": 1}
    assert [group["unread"] for group in await andrew.get(GROUPS)] == [True]
    assert [group["unread"] for group in await andrew.get(GROUPS)] == [False]
    assert await andrew.get(f"{NOTIFICATIONS}/counter") == {"count": 0}


async def test_counts_are_correct_after_concurrent_follows(
    member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    crowd = [await member(f"member_{number}") for number in range(6)]
    for verbs in (["PUT", "PUT", "DELETE"], ["PUT"]):
        await asyncio.gather(
            *(
                one.request(verb, FOLLOW.format(other.handle))
                for one in crowd
                for other in crowd
                for verb in verbs
                if one is not other
            )
        )
        assert await database.fetch(WRONG_COUNTS) == []
    assert await count_rows(database, "follows") == 30
    assert await count_rows(database, "notifications") == 30


async def test_counts_decrease_when_an_account_is_deleted(
    andrew: Member, bayko: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    worf = await member("worf")
    for one, other in ((andrew, bayko), (bayko, andrew), (worf, bayko), (andrew, worf)):
        await follow(one, other)
    await database.execute("DELETE FROM users WHERE uuid = $1", bayko.uuid)
    assert await database.fetch(WRONG_COUNTS) == []
    assert await count_rows(database, "follows") == 1
    assert await count_rows(database, "notifications") == 1
    shown = await profile(andrew, "andrewbrown")
    assert (shown["followers_count"], shown["following_count"]) == (0, 1)


@pytest.mark.rule("C95")
async def test_followed_users_are_not_suggested(
    api: Api, andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    for one in (andrew, bayko, worf):
        await one.crud()
    await follow(andrew, bayko)

    async def suggested(reader: Api) -> set[str]:
        return {user["handle"] for user in await reader.get("/api/users/suggested")}

    assert await suggested(andrew) == {"worf"}
    assert await suggested(bayko) == {"andrewbrown", "worf"}
    assert await suggested(api) == {"andrewbrown", "bayko", "worf"}
