"""Notifications: who gets which, and what their uuids refer to."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from quart import Quart

from cruddur.db.reactions import insert_like
from support import Api, Member, count_rows, expire, pages

pytestmark = pytest.mark.usefixtures("acquainted")

NOTIFICATIONS = "/api/activities/notifications"
GROUPS = "/api/notifications"
KEYS = {
    "uuid",
    "display_name",
    "handle",
    "avatar_url",
    "message",
    "created_at",
    "expires_at",
    "replies_count",
    "reposts_count",
    "likes_count",
    "reply_to_activity_uuid",
    "liked",
    "reposted",
    "replies",
    "kind",
    "activity_uuid",
    "message_group_uuid",
    "pictures",
}


async def notes(member: Api) -> list[Any]:
    found: list[Any] = await member.get(NOTIFICATIONS)
    return found


async def kinds(member: Api) -> list[str]:
    return [note["kind"] for note in await notes(member)]


async def everything(andrew: Member, bayko: Member) -> dict[str, Any]:
    """Let Bayko do everything that notifies Andrew; return Andrew's notifications by kind."""
    crud = await andrew.crud("Andrew's crud")
    await bayko.reply(crud["uuid"], "Bayko's reply")
    for kind in ("like", "repost"):
        await bayko.put(f"/api/activities/{crud['uuid']}/{kind}")
    await bayko.crud("Bayko mentions @andrewbrown")
    await bayko.message("andrewbrown", "Bayko's message")
    found = await notes(andrew)
    assert [note["kind"] for note in found] == ["message", "mention", "repost", "like", "reply"]
    return {note["kind"]: note for note in found}


@pytest.mark.rule("C40")
async def test_a_visitor_has_no_notifications(api: Api, andrew: Member, bayko: Member) -> None:
    await everything(andrew, bayko)
    assert await notes(api) == []
    assert await api.get(NOTIFICATIONS, headers={"Authorization": "Bearer null"}) == []
    assert await notes(bayko) == []


@pytest.mark.rule("C39")
async def test_every_kind_has_the_shape_of_a_crud_and_names_the_actor(
    andrew: Member, bayko: Member
) -> None:
    found = await everything(andrew, bayko)
    for note in found.values():
        assert note.keys() == KEYS
        assert (note["handle"], note["display_name"]) == ("bayko", "Andrew Bayko")
        assert note["replies"] == []
        assert datetime.fromisoformat(note["created_at"]).utcoffset() == timedelta(0)
    assert {kind: note["message"] for kind, note in found.items()} == {
        "reply": "Bayko's reply",
        "like": "liked your crud: “Andrew's crud”",
        "repost": "reposted your crud: “Andrew's crud”",
        "mention": "Bayko mentions @andrewbrown",
        "message": "Bayko's message",
    }
    subjects = {note["activity_uuid"] for note in found.values()}
    own = {note["uuid"] for note in found.values()}
    assert len(own) == 5
    assert not own & subjects
    assert found["message"]["expires_at"] is found["message"]["activity_uuid"] is None
    assert [kind for kind, note in found.items() if note["message_group_uuid"]] == ["message"]


