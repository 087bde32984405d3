"""Streams of users where one blocks or mutes the other."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from quart import Quart

from live.listening import Listener, listening
from support import Member, acquaint, refused, swept


@pytest.fixture
async def worf(member: Callable[..., Any]) -> Member:
    return await member("worf")


async def nothing_before_a_mark(worf: Member, *streams: Listener) -> None:
    """Check that the streams have received nothing that is not delivered to all."""
    mark = await worf.crud("a mark")
    for stream in streams:
        [received] = await stream.receive("crud")
        assert received["uuid"] == mark["uuid"]


def hidden(person: Member, *, is_hidden: bool = True) -> dict[str, Any]:
    return {"uuid": str(person.uuid), "handle": person.handle, "hidden": is_hidden}


@pytest.mark.rule("C107")
async def test_open_streams_of_both_learn_of_a_block_and_its_end(
    url: str, andrew: Member, bayko: Member, worf: Member
) -> None:
    async with (
        listening(url, andrew.headers) as his,
        listening(url, andrew.headers) as other_tab,
        listening(url, bayko.headers) as theirs,
        listening(url, worf.headers) as witness,
        listening(url) as visitor,
    ):
        for is_hidden in (True, False):
            for _ in range(2):  # the second request changes nothing
                method = "PUT" if is_hidden else "DELETE"
                await andrew.request(method, "/api/users/@bayko/block")
            for stream in (his, other_tab):
                assert await stream.receive("hidden") == [hidden(bayko, is_hidden=is_hidden)]
            assert await theirs.receive("hidden") == [hidden(andrew, is_hidden=is_hidden)]
        await nothing_before_a_mark(worf, his, other_tab, theirs, witness, visitor)


@pytest.mark.rule("C107")
async def test_only_the_muter_learns_of_a_mute_and_its_end(
    url: str, dsn: str, andrew: Member, bayko: Member, worf: Member, database: asyncpg.Connection
) -> None:
    async with listening(url, andrew.headers) as his, listening(url, bayko.headers) as theirs:
        await andrew.put("/api/users/@bayko/mute", {"duration": "1-hour"})
        assert await his.receive("hidden") == [hidden(bayko)]
        await database.execute("ALTER TABLE mutes DISABLE TRIGGER USER")
        await database.execute("UPDATE mutes SET ends_at = now()")
        await database.execute("ALTER TABLE mutes ENABLE TRIGGER USER")
        await swept(dsn)
        assert await his.receive("hidden") == [hidden(bayko, is_hidden=False)]
        await nothing_before_a_mark(worf, his, theirs)


@pytest.mark.rule("C102", "C103")
@pytest.mark.parametrize("how", ["blocks", "is blocked", "mutes"])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_stream_delivers_nothing_about_a_hidden_user(
    url: str,
    app: Quart,
    andrew: Member,
    bayko: Member,
    worf: Member,
    database: asyncpg.Connection,
    how: str,
    when: str,
) -> None:
    """Whether it was opened before or after the block or mute, also after a replay."""
    own, theirs, other = await andrew.crud(), await bayko.crud("theirs"), await worf.crud()

    async def hide() -> None:
        if how == "blocks":
            await andrew.put("/api/users/@bayko/block")
        elif how == "is blocked":
            await bayko.put("/api/users/@andrewbrown/block")
        else:
            await andrew.put("/api/users/@bayko/mute", {})

    if when == "after":
        await hide()
    async with (
        listening(url, andrew.headers) as everything,
        listening(url, andrew.headers, feed="home") as home,
        listening(url, andrew.headers, crud=other["uuid"]) as thread,
        listening(url, andrew.headers, handle="worf") as of_worf,
        listening(url, worf.headers) as witness,
    ):
        last_id = everything.last_id
        if when == "before":
            await hide()
            for stream in (everything, home, thread, of_worf):
                await stream.receive("hidden")
        await bayko.crud("unseen @andrewbrown")
        await bayko.reply(other["uuid"], "unseen")
        named = await worf.reply(theirs["uuid"], "it names the hidden author")
        await bayko.put("/api/profile/update", {"display_name": "Unseen", "bio": ""})
        await worf.put(f"/api/activities/{theirs['uuid']}/like")
        await bayko.delete(f"/api/activities/{theirs['uuid']}")
        if how == "mutes":
            reply = await bayko.reply(own["uuid"], "unseen @andrewbrown")
            await bayko.put(f"/api/activities/{own['uuid']}/like")
            assert reply["uuid"]
        mark = await worf.crud("a mark")
        received = []
        for stream in (everything, home, of_worf):
            while True:
                event = await stream.next()
                assert event is not None
                if event.event == "crud" and event.data["uuid"] == mark["uuid"]:
                    break
                received.append(event)
        assert {event.event for event in received} <= {"counts", "gone"}
        seen = {own["uuid"], other["uuid"], named["uuid"]}
        assert {event.data["uuid"] for event in received} <= seen
        while (event := await witness.next()) is not None and event.event != "user":
            pass
        assert event is not None  # others get what the viewer does not
    if when == "after":
        async with listening(url, andrew.headers, last_event_id=last_id) as again:
            while (event := await again.next()) is not None:
                if event.event == "crud" and event.data["uuid"] == mark["uuid"]:
                    break
                assert event.event in {"counts", "gone"}
                assert event.data["uuid"] in seen


@pytest.mark.rule("C102", "C103")
@pytest.mark.parametrize(("kind", "status"), [("block", 404), ("mute", 200)])
async def test_a_stream_about_a_hidden_user_or_crud_does_not_exist(
    url: str, andrew: Member, bayko: Member, kind: str, status: int
) -> None:
    crud = await bayko.crud()
    await andrew.put(f"/api/users/@bayko/{kind}", {} if kind == "mute" else None)
    for query, expected in (({"handle": "bayko"}, status), ({"crud": crud["uuid"]}, 404)):
        if expected == 200:
            async with listening(url, andrew.headers, **query):
                continue
        response = await andrew.http.get("/api/stream", params=query, headers=andrew.headers)
        assert response.status_code == expected
        assert refused(response) == ["not_found"]


@pytest.mark.rule("C105")
async def test_a_request_does_not_arrive_as_a_message(
    url: str, andrew: Member, bayko: Member, worf: Member, database: asyncpg.Connection
) -> None:
    async with listening(url, andrew.headers) as his, listening(url, bayko.headers) as theirs:
        sent = await andrew.message("bayko", "hello")
        group = sent["message_group_uuid"]
        assert await his.receive("message") == [sent]
        assert await theirs.receive("request") == [{"message_group_uuid": group}]
        await acquaint(database, andrew, bayko)
        for stream in (his, theirs):
            await stream.receive("follow")
        sent = await andrew.message("bayko", "again")
        assert await his.receive("message") == [sent]
        [message, _] = await theirs.receive("message", "notification")
        assert message == sent
        await nothing_before_a_mark(worf, his, theirs)


@pytest.mark.rule("C102")
async def test_a_replay_has_no_messages_from_before_a_block(
    url: str, andrew: Member, bayko: Member, worf: Member, database: asyncpg.Connection
) -> None:
    await acquaint(database, andrew, bayko)
    async with listening(url, bayko.headers) as theirs:
        last_id = theirs.last_id
    async with listening(url, worf.headers) as witness:  # keeps the log in use
        await andrew.message("bayko", "hello")
        await andrew.crud("@bayko")
        await bayko.put("/api/users/@andrewbrown/block")
        mark = await worf.crud("a mark")
        await witness.receive("crud", "crud")
    async with listening(url, bayko.headers, last_event_id=last_id) as again:
        # The block has also ended the follow.
        assert await again.receive("follow", "hidden") == [
            {"uuid": str(andrew.uuid)},
            hidden(andrew),
        ]
        [received] = await again.receive("crud")
        assert received["uuid"] == mark["uuid"]
