"""The feed of what a member follows: users, their reposts, and tags."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from cruddur.db import activities as db
from support import Api, Member, expire, pages

FEED = "/api/activities/following"
FOLLOW = "/api/users/@{}/follow"


async def feed(reader: Member, query: str = "") -> list[Any]:
    found: list[Any] = await reader.get(FEED + query)
    return found


async def messages(reader: Member) -> list[str]:
    return [crud["message"] for crud in await feed(reader)]


async def follow(follower: Member, *followed: Member) -> None:
    for one in followed:
        await follower.put(FOLLOW.format(one.handle))


async def repost(member: Member, crud: Any) -> None:
    await member.put(f"/api/activities/{crud['uuid']}/repost")


@pytest.fixture(params=["few", "many"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Read the cruds of each followed user, or pass the newest ones of everyone."""
    if request.param == "many":
        monkeypatch.setattr(db, "_FEW_FOLLOWED", 0)
    way: str = request.param
    return way


@pytest.mark.rule("C97")
async def test_the_feed_has_the_cruds_of_followed_users_without_replies(
    api: Api, andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    await api.get(FEED, expect=401)
    crud = await bayko.crud("bayko's")
    await bayko.reply(crud["uuid"], "bayko's reply")
    await worf.crud("worf's")
    await andrew.crud("andrew's own")
    assert await feed(andrew) == []
    await follow(andrew, bayko)
    await andrew.put(f"/api/activities/{crud['uuid']}/like")
    [found] = await feed(andrew)
    assert found == (await andrew.get("/api/activities/@bayko?shape=list"))[0]
    assert (found["message"], found["liked"]) == ("bayko's", True)
    await bayko.crud("bayko's second")
    assert await messages(andrew) == ["bayko's second", "bayko's"]
    await andrew.delete(FOLLOW.format("bayko"))
    assert await feed(andrew) == []


@pytest.mark.rule("C97")
async def test_a_repost_is_listed_once_at_its_time_with_the_first_reposter(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf, londo = await member("worf"), await member("londo", "Londo Mollari")
    await follow(andrew, bayko, londo)
    crud = await worf.crud("worf's")
    reply = await worf.reply(crud["uuid"], "worf's reply")
    await bayko.crud("bayko's")
    for item in (crud, reply):
        await repost(worf, item)
        await repost(londo, item)
        await repost(bayko, item)
    found = await feed(andrew)
    assert [(item["message"], item.get("reposted_by")) for item in found] == [
        ("worf's reply", "londo"),
        ("worf's", "londo"),
        ("bayko's", None),
    ]
    assert found[0]["reposted_by_name"] == "Londo Mollari"
    # Without Londo, Bayko is the first.
    await andrew.delete(FOLLOW.format("londo"))
    assert [item.get("reposted_by") for item in await feed(andrew)] == ["bayko", "bayko", None]
    # A followed author's crud is listed at its own time, but a reply only for a repost.
    await follow(andrew, worf)
    assert [(item["message"], item.get("reposted_by")) for item in await feed(andrew)] == [
        ("worf's reply", "bayko"),
        ("bayko's", None),
        ("worf's", None),
    ]
    await bayko.delete(f"/api/activities/{reply['uuid']}/repost")
    assert await messages(andrew) == ["bayko's", "worf's"]


@pytest.mark.rule("C97", "C34")
async def test_an_expired_crud_is_not_listed(
    andrew: Member, bayko: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    worf = await member("worf")
    await follow(andrew, bayko)
    await andrew.put("/api/tags/fading/follow")
    own, reposted, tagged = (
        await bayko.crud("bayko's"),
        await worf.crud("reposted"),
        await worf.crud("#fading"),
    )
    await repost(bayko, reposted)
    assert len(await feed(andrew)) == 3
    for crud in (own, reposted, tagged):
        await expire(database, crud["uuid"])
    assert await feed(andrew) == []


@pytest.mark.rule("C97", "C98")
async def test_a_crud_with_a_followed_tag_is_marked_unless_its_author_is_followed(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    await follow(andrew, bayko)
    for tag in ("Tea", "coffee"):
        await andrew.put(f"/api/tags/{tag}/follow")
    crud = await worf.crud("#tea and #coffee")
    await worf.reply(crud["uuid"], "a reply about #tea")
    await worf.crud("#teatime")
    await bayko.crud("bayko's #tea")
    await repost(bayko, crud)
    assert [
        (item["message"], item.get("followed_tag"), item.get("reposted_by"))
        for item in await feed(andrew)
    ] == [("bayko's #tea", None, None), ("#tea and #coffee", "coffee", None)]
    await andrew.delete("/api/tags/coffee/follow")
    assert [item.get("followed_tag") for item in await feed(andrew)] == [None, "tea"]
    await andrew.delete("/api/tags/TEA/follow")
    assert [item.get("reposted_by") for item in await feed(andrew)] == ["bayko", None]


@pytest.mark.parametrize("passed", [1, 3, 7, 2000])
@pytest.mark.rule("C97", "C26")
async def test_paging_lists_each_crud_once(
    andrew: Member,
    bayko: Member,
    member: Callable[..., Any],
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    passed: int,
) -> None:
    """The first way may give up anywhere, also between two reposts of a crud at the same time."""
    monkeypatch.setattr(db, "_MAX_PASSED", passed)
    worf, londo = await member("worf"), await member("londo")
    await follow(andrew, bayko, londo)
    await andrew.put("/api/tags/tea/follow")
    cruds = [await worf.crud(f"worf's {number}") for number in range(4)]
    for number in range(4):
        await bayko.crud(f"bayko's {number} #tea")
        await worf.crud(f"#tea {number}")
    for reposter in (bayko, londo):
        for crud in cruds:
            await repost(reposter, crud)
    for is_simultaneous in (False, True):
        if is_simultaneous:  # the hardest case
            for table in ("activities", "activity_tags", "reposts"):
                await database.execute(f"UPDATE {table} SET created_at = now()")
        whole = await feed(andrew)
        assert len({crud["uuid"] for crud in whole}) == len(whole) == 12
        walked = [page async for page in pages(andrew, f"{FEED}?limit=5")]
        assert [len(page) for page in walked] == [5, 5, 2]
        assert [crud for page in walked for crud in page] == whole


async def test_the_second_way_continues_where_the_first_one_gives_up(
    andrew: Member, bayko: Member, member: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Followed users are silent for longer than the newest cruds that are passed."""
    monkeypatch.setattr(db, "_MAX_PASSED", 2)
    worf = await member("worf")
    await follow(andrew, bayko)
    reposted = await worf.crud("reposted")
    await bayko.crud("bayko's")
    await repost(bayko, reposted)
    for number in range(3):
        crud = await worf.crud(f"worf's {number}")
        await repost(andrew, crud)
    assert await messages(andrew) == ["reposted", "bayko's"]


@pytest.mark.rule("C98")
async def test_followed_tags_are_listed_in_alphabetical_order(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    assert await andrew.get("/api/tags/followed") == []
    for tag in ("Tea", "tea", "Écoute", "art"):
        followed = await andrew.put(f"/api/tags/{tag}/follow")
        assert followed == {"tag": tag.lower(), "followed": True}
    assert await andrew.get("/api/tags/followed") == ["art", "tea", "écoute"]
    assert await bayko.get("/api/tags/followed") == []
    for _ in range(2):
        unfollowed = await andrew.delete("/api/tags/ART/follow")
        assert unfollowed == {"tag": "art", "followed": False}
    assert await andrew.get("/api/tags/followed") == ["tea", "écoute"]
    for tag in ("1234", "a%20b", "%23tea", "x" * 101, "%00", "a%2Fb"):
        await andrew.put(f"/api/tags/{tag}/follow", expect=404 if "%2F" in tag else 422)
    await api.get("/api/tags/followed", expect=401)
    await api.put("/api/tags/tea/follow", expect=401)


@pytest.mark.rule("C98")
async def test_a_member_follows_a_limited_number_of_tags(
    andrew: Member, database: asyncpg.Connection
) -> None:
    await database.execute(
        "INSERT INTO followed_tags (user_uuid, tag)"
        " SELECT $1, 'tag_' || n FROM generate_series(1, 200) AS n",
        andrew.uuid,
    )
    assert await andrew.put("/api/tags/more/follow", expect=422) == ["too_many_tags"]
    assert (await andrew.put("/api/tags/tag_1/follow"))["followed"] is True


async def test_another_end_of_a_crud_is_that_of_its_tags(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    """The index of tags skips what has expired by a copy of the expiry."""
    await andrew.put("/api/tags/tea/follow")
    crud = await bayko.crud("#tea")
    for moved in ("- interval '1 day'", "+ interval '1 day'"):
        await database.execute(
            f"UPDATE activities SET expires_at = now() {moved} WHERE uuid = $1", UUID(crud["uuid"])
        )
        assert await database.fetchval(
            "SELECT activity_tags.expires_at = activities.expires_at"
            " FROM activity_tags JOIN activities ON uuid = activity_uuid"
        )
    assert await messages(andrew) == ["#tea"]
