"""`make bench-partitions`: expired cruds deleted by the sweep, or dropped as a partition.

Two databases get the same live cruds, one after the other. Their lifetimes are those of the API
with a mean of one week, their ages those of a service that has swept for a month. In the first
one, the table is that of the service. In the second one, it is partitioned by the hour of its
expiry, which needs the expiry in the primary key, and so has no foreign keys to it. It gets a
tenth of the rows.

Both run statements of the service on new connections, for the time of planning, and again. Then one
hour of expired cruds is removed: by the batches of the sweep and its VACUUM, or by dropping their
partition. A third table has a partition for each day, and no rows: it shows the time of planning.

Generated columns of 100,000,000 rows take hours, so from SEARCH_ROWS rows on, the column `search`
is empty and has no index; everything else is the schema of the service. The server runs without
fsync and without full-page writes.

    python -m benchmarks.partitions [--short] [--rows 100000000] [--design hours] [--directory PATH]
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg

from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.migrate import migrate
from cruddur.db.statements import load
from cruddur.db.sweeper import BATCH
from cruddur.identity.tokens import ISSUER

ROWS, SHORT_ROWS = 100_000_000, 20_000
SEARCH_ROWS = 2_000_000
"""With more rows, the column of the search index is empty."""

PARTITIONED_SHARE = 10
"""The partitioned table gets a tenth of the rows, which is to its advantage; only the partition
that is dropped has as many as an hour of all of them."""

USERS = 10_000
CHUNK = 500_000
LOADERS = 2
REPLIES = 10
"""Replies to the crud whose page is read."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = 30 * DAY
LIFETIMES = {
    HOUR: 0.05,
    3 * HOUR: 0.05,
    12 * HOUR: 0.05,
    DAY: 0.10,
    3 * DAY: 0.15,
    7 * DAY: 0.50,
    MONTH: 0.10,
}
"""The share of each lifetime of the API among new cruds. Their mean is 7.1 days."""

SERVER = {
    "shared_buffers": "2GB",
    "maintenance_work_mem": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "max_locks_per_transaction": "1024",
    "autovacuum": "off",
}
"""A statement over 720 partitions locks them and their indexes: 64 locks per transaction, the
default, are too few. Nothing but the measured statements works in the background."""

DESIGNS = (("one table", None, 1), ("hours", HOUR, PARTITIONED_SHARE), ("days", DAY, 0))
"""The name of a design, the width of its partitions, and the part of the rows that it gets."""

SHORT_DESIGNS = (("one table", None, 1), ("half days", 12 * HOUR, PARTITIONED_SHARE))
"""Few partitions, so that a statement does not take seconds."""

FILL_USERS = """
INSERT INTO users (uuid, issuer, subject, handle, display_name)
SELECT
    ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $1, n::text, 'user_' || n, 'User'
FROM generate_series(0, $2::integer - 1) AS n
"""

# The ages of one chunk are evenly spaced. The lifetime is one that is longer than the age.
FILL = """
INSERT INTO activities (uuid, user_uuid, message, created_at, expires_at{column})
SELECT
    uuidv7(($1::timestamptz - now()) - aged.age),
    ('00000000-0000-7000-8000-' || lpad(floor(random() * $2)::text, 12, '0'))::uuid,
    {message},
    $1::timestamptz - aged.age,
    $1::timestamptz - aged.age + ($6::interval[])[
        1 + width_bucket(random(), $7::double precision[])
    ]{value}
FROM generate_series($4::bigint, $3::bigint, -1) AS n
CROSS JOIN LATERAL (SELECT n * $5::interval AS age) AS aged
"""

REPLY = """
INSERT INTO activities (user_uuid, message, reply_to_activity_uuid, created_at, expires_at{column})
SELECT user_uuid, 'Reply ' || n, uuid, created_at + n * interval '1 second', expires_at{value}
FROM (
    SELECT * FROM activities WHERE expires_at > now() + interval '1 day'
    ORDER BY created_at DESC, uuid DESC LIMIT 1
) AS newest
CROSS JOIN generate_series(1, $1::integer) AS n
RETURNING reply_to_activity_uuid
"""

CONNECTIONS = 2
"""New connections for each statement."""

TURNS, MOST_SECONDS = 40, 5.0
"""Executions on each connection, fewer if they take long."""

MOST_SWEEP_SECONDS = 120.0
"""After this time, a removal counts for the rows that it has removed."""

LIKE = "UPDATE activities SET likes_count = likes_count + 1 WHERE uuid = $1"

# The other columns have defaults, or are generated.
MORE = """
INSERT INTO activities_0 (user_uuid, message, created_at, expires_at{column})
SELECT user_uuid, message, created_at, expires_at{value}
FROM activities_0
CROSS JOIN generate_series(1, $1::integer)
"""

