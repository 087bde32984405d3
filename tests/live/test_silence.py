"""Without open streams nothing is read; the next stream misses nothing that follows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.settings import Settings
from live.listening import listening
from patience import PATIENCE
from support import Member, serving_on_a_socket


@dataclass(frozen=True)
class Alone:
    """An application of the test's own that has not followed any events yet."""

    url: str
    database: asyncpg.Connection
    others: list[int]

    async def follower(self) -> asyncpg.Record:
        """Return the state of the follower's connection after it has stopped listening."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.database.fetchrow(
                    "SELECT pid, query_start FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> ALL($1::integer[])"
                    " AND query LIKE 'UNLISTEN%' AND state = 'idle'",
                    self.others,
                )
                if found is not None:
                    return found
                await asyncio.sleep(0.01)


@pytest.fixture
async def alone(settings: Settings, database: asyncpg.Connection) -> AsyncIterator[Alone]:
    """Runs next to the shared application, which follows events in the same database."""
    others = await database.fetch("SELECT pid FROM pg_stat_activity")
    app = create_app(replace(settings, pool_size=2))
    async with app.test_app(), serving_on_a_socket(app) as url:
        yield Alone(url, database, [row["pid"] for row in others])


async def test_nothing_is_read_without_open_streams(alone: Alone, andrew: Member) -> None:
    async with listening(alone.url) as stream:
        await andrew.crud()
        await stream.receive("crud")
    before = await alone.follower()
    for number in range(3):
        crud = await andrew.crud(f"crud {number}")
        await andrew.put(f"/api/activities/{crud['uuid']}/like")
    assert await alone.follower() == before


async def test_the_first_stream_after_a_pause_receives_what_follows(
    url: str, andrew: Member, bayko: Member
) -> None:
    async with listening(url) as stream:
        crud = await andrew.crud("before")
        await stream.receive("crud")
    await andrew.crud("while nobody listens")
    async with listening(url) as stream, listening(url) as second:
        await andrew.crud("after")
        await bayko.put(f"/api/activities/{crud['uuid']}/like")
        for received in (
            await stream.receive("crud", "counts"),
            await second.receive("crud", "counts"),
        ):
            assert received[0]["message"] == "after"
            assert received[1]["likes_count"] == 1


async def test_a_stream_resumed_after_a_pause_misses_nothing(url: str, andrew: Member) -> None:
    async with listening(url) as stream:
        await andrew.crud("before")
        await stream.receive("crud")
    for number in range(150):  # more than one batch
        await andrew.crud(f"missed {number}")
    async with listening(url, last_event_id=stream.last_id) as stream:
        await andrew.crud("after")
        received = await stream.receive(*["crud"] * 151)
    assert [crud["message"] for crud in received] == [*(f"missed {n}" for n in range(150)), "after"]


async def test_a_pause_longer_than_the_log_causes_no_reset(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    async with listening(url) as stream:
        await andrew.crud("before")
        await stream.receive("crud")
    await andrew.crud("while nobody listens")
    await database.execute("DELETE FROM events")
    async with listening(url) as fresh, listening(url, last_event_id=stream.last_id) as late:
        await late.receive("reset")
        await andrew.crud("after")
        assert (await fresh.receive("crud"))[0]["message"] == "after"
        assert (await late.receive("crud"))[0]["message"] == "after"


async def test_a_connection_that_breaks_during_a_pause_is_replaced(
    alone: Alone, andrew: Member, database: asyncpg.Connection
) -> None:
    async with listening(alone.url) as stream:
        await andrew.crud("before")
        await stream.receive("crud")
    found = await alone.follower()
    await database.execute("SELECT pg_terminate_backend($1)", found["pid"])
    async with listening(alone.url) as stream:
        await andrew.crud("after")
        await stream.receive("crud")


async def test_streams_opened_and_closed_during_writes_receive_everything(
    url: str, andrew: Member
) -> None:
    """Each stream receives everything committed after its opening, in order and once."""
    is_over = asyncio.Event()
    written: list[str] = []

    async def write() -> None:
        while not is_over.is_set():
            written.append((await andrew.crud())["uuid"])

    runs: list[tuple[int, list[str]]] = []
    writer = asyncio.create_task(write())
    for _ in range(25):
        async with listening(url) as stream:
            known = len(written)
            mine = (await andrew.crud("mine"))["uuid"]
            received: list[str] = []
            while mine not in received:
                [crud] = await stream.receive("crud")
                received.append(crud["uuid"])
            assert stream.places == sorted(set(stream.places))
            runs.append((known, [uuid for uuid in received if uuid != mine]))
    is_over.set()
    await writer
    assert any(run for _, run in runs)
    for known, run in runs:
        if run:
            begin = written.index(run[0])
            assert begin <= known + 1, "one commit was under way when the stream opened"
            assert run == written[begin : begin + len(run)]
