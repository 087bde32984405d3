"""`make load-seed`: members and cruds to begin a load with, by COPY.

A second run adds another set of cruds, and no more members than are asked for. The living are
spread evenly among the dead, which is the hard case for a feed that reads the newest first.

    python tests/load/seed.py [--cruds 100000] [--members 1000] [--alive 0.01] [--hold]
        [--among-people]
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

from cruddur.cli.database import database_of
from cruddur.db.embedded import EmbeddedPostgresError
from cruddur.db.migrate import MigrationError, migrate, pending
from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError, connect
from cruddur.db.statements import Connection
from cruddur.db.sweeper import LOCK
from cruddur.identity.passwords import hash_password
from cruddur.identity.tokens import ISSUER
from cruddur.services.seed import PEOPLE
from cruddur.settings import Settings, SettingsError

PERIOD = timedelta(days=30)
"""As long as the longest life of a crud: what was written before is gone."""

SHORTEST = timedelta(hours=1)
"""How long the living live from now on at least, so that they outlast a load."""

BATCH = 20_000
"""Cruds of a transaction, for which those who write have to wait: a second or two."""

# Everybody else's, and not the four of `cruddur seed`.
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
    "activity_tags": ("activity_uuid", "tag"),
    "likes": ("activity_uuid", "user_uuid"),
    "reposts": ("activity_uuid", "user_uuid"),
}

COUNTED = ("activities", "likes", "reposts")
"""The tables with triggers of the service."""


class SeedError(Exception):
    """Nothing was added; the message says why in one line."""


@dataclass(frozen=True)
class Counts:
    """The cruds of a database, replies aside, and how many of them are alive."""

    cruds: int
    alive: int


@dataclass
class Rows:
    """What is copied in one transaction, and depends on nothing that comes later."""

    activities: list[tuple[Any, ...]] = field(default_factory=list)
    activity_tags: list[tuple[UUID, str]] = field(default_factory=list)
    likes: list[tuple[UUID, UUID]] = field(default_factory=list)
    reposts: list[tuple[UUID, UUID]] = field(default_factory=list)


def main() -> int:
    """Fill the database of CONNECTION_URL, or the embedded one; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cruds", type=int, default=100_000)
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--alive", type=float, default=0.01, help="share of the cruds")
    parser.add_argument("--hold", action="store_true", help="keep the dead until Ctrl-C")
    parser.add_argument("--among-people", action="store_true", help="beside real accounts")
    wanted = parser.parse_args()
    if wanted.cruds < 0 or wanted.members < 1 or not 0 < wanted.alive <= 1:
        parser.error("there are no fewer than 0 cruds, 1 member and a share of 1 in all")
    # The embedded server is stopped in order then, too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        settings = Settings.from_env()
        with database_of(settings) as dsn, contextlib.suppress(KeyboardInterrupt):
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
            print(f"{len(members):,} members, load_1 and on, with the password {PASSWORD}")
            start = time.monotonic()
            await add_cruds(conn, members, wanted.cruds, wanted.alive)
            there = await counts(conn)
            print(
                f"{wanted.cruds:,} cruds added in {time.monotonic() - start:.0f} s:"
                f" {there.cruds:,} now, {there.alive:,} of them alive"
            )
            if wanted.hold:
                print("No service sweeps the dead until Ctrl-C", flush=True)
                await _lost(conn)
                raise SeedError("the database is gone, and with it the sweeper's lock")
    finally:
        await conn.close()


async def refuse_real_people(conn: Connection) -> None:
    """Raise SeedError where somebody has an account who is neither the load's nor seeded."""
    if found := await conn.fetchval(REAL_PEOPLE, list(PEOPLE)):
        raise SeedError(
            f"real people have accounts here ({found:,}), and anybody knows the password of a"
            " load's members: make load-seed AMONG_PEOPLE=1 adds them all the same"
        )


@asynccontextmanager
async def unswept(conn: Connection) -> AsyncIterator[None]:
    """Hold the sweeper's lock, as a sweeper of another machine would: the dead are to stay."""
    await conn.execute(f"SELECT pg_advisory_lock({LOCK})")
    try:
        yield
    finally:
        if not conn.is_closed():
            await conn.execute(f"SELECT pg_advisory_unlock({LOCK})")


async def _lost(conn: Connection) -> None:
    """Return when the database has ended the connection."""
    lost = asyncio.Event()
    conn.add_termination_listener(lambda _: lost.set())
    await lost.wait()


async def counts(conn: Connection) -> Counts:
    """What is there."""
    found = await conn.fetchrow(COUNTS)
    assert found is not None
    return Counts(found["cruds"], found["alive"])


async def add_members(conn: Connection, wanted: int) -> list[UUID]:
    """Have as many members, with accounts, in the order of their numbers."""
    members = {number_of(row["email"]): row["uuid"] for row in await conn.fetch(MEMBERS)}
    # One hash for all of them: hashing is what takes long, and it is verified like any other.
    password_hash = await hash_password(PASSWORD)
    new = {number: uuid4() for number in range(1, wanted + 1) if number not in members}
    taken = await conn.fetchval(
        "SELECT min(handle) FROM users WHERE handle = ANY($1::text[])", [*map(handle_of, new)]
    )
    if taken is not None:
        raise SeedError(f"the handle {taken} belongs to somebody else")
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
    """Add cruds of the last 30 days, and to the living replies, likes and reposts."""
    for rows in batches(members, cruds, round(1 / alive)):
        async with _alone(conn):
            # The triggers of the service would do what the rows have done already, and record
            # an event for each: open streams would be told of cruds that are a month old, and
            # writers wait, as the log of events is written by one transaction at a time. So
            # the counters are copied with the rows, a reply gets the expiry of its crud, and
            # what was opened before hears of none of it. The triggers are off for as long as
            # this transaction, which keeps other writers out, and no superuser is needed;
            # foreign keys are checked all the while.
            await _triggers(conn, "DISABLE")
            for table in ("activities", "activity_tags", "likes", "reposts"):
                await _copy(conn, table, getattr(rows, table))
            await _triggers(conn, "ENABLE")
    for table in COLUMNS:
        await conn.execute(f"VACUUM (ANALYZE) {table}")


@asynccontextmanager
async def _alone(conn: Connection) -> AsyncIterator[None]:
    """A transaction beside which nobody writes.

    Writers take these tables in this order and in others. Where one waits for us and we for
    them, we give way before PostgreSQL, which looks for deadlocks after a second, ends theirs.
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
    """All rows, the oldest first; one crud in `every` is alive."""
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
    if random.random() < 0.3:
        tag = favourite(TAGS)
        message += f" #{tag}"
        rows.activity_tags.append((uuid, tag))
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
    """A UUID of version 7 (RFC 9562), as the database makes them: search sorts by it."""
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
