"""`make load-seed`: insert members and cruds for a load test with COPY.

A second run adds another set of cruds, but no more members than requested. The live cruds are
spread evenly among the expired ones, which is the hard case for a feed that reads the newest
first.

    python tests/load/seed.py [--cruds 100000] [--members 1000] [--alive 0.01] [--hold]
        [--among-people] [--if-running]
"""

import argparse
import asyncio
import contextlib
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

sys.path.insert(0, str(Path(__file__).parent))

import asyncpg
from people import (
    DOMAIN,
    PASSWORD,
    TAGS,
    email_of,
    favourite,
    handle_of,
    number_of,
    sentence,
)

from cruddur.cli.database import open_database
from cruddur.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from cruddur.db.migrate import MigrationError, migrate, pending
from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError, connect
from cruddur.db.statements import Connection
from cruddur.db.sweeper import LOCK
from cruddur.identity.passwords import hash_password
from cruddur.identity.tokens import ISSUER
from cruddur.services.seed import PEOPLE
from cruddur.settings import Settings, SettingsError

PERIOD = timedelta(days=30)
"""The longest lifetime of a crud. Older cruds have expired."""

SHORTEST = timedelta(hours=1)
"""The minimum time for which live cruds stay live, so that they outlast a load."""

BATCH = 20_000
"""Cruds per transaction. Other writers wait for it: a second or two."""

# All other accounts, except the four of `cruddur seed`.
REAL_PEOPLE = f"""
SELECT count(*) FROM users
WHERE email IS NULL
   OR NOT (
       email LIKE 'load\\_%@{DOMAIN}'
       OR handle = ANY($1::text[]) AND email = handle || '@example.com'
   )
"""

MEMBERS = f"SELECT uuid, email FROM users WHERE email LIKE 'load\\_%@{DOMAIN}'"

COUNTS = """
SELECT count(*) AS cruds, count(*) FILTER (WHERE expires_at > now()) AS alive
FROM activities
WHERE reply_to_activity_uuid IS NULL
"""

COLUMNS = {
    "users": ("uuid", "issuer", "subject", "handle", "display_name", "email"),
    "accounts": ("user_uuid", "email", "password_hash"),
    "activities": (
        "uuid",
        "user_uuid",
        "reply_to_activity_uuid",
        "message",
        "likes_count",
        "reposts_count",
        "created_at",
        "expires_at",
    ),
    "activity_tags": ("activity_uuid", "tag", "created_at", "expires_at"),
    "likes": ("activity_uuid", "user_uuid"),
    "reposts": ("activity_uuid", "user_uuid"),
}

COUNTED = ("activities", "likes", "reposts")
"""The tables with triggers of the service."""


class SeedError(Exception):
    """Nothing was added; the message gives the reason in one line."""


@dataclass(frozen=True)
class Counts:
    """The number of cruds without replies, and how many of them are live."""

    cruds: int
    alive: int


@dataclass
class Rows:
    """The rows of one transaction. They refer to no later rows."""

    activities: list[tuple[Any, ...]] = field(default_factory=list)
    activity_tags: list[tuple[Any, ...]] = field(default_factory=list)
    likes: list[tuple[UUID, UUID]] = field(default_factory=list)
    reposts: list[tuple[UUID, UUID]] = field(default_factory=list)


