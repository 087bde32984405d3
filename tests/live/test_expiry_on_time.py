"""Every stream reports an expiry on time, in all circumstances."""

from dataclasses import replace
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
from support import Api, Member, serving_on_a_socket, swept

SOON = timedelta(seconds=0.5)


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
    [gone] = await stream.hear("gone")
    late: float | None = await database.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - expires_at)::float8"
        " FROM activities WHERE uuid = $1",
        UUID(uuid),
    )
    assert gone == {"uuid": uuid}
    assert late is None or late >= 0


@pytest.mark.rule("C38")
async def test_a_crud_that_lives_and_expires_between_two_sweeps_is_reported(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    async with listening(url) as stream:
        uuid = await lasting(database, andrew, SOON)
        [crud] = await stream.hear("crud")
        assert crud["uuid"] == uuid
        last_id = stream.last_id
        await hears_the_end(stream, database, uuid)
        assert stream.last_id == last_id, "an expiry must not have an id"


async def test_the_sweeper_sends_no_further_event(
    url: str, andrew: Member, database: asyncpg.Connection, dsn: str
) -> None:
    async with listening(url) as stream:
        uuid = await lasting(database, andrew, SOON)
        await stream.hear("crud")
        await hears_the_end(stream, database, uuid)
        await swept(dsn)
        assert await database.fetchval("SELECT count(*) FROM activities") == 0
        await andrew.crud("a mark")
        await stream.hear("crud")


async def test_an_expiry_that_is_moved_forward_or_back_is_reported_on_time(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    first, second = await andrew.crud("first"), await andrew.crud("second")
    brief = await lasting(database, andrew, SOON)
    move = "UPDATE activities SET expires_at = clock_timestamp() + $2 WHERE uuid = $1"
    async with listening(url) as stream:
        await database.execute(move, UUID(brief), timedelta(hours=1))
        await database.execute(move, UUID(first["uuid"]), SOON)
        await hears_the_end(stream, database, first["uuid"])
        await database.execute(move, UUID(second["uuid"]), -SOON)
        await hears_the_end(stream, database, second["uuid"])


async def test_many_simultaneous_expiries_drop_no_stream(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    """Many more events than the queue of a stream can hold."""
    many = 1500
    async with listening(url) as stream:
        await database.execute(
            "INSERT INTO activities (user_uuid, message, expires_at)"
            " SELECT $1, 'brief', now() + interval '1.5 seconds' FROM generate_series(1, $2)",
            andrew.uuid,
            many,
        )
        await stream.hear(*["crud"] * many)
        gone = await stream.hear(*["gone"] * many)
        assert len({item["uuid"] for item in gone}) == many


async def test_a_crud_deleted_before_its_expiry_is_reported_once(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    deleted = await lasting(database, andrew, SOON)
    brief = await lasting(database, andrew, SOON * 2)
    async with listening(url) as stream:
        await andrew.delete(f"/api/activities/{deleted}")
        assert await stream.hear("gone") == [{"uuid": deleted}]
        await hears_the_end(stream, database, brief)


async def test_a_reply_that_expires_first_is_subtracted_from_the_counts(
    url: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    reply = await bayko.reply(crud["uuid"])
    async with listening(url, crud=crud["uuid"]) as stream:
        await database.execute(
            "UPDATE activities SET expires_at = clock_timestamp() + $2 WHERE uuid = $1",
            UUID(reply["uuid"]),
            SOON,
        )
        await hears_the_end(stream, database, reply["uuid"])
        [counts] = await stream.hear("counts")
        assert counts == {
            "uuid": crud["uuid"],
            "replies_count": 0,
            "reposts_count": 0,
            "likes_count": 0,
        }


async def test_an_expiry_after_a_restart_is_reported(
    settings: Settings, andrew: Member, database: asyncpg.Connection, api: Api
) -> None:
    """The application that reports it had not started when the crud was written."""
    uuid = await lasting(database, andrew, timedelta(seconds=2))
    app = create_app(replace(settings, pool_size=2))
    async with app.test_app(), serving_on_a_socket(app) as url, listening(url) as stream:
        await hears_the_end(stream, database, uuid)


async def test_the_expiry_of_a_crud_written_without_open_streams_is_reported(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    async with listening(url):
        pass
    uuid = await lasting(database, andrew, timedelta(seconds=1))
    await lasting(database, andrew, -SOON)  # an expired crud is reported to no stream
    async with listening(url) as stream:
        await hears_the_end(stream, database, uuid)


async def test_an_expiry_that_changed_without_open_streams_is_reported(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    """An expiry that was sent to an earlier stream is not sent to the next."""
    put_off, deleted, brought_forward = [
        await lasting(database, andrew, lifetime) for lifetime in (SOON, SOON, timedelta(hours=1))
    ]
    async with listening(url) as stream:
        await andrew.crud("the ends are known when this is told")
        await stream.hear("crud")
    move = "UPDATE activities SET expires_at = clock_timestamp() + $2 WHERE uuid = $1"
    await database.execute(move, UUID(put_off), timedelta(hours=1))
    await database.execute("DELETE FROM activities WHERE uuid = $1", UUID(deleted))
    await database.execute(move, UUID(brought_forward), SOON * 2)
    async with listening(url) as stream:
        await hears_the_end(stream, database, brought_forward)


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
        known = await lasting(database, andrew, timedelta(seconds=1.5))
        await stream.hear("crud")
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
            assert await stream.hear("gone") == [{"uuid": known}]
        finally:
            await maintenance.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
            await maintenance.close()
        await hears_the_end(stream, database, unknown)
        # The shared application lost its connections too: let it report the expiry now.
        while (heard := await witness.next()) and heard.data != {"uuid": unknown}:
            pass


@pytest.mark.parametrize("hours", [-24, 0, 24])
def test_the_local_clock_can_be_wrong(hours: int) -> None:
    """The database clock decides; of the local one, only the elapsed time is used."""
    database_now = datetime.now(UTC) + timedelta(hours=hours)
    clock = DatabaseClock()
    clock.set(database_now, 0.001)
    assert timedelta() <= clock.now() - database_now < timedelta(seconds=1)
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
