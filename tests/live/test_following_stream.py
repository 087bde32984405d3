"""Streams of what a member follows: `GET /api/stream?feed=following`."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from live.listening import Listener, listening
from support import Api, Member, refused

FOLLOW = "/api/users/@{}/follow"


async def follow(follower: Member, *followed: Member) -> None:
    for one in followed:
        await follower.put(FOLLOW.format(one.handle))


async def receive(stream: Listener, *events: str) -> list[Any]:
    """Return the data of the next events, without counts: a batch has only the last ones."""
    received: list[Any] = []
    while len(received) < len(events):
        found = await stream.next()
        assert found is not None
        if found.event == "counts" and events[len(received)] != "counts":
            continue
        assert found.event == events[len(received)], found
        received.append(found.data)
    return received


async def shown(stream: Listener, *events: str) -> list[Any]:
    """Return what the next cruds are, and why they are shown."""
    return [
        (crud["message"], crud.get("reposted_by"), crud.get("followed_tag"))
        for crud in await receive(stream, *events)
    ]


async def counts_of(stream: Listener, uuid: str, **counts: int) -> None:
    """Wait for these counts of a crud."""
    while True:
        [found] = await receive(stream, "counts")
        if found["uuid"] == uuid and counts.items() <= found.items():
            return


@pytest.mark.rule("C99")
async def test_a_stream_sends_only_what_its_member_follows(
    url: str, andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf, londo = await member("worf"), await member("londo", "Londo Mollari")
    await follow(andrew, bayko, londo)
    await andrew.put("/api/tags/tea/follow")
    async with listening(url, andrew.headers, feed="following") as stream:
        other = await worf.crud("worf's")
        crud = await bayko.crud("bayko's #tea")
        await bayko.reply(crud["uuid"], "a reply #tea")
        await worf.crud("worf's #tea and #coffee")
        assert await shown(stream, "crud") == [("bayko's #tea", None, None)]
        await counts_of(stream, crud["uuid"], replies_count=1)
        assert await shown(stream, "crud") == [("worf's #tea and #coffee", None, "tea")]
        # The first repost shows a crud, and from then on the stream has its events.
        await worf.put(f"/api/activities/{other['uuid']}/like")
        await londo.put(f"/api/activities/{other['uuid']}/repost")
        [reposted] = await receive(stream, "crud")
        assert (reposted["uuid"], reposted["reposted_by_name"]) == (other["uuid"], "Londo Mollari")
        await bayko.put(f"/api/activities/{other['uuid']}/repost")
        await counts_of(stream, other["uuid"], reposts_count=2)
        await worf.delete(f"/api/activities/{other['uuid']}")
        assert await receive(stream, "gone") == [{"uuid": other["uuid"]}]
        # The author's own repost, and one of a followed author's crud, show nothing new.
        await bayko.put(f"/api/activities/{crud['uuid']}/repost")
        await londo.put(f"/api/activities/{crud['uuid']}/repost")
        await counts_of(stream, crud["uuid"], reposts_count=2)


@pytest.mark.rule("C99")
async def test_a_follow_changes_an_open_stream(
    url: str, andrew: Member, bayko: Member, member: Callable[..., Any]
) -> None:
    worf = await member("worf")
    async with (
        listening(url, andrew.headers, feed="following") as stream,
        listening(url, andrew.headers, handle="bayko") as other,
    ):
        await bayko.crud("before")
        # A follow changes the stream for the events that are published together with it, too.
        await other.receive("crud")
        await follow(andrew, bayko)
        for listener in (stream, other):
            assert await listener.receive("follow") == [{"uuid": str(bayko.uuid)}]
        await bayko.crud("while followed")
        assert await shown(stream, "crud") == [("while followed", None, None)]
        await andrew.delete(FOLLOW.format("bayko"))
        await andrew.put("/api/tags/tea/follow")
        assert await stream.receive("follow", "follow") == [
            {"uuid": str(bayko.uuid)}, {"uuid": str(andrew.uuid)}
        ]  # fmt: skip
        await bayko.crud("after")
        await worf.crud("#tea")
        assert await shown(stream, "crud") == [("#tea", None, "tea")]


@pytest.mark.rule("C99")
async def test_a_resumed_stream_sends_what_it_missed(
    url: str,
    andrew: Member,
    bayko: Member,
    member: Callable[..., Any],
    database: asyncpg.Connection,
) -> None:
    worf = await member("worf")
    await follow(andrew, bayko)
    await andrew.put("/api/tags/tea/follow")
    earlier = await worf.crud("earlier")
    await bayko.put(f"/api/activities/{earlier['uuid']}/repost")
    async with listening(url, andrew.headers, feed="following") as stream:
        last = stream.last_id
    await worf.crud("worf's")
    reposted = await worf.crud("reposted")
    await bayko.put(f"/api/activities/{reposted['uuid']}/repost")
    await bayko.crud("bayko's")
    await worf.crud("#tea")
    await worf.put(f"/api/activities/{earlier['uuid']}/like")
    headers = {**andrew.headers, "Last-Event-ID": last}
    async with listening(url, headers, feed="following") as resumed:
        assert await shown(resumed, "crud", "crud", "crud") == [
            ("reposted", "bayko", None),
            ("bayko's", None, None),
            ("#tea", None, "tea"),
        ]
        await counts_of(resumed, earlier["uuid"], likes_count=1)
        # What a repost has shown before is gone on time, too.
        await worf.delete(f"/api/activities/{earlier['uuid']}")
        assert await receive(resumed, "gone") == [{"uuid": earlier["uuid"]}]


@pytest.mark.rule("C99")
async def test_a_visitor_has_no_such_stream(api: Api) -> None:
    response = await api.request("GET", "/api/stream?feed=following", expect=401)
    assert refused(response) == ["generic_401"]
