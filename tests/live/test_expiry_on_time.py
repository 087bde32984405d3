"""Every stream reports an expiry on time, in all circumstances."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.db.live import Expiring
from cruddur.live.expiry import DatabaseClock, ExpirySchedule
from cruddur.settings import Settings
from live.listening import Listener, listening
from support import Member, acquaint, expire_message, serving_on_a_socket, swept

SOON = timedelta(seconds=0.5)

LATER = timedelta(seconds=20)
"""A lifetime that no test reaches, unless it advances the service's clock."""


@dataclass
class Clock:
    """The clock of the service; a test can advance it."""

    seconds_ahead: float = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.seconds_ahead

    def advance(self) -> None:
        """Advance beyond LATER, but not so far that the service corrects its clock."""
        self.seconds_ahead = 25


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("cruddur.live.expiry.monotonic", made.monotonic)
    return made


MOVE = "UPDATE activities SET expires_at = clock_timestamp() + $2 WHERE uuid = $1"


async def lasting(database: asyncpg.Connection, who: Member, lifetime: timedelta) -> str:
    """Insert a crud with any lifetime."""
    uuid: UUID = await database.fetchval(
        "INSERT INTO activities (user_uuid, message, expires_at)"
        " VALUES ($1, 'brief', clock_timestamp() + $2) RETURNING uuid",
        who.uuid,
        lifetime,
    )
    return str(uuid)


async def hears_the_end(stream: Listener, database: asyncpg.Connection, uuid: str) -> None:
    """Check that the event arrives once the crud cannot be read any more, and not earlier."""
    [gone] = await stream.receive("gone")
    late: float | None = await database.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - expires_at)::float8"
        " FROM activities WHERE uuid = $1",
        UUID(uuid),
    )
    assert gone == {"uuid": uuid}
    assert late is None or late >= 0


async def knows_the_expiries(stream: Listener, who: Member) -> None:
    """Wait until the service has loaded the expiries for a new stream."""
    crud = await who.crud("This is published after they are loaded")
    assert [published["uuid"] for published in await stream.receive("crud")] == [crud["uuid"]]


async def gone_before(stream: Listener, mark: str) -> list[str]:
    """Return the uuids that the stream reports as gone before a crud."""
    gone = []
    while (received := await stream.next()) is not None:
        if received.event == "gone":
            gone.append(received.data["uuid"])
        if received.event == "crud" and received.data["message"] == mark:
            return gone
    raise AssertionError("the stream has ended")


@pytest.mark.rule("C140")
async def test_both_members_of_a_conversation_learn_that_a_message_has_expired(
    url: str,
    dsn: str,
    andrew: Member,
    bayko: Member,
    member: Callable[..., Any],
    database: asyncpg.Connection,
    clock: Clock,
) -> None:
    worf = await member("worf")
    await acquaint(database, andrew, bayko)
    await andrew.message("bayko", "kept")
    await database.execute("UPDATE message_groups SET lifetime = $1", LATER)
    async with (
        listening(url, andrew.headers) as his,
        listening(url, bayko.headers) as theirs,
        listening(url, worf.headers) as witness,
    ):
        await knows_the_expiries(his, worf)
        sent = await bayko.message("andrewbrown", "brief")
        assert await his.receive("message", "notification")
        position = his.last_id
        clock.advance()
        assert await his.receive("gone") == [{"uuid": sent["uuid"]}]
        await worf.crud("after it")
        assert await gone_before(theirs, "after it") == [sent["uuid"]]
        assert await gone_before(witness, "after it") == []
    # A stream that resumes reports it, too, before and after it was swept.
    await expire_message(database, sent["uuid"])
    for is_swept in (False, True):
        if is_swept:
            await swept(dsn)
        for reader, expected in ((andrew, [sent["uuid"]]), (worf, [])):
            headers = {**reader.headers, "Last-Event-ID": position}
            async with listening(url, headers) as resumed:
                mark = f"{reader.handle}, {is_swept}"
                await worf.crud(mark)
                assert await gone_before(resumed, mark) == expected