async def test_two_likes_of_one_crud_have_different_uuids(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    crud = await andrew.crud()
    for one in (bayko, await member("worf")):
        await one.put(f"/api/activities/{crud['uuid']}/like")
    first, second = await notes(andrew)
    assert first["uuid"] != second["uuid"]
    assert first["activity_uuid"] == second["activity_uuid"] == crud["uuid"]


@pytest.mark.parametrize(
    "message",
    [
        "@bayko",
        "@Bayko and @BAYKO again",
        "(@bayko)",
        "hello,@bayko!",
        "@bayko's",
        "@@bayko @bayko",
        "\n@bayko\n",
        "今日は＠baykoさんと",
        "고마워@bayko님",
        "https://example.com。@bayko",
    ],
)
async def test_a_mention_is_found(andrew: Member, bayko: Member, message: str) -> None:
    crud = await andrew.crud(message)
    [note] = await notes(bayko)
    assert (note["kind"], note["activity_uuid"], note["message"]) == (
        "mention",
        crud["uuid"],
        message,
    )


@pytest.mark.parametrize(
    "message",
    [
        "bayko",
        "someone@bayko.example",
        "me@bayko",
        "https://example.com/@bayko",
        "https://example.com/?u=@bayko",
        "HTTP://example.com/?u=,@bayko",
        "@bayko@host.example",
        "@bayko＠host.example",
        "иван@bayko.example",
        "@baykoo",
        "@bayko_",
        "@ bayko",
        "@baykö",
        "@nobody",
    ],
)
async def test_text_that_is_not_a_mention_notifies_no_one(
    andrew: Member, bayko: Member, database: asyncpg.Connection, message: str
) -> None:
    await andrew.crud(message)
    assert await count_rows(database, "notifications") == 0


async def test_members_are_not_notified_of_their_own_actions(
    andrew: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud("@andrewbrown mentions @AndrewBrown")
    await andrew.reply(crud["uuid"], "@andrewbrown")
    await andrew.put(f"/api/activities/{crud['uuid']}/like")
    assert await count_rows(database, "notifications") == 0


async def test_a_reply_that_mentions_the_author_notifies_them_once(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    crud = await andrew.crud()
    await bayko.reply(crud["uuid"], "@andrewbrown and @worf, look")
    assert await kinds(andrew) == ["reply"]
    assert await kinds(worf) == ["mention"]


async def test_mentions_of_one_crud_are_limited(
    andrew: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    called = [f"u{number}" for number in range(60)]
    for handle in called:
        await member(handle)
    await andrew.reply(crud["uuid"], " ".join(f"@{handle}" for handle in called))
    assert await count_rows(database, "notifications") == 50


@pytest.mark.rule("C39")
async def test_the_uuid_of_a_notification_opens_what_it_is_about(
    api: Api, andrew: Member, bayko: Member
) -> None:
    found = await everything(andrew, bayko)
    found.pop("message")
    for kind, note in found.items():
        expected = await andrew.get(f"/api/activities/{note['activity_uuid']}")
        author = expected["activity"]["handle"]
        for handle in {"bayko", author}:
            path = f"/api/activities/@{handle}/status/{note['uuid']}"
            assert await andrew.get(path) == expected, kind
        assert await andrew.get(f"/api/activities/{note['uuid']}") == expected
        await andrew.get(f"/api/activities/@londo/status/{note['uuid']}", expect=404)
        # As public as the crud itself.
        assert (await api.get(f"/api/activities/{note['uuid']}"))["activity"]["handle"] == author


@pytest.mark.rule("C39")
async def test_a_reply_to_a_notification_replies_to_its_crud(andrew: Member, bayko: Member) -> None:
    found = await everything(andrew, bayko)
    found.pop("message")
    for note in found.values():
        reply = await andrew.reply(note["uuid"], f"about the {note['kind']}")
        assert reply["reply_to_activity_uuid"] == note["activity_uuid"]
        subject = await andrew.get(f"/api/activities/{note['activity_uuid']}")
        assert subject["replies"][-1]["uuid"] == reply["uuid"]
        assert subject["activity"]["expires_at"] == reply["expires_at"]


async def test_a_message_notification_is_visible_only_to_its_recipient(
    api: Api, andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    note = (await everything(andrew, bayko))["message"]
    path = f"/api/activities/@bayko/status/{note['uuid']}"
    for _ in range(3):  # a page that members share would be stored by then
        shown = await andrew.get(path)
        await andrew.get(f"/api/activities/{note['uuid']}")
    assert shown["activity"]["message"] == "Bayko's message"
    assert shown["activity"]["expires_at"] is None
    assert shown["replies"] == []
    for stranger in (api, bayko, await member("worf")):
        assert await stranger.get(path, expect=404) == ["not_found"]
        await stranger.get(f"/api/activities/{note['uuid']}", expect=404)


async def test_a_reply_to_a_message_notification_sends_a_message(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    note = (await everything(andrew, bayko))["message"]
    activities = await count_rows(database, "activities")
    response = await andrew.reply(note["uuid"], "an answer")
    assert (response["handle"], response["message"], response["expires_at"]) == (
        "andrewbrown",
        "an answer",
        None,
    )
    assert await count_rows(database, "activities") == activities
    conversation = await bayko.get("/api/messages/@andrewbrown")
    assert [message["message"] for message in conversation] == ["Bayko's message", "an answer"]
    assert [note["message"] for note in await notes(bayko)] == ["an answer"]
    # Only the recipient can reply to it.
    path = f"/api/activities/{note['uuid']}/reply"
    assert await bayko.post(path, {"message": "hello"}, expect=404) == ["not_found"]


async def test_other_methods_do_not_accept_a_notifications_uuid(
    andrew: Member, bayko: Member
) -> None:
    for note in (await everything(andrew, bayko)).values():
        await andrew.put(f"/api/activities/{note['uuid']}/like", expect=404)
        await andrew.delete(f"/api/activities/{note['uuid']}", expect=404)
    await andrew.get(f"/api/activities/{uuid4()}", expect=404)


async def test_paging_notifications_returns_each_once(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    for number in range(7):
        await bayko.reply(crud["uuid"], f"reply {number}")
    # The hardest case: all have the same creation time.
    await database.execute("UPDATE notifications SET created_at = now()")
    whole = await notes(andrew)
    assert [note["uuid"] for note in whole] == sorted((n["uuid"] for n in whole), reverse=True)
    walked = [page async for page in pages(andrew, f"{NOTIFICATIONS}?limit=3")]
    assert [len(page) for page in walked] == [3, 3, 1]
    assert [note for page in walked for note in page] == whole


# --- What is unread -------------------------------------------------------------------


async def unread(member: Api) -> int:
    response = await member.get(f"{NOTIFICATIONS}/counter")
    assert response.keys() == {"count"}
    return int(response["count"])


@pytest.mark.rule("C41")
async def test_a_notification_is_unread_until_the_list_is_read(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    assert await unread(andrew) == 0
    crud = await andrew.crud()
    await bayko.reply(crud["uuid"])
    for one in (bayko, worf):
        await one.put(f"/api/activities/{crud['uuid']}/like")
    await bayko.put(f"/api/activities/{crud['uuid']}/repost")
    await worf.crud("@andrewbrown and @bayko")
    assert await unread(andrew) == 5
    assert await unread(andrew) == 5, "the counter must not mark anything read"
    assert len(await notes(andrew)) == 5
    assert await unread(andrew) == 0
    assert await unread(bayko) == 1, "reading must not affect another member"
    await bayko.reply(crud["uuid"], "once more")
    assert await unread(andrew) == 1
    assert len(await notes(andrew)) == 6
    assert await unread(andrew) == 0


async def test_a_message_is_not_counted_twice(andrew: Member, bayko: Member) -> None:
    await bayko.message("andrewbrown")
    assert await kinds(andrew) == ["message"]
    await bayko.message("andrewbrown")
    assert await unread(andrew) == 0
    assert await andrew.get("/api/messages/counter") == {"count": 2}


async def test_an_undone_reaction_is_not_unread(andrew: Member, bayko: Member) -> None:
    crud = await andrew.crud()
    path = f"/api/activities/{crud['uuid']}/like"
    await bayko.put(path)
    assert await unread(andrew) == 1
    await bayko.delete(path)
    assert await unread(andrew) == len(await notes(andrew))


async def test_a_notification_about_an_expired_crud_is_not_unread(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    gone, live = await andrew.crud("gone"), await andrew.crud("live")
    reply = await bayko.reply(gone["uuid"])
    for crud in (live, gone):
        await bayko.put(f"/api/activities/{crud['uuid']}/like")
    assert await unread(andrew) == 3
    await expire(database, reply["uuid"])
    assert await unread(andrew) == 2
    await expire(database, gone["uuid"])
    assert await unread(andrew) == 1
    assert await kinds(andrew) == ["like"]
    await bayko.put(f"/api/activities/{live['uuid']}/repost")
    assert await unread(andrew) == 1


async def test_reading_a_later_page_marks_nothing_read(andrew: Member, bayko: Member) -> None:
    crud = await andrew.crud()
    for number in range(3):
        await bayko.reply(crud["uuid"], f"reply {number}")
    assert await unread(andrew) == 3
    newest = await andrew.request("GET", f"{NOTIFICATIONS}?limit=1")
    assert await unread(andrew) == 0, "reading the newest page must mark all read"
    await bayko.reply(crud["uuid"], "one more")
    older = await andrew.request("GET", newest.links["next"]["url"])
    assert len(older.json()) == 1
    assert await unread(andrew) == 1


async def test_a_304_response_marks_notifications_read_too(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    await bayko.reply(crud["uuid"])
    tag = (await andrew.request("GET", NOTIFICATIONS)).headers["etag"]
    await database.execute("UPDATE users SET notifications_read_at = '-infinity'")
    assert await unread(andrew) == 1
    await andrew.request("GET", NOTIFICATIONS, headers={"If-None-Match": tag}, expect=304)
    assert await unread(andrew) == 0


@pytest.mark.rule("C41")
async def test_a_notification_committed_after_the_read_is_not_marked_read(
    andrew: Member, bayko: Member, app: Quart
) -> None:
    crud = await andrew.crud()
    await bayko.reply(crud["uuid"])
    async with app.extensions["cruddur"].database.transaction() as conn:
        await insert_like(conn, uuid=UUID(crud["uuid"]), viewer=bayko)
        assert await kinds(andrew) == ["reply"]
        assert await unread(andrew) == 0
    assert await unread(andrew) == 1


async def test_reading_again_writes_nothing(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    await bayko.reply(crud["uuid"])
    versions = "SELECT array_agg(xmin::text ORDER BY uuid) FROM users"
    await notes(andrew)
    before = await database.fetchval(versions)
    await notes(andrew)
    await notes(bayko)
    assert await database.fetchval(versions) == before


async def test_a_visitor_has_no_counter(api: Api) -> None:
    assert await api.get(f"{NOTIFICATIONS}/counter", expect=401) == ["generic_401"]
    assert await notes(api) == []


async def test_no_crud_uuid_hides_the_counter_route(andrew: Member) -> None:
    response = await andrew.request("GET", f"{NOTIFICATIONS}/counter")
    assert response.json() == {"count": 0}
    assert response.headers["cache-control"] == "no-store"
    crud = await andrew.crud()
    await andrew.get(f"/api/activities/{crud['uuid']}/counter", expect=404)


# --- Groups ---------------------------------------------------------------------------


async def groups(member: Api, query: str = "") -> list[Any]:
    found: list[Any] = await member.get(GROUPS + query)
    return found


def summary(found: list[Any]) -> list[tuple[str, str, list[str]]]:
    return [
        (group["kind"], group["activity"]["message"], [one["handle"] for one in group["actors"]])
        for group in found
    ]


@pytest.mark.rule("C68")
async def test_notifications_of_one_kind_about_one_crud_are_one_group(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    crud, other = await andrew.crud("one"), await andrew.crud("two")
    for one in (bayko, worf):
        await one.put(f"/api/activities/{crud['uuid']}/like")
    await bayko.put(f"/api/activities/{other['uuid']}/like")
    for one in (worf, bayko):
        await one.put(f"/api/activities/{crud['uuid']}/repost")
    await bayko.reply(crud["uuid"], "first reply")
    await bayko.reply(crud["uuid"], "second reply")
    await bayko.crud("hello @andrewbrown")
    await bayko.message("andrewbrown", "not a notification")
    found = await groups(andrew)
    assert summary(found) == [
        ("mention", "hello @andrewbrown", ["bayko"]),
        ("reply", "second reply", ["bayko"]),
        ("reply", "first reply", ["bayko"]),
        ("repost", "one", ["bayko", "worf"]),
        ("like", "two", ["bayko"]),
        ("like", "one", ["worf", "bayko"]),
    ]
    assert [group["actors_count"] for group in found] == [1, 1, 1, 2, 1, 2]
    single = {note["uuid"]: note for note in await notes(andrew)}
    for group in found:
        assert group["created_at"] == single[group["uuid"]]["created_at"]
        assert (
            group["activity"]
            == (await andrew.get(f"/api/activities/{group['activity']['uuid']}"))["activity"]
        )
        for actor in group["actors"]:
            assert actor == await andrew.get(f"/api/users/@{actor['handle']}/short")
    # The group moves to the top with its next notification.
    await (await member("odo")).put(f"/api/activities/{crud['uuid']}/like")
    assert summary(await groups(andrew))[0] == ("like", "one", ["odo", "worf", "bayko"])


@pytest.mark.rule("C68")
async def test_a_group_names_the_latest_users_and_counts_all(
    andrew: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    await database.execute(
        "WITH fan AS (INSERT INTO users (issuer, subject, handle, display_name)"
        " SELECT 'test', n::text, 'fan_' || n, 'Fan' FROM generate_series(1, 25) AS n"
        " RETURNING uuid, handle)"
        " INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid, created_at)"
        " SELECT $1, uuid, 'like', $2,"
        " now() + make_interval(secs => substr(handle, 5)::integer - 60) FROM fan",
        andrew.uuid, UUID(crud["uuid"]),
    )  # fmt: skip
    [group] = await groups(andrew)
    assert group["actors_count"] == 25
    assert [one["handle"] for one in group["actors"]] == [f"fan_{n}" for n in range(25, 5, -1)]


@pytest.mark.rule("C68")
async def test_only_groups_with_a_new_notification_are_unread(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    def unread_kinds(found: list[Any]) -> list[str]:
        return [group["kind"] for group in found if group["unread"]]

    crud = await andrew.crud()
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    await bayko.reply(crud["uuid"])
    assert unread_kinds(await groups(andrew)) == ["reply", "like"]
    assert unread_kinds(await groups(andrew)) == []
    assert await unread(andrew) == 0
    await (await member("worf")).put(f"/api/activities/{crud['uuid']}/like")
    assert await unread(andrew) == 1
    assert unread_kinds(await groups(andrew)) == ["like"]
    assert await unread(andrew) == 0


@pytest.mark.rule("C41", "C68")
async def test_reading_mentions_marks_only_replies_and_mentions_read(
    andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud("one")
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    await bayko.reply(crud["uuid"], "a reply")
    await bayko.crud("hello @andrewbrown")
    await bayko.message("andrewbrown")
    assert await unread(andrew) == 3
    found = await groups(andrew, "?feed=mentions")
    assert [(group["kind"], group["unread"]) for group in found] == [
        ("mention", True),
        ("reply", True),
    ]
    assert await unread(andrew) == 1
    assert [(group["kind"], group["unread"]) for group in await groups(andrew)] == [
        ("mention", False),
        ("reply", False),
        ("like", True),
    ]
    assert await unread(andrew) == 0
    # And what was read in the whole list is read among the mentions.
    await bayko.reply(crud["uuid"], "another reply")
    await groups(andrew)
    assert not any(group["unread"] for group in await groups(andrew, "?feed=mentions"))
    assert await andrew.get(f"{GROUPS}?feed=likes", expect=422) == ["feed_invalid"]


@pytest.mark.rule("C26", "C68")
async def test_paging_groups_returns_each_once(
    andrew: Member, bayko: Member, member: Callable[..., Any], database: asyncpg.Connection
) -> None:
    worf = await member("worf")
    for number in range(5):
        crud = await andrew.crud(f"crud {number}")
        for one in (bayko, worf):
            await one.put(f"/api/activities/{crud['uuid']}/like")
    await database.execute("UPDATE notifications SET created_at = now()")
    whole = await groups(andrew)
    assert [group["uuid"] for group in whole] == sorted((g["uuid"] for g in whole), reverse=True)
    walked = [page async for page in pages(andrew, f"{GROUPS}?limit=2")]
    assert [len(page) for page in walked] == [2, 2, 1]
    assert [group["uuid"] for page in walked for group in page] == [g["uuid"] for g in whole]


async def test_a_group_shrinks_when_a_like_is_undone(
    andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    crud = await andrew.crud("one")
    for one in (bayko, worf):
        await one.put(f"/api/activities/{crud['uuid']}/like")
    await worf.delete(f"/api/activities/{crud['uuid']}/like")
    assert summary(await groups(andrew)) == [("like", "one", ["bayko"])]
    await bayko.delete(f"/api/activities/{crud['uuid']}/like")
    assert await groups(andrew) == []


@pytest.mark.rule("C41", "C68")
async def test_a_group_that_is_committed_after_the_read_is_not_marked_read(
    andrew: Member, bayko: Member, app: Quart
) -> None:
    crud = await andrew.crud()
    await bayko.reply(crud["uuid"])
    async with app.extensions["cruddur"].database.transaction() as conn:
        await insert_like(conn, uuid=UUID(crud["uuid"]), viewer=bayko)
        assert [group["kind"] for group in await groups(andrew)] == ["reply"]
        assert await unread(andrew) == 0
    assert await unread(andrew) == 1
