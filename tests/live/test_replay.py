"""A resumed stream delivers what was missed, or a reset if that is too much."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.settings import Settings
from live.listening import Listener, contains, listening, order
from patience import PATIENCE
from support import Member, expire, serving_on_a_socket, swept


async def place(url: str, who: Member | None = None) -> str:
    """Return the current id of a new stream."""
    async with listening(url, who.headers if who else None) as stream:
        return stream.last_id


@pytest.mark.rule("C64")
@pytest.mark.parametrize("way", ["header", "query"])
async def test_a_stream_resumes_where_it_ended(
    way: str, url: str, andrew: Member, bayko: Member
) -> None:
    async with listening(url) as witness:
        last_id = witness.last_id
        crud = await andrew.crud("while you were away")
        await bayko.put(f"/api/activities/{crud['uuid']}/like")
        doomed = await andrew.crud("never seen")
        await andrew.delete(f"/api/activities/{doomed['uuid']}")
        while (received := await witness.next()) and received.event != "gone":
            pass
    headers = {"Last-Event-ID": last_id} if way == "header" else {}
    query = {"last_event_id": last_id} if way == "query" else {}
    async with listening(url, headers, **query) as stream:
        [missed, _, gone] = await stream.receive("crud", "counts", "gone")
        assert missed["uuid"] == crud["uuid"]
        assert missed["likes_count"] == 1, "the current count"
        assert gone == {"uuid": doomed["uuid"]}
        await andrew.crud("live again")
        [live] = await stream.receive("crud")
        assert live["message"] == "live again"
        assert order(stream.last_id) > order(last_id)


@pytest.mark.usefixtures("acquainted")
async def test_each_viewer_receives_only_their_own_events(
    url: str, andrew: Member, bayko: Member
) -> None:
    last_id = await place(url)
    crud = await andrew.crud("for all")
    reply = await bayko.reply(crud["uuid"], "a reply")
    await andrew.message("bayko", "for Bayko")
    expected: dict[str, tuple[Member | None, dict[str, str], list[str]]] = {
        "a visitor": (None, {}, ["crud", "crud"]),
        "at home": (None, {"feed": "home"}, ["crud"]),
        "of one": (None, {"handle": "bayko"}, ["crud"]),
        "around one": (None, {"crud": crud["uuid"]}, ["crud", "crud"]),
        "Bayko": (bayko, {"feed": "home"}, ["crud", "message", "notification"]),
        "Andrew": (andrew, {"feed": "home"}, ["crud", "notification", "message"]),
    }
    for name, (who, query, events) in expected.items():
        headers = {"Last-Event-ID": last_id} | (who.headers if who else {})
        async with listening(url, headers, **query) as stream:
            for uuid in (reply["uuid"], crud["uuid"]):
                await andrew.put(f"/api/activities/{uuid}/like")
            received = [
                found.event
                for found in await until_liked(stream)
                if found.data.get("kind") != "like"
            ]
            for uuid in (reply["uuid"], crud["uuid"]):
                await andrew.delete(f"/api/activities/{uuid}/like")
        assert [e for e in received if e != "counts"] == events, name


async def until_liked(stream: Listener) -> list:
    """Return the events up to the like that was given while the stream was open."""
    received = []
    while (
        not received or received[-1].data.get("likes_count") != 1 or received[-1].event != "counts"
    ):
        found = await stream.next()
        assert found is not None
        received.append(found)
    return received


async def test_a_crud_that_expired_in_the_meantime_is_reported_as_gone_only(
    url: str, andrew: Member, bayko: Member, dsn: str, database: asyncpg.Connection
) -> None:
    parent, seen, swept_away = [await andrew.crud(name) for name in ("p", "seen", "swept")]
    reply = await bayko.reply(parent["uuid"], "gone before what it answers")
    last_id = await place(url)
    never = await andrew.crud("never to be seen")
    for crud in (seen, swept_away, never, reply):
        await database.execute(
            "UPDATE activities SET expires_at = clock_timestamp() WHERE uuid = $1",
            UUID(crud["uuid"]),
        )
        if crud is swept_away:
            await swept(dsn)
    async with listening(url, {"Last-Event-ID": last_id}) as stream:
        received = []
        while len(received) < 5:
            found = await stream.next()
            assert found is not None
            received.append(found)
    assert [found.event for found in received] == ["gone"] * 4 + ["counts"]
    assert {found.data["uuid"] for found in received[:4]} == {
        crud["uuid"] for crud in (seen, swept_away, never, reply)
    }
    assert (received[4].data["uuid"], received[4].data["replies_count"]) == (parent["uuid"], 0)


@pytest.mark.parametrize(
    "last_id", ["-1", "x", "1.5", str(2**31), "9" * 18, "9" * 19, "9" * 40, "²"]
)
async def test_an_unknown_id_causes_a_reset(last_id: str, url: str, andrew: Member) -> None:
    async with listening(url, last_event_id=last_id) as stream:
        assert await stream.receive("reset") == [{}]
        crud = await andrew.crud()
        [received] = await stream.receive("crud")
        assert received["uuid"] == crud["uuid"]


async def test_an_id_older_than_the_log_causes_a_reset(
    url: str, andrew: Member, dsn: str, database: asyncpg.Connection
) -> None:
    await andrew.crud("the first")
    last_id = await place(url)
    await andrew.crud("the second")
    latest = await place(url)
    await database.execute("UPDATE events SET created_at = now() - interval '16 minutes'")
    await swept(dsn)
    for known in (last_id, latest):
        async with listening(url, {"Last-Event-ID": known}) as stream:
            await stream.receive("reset")
            assert order(stream.last_id) >= order(latest)


async def test_an_event_that_was_committed_late_stays_in_the_log(
    url: str, andrew: Member, dsn: str, database: asyncpg.Connection
) -> None:
    """Its time is when it was recorded, which can be long before the commit."""
    early, late = [UUID((await andrew.crud(name))["uuid"]) for name in ("early", "late")]
    other = await asyncpg.connect(dsn)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT record_event('gone', $1, $2)", late, andrew.uuid)
        await other.execute(
            "UPDATE events SET created_at = now() - interval '1 hour' WHERE kind = 'gone'"
        )
        last_id = await place(url)
        await database.execute("DELETE FROM events WHERE kind = 'mark'")
        await database.execute("SELECT record_event('gone', $1, $2)", early, andrew.uuid)
        await database.execute("SELECT record_event('mark')")
        await database.execute(
            "UPDATE events SET created_at = now() - interval '16 minutes' WHERE kind = 'mark'"
        )
        await transaction.commit()
    finally:
        await other.close()
    await swept(dsn)
    kept = await database.fetch("SELECT subject_uuid FROM events WHERE kind = 'gone'")
    assert [row["subject_uuid"] for row in kept] == [late]
    async with listening(url, {"Last-Event-ID": last_id}) as stream:
        await stream.receive("reset")  # the event before it has been deleted


async def test_the_events_of_a_restored_backup_are_not_delivered(
    url: str, settings: Settings, andrew: Member, database: asyncpg.Connection
) -> None:
    """They name transactions of another server, which are still to come on this one."""
    last_id = await place(url)
    await andrew.crud("in the backup")
    await database.execute("UPDATE events SET xid = (xid::text::bigint + 20)::text::xid8")
    app = create_app(replace(settings, pool_size=2))
    async with app.test_app(), serving_on_a_socket(app) as other_url:
        async with listening(other_url, {"Last-Event-ID": last_id}) as resumed:
            await resumed.receive("reset")
        async with listening(other_url) as stream:
            for number in range(30):
                await andrew.crud(str(number))
            received = await stream.receive(*["crud"] * 30)
    assert [crud["message"] for crud in received] == [str(number) for number in range(30)]


@pytest.mark.parametrize("is_writing", [False, True], ids=["alone", "beside a transaction"])
async def test_a_filtered_stream_knows_its_position(
    url: str,
    andrew: Member,
    bayko: Member,
    dsn: str,
    database: asyncpg.Connection,
    is_writing: bool,
) -> None:
    """A stream that receives few events still gets ids that are recent enough to resume."""
    async with listening(url, handle="bayko") as stream, AsyncExitStack() as stack:
        await andrew.crud("nothing to do with Bayko")
        before = stream.last_id
        if is_writing:
            other = await asyncpg.connect(dsn)
            stack.push_async_callback(other.close)
            await stack.enter_async_context(other.transaction())
            await other.execute("SELECT pg_current_xact_id()")
        await database.execute("DELETE FROM events WHERE kind = 'mark'")
        await swept(dsn)
        mark = int(await database.fetchval("SELECT max(xid) FROM events WHERE kind = 'mark'"))
        await swept(dsn)
        assert await database.fetchval("SELECT count(*) FROM events WHERE kind = 'mark'") == 1
        async with asyncio.timeout(PATIENCE):
            while not contains(stream.last_id, mark):
                await stream.blank()
        marked = stream.last_id
        await bayko.crud("at last")
        await stream.receive("crud")
        assert order(before) < order(marked) < order(stream.last_id)


async def test_a_mark_does_not_move_a_stream_backwards(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    async with listening(url) as stream:
        async with database.transaction():  # so that both are read together
            await database.execute("SELECT record_event('mark')")
            await database.execute(
                "INSERT INTO activities (user_uuid, message, expires_at)"
                " VALUES ($1, 'after the mark', now() + interval '1 hour')",
                andrew.uuid,
            )
        await andrew.crud("the last")
        await stream.receive("crud", "crud")
        assert stream.places == sorted(stream.places)


@pytest.mark.rule("C64")
async def test_too_many_missed_events_cause_a_reset(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    async with listening(url) as witness:
        last_id = witness.last_id
        await database.execute(
            "INSERT INTO activities (user_uuid, message, expires_at)"
            " SELECT $1, 'crud ' || n, now() + interval '1 day' FROM generate_series(1, 1001) AS n",
            andrew.uuid,
        )
        while (received := await witness.next()) and received.data.get("message") != "crud 1001":
            pass
    async with listening(url, {"Last-Event-ID": last_id}) as stream:
        await stream.receive("reset")


async def test_a_client_that_reconnects_repeatedly_receives_everything_once(
    url: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    """Two members write while a client disconnects again and again, at any time."""
    await database.execute("DELETE FROM expired_activities")  # of earlier tests
    last_id = await place(url)

    async def write(who: Member) -> None:
        for number in range(40):
            await who.crud(f"{who.handle} {number}")

    received: list[str] = []
    writers = asyncio.gather(write(andrew), write(bayko))
    while len(received) < 80:
        async with listening(url, {"Last-Event-ID": last_id}) as stream:
            for _ in range(7):
                if len(received) == 80:
                    break
                [crud] = await stream.receive("crud")
                received.append(crud["message"])
                last_id = stream.last_id
    await writers
    assert sorted(received) == sorted(
        f"{who} {n}" for who in ("andrewbrown", "bayko") for n in range(40)
    )
    for who in ("andrewbrown", "bayko"):
        assert [m for m in received if m.startswith(who)] == [f"{who} {n}" for n in range(40)]


async def test_events_are_delivered_in_commit_order(
    url: str, andrew: Member, bayko: Member, database: asyncpg.Connection, dsn: str
) -> None:
    """A transaction that began earlier but commits later comes later."""
    other = await asyncpg.connect(dsn)
    try:
        transaction = other.transaction()
        await transaction.start()
        await other.execute(
            "INSERT INTO activities (user_uuid, message, expires_at)"
            " VALUES ($1, 'began first', now() + $2)",
            andrew.uuid,
            timedelta(hours=1),
        )
        async with listening(url) as stream:
            await bayko.crud("was first")
            [first] = await stream.receive("crud")
            last_id = stream.last_id
        await transaction.commit()
    finally:
        await other.close()
    assert first["message"] == "was first"
    async with listening(url, {"Last-Event-ID": last_id}) as stream:
        [second] = await stream.receive("crud")
        assert second["message"] == "began first"


async def test_an_old_expiry_is_not_delivered_again(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    old = await andrew.crud("old")
    await database.execute(
        "UPDATE activities SET expires_at = now() - interval '1 minute' WHERE uuid = $1",
        UUID(old["uuid"]),
    )
    last_id = await place(url)
    await expire(database, (await andrew.crud("new"))["uuid"])
    async with listening(url, {"Last-Event-ID": last_id}) as stream:
        [gone] = await stream.receive("gone")
        assert gone["uuid"] != old["uuid"]