VACUUM = "VACUUM (SKIP_LOCKED, PARALLEL 0, TRUNCATE off, INDEX_CLEANUP {}) activities"


@dataclass(frozen=True)
class Segment:
    """Cruds between two ages. Those with a shorter lifetime are gone."""

    youngest: timedelta
    oldest: timedelta
    lifetimes: Sequence[timedelta]
    limits: Sequence[float]
    share: float


def segments() -> list[Segment]:
    """Return the live cruds of a steady state by their ages, the oldest first."""
    found = []
    youngest = timedelta()
    mean = sum((share * lifetime for lifetime, share in LIFETIMES.items()), timedelta())
    for oldest in LIFETIMES:
        left = {lifetime: share for lifetime, share in LIFETIMES.items() if lifetime >= oldest}
        total = sum(left.values())
        limits, reached = [], 0.0
        for share in list(left.values())[:-1]:
            reached += share / total
            limits.append(reached)
        share = total * ((oldest - youngest) / mean)
        found.append(Segment(youngest, oldest, list(left), limits, share))
        youngest = oldest
    return found[::-1]


@dataclass(frozen=True)
class Table:
    """A database with one way to keep the cruds."""

    name: str
    dsn: str
    begin: datetime
    """All cruds expire after this time, which is an hour ago."""
    has_search: bool
    answered: UUID | None = None