def main() -> int:
    """Fill the database of CONNECTION_URL, or the embedded one; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cruds", type=int, default=100_000)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--alive", type=float, default=0.01, help="share of the cruds")
    parser.add_argument("--hold", action="store_true", help="keep expired cruds until Ctrl-C")
    parser.add_argument(
        "--among-people", action="store_true", help="even if there are real accounts"
    )
    parser.add_argument(
        "--if-running", action="store_true", help="do nothing unless the embedded server runs"
    )
    wanted = parser.parse_args()
    if wanted.cruds < 0 or wanted.members < 1 or not 0 < wanted.alive <= 1:
        parser.error("needs at least 0 cruds and 1 member, and a share between 0 and 1")
    # So that the embedded server is shut down properly.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        settings = Settings.from_env()
        embedded = EmbeddedPostgres(settings.data_directory / "postgres")
        if wanted.if_running and not embedded.is_running:
            return 0
        with open_database(settings) as dsn, contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_fill(dsn, settings, wanted))
    except (
        DatabaseTooOldError,
        DatabaseUnavailableError,
        EmbeddedPostgresError,
        MigrationError,
        SeedError,
        SettingsError,
    ) as error:
        print(f"load-seed: {error}", file=sys.stderr)
        return 1
    return 0


async def _fill(dsn: str, settings: Settings, wanted: argparse.Namespace) -> None:
    if not settings.connection_url:
        await migrate(dsn)
    elif missing := await pending(dsn):
        raise MigrationError(f"the database lacks {', '.join(missing)}: run `cruddur migrate`")
    conn = await connect(dsn)
    try:
        if not wanted.among_people:
            await refuse_real_people(conn)
        async with unswept(conn):
            there = await counts(conn)
            if there.cruds:
                print(f"{there.cruds:,} cruds are here, {there.alive:,} of them alive")
            members = await add_members(conn, wanted.members)
            print(f"{len(members):,} members, load_1 and following, with the password {PASSWORD}")
            start = time.monotonic()
            await add_cruds(conn, members, wanted.cruds, wanted.alive)
            there = await counts(conn)
            print(
                f"{wanted.cruds:,} cruds added in {time.monotonic() - start:.0f} s:"
                f" {there.cruds:,} now, {there.alive:,} of them alive"
            )
            if wanted.hold:
                print("Expired cruds are kept until Ctrl-C", flush=True)
                await _lost(conn)
                raise SeedError("the connection that holds the sweeper's lock was lost")
    finally:
        await conn.close()


async def refuse_real_people(conn: Connection) -> None:
    """Raise SeedError if there is an account that is neither the load's nor seeded."""
    if found := await conn.fetchval(REAL_PEOPLE, list(PEOPLE)):
        raise SeedError(
            f"real people have accounts here ({found:,}), and the password of the load's members"
            " is public: make load-seed AMONG_PEOPLE=1 adds them anyway"
        )


@asynccontextmanager
async def unswept(conn: Connection) -> AsyncIterator[None]:
    """Hold the sweeper's lock, so that expired cruds stay."""
    await conn.execute(f"SELECT pg_advisory_lock({LOCK})")
    try:
        yield
    finally:
        if not conn.is_closed():
            await conn.execute(f"SELECT pg_advisory_unlock({LOCK})")


async def _lost(conn: Connection) -> None:
    """Return when the database has closed the connection."""
    lost = asyncio.Event()
    conn.add_termination_listener(lambda _: lost.set())
    await lost.wait()


async def counts(conn: Connection) -> Counts:
    """Return the number of cruds in the database."""
    found = await conn.fetchrow(COUNTS)
    assert found is not None
    return Counts(found["cruds"], found["alive"])


async def add_members(conn: Connection, wanted: int) -> list[UUID]:
    """Ensure that there are this many members with accounts; return them by number."""
    members = {number_of(row["email"]): row["uuid"] for row in await conn.fetch(MEMBERS)}
    # One hash for all: hashing is slow, and the hash is valid for every account.
    password_hash = await hash_password(PASSWORD)
    new = {number: uuid4() for number in range(1, wanted + 1) if number not in members}
    taken = await conn.fetchval(
        "SELECT min(handle) FROM users WHERE handle = ANY($1::text[])", [*map(handle_of, new)]
    )
    if taken is not None:
        raise SeedError(f"the handle {taken} belongs to another account")
    async with conn.transaction():
        await _copy(
            conn,
            "users",
            [
                (uuid, ISSUER, str(uuid), handle_of(number), f"Member {number}", email_of(number))
                for number, uuid in new.items()
            ],
        )
        await _copy(
            conn,
            "accounts",
            [(uuid, email_of(number), password_hash) for number, uuid in new.items()],
        )
    members |= new
    return [members[number] for number in sorted(members)]