@pytest.mark.rule("C38")
async def test_a_crud_that_lives_and_expires_between_two_sweeps_is_reported(
    url: str, andrew: Member, database: asyncpg.Connection, clock: Clock
) -> None:
    async with listening(url) as stream:
        uuid = await lasting(database, andrew, LATER)
        [crud] = await stream.receive("crud")
        assert crud["uuid"] == uuid
        clock.advance()
        gone = await stream.next()
        assert gone is not None
        assert (gone.event, gone.data, gone.has_id) == ("gone", {"uuid": uuid}, False)


async def test_the_sweeper_sends_no_further_event(
    url: str, andrew: Member, database: asyncpg.Connection, dsn: str
) -> None:
    async with listening(url) as stream:
        uuid = await lasting(database, andrew, LATER)
        await stream.receive("crud")
        await database.execute(MOVE, UUID(uuid), SOON)
        await hears_the_end(stream, database, uuid)
        await swept(dsn)
        assert await database.fetchval("SELECT count(*) FROM activities") == 0
        await andrew.crud("a mark")
        await stream.receive("crud")


async def test_an_expiry_that_is_moved_forward_or_back_is_reported_on_time(
    url: str, andrew: Member, database: asyncpg.Connection, clock: Clock
) -> None:
    first, second = await andrew.crud("first"), await andrew.crud("second")
    brief = await lasting(database, andrew, LATER)
    async with listening(url) as stream:
        await database.execute(MOVE, UUID(brief), timedelta(hours=1))
        await database.execute(MOVE, UUID(first["uuid"]), SOON)
        await hears_the_end(stream, database, first["uuid"])
        clock.advance()
        await database.execute(MOVE, UUID(second["uuid"]), -SOON)
        await hears_the_end(stream, database, second["uuid"])


