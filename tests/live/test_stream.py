"""The events that a stream delivers, and the viewers that receive them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from PIL import Image
from quart import Quart

from cruddur.services import live as service
from live.listening import Listener, listening
from patience import PATIENCE
from pictures import file
from support import Api, Member, refused

MakeMember = Callable[..., Awaitable[Member]]


async def marked(andrew: Member, *listeners: Listener) -> None:
    """Check that the listeners have received nothing before this."""
    crud = await andrew.crud("a mark")
    for listener in listeners:
        assert await listener.receive("crud") == [without_viewer(crud)]


def without_viewer(crud: dict) -> dict:
    """A crud as a visitor sees it."""
    return {name: value for name, value in crud.items() if name not in {"liked", "reposted"}}


@pytest.mark.rule("C62")
async def test_a_new_crud_arrives_as_home_lists_it(url: str, api: Api, andrew: Member) -> None:
    async with listening(url) as stream:
        await andrew.crud("nuqneH & <Qapla'> 🖖\n\nid: 1\nevent: gone")
        [crud] = await stream.receive("crud")
        assert [crud] == await api.get("/api/activities/home")


@pytest.mark.rule("C62", "C83")
async def test_a_new_crud_arrives_with_its_pictures(url: str, api: Api, andrew: Member) -> None:
    content = file(Image.new("RGB", (60, 40), "red"))
    uploaded = await andrew.request("POST", "/api/pictures", content=content)
    picture = {"uuid": uploaded.json()["uuid"], "alt": "a red field"}
    async with listening(url) as stream:
        body = {"message": "look", "ttl": "1-day", "pictures": [picture]}
        await andrew.post("/api/activities", body)
        [crud] = await stream.receive("crud")
        assert len(crud["pictures"]) == 1
        assert [crud] == await api.get("/api/activities/home")


async def test_proxies_must_not_cache_or_buffer_a_stream(url: str) -> None:
    async with listening(url, {"Origin": "http://localhost:3000"}) as stream:
        assert stream.headers["cache-control"] == "no-store"
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-length" not in stream.headers
        assert stream.headers["access-control-allow-origin"] == "http://localhost:3000"
        assert "traceresponse" in stream.headers
        assert 1000 <= (stream.retry or 0) <= 5000


@pytest.mark.rule("C62")
async def test_counts_change_with_likes_reposts_and_replies(
    url: str, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud()
    uuid = crud["uuid"]
    async with listening(url) as stream:
        await bayko.put(f"/api/activities/{uuid}/like")
        await bayko.put(f"/api/activities/{uuid}/like")  # no change
        assert await stream.receive("counts") == [counts(uuid, likes=1)]
        await bayko.put(f"/api/activities/{uuid}/repost")
        assert await stream.receive("counts") == [counts(uuid, likes=1, reposts=1)]
        reply = await bayko.reply(uuid)
        assert await stream.receive("crud", "counts") == [
            without_viewer(reply),
            counts(uuid, likes=1, reposts=1, replies=1),
        ]
        await bayko.delete(f"/api/activities/{uuid}/like")
        assert await stream.receive("counts") == [counts(uuid, reposts=1, replies=1)]
        await bayko.delete(f"/api/activities/{reply['uuid']}")
        assert await stream.receive("gone", "counts") == [
            {"uuid": reply["uuid"]},
            counts(uuid, reposts=1),
        ]


def counts(uuid: str, *, likes: int = 0, reposts: int = 0, replies: int = 0) -> dict:
    return {
        "uuid": uuid,
        "replies_count": replies,
        "reposts_count": reposts,
        "likes_count": likes,
    }


async def test_a_deleted_crud_is_gone_with_its_replies(
    url: str, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud()
    reply = await bayko.reply(crud["uuid"])
    async with listening(url) as stream:
        await andrew.delete(f"/api/activities/{crud['uuid']}")
        gone = await stream.receive("gone", "gone")
        assert {item["uuid"] for item in gone} == {crud["uuid"], reply["uuid"]}
        await marked(andrew, stream)


@pytest.mark.rule("C62", "C91")
async def test_a_changed_user_reaches_every_stream_also_later(
    url: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await bayko.crud()
    queries: list[dict[str, str]] = [
        {}, {"feed": "home"}, {"handle": "bayko"}, {"crud": crud["uuid"]}
    ]  # fmt: skip
    named = {"uuid": str(andrew.uuid), "handle": "andrewbrown", "display_name": "Andy"}
    plain, pictured = (
        named | {"avatar_url": url}
        for url in (None, f"/api/avatars/{andrew.uuid}.jpg?v=0123456789abcdef")
    )
    async with AsyncExitStack() as stack:
        listeners = [
            await stack.enter_async_context(listening(url, bayko.headers, **query))
            for query in queries
        ]
        begin = listeners[0].last_id
        await andrew.put("/api/profile/update", {"display_name": "Andy", "bio": ""})
        for listener in listeners:
            assert await listener.receive("user") == [plain]
        await database.execute(
            "UPDATE users SET avatar_digest = '0123456789abcdef' WHERE uuid = $1", andrew.uuid
        )
        for listener in listeners:
            assert await listener.receive("user") == [pictured]
        await andrew.delete("/api/avatars/me")
        for listener in listeners:
            assert await listener.receive("user") == [plain]
        await bayko.put(f"/api/activities/{crud['uuid']}/repost")  # changes no user
        assert await listeners[-1].receive("counts") == [counts(crud["uuid"], reposts=1)]
    async with listening(url, {"Last-Event-ID": begin}, handle="bayko") as resumed:
        assert (await resumed.receive("user", "user", "user", "counts"))[:3] == [plain] * 3


async def test_a_deleted_user_is_no_event(
    url: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    async with listening(url) as stream:
        await database.execute("DELETE FROM users WHERE uuid = $1", bayko.uuid)
        await marked(andrew, stream)


@pytest.mark.rule("C62")
async def test_each_filter_passes_only_its_own_events(
    url: str, andrew: Member, bayko: Member
) -> None:
    first, other = await andrew.crud("first"), await bayko.crud("other")
    async with AsyncExitStack() as stack:
        home, of_bayko, around = [
            await stack.enter_async_context(listening(url, **query))
            for query in ({"feed": "home"}, {"handle": "BAYKO"}, {"crud": first["uuid"]})
        ]
        reply = await bayko.reply(first["uuid"])
        assert await home.receive("counts") == [counts(first["uuid"], replies=1)]
        assert await of_bayko.receive("crud") == [without_viewer(reply)]
        assert (await around.receive("crud", "counts"))[0] == without_viewer(reply)

        await andrew.reply(reply["uuid"])  # outside of the filter, but its parent is inside
        for listener in (of_bayko, around):
            assert await listener.receive("counts") == [counts(reply["uuid"], replies=1)]

        await andrew.put(f"/api/activities/{other['uuid']}/like")
        for listener in (home, of_bayko):
            assert await listener.receive("counts") == [counts(other["uuid"], likes=1)]

        await andrew.delete(f"/api/activities/{first['uuid']}")
        assert await home.receive("gone") == [{"uuid": first["uuid"]}]
        assert await of_bayko.receive("gone") == [{"uuid": reply["uuid"]}]
        assert {item["uuid"] for item in await around.receive("gone", "gone")} == {
            first["uuid"],
            reply["uuid"],
        }
        await marked(andrew, home)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"feed": "house"}, 422, "feed_invalid"),
        ({"feed": ""}, 422, "feed_invalid"),
        ({"crud": "1"}, 422, "crud_invalid"),
        ({"feed": "home", "handle": "andrewbrown"}, 422, "filter_invalid"),
        ({"handle": "nobody"}, 404, "not_found"),
        ({"handle": "no body"}, 404, "not_found"),
        ({"crud": str(uuid4())}, 404, "not_found"),
        ({"ticket": "none"}, 401, "generic_401"),
        ({"ticket": ""}, 422, "ticket_invalid"),
    ],
)
async def test_an_invalid_filter_is_rejected(
    api: Api, andrew: Member, query: dict[str, str], status: int, code: str
) -> None:
    response = await api.request("GET", "/api/stream", params=query, expect=status)
    assert refused(response) == [code]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer null", "Bearer a.b.c", "Basic YTpi"])
async def test_a_bad_token_is_rejected(api: Api, token: str) -> None:
    headers = {"Authorization": token}
    response = await api.request("GET", "/api/stream", headers=headers, expect=401)
    assert refused(response) == ["generic_401"]


@pytest.mark.rule("C63")
@pytest.mark.usefixtures("acquainted")
async def test_a_message_reaches_only_its_two_members(
    url: str, andrew: Member, bayko: Member, member: MakeMember
) -> None:
    worf = await member("worf")
    group = (await andrew.message("bayko", "the first"))["message_group_uuid"]
    everywhere = [{}, {"feed": "home"}, {"handle": "andrewbrown"}, {"handle": "bayko"}]
    async with AsyncExitStack() as stack:

        async def enter(who: Member | None, **query: str) -> Listener:
            headers = who.headers if who else None
            return await stack.enter_async_context(listening(url, headers, **query))

        strangers = [await enter(who, **query) for who in (None, worf) for query in everywhere]
        ticket = (await worf.post("/api/stream/ticket"))["ticket"]
        strangers.append(await enter(None, ticket=ticket))
        # A resumed stream does not receive earlier messages either.
        strangers.append(await enter(worf, last_event_id="1"))
        people = [await enter(who, **query) for who in (andrew, bayko) for query in everywhere]

        sent = await andrew.message("bayko", "for you alone")
        for listener in people:
            assert await listener.receive("message") == [sent]
        assert sent["message_group_uuid"] == group
        for index, listener in enumerate(people):
            if index >= len(everywhere):
                [note] = await listener.receive("notification")
                assert note["message"] == "for you alone"
        crud = await andrew.crud("a mark")
        for listener in (*strangers, *people):
            if listener is strangers[3] or listener is strangers[7] or listener is people[3]:
                continue  # this stream is filtered by Bayko's cruds
            if listener is people[-1]:
                continue
            while (received := await listener.next()) is not None:
                if received.event == "reset":  # this stream resumed before its session began
                    continue
                assert received.event in {"crud", "gone", "counts"}, received
                if received.data["uuid"] == crud["uuid"]:
                    break


@pytest.mark.rule("C63")
async def test_a_notification_reaches_only_its_recipient(
    url: str, andrew: Member, bayko: Member, api: Api
) -> None:
    crud = await andrew.crud()
    async with listening(url, andrew.headers) as own, listening(url, bayko.headers) as other:
        await bayko.put(f"/api/activities/{crud['uuid']}/like")
        [note, _] = await own.receive("notification", "counts")
        assert [note] == await andrew.get("/api/activities/notifications")
        assert note["kind"] == "like"
        await other.receive("counts")
        await marked(andrew, own, other)


@pytest.mark.usefixtures("acquainted")
async def test_a_ticket_opens_one_stream_as_its_member(
    url: str, andrew: Member, bayko: Member, api: Api, database: asyncpg.Connection
) -> None:
    ticket = (await bayko.post("/api/stream/ticket"))["ticket"]
    async with listening(url, ticket=ticket) as stream:
        await andrew.message("bayko", "by ticket")
        [message, _] = await stream.receive("message", "notification")
        assert message["message"] == "by ticket"
        again = await api.request("GET", "/api/stream", params={"ticket": ticket}, expect=401)
        assert refused(again) == ["generic_401"]
    late = (await bayko.post("/api/stream/ticket"))["ticket"]
    await database.execute("UPDATE stream_tickets SET expires_at = now()")
    await api.request("GET", "/api/stream", params={"ticket": late}, expect=401)
    stored = await database.fetch("SELECT ticket_hash FROM stream_tickets")
    assert late.encode() not in {row["ticket_hash"] for row in stored}
    await api.request("POST", "/api/stream/ticket", expect=401)


@pytest.mark.rule("C65")
async def test_revoking_a_session_ends_its_streams(
    url: str, andrew: Member, app: Quart, api: Api, database: asyncpg.Connection
) -> None:
    ticket = (await andrew.post("/api/stream/ticket"))["ticket"]
    async with (
        listening(url, andrew.headers) as first,
        listening(url, ticket=ticket) as second,
        listening(url) as visitor,
    ):
        [session] = await andrew.get("/api/auth/sessions")
        await andrew.delete(f"/api/auth/sessions/{session['uuid']}")
        assert await first.rest() == []
        assert await second.rest() == []
        await api.request("GET", "/api/stream", headers=andrew.headers, expect=401)
        assert visitor.comments == 0


@pytest.mark.rule("C113")
async def test_revoking_an_api_token_ends_its_streams(url: str, andrew: Member) -> None:
    bot = await andrew.api_token("read", "message")
    ticket = (await bot.post("/api/stream/ticket"))["ticket"]
    async with (
        listening(url, bot.headers) as first,
        listening(url, ticket=ticket) as second,
        listening(url, andrew.headers) as own,
    ):
        await andrew.delete(f"/api/auth/tokens/{bot.session_uuid}")
        assert await first.rest() == []
        assert await second.rest() == []
        await bot.request("GET", "/api/stream", expect=401)
        await marked(andrew, own)


async def test_an_event_committed_after_the_session_ended_is_not_delivered(
    url: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    group = (await andrew.message("bayko", "before"))["message_group_uuid"]
    async with listening(url, bayko.headers) as stream:
        async with database.transaction():  # so that both are read together
            await database.execute("DELETE FROM sessions WHERE user_uuid = $1", bayko.uuid)
            await database.execute(
                "INSERT INTO messages (message_group_uuid, user_uuid, message)"
                " VALUES ($1, $2, 'after')",
                UUID(group),
                andrew.uuid,
            )
        assert await stream.rest() == []


async def test_a_session_revoked_while_a_stream_opens_ends_it(
    url: str,
    andrew: Member,
    bayko: Member,
    api: Api,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After its token was verified, and before the hub knows the stream."""
    topics = service._topics
    async with listening(url) as witness:

        async def revoking(*arguments: Any) -> Any:
            found = await topics(*arguments)
            await database.execute("DELETE FROM sessions WHERE user_uuid = $1", andrew.uuid)
            await bayko.crud("a mark")
            await witness.receive("crud")
            return found

        monkeypatch.setattr(service, "_topics", revoking)
        async with asyncio.timeout(PATIENCE):
            await api.request("GET", "/api/stream", headers=andrew.headers, expect=401)


