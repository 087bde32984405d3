"""Random transactions, crashes and reconnections: no event is lost, doubled or out of order.

Writers record events in random transactions, with savepoints, rollbacks and two-phase commits. Each
event is recorded with the snapshot of what its transaction had seen before, so the test knows which
events had to come first. Meanwhile backends are terminated and the server is killed, and one of two
clients changes between two instances of the service, at any id.

`make test-events` runs it with more events, and other random numbers each time.
"""

import asyncio
import os
import random
import re
import sys
from bisect import bisect_left, insort
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from cruddur.app import create_app
from cruddur.db import live
from cruddur.db.positions import parse
from cruddur.settings import Settings
from live.server import Server
from support import serving_on_a_socket
from telemetry.recorded import until

EVENTS = int(os.environ.get("CRUDDUR_TEST_EVENTS", "5000"))
SEED = int(os.environ.get("CRUDDUR_TEST_SEED", "16"))
WRITERS = 8
MAX_BEHIND = 400
"""Events for which writers wait: a client that misses more than 1,000 gets a reset."""

SAMPLE = 5
"""Ids from which the log is read again at the end."""

# What each event knows: its transaction, and what was visible before it was recorded.
FACTS = """
ALTER SYSTEM SET max_prepared_transactions = 20;
CREATE TABLE facts (number bigserial, uuid uuid, xid xid8, saw pg_snapshot);
CREATE FUNCTION record(uuids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    fact uuid;
BEGIN
    FOREACH fact IN ARRAY uuids LOOP
        INSERT INTO facts (uuid, xid, saw)
        VALUES (fact, pg_current_xact_id(), pg_current_snapshot());
        PERFORM record_event('gone', fact, fact);
    END LOOP;
END
$$;
"""

_GONE = re.compile(rb'id: (\S+)\nevent: gone\ndata: \{"uuid":"([0-9a-f-]{36})"\}')

_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


class Fact(NamedTuple):
    """What is known of an event: its transaction, what that had seen, and its own order."""

    xid: int
    xmax: int
    in_progress: tuple[int, ...]
    number: int