async def test_many_simultaneous_expiries_drop_no_stream(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    """Many more events than the queue of a stream can hold."""
    many = 1500
    async with listening(url) as stream:
        await database.execute(
            "INSERT INTO activities (user_uuid, message, expires_at)"
            " SELECT $1, 'brief', now() + interval '1 hour' FROM generate_series(1, $2)",
            andrew.uuid,
            many,
        )
        await stream.receive(*["crud"] * many)
        await database.execute("UPDATE activities SET expires_at = now() + $1", SOON)
        gone = await stream.receive(*["gone"] * many)
        assert len({item["uuid"] for item in gone}) == many


async def test_a_crud_deleted_before_its_expiry_is_reported_once(
    url: str, andrew: Member, database: asyncpg.Connection, clock: Clock
) -> None:
    deleted = await lasting(database, andrew, LATER)
    brief = await lasting(database, andrew, LATER)
    async with listening(url) as stream:
        await andrew.delete(f"/api/activities/{deleted}")
        assert await stream.receive("gone") == [{"uuid": deleted}]
        clock.advance()
        assert await stream.receive("gone") == [{"uuid": brief}]
        await andrew.crud("a mark")
        await stream.receive("crud")


async def test_a_reply_that_expires_first_is_subtracted_from_the_counts(
    url: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    reply = await bayko.reply(crud["uuid"])
    async with listening(url, crud=crud["uuid"]) as stream:
        await database.execute(MOVE, UUID(reply["uuid"]), SOON)
        await hears_the_end(stream, database, reply["uuid"])
        [counts] = await stream.receive("counts")
        assert counts == {
            "uuid": crud["uuid"],
            "replies_count": 0,
            "reposts_count": 0,
            "likes_count": 0,
        }


async def test_an_expiry_after_a_restart_is_reported(
    settings: Settings, andrew: Member, database: asyncpg.Connection, clock: Clock
) -> None:
    """The application that reports it had not started when the crud was written."""
    uuid = await lasting(database, andrew, LATER)
    app = create_app(replace(settings, pool_size=2))
    async with app.test_app(), serving_on_a_socket(app) as url, listening(url) as stream:
        await knows_the_expiries(stream, andrew)
        clock.advance()
        assert await stream.receive("gone") == [{"uuid": uuid}]


async def test_the_expiry_of_a_crud_written_without_open_streams_is_reported(
    url: str, andrew: Member, database: asyncpg.Connection, clock: Clock
) -> None:
    async with listening(url):
        pass
    uuid = await lasting(database, andrew, LATER)
    await lasting(database, andrew, -SOON)  # an expired crud is reported to no stream
    async with listening(url) as stream:
        await knows_the_expiries(stream, andrew)
        clock.advance()
        assert await stream.receive("gone") == [{"uuid": uuid}]


async def test_an_expiry_that_changed_without_open_streams_is_reported(
    url: str, andrew: Member, database: asyncpg.Connection, clock: Clock
) -> None:
    """An expiry that is known from an earlier stream may have changed before the next."""
    put_off, deleted, brought_forward = [
        await lasting(database, andrew, lifetime) for lifetime in (LATER, LATER, timedelta(hours=1))
    ]
    async with listening(url) as stream:
        await knows_the_expiries(stream, andrew)
    await database.execute(MOVE, UUID(put_off), timedelta(hours=1))
    await database.execute("DELETE FROM activities WHERE uuid = $1", UUID(deleted))
    await database.execute(MOVE, UUID(brought_forward), LATER)
    async with listening(url) as stream:
        await knows_the_expiries(stream, andrew)
        clock.advance()
        assert await stream.receive("gone") == [{"uuid": brought_forward}]


async def test_expiries_during_a_database_outage_are_reported(
    url: str, settings: Settings, andrew: Member, database: asyncpg.Connection, dsn: str
) -> None:
    """Known expiries are reported by the clock, others when the database is back."""
    name = await database.fetchval("SELECT current_database()")
    app = create_app(replace(settings, pool_size=2))
    async with (
        listening(url) as witness,
        app.test_app(),
        serving_on_a_socket(app) as other_url,
        listening(other_url) as stream,
    ):
        known = await lasting(database, andrew, timedelta(hours=1))
        await stream.receive("crud")
        await database.execute(MOVE, UUID(known), 3 * SOON)
        mark = await andrew.crud("the new expiry is known when this is told")
        received = []  # on a slow machine, the expiry comes before the outage
        while (event := await stream.next()) and event.data.get("uuid") != mark["uuid"]:
            received.append(event.data)
        maintenance = await asyncpg.connect(dsn.replace(f"/{name}?", "/postgres?"))
        try:
            await maintenance.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            await maintenance.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = $1 AND pid <> $2",
                name,
                database.get_server_pid(),
            )
            unknown = await lasting(database, andrew, SOON)
            received = received or await stream.receive("gone")
            assert received == [{"uuid": known}]
        finally:
            await maintenance.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            await maintenance.close()
        await hears_the_end(stream, database, unknown)
        # The shared application lost its connections too: let it report the expiry now.
        while (event := await witness.next()) and event.data != {"uuid": unknown}:
            pass


@pytest.mark.parametrize("hours", [-24, 0, 24])
def test_the_local_clock_can_be_wrong(hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database clock decides; of the local one, only the elapsed time is used."""
    now = 1000.0
    monkeypatch.setattr("cruddur.live.expiry.monotonic", lambda: now)
    database_now = datetime.now(UTC) + timedelta(hours=hours)
    clock = DatabaseClock()
    clock.set(database_now, 0.001)
    now += 0.5
    assert clock.now() - database_now == timedelta(seconds=0.5)
    clock.set(database_now - timedelta(minutes=1), 60)
    assert clock.now() >= database_now, "a response that took a minute must count as a minute old"


def test_expiries_are_reported_in_order_and_once() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)

    def ending(seconds: int, number: int) -> Expiring:
        return Expiring(UUID(int=number), UUID(int=0), None, now + timedelta(seconds=seconds))

    def numbers(found: list[Any]) -> list[int]:
        return [item.uuid.int for item in found]

    expiries = ExpirySchedule(now)
    expiries.load([ending(3, 3), ending(1, 1), ending(2, 2)], now + timedelta(seconds=60))
    expiries.add(ending(90, 9))  # beyond the horizon: it is read later
    expiries.add(ending(5, 1))  # moved to a later time
    expiries.discard(UUID(int=3))
    assert expiries.next_expiry() == now + timedelta(seconds=2)
    assert numbers(expiries.pop_due(now + timedelta(seconds=4))) == [2]
    expiries.add(ending(-5, 4))  # moved into the past, and read again before it is reported
    expiries.load([ending(2, 2), ending(5, 1)], now + timedelta(seconds=90))
    assert numbers(expiries.pop_due(now + timedelta(seconds=90))) == [4, 1]
    assert expiries.next_expiry() is None
