"""A crud is gone at its second, on every stream, whatever happens meanwhile."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.db.live import Expiring
from cruddur.live.expiry import Clock, Expiries
from cruddur.settings import Settings
from live.listening import Listener, listening
from support import Api, Member, serving_on_a_socket, swept

SOON = timedelta(seconds=0.5)


async def lasting(database: asyncpg.Connection, who: Member, lifetime: timedelta) -> str:
    """A crud of any lifetime."""
    uuid: UUID = await database.fetchval(
        "INSERT INTO activities (user_uuid, message, expires_at)"
        " VALUES ($1, 'brief', clock_timestamp() + $2) RETURNING uuid",
        who.uuid,
        lifetime,
    )
    return str(uuid)


async def hears_the_end(stream: Listener, database: asyncpg.Connection, uuid: str) -> None:
    """It is told once the crud can no longer be read, and not a moment before."""
    [gone] = await stream.hear("gone")
    late: float | None = await database.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - expires_at)::float8"
        " FROM activities WHERE uuid = $1",
        UUID(uuid),
    )
    assert gone == {"uuid": uuid}
    assert late is None or late >= 0


async def test_a_crud_whose_life_fits_between_two_sweeps(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    async with listening(url) as stream:
        uuid = await lasting(database, andrew, SOON)
        [crud] = await stream.hear("crud")
        assert crud["uuid"] == uuid
        last_id = stream.last_id
        await hears_the_end(stream, database, uuid)
        assert stream.last_id == last_id, "an expiry has no place in the log"


async def test_the_sweeper_says_nothing_more(
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


async def test_an_end_that_is_brought_forward_or_put_off(
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


async def test_what_ends_all_at_once_drops_nobody(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    """Many more than wait for a reader at most."""
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


async def test_a_crud_that_is_deleted_before_its_end_is_gone_once(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    deleted = await lasting(database, andrew, SOON)
    brief = await lasting(database, andrew, SOON * 2)
    async with listening(url) as stream:
        await andrew.delete(f"/api/activities/{deleted}")
        assert await stream.hear("gone") == [{"uuid": deleted}]
        await hears_the_end(stream, database, brief)


async def test_a_reply_that_ends_first_is_taken_off_the_counts(
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


async def test_what_ends_after_a_restart(
    settings: Settings, andrew: Member, database: asyncpg.Connection, api: Api
) -> None:
    """The application that tells of it was not there when it was written."""
    uuid = await lasting(database, andrew, timedelta(seconds=2))
    app = create_app(replace(settings, pool_size=2))
    async with app.test_app(), serving_on_a_socket(app) as url, listening(url) as stream:
        await hears_the_end(stream, database, uuid)


async def test_what_ends_was_written_while_nobody_listened(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    async with listening(url):
        pass
    uuid = await lasting(database, andrew, timedelta(seconds=1))
    await lasting(database, andrew, -SOON)  # and what is over is told to nobody
    async with listening(url) as stream:
        await hears_the_end(stream, database, uuid)


async def test_an_end_that_changed_while_nobody_listened(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    """The one of which an earlier stream was told is not told to the next."""
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


async def test_what_ends_while_nobody_can_reach_the_database(
    url: str, settings: Settings, andrew: Member, database: asyncpg.Connection, dsn: str
) -> None:
    """Told by the clock; and what was not known in time, when the database is back."""
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
        # The application of all tests was cut off as well, and is to tell of it now, not later.
        while (heard := await witness.next()) and heard.data != {"uuid": unknown}:
            pass


@pytest.mark.parametrize("hours", [-24, 0, 24])
def test_our_own_clock_may_be_wrong(hours: int) -> None:
    """The database's decides: of ours only the passing of time is used."""
    database_now = datetime.now(UTC) + timedelta(hours=hours)
    clock = Clock()
    clock.set(database_now, 0.001)
    assert timedelta() <= clock.now() - database_now < timedelta(seconds=1)
    clock.set(database_now - timedelta(minutes=1), 60)
    assert clock.now() >= database_now, "an answer that took a minute is a minute old"


def test_ends_come_in_their_order_and_once() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)

    def ending(seconds: int, number: int) -> Expiring:
        return Expiring(UUID(int=number), UUID(int=0), None, now + timedelta(seconds=seconds))

    def numbers(found: list[Any]) -> list[int]:
        return [item.uuid.int for item in found]

    expiries = Expiries(now)
    expiries.load([ending(3, 3), ending(1, 1), ending(2, 2)], now + timedelta(seconds=60))
    expiries.add(ending(90, 9))  # beyond the horizon: it is read in time
    expiries.add(ending(5, 1))  # put off
    expiries.discard(UUID(int=3))
    assert expiries.soonest() == now + timedelta(seconds=2)
    assert numbers(expiries.take(now + timedelta(seconds=4))) == [2]
    expiries.add(ending(-5, 4))  # brought forward into the past, and read anew before it is told
    expiries.load([ending(2, 2), ending(5, 1)], now + timedelta(seconds=90))
    assert numbers(expiries.take(now + timedelta(seconds=90))) == [4, 1]
    assert expiries.soonest() is None