@dataclass
class Client:
    """A client of the stream: what it has received, each event with its id."""

    uuids: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    last_id: str = ""

    async def follow(self, url: str, events: int | None = None) -> None:
        """Resume on an instance, and read until the stream ends or some events have arrived."""
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            query = f"?last_event_id={self.last_id}" if self.last_id else ""
            head = (
                f"GET /api/stream{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode())
            text, wanted = b"", len(self.uuids) + events if events else None
            while wanted is None or len(self.uuids) < wanted:
                part = await reader.read(65536)
                if not part:
                    return
                text += part
                block, end, text = text.rpartition(b"\n\n")
                self._take(block + end)
        finally:
            writer.transport.abort()

    def _take(self, block: bytes) -> None:
        assert b"event: reset" not in block, f"a reset after {self.last_id}"
        for event_id, uuid in _GONE.findall(block):
            self.uuids.append(uuid.decode())
            self.ids.append(event_id.decode())
        if ids := re.findall(rb"^id: (\S+)$", block, re.MULTILINE):
            self.last_id = ids[-1].decode()


class Writers:
    """Connections that record events in random transactions."""

    def __init__(self, dsn: str, clients: list[Client], rng: random.Random) -> None:
        self._dsn = dsn
        self._clients = clients
        self._rng = rng
        self.committed = 0
        self._number = 0
        self.is_over = False

    async def write(self) -> None:
        """Run transactions until there are enough events, on a new connection after a failure."""
        while not self.is_over:
            with suppress(*_LOST):
                conn = await asyncpg.connect(self._dsn)
                try:
                    while not self.is_over:
                        await self._until_clients_follow()
                        await self._transact(conn)
                finally:
                    conn.terminate()
            await asyncio.sleep(0.01)

    async def _until_clients_follow(self) -> None:
        await until(lambda: self.committed - min(len(c.uuids) for c in self._clients) <= MAX_BEHIND)
        if self.committed >= EVENTS:
            self.is_over = True

    async def _transact(self, conn: asyncpg.Connection) -> None:
        rng = self._rng
        isolation = rng.choice(["READ COMMITTED", "READ COMMITTED", "REPEATABLE READ"])
        await conn.execute(f"BEGIN ISOLATION LEVEL {isolation}")
        events = 0
        for _ in range(rng.randint(1, 4)):
            kind = rng.random()
            if kind < 0.5:
                events += await self._record(conn)
            elif kind < 0.75:
                await conn.execute("SAVEPOINT a")
                recorded = await self._record(conn)
                if rng.random() < 0.5:
                    await conn.execute("ROLLBACK TO a")
                else:
                    events += recorded
            else:
                await asyncio.sleep(rng.choice([0, 0, 0.001, 0.01, 0.1]))
        end = rng.random()
        if end < 0.1:
            await conn.execute("ROLLBACK")
        elif end < 0.2 and await conn.fetchval("SHOW max_prepared_transactions") != "0":
            self._number += 1
            await conn.execute(f"PREPARE TRANSACTION '{self._number}'")
            await asyncio.sleep(rng.choice([0, 0.01, 0.1]))
            verb = rng.choice(["COMMIT", "COMMIT", "ROLLBACK"])
            await conn.execute(f"{verb} PREPARED '{self._number}'")
            self.committed += events if verb == "COMMIT" else 0
        else:
            await conn.execute("COMMIT")
            self.committed += events

    async def _record(self, conn: asyncpg.Connection) -> int:
        uuids = [UUID(int=self._rng.getrandbits(128)) for _ in range(self._rng.randint(1, 8))]
        await conn.execute("SELECT record($1)", uuids)
        return len(uuids)


async def reached(share: float, count: Callable[[], int]) -> None:
    """Wait until a share of the events is committed."""
    while count() < EVENTS * share:  # noqa: ASYNC110  # there is no event
        await asyncio.sleep(0.01)


async def terminate(dsn: str, rng: random.Random, count: Callable[[], int]) -> None:
    """Terminate backends: of a writer, of a pool or of a follower, a few times."""
    for share in (0.1, 0.25, 0.45, 0.6, 0.9):
        await reached(share, count)
        conn = await asyncpg.connect(dsn)
        pids = await conn.fetch(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for row in rng.sample(pids, k=len(pids) // 2):
            await conn.execute("SELECT pg_terminate_backend($1)", row["pid"])
        await conn.close()


async def kill(server: Server, count: Callable[[], int]) -> None:
    """Kill the server twice, and start it again."""
    for share in (0.33, 0.75):
        await reached(share, count)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def instances(settings: Settings) -> AsyncIterator[list[str]]:
    """Serve two instances of the service, and yield their addresses."""
    async with AsyncExitStack() as stack:
        urls = []
        for _ in range(2):
            app = create_app(settings)
            await stack.enter_async_context(app.test_app())
            urls.append(await stack.enter_async_context(serving_on_a_socket(app)))
        yield urls


async def stay(client: Client, url: str) -> None:
    """Follow one instance."""
    await client.follow(url)
    raise AssertionError("a stream ended")


async def roam(client: Client, urls: list[str], rng: random.Random) -> None:
    """Change the instance again and again, after a random number of events."""
    while True:
        await client.follow(rng.choice(urls), rng.choice([1, 3, 30, 300]))


async def finish_prepared(conn: asyncpg.Connection) -> None:
    """Commit the transactions whose connection was lost between the two phases."""
    for row in await conn.fetch("SELECT gid FROM pg_prepared_xacts"):
        await conn.execute(f"COMMIT PREPARED '{row['gid']}'")


def check_order(uuids: list[str], facts: dict[str, Fact]) -> None:
    """Check that no event came before one that its transaction had seen or recorded."""
    later: list[int] = []
    next_numbers: dict[int, int] = {}
    for uuid in reversed(uuids):
        fact = facts[uuid]
        assert fact.number < next_numbers.get(fact.xid, sys.maxsize), uuid
        next_numbers[fact.xid] = fact.number
        # A snapshot does not contain its own transaction, which is not in progress for it either.
        seen = set(later[: bisect_left(later, fact.xmax)]) - {fact.xid, *fact.in_progress}
        assert not seen, f"{uuid} came before the events of {seen}"
        if fact.xid not in later[bisect_left(later, fact.xid) :][:1]:
            insort(later, fact.xid)


async def check_log(conn: asyncpg.Connection, client: Client, ids: list[str]) -> None:
    """Check that the log after each of these ids has what the client has received after it."""
    now = (await live.select_now(conn)).position
    for event_id in ids:
        position = parse(event_id)
        assert position is not None
        assert await live.select_is_known(conn, position)
        after = await live.select_events(conn, after=position.end, until=now, limit=10**9)
        if not position.is_complete:
            end = position.end
            rest = await live.select_events(conn, after=position, until=end, limit=10**9)
            assert rest == await live.select_missed_events(
                conn, after=position, until=end, most=10**9
            )
            after += rest
        received = client.uuids[client.ids.index(event_id) + 1 :]
        assert sorted(str(event.subject_uuid) for event in after) == sorted(received), event_id


async def test_random_transactions_and_crashes_lose_double_or_reorder_no_event(
    server: Server, worker_settings: Settings
) -> None:
    rng = random.Random(SEED)
    settings = replace(worker_settings, connection_url=server.dsn, pool_size=2)
    conn = await asyncpg.connect(server.dsn)
    await conn.execute(FACTS.partition(";")[0])  # it takes effect after the server was killed
    await conn.execute(FACTS.partition(";")[2])
    await conn.close()
    clients = [Client(), Client()]
    writers = Writers(server.dsn, clients, rng)

    def count() -> int:
        return writers.committed

    async with instances(settings) as urls, asyncio.TaskGroup() as readers:
        following = [
            readers.create_task(stay(clients[0], urls[0])),
            readers.create_task(roam(clients[1], urls, rng)),
        ]
        await until(lambda: all(client.last_id for client in clients))
        work = [writers.write() for _ in range(WRITERS)]
        await asyncio.gather(*work, terminate(server.dsn, rng, count), kill(server, count))
        conn = await asyncpg.connect(server.dsn)
        await finish_prepared(conn)
        rows = await conn.fetch("SELECT uuid, xid, saw, number FROM facts")
        facts = {str(row["uuid"]): Fact(row["xid"], *row["saw"][1:], row["number"]) for row in rows}
        await until(lambda: all(len(client.uuids) >= len(facts) for client in clients))
        for reader in following:
            reader.cancel()
        for client in clients:
            assert len(client.uuids) == len(set(client.uuids))
            assert set(client.uuids) == facts.keys()
            check_order(client.uuids, facts)
            partial = [event_id for event_id in client.ids if event_id.count("-") == 3]
            sample = rng.sample(client.ids, SAMPLE) + rng.sample(partial, SAMPLE)
            await check_log(conn, client, sample)
        await conn.close()