async def add_cruds(conn: Connection, members: Sequence[UUID], cruds: int, alive: float) -> None:
    """Add cruds of the last 30 days, and replies, likes and reposts to the live ones."""
    for rows in batches(members, cruds, round(1 / alive)):
        async with _alone(conn):
            # The triggers would repeat what the rows already contain, and record an event for each
            # row. Open streams would then receive month-old cruds, and writers would wait, because
            # the event log is written by one transaction at a time. So the counters are copied with
            # the rows, and a reply gets the expiry of its crud. The triggers are disabled only in
            # this transaction, which locks out other writers. That needs no superuser, and foreign
            # keys are still checked.
            await _triggers(conn, "DISABLE")
            for table in ("activities", "activity_tags", "likes", "reposts"):
                await _copy(conn, table, getattr(rows, table))
            await _triggers(conn, "ENABLE")
            # One event instead, so that cached pages are not used any more.
            await conn.execute("SELECT record_event('page', $1, $1)", members[0])
    for table in COLUMNS:
        await conn.execute(f"VACUUM (ANALYZE) {table}")


@asynccontextmanager
async def _alone(conn: Connection) -> AsyncIterator[None]:
    """Open a transaction that locks out all other writers.

    Writers lock these tables in several orders. If a writer and this transaction wait for each
    other, this one gives up before PostgreSQL detects the deadlock after a second and cancels
    the writer.
    """
    while True:
        transaction = conn.transaction()
        await transaction.start()
        try:
            await conn.execute("SET LOCAL lock_timeout = '500ms'")
            await conn.execute(f"LOCK TABLE {', '.join(COUNTED)} IN SHARE ROW EXCLUSIVE MODE")
        except asyncpg.LockNotAvailableError:
            await transaction.rollback()
            continue
        try:
            yield
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()
        return


def batches(members: Sequence[UUID], cruds: int, every: int) -> Iterator[Rows]:
    """Yield all rows, the oldest first; one crud in `every` is live."""
    now = datetime.now(UTC)
    rows = Rows()
    for number in range(1, cruds + 1):
        created_at = now - PERIOD * ((cruds - number) / cruds)
        _add_crud(rows, members, now, created_at, is_alive=number % every == 0)
        if number % BATCH == 0 or number == cruds:
            yield rows
            rows = Rows()


def _add_crud(
    rows: Rows, members: Sequence[UUID], now: datetime, created_at: datetime, *, is_alive: bool
) -> None:
    uuid, message = _uuid(created_at), sentence()
    tag = favourite(TAGS) if random.random() < 0.3 else None
    replies, likers, reposters = 0, [], []
    if is_alive:
        soonest = now + SHORTEST
        latest = max(created_at + PERIOD, soonest + SHORTEST)
        expires_at = soonest + (latest - soonest) * random.random()
        replies = random.randint(0, 3)
        likers = random.sample(members, min(random.randint(0, 5), len(members)))
        reposters = random.sample(members, min(random.randint(0, 2), len(members)))
    else:
        expires_at = created_at + (now - created_at) * random.random()
    if tag is not None:
        message += f" #{tag}"
        rows.activity_tags.append((uuid, tag, created_at, expires_at))
    rows.activities.append(
        (
            uuid, favourite(members), None, message, len(likers), len(reposters),
            created_at, expires_at,
        )
    )  # fmt: skip
    for _ in range(replies):
        at = created_at + (now - created_at) * random.random()
        author = random.choice(members)
        rows.activities.append((_uuid(at), author, uuid, sentence(), 0, 0, at, expires_at))
    rows.likes += [(uuid, member) for member in likers]
    rows.reposts += [(uuid, member) for member in reposters]


def _uuid(created_at: datetime) -> UUID:
    """Return a UUIDv7 (RFC 9562) like the database's own: search sorts by it."""
    milliseconds = int(created_at.timestamp() * 1000)
    chance = random.getrandbits(74)
    return UUID(
        int=milliseconds << 80 | 7 << 76 | chance >> 62 << 64 | 2 << 62 | chance & (1 << 62) - 1
    )


async def _triggers(conn: Connection, state: str) -> None:
    for table in COUNTED:
        await conn.execute(f"ALTER TABLE {table} {state} TRIGGER USER")


async def _copy(conn: Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    await conn.copy_records_to_table(table, records=rows, columns=COLUMNS[table])


if __name__ == "__main__":
    sys.exit(main())