async def test_another_session_of_the_same_member_stays_open(
    url: str, andrew: Member, app: Quart, database: asyncpg.Connection
) -> None:
    async with listening(url, andrew.headers) as stream:
        other = await database.fetchval(
            "INSERT INTO sessions (user_uuid, device, address, expires_at)"
            " VALUES ($1, 'other', '127.0.0.1', now() + interval '1 day') RETURNING uuid",
            andrew.uuid,
        )
        await andrew.delete(f"/api/auth/sessions/{other}")
        await marked(andrew, stream)


async def test_deleting_a_member_ends_their_streams_and_removes_their_cruds(
    url: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await bayko.crud()
    async with listening(url, bayko.headers) as own, listening(url) as stream:
        await database.execute("DELETE FROM users WHERE uuid = $1", bayko.uuid)
        assert await stream.receive("gone") == [{"uuid": crud["uuid"]}]
        assert [received.event for received in await own.rest()] in ([], ["gone"])
        await marked(andrew, stream)


async def test_without_a_session_a_stream_ends_when_its_token_expires(
    url: str, andrew: Member, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like the tokens of another issuer, which cannot be revoked here."""
    ticket = (await andrew.post("/api/stream/ticket"))["ticket"]
    ends_at = await database.fetchval(
        "UPDATE stream_tickets SET session_uuid = NULL, access_ends_at = now() + interval '1 hour'"
        " RETURNING access_ends_at"
    )
    clock = SimpleNamespace(now=lambda _: ends_at - timedelta(seconds=0.3))
    monkeypatch.setattr(service, "datetime", clock)
    async with listening(url, ticket=ticket) as stream:
        assert await stream.rest() == []