async def main(rows: int, directory: str | None, designs: Sequence[str], *, is_short: bool) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=directory) as name:
        database = EmbeddedPostgres(Path(name), durable=False)
        database.start()
        try:
            await configure(database, "postgres")
            database.stop()
            database.start()
            for design, width, share in SHORT_DESIGNS if is_short else DESIGNS:
                if designs and design not in designs:
                    continue
                await measure(database, design, width, rows // share if share else 0)
        finally:
            database.stop()


async def configure(database: EmbeddedPostgres, name: str) -> None:
    """Store the settings of the server, which hold from its next start on."""
    conn = await asyncpg.connect(database.dsn(name))
    for setting, value in SERVER.items():
        await conn.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
    await conn.close()


async def measure(
    database: EmbeddedPostgres, design: str, width: timedelta | None, rows: int
) -> None:
    """Fill a database, measure it, and drop it."""
    title = "one table" if width is None else f"a partition for each of the {design}"
    print(f"\n{title}, {rows:,} live cruds", flush=True)
    name = design.replace(" ", "_")
    database.create_database(name)
    dsn = database.dsn(name)
    await migrate(dsn)
    conn = await asyncpg.connect(dsn)
    try:
        begin = await conn.fetchval("SELECT date_trunc('second', now()) - interval '1 hour'")
        table = Table(name, dsn, begin, has_search=rows <= SEARCH_ROWS)
        indexes = await prepare(conn, table, width)
        answered = await fill(conn, table, rows, indexes)
        await show_sizes(conn)
        await measure_statements(table, answered)
        if rows:
            await (sweep_hour if width is None else drop_hour)(conn, table)
    finally:
        await conn.close()
    database.run_tool("dropdb", "--force", name)


async def prepare(
    conn: "asyncpg.Connection[asyncpg.Record]", table: Table, width: timedelta | None
) -> list[str]:
    """Partition the table, and drop its indexes. Returns the statements that create them."""
    await conn.execute(FILL_USERS.replace("$2::integer", str(USERS)), ISSUER)
    indexes = [
        row[0]
        for row in await conn.fetch(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = 'activities'::regclass AND NOT indisprimary"
        )
    ]
    if not table.has_search:
        indexes = [index for index in indexes if "USING gin" not in index]
        await conn.execute("ALTER TABLE activities ALTER COLUMN search DROP EXPRESSION")
    if width is not None:
        await partition(conn, table.begin, width)
    else:
        for row in await conn.fetch(
            "SELECT indexrelid::regclass::text FROM pg_index"
            " WHERE indrelid = 'activities'::regclass AND NOT indisprimary"
        ):
            await conn.execute(f"DROP INDEX {row[0]}")
    return indexes


async def partition(
    conn: "asyncpg.Connection[asyncpg.Record]", begin: datetime, width: timedelta
) -> None:
    """Replace the table by a partitioned one with the same columns, and what depends on it."""
    view = await conn.fetchval("SELECT pg_get_viewdef('live_activities')")
    await conn.execute(
        "DROP VIEW live_activities;"
        "ALTER TABLE activities RENAME TO unpartitioned;"
        "CREATE TABLE activities (LIKE unpartitioned INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
        " INCLUDING GENERATED INCLUDING STORAGE) PARTITION BY RANGE (expires_at)"
    )
    await conn.execute("DROP TABLE unpartitioned CASCADE")
    await conn.execute(f"CREATE VIEW live_activities AS {view}")
    start, number = begin, 0
    while start < begin + HOUR + MONTH:
        await conn.execute(
            f"CREATE TABLE activities_{number} PARTITION OF activities"
            f" FOR VALUES FROM ('{start}') TO ('{start + width}') WITH (fillfactor = 90)"
        )
        start, number = start + width, number + 1
    columns = await conn.fetch(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = 'activities'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    statistics = ", ".join(f"ALTER COLUMN {row[0]} SET STATISTICS 0" for row in columns)
    await conn.execute(f"ALTER TABLE activities {statistics}")
    await conn.execute("ALTER TABLE activities ADD PRIMARY KEY (uuid, expires_at)")
    show("partitions", f"{number}")


async def fill(
    conn: "asyncpg.Connection[asyncpg.Record]", table: Table, rows: int, indexes: Sequence[str]
) -> UUID:
    """Insert the rows, create the indexes, and vacuum. Returns a crud with replies."""
    started = time.monotonic()
    chunks = plan(rows)

    async def run() -> None:
        loader = await asyncpg.connect(table.dsn)
        await loader.execute("SET session_replication_role = replica")
        for sql, values in chunks:
            await loader.execute(sql.format(**fragments(table)), table.begin, USERS, *values)
        await loader.close()

    await asyncio.gather(*(run() for _ in range(LOADERS)))
    show("rows inserted, s", f"{time.monotonic() - started:,.0f}")
    await conn.execute("SET session_replication_role = replica")
    answered: UUID = await conn.fetchval(REPLY.format(**empty_search(table)), REPLIES)
    await conn.execute("SET session_replication_role = origin")
    started = time.monotonic()
    for index in indexes:
        await conn.execute(index.replace(" ON ONLY ", " ON "))
    show("indexes created, s", f"{time.monotonic() - started:,.0f}")
    started = time.monotonic()
    await conn.execute("VACUUM (ANALYZE) activities")
    await conn.execute("VACUUM (ANALYZE) users")
    show("vacuumed, s", f"{time.monotonic() - started:,.0f}")
    return answered


def plan(rows: int) -> Iterator[tuple[str, Sequence[Any]]]:
    """Yield the inserts of all rows, the oldest ones first."""
    for segment in segments():
        count = round(rows * segment.share)
        if not count:
            continue
        step = (segment.oldest - segment.youngest) / count
        first = round(segment.youngest / step)
        for end in range(first + count, first, -CHUNK):
            values = (max(first, end - CHUNK), end - 1, step, segment.lifetimes, segment.limits)
            yield FILL, values


def empty_search(table: Table) -> dict[str, str]:
    """Return a column and its value for rows without words, or nothing if it is generated."""
    if table.has_search:
        return {"column": "", "value": ""}
    return {"column": ", search", "value": ", ''"}


def fragments(table: Table) -> dict[str, str]:
    """Return the parts of an insert that depend on whether there is a search index."""
    message = "'Crud ' || n"
    if table.has_search:
        message += " || ' of a long and busy month, about word' || n % 5000"
    return {**empty_search(table), "message": message}


async def show_sizes(conn: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Print the sizes of the table and its indexes."""
    heap, index = await conn.fetchrow(
        "SELECT sum(pg_table_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint FROM pg_class"
        " WHERE relkind = 'r' AND (oid = 'activities'::regclass"
        " OR oid IN (SELECT relid FROM pg_partition_tree('activities')))"
    ) or (0, 0)
    show("table and indexes, GB", f"{heap / 1e9:.2f} and {index / 1e9:.2f}")


async def measure_statements(table: Table, answered: UUID | None) -> None:
    """Run statements of the service on new connections and again, and print their CPU times."""
    print(f"  {'CPU ms':36}{'first':>10}{'later':>10}{'locks':>8}")
    values = {
        "viewer": UUID(int=0x0000000000007000_8000000000000001),
        "handle": "user_2",
        "uuid": answered,
        "limit": 41,
        "max_ancestors": 20,
        "max_nested": 2,
        "max_passed": 2000,
        "few": 100,
        "words": ["word7"],
        "unwanted": [],
        "tags": [],
        "handles": [],
    }
    names = ["home", "profile", "page", "is_live", "following"]
    if table.has_search:
        names.append("search")
    statements = {name: load(f"activities.{name}") for name in names}
    queries = {
        name: (statement.sql, [values.get(parameter) for parameter in statement.parameters])
        for name, statement in statements.items()
    }
    queries["a like's UPDATE of its crud"] = (LIKE, [answered])
    memory = []
    for name, (sql, arguments) in queries.items():
        first, later, locks = [], [], 0
        for _ in range(CONNECTIONS):
            conn = await asyncpg.connect(table.dsn)
            # The catalogs of the tables are cached on every connection that has been used.
            await conn.fetch("SELECT FROM activities WHERE uuid = $1", answered)
            pid = conn.get_server_pid()
            before = await memory_of(conn)
            transaction = conn.transaction()
            await transaction.start()
            begun = time.perf_counter()
            for turn in range(TURNS):
                cpu = cpu_milliseconds(pid)
                await conn.fetch(sql, *arguments)
                taken = cpu_milliseconds(pid) - cpu
                if not turn:
                    first.append(taken)
                elif turn > 6:  # after five custom plans, PostgreSQL may use a generic one
                    later.append(taken)
                    if time.perf_counter() - begun > MOST_SECONDS:
                        break
            locks = await conn.fetchval(
                "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
            )
            memory.append(await memory_of(conn) - before)
            await transaction.rollback()
            await conn.close()
        print(f"  {name:36}{median(first):10.2f}{median(later):10.2f}{locks:8,}", flush=True)
    show("memory that a statement's plan adds, MB", f"{median(memory) / 1e6:.1f}")


def cpu_milliseconds(pid: int) -> float:
    """Return the CPU time of a process so far (proc_pid_schedstat(5)): precise, unlike ticks."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


async def memory_of(conn: "asyncpg.Connection[asyncpg.Record]") -> int:
    """Return the bytes that the connection's process has allocated."""
    found: int = await conn.fetchval(
        "SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts"
    )
    return found


async def sweep_hour(conn: "asyncpg.Connection[asyncpg.Record]", table: Table) -> None:
    """Delete one hour with the batches of the sweep, and another one without triggers; vacuum."""
    sql = load("activities.sweep").sql
    for title, hour, role in (
        ("deleted by the sweep", 1, "origin"),
        ("deleted without triggers", 2, "replica"),
    ):
        await conn.execute(f"SET session_replication_role = {role}")
        clock = f"'{table.begin + hour * HOUR}'::timestamptz"
        statement = await conn.prepare(sql.replace("now()", clock))
        removed = 0
        async with removal(conn, title) as shown:
            begun = time.perf_counter()
            while time.perf_counter() - begun < MOST_SWEEP_SECONDS:
                await statement.fetch(BATCH)
                count = int(str(statement.get_statusmsg()).split()[-1])
                if not count:
                    break
                removed += count
            shown.append(removed)
    for cleanup in ("auto", "on"):
        async with removal(conn, f"VACUUM, INDEX_CLEANUP {cleanup}"):
            await conn.execute(VACUUM.format(cleanup))


async def drop_hour(conn: "asyncpg.Connection[asyncpg.Record]", table: Table) -> None:
    """Drop the partition of one hour."""
    await conn.execute("SET session_replication_role = replica")
    await conn.execute(MORE.format(**empty_search(table)), PARTITIONED_SHARE - 1)
    await conn.execute("SET session_replication_role = origin")
    await conn.execute("CHECKPOINT")
    async with removal(conn, "dropped as a partition") as shown:
        shown.append(await conn.fetchval("SELECT count(*) FROM activities_0"))
        await conn.execute("ALTER TABLE activities DETACH PARTITION activities_0")
        await conn.execute("DROP TABLE activities_0")


@asynccontextmanager
async def removal(
    conn: "asyncpg.Connection[asyncpg.Record]", title: str
) -> AsyncIterator[list[int]]:
    """Print what a removal takes. The caller appends the number of rows to the list, if any."""
    sql = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
    shown: list[int] = []
    wal = await conn.fetchval(sql)
    cpu, start = cpu_milliseconds(conn.get_server_pid()), time.perf_counter()
    yield shown
    seconds = time.perf_counter() - start
    cpu = (cpu_milliseconds(conn.get_server_pid()) - cpu) / 1000
    written = (await conn.fetchval(sql) - wal) / 1e6
    text = f"{seconds:.2f} s, CPU {cpu:.2f} s, {written:,.1f} MB of WAL"
    for rows in shown:
        text = f"{rows:,} rows, {text}, CPU {1e6 * cpu / max(rows, 1):,.1f} µs for each"
    show(title, text)


def show(what: str, figure: str) -> None:
    """Print a figure."""
    print(f"  {what:42}{figure}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--design", action="append", choices=[name for name, _, _ in DESIGNS])
    parser.add_argument("--directory", help="where the database is created; default: TMPDIR")
    options = parser.parse_args()
    started = time.monotonic()
    rows = SHORT_ROWS if options.short else options.rows
    asyncio.run(main(rows, options.directory, options.design or [], is_short=options.short))
    print(f"\n{time.monotonic() - started:,.0f} s")
    sys.exit(0)
