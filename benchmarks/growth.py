"""`make bench-growth`: table and index sizes while members write and everything expires.

The clock of the database runs HOURS_PER_SECOND times as fast as it should: a library that is
loaded into the server changes its time of day. So the lifetimes of the API, the times for which
events, ended streams and idempotent responses are kept, and all else that a statement decides by
`now()` pass in the same proportion, and the service with its statements is unchanged. The sweep
runs every second.

Sixteen members write through one worker, each as fast as it responds: cruds with lifetimes of one
week on average, replies, likes, reposts, follows, messages that expire, and deletions, and they
read their notifications. First 36 days pass, which is more than the longest lifetime. Then the
sizes of all tables and indexes are recorded once in a simulated hour, for 48 hours. Prints their
growth, and the slopes of the six parts of these 48 hours. Last, all cruds are replaced again and
again, and the search index is rebuilt, as the service does once a week. The exit code is 1 if a
table or an index grows.

    python -m benchmarks.growth [--short] [--words WORDS]
"""

import argparse
import asyncio
import json
import os
import random
import string
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import linear_regression, median
from unittest.mock import patch
from uuid import uuid4

import asyncpg

from benchmarks.clients import Client, Request
from benchmarks.database import MEMBERS, Member, fill
from benchmarks.partitions import LIFETIMES
from benchmarks.routes import post
from benchmarks.servers import OURS, ROOT, serving
from cruddur.concurrency.tasks import cancel_tasks
from cruddur.db import embedded
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.sweeper import rebuild_search_index
from cruddur.identity.keys import KeyRing, new_signing_key
from cruddur.identity.tokens import issue
from cruddur.wire import TTLS

DATABASE = "growth"
SOAK_HOURS = 48
WARM_UP_HOURS = 36 * 24
"""Longer than the longest lifetime, after which all rows have been replaced."""

HOURS_PER_SECOND, SHORT_HOURS_PER_SECOND = 0.75, 96.0
"""Simulated hours in a second: 36 days and 48 hours pass in 20 minutes, or in 10 seconds."""

WEEKS = 12
CRUDS_A_WEEK, SHORT_CRUDS_A_WEEK = 5_000, 200
"""How many cruds are in the search index, and how often all of them are replaced."""

SHOWN = 128 * 1024
"""Tables and indexes of this size have a line in the output."""

PARTS = 6
"""Parts of the soak, whose slopes show the spread."""

GOAL = 0.02
"""By how much a table or an index may grow in 48 hours, if it is larger than SMALL."""

SMALL = 512 * 1024
"""Below this size, single pages count too much."""

TOKEN_SECONDS = 300.0
"""How long a member keeps a token. The clock of the service is not changed."""

TTL_NAMES = dict(zip(sorted(LIFETIMES), reversed(TTLS), strict=True))
"""The names of the lifetimes in the API."""

TARGETS = 2000
"""The newest cruds that members react to."""

WORDS = 20_000
"""The vocabulary. Word n is 1/n as frequent as the first one, as in natural languages."""

RARE = 0.2
"""The share of cruds with a word that no other one has, such as the end of a link."""

ACCEPTED = {200, 404, 503}
"""404: the crud has expired or is deleted. 503: the timeouts of statements use the fast clock,
too, so a statement that waits for a lock on a busy machine may be canceled."""

# Some words of a small vocabulary, and in a fifth of the cruds one that no other has.
WEEK = """
INSERT INTO activities (user_uuid, message, expires_at)
SELECT
    $3,
    concat_ws(
        ' ',
        (
            SELECT string_agg('word' || floor($2 ^ random()), ' ')
            FROM generate_series(1, 10 + n * 0)
        ),
        CASE WHEN random() < $4 THEN 'w' || substr(md5(random()::text), 1, 12) END
    ),
    now() + interval '7 days'
FROM generate_series(1, $1::integer) AS n
"""

ACTIONS = {
    "post": 40, "reply": 15, "like": 20, "unlike": 3, "repost": 8, "message": 8,
    "notifications": 4, "follow": 2, "unfollow": 2, "delete": 2,
}  # fmt: skip

FAST_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

/* The time since BEGIN passes SPEED times as fast. */
static void warp(struct timespec *now)
{
    long long elapsed = (now->tv_sec - BEGIN) * 1000000000LL + now->tv_nsec;
    long long warped = (long long)(elapsed * (double)SPEED);
    now->tv_sec = BEGIN + warped / 1000000000LL;
    now->tv_nsec = warped % 1000000000LL;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (clock == CLOCK_REALTIME && !result)
        warp(now);
    return result;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (result)
        *result = precise.tv_sec;
    return precise.tv_sec;
}
"""

# Sixteen members have 120 conversations. The messages of each have a lifetime.
CONVERSATIONS = """
INSERT INTO message_groups (low_user_uuid, high_user_uuid, lifetime)
SELECT
    low.uuid,
    high.uuid,
    (ARRAY['1 day', '7 days', '30 days'])[1 + random(0, 2)]::interval
FROM users AS low
JOIN users AS high ON low.uuid < high.uuid
ON CONFLICT (low_user_uuid, high_user_uuid) DO UPDATE SET lifetime = EXCLUDED.lifetime
"""

SIZES = """
SELECT
    pg_class.relname AS name,
    pg_class.relkind = 'i' AS is_index,
    CASE pg_class.relkind
        WHEN 'i' THEN pg_relation_size(pg_class.oid)
        ELSE pg_table_size(pg_class.oid)
    END AS bytes,
    COALESCE(pg_stat_get_live_tuples(pg_class.oid), 0) AS live,
    COALESCE(pg_stat_get_dead_tuples(pg_class.oid), 0) AS dead
FROM pg_class
WHERE pg_class.relnamespace = 'public'::regnamespace
  AND pg_class.relkind IN ('r', 'i')
"""


@dataclass(frozen=True)
class Sample:
    """The state of the database at one time.

    Attributes:
        hour: simulated hours since the beginning.
        sizes: the bytes of each table, with its TOAST table, and of each index.
        live, dead: the live and the dead rows of each table, as the server counts them.
        wal: the bytes of the write-ahead log so far.
        writes: the requests so far.
        cruds: the cruds and replies that are not expired.
    """

    hour: float
    sizes: Mapping[str, int]
    live: Mapping[str, int]
    dead: Mapping[str, int]
    wal: int
    writes: int
    cruds: int


class Writers:
    """The load.

    Attributes:
        writes: the requests so far.
        statuses: how many responses had each status. A crud that has expired is a 404.
    """

    def __init__(self, port: int, key: str, words: int) -> None:
        self.writes = 0
        self.statuses: Counter[int] = Counter()
        self._port = port
        self._keys = KeyRing([key])
        self._chance = random.Random(1)
        self._vocabulary = [self._word() for _ in range(words)]
        self._frequencies = [1 / n for n in range(1, words + 1)]
        self._cruds: deque[tuple[Member, str]] = deque(maxlen=TARGETS)
        self._number = count()

    async def run(self, member: Member) -> None:
        """Write as one member, until cancelled."""
        client = Client(self._port)
        issued, headers = float("-inf"), {}
        actions, weights = list(ACTIONS), list(ACTIONS.values())
        try:
            while True:
                if time.monotonic() - issued > TOKEN_SECONDS:
                    issued, headers = time.monotonic(), self._headers(member)
                [action] = self._chance.choices(actions, weights)
                if (request := self._request(action, member, headers)) is None:
                    continue
                status, body = await client.send(request)
                self.writes += 1
                self.statuses[status] += 1
                if status not in ACCEPTED:
                    raise RuntimeError(f"{request.line}: {status} {body[:200]!r}")
                if action in {"post", "reply"} and status == 200:
                    self._cruds.append((member, json.loads(body)["uuid"]))
        finally:
            client.close()

    def _headers(self, member: Member) -> dict[str, str]:
        token = issue(
            self._keys,
            user_uuid=member.uuid,
            handle=member.handle,
            session_uuid=member.session_uuid,
        )
        return {"Authorization": f"Bearer {token}"}

    def _request(self, action: str, member: Member, headers: Mapping[str, str]) -> Request | None:
        """Return the request of an action, or None if there is nothing to do it with."""
        other = self._chance.choice(MEMBERS)
        if action == "notifications":
            return Request("GET", "/api/activities/notifications", headers)
        if action == "post":
            keyed = {**headers}
            if self._chance.random() < 0.1:
                keyed["Idempotency-Key"] = str(uuid4())
            [lifetime] = self._chance.choices(list(LIFETIMES), list(LIFETIMES.values()))
            ttl = TTL_NAMES[lifetime]
            return post("/api/activities", keyed, {"message": self._text(other), "ttl": ttl})
        if action == "message":
            return (
                None
                if other is member
                else post(
                    "/api/messages", headers, {"message": self._text(None), "handle": other.handle}
                )
            )
        if action in {"follow", "unfollow"}:
            if other is member:
                return None
            method = "PUT" if action == "follow" else "DELETE"
            return Request(method, f"/api/users/@{other.handle}/follow", headers)
        if not self._cruds:
            return None
        author, crud = self._chance.choice(self._cruds)
        path = f"/api/activities/{crud}"
        if action == "delete":
            return Request("DELETE", path, headers) if author is member else None
        if action == "reply":
            return post(f"{path}/reply", headers, {"message": self._text(None)})
        method = "DELETE" if action == "unlike" else "PUT"
        return Request(method, f"{path}/{action.removeprefix('un')}", headers)

    def _text(self, mentioned: Member | None) -> str:
        """Return a text of some words, sometimes with a tag, a mention or a word of its own."""
        words = self._chance.choices(self._vocabulary, self._frequencies, k=10)
        if self._chance.random() < 0.2:
            words[0] = f"#{words[0]}"
        if mentioned is not None and self._chance.random() < 0.2:
            words[1] = f"@{mentioned.handle}"
        if self._chance.random() < RARE:
            words.append(f"{self._word()}{next(self._number)}")
        return " ".join(words)

    def _word(self) -> str:
        return "".join(self._chance.choices(string.ascii_lowercase, k=self._chance.randint(3, 10)))


@contextmanager
def fast_clock(directory: Path, speed: float) -> Iterator[None]:
    """Change the clock of servers that start meanwhile.

    Raises:
        FileNotFoundError: there is no C compiler.
        subprocess.CalledProcessError: it failed.
    """
    library = directory / "fast_clock.so"
    command = [
        "cc", "-shared", "-fPIC", f"-DBEGIN={int(time.time())}LL", f"-DSPEED={speed}",
        "-x", "c", "-", "-o", str(library), "-ldl",
    ]  # fmt: skip
    subprocess.run(command, input=FAST_CLOCK, text=True, check=True)
    environment = {**embedded.program_environment(), "LD_PRELOAD": str(library)}
    with patch.object(embedded, "program_environment", lambda: environment):
        yield


async def soak(dsn: str, speed: float, soak_hours: float, words: int) -> list[Sample]:
    """Write for a month and the soak; return a sample of each 12 hours, and of each of the soak."""
    key = new_signing_key()
    await fill(dsn, 100)
    conn = await asyncpg.connect(dsn)
    await conn.execute("DELETE FROM activities; DELETE FROM messages")
    await conn.execute("UPDATE sessions SET expires_at = now() + interval '10 years'")
    await conn.execute(CONVERSATIONS)
    environment = {
        "CONNECTION_URL": dsn,
        "CRUDDUR_SIGNING_KEY": key,
        "CRUDDUR_SWEEP_INTERVAL": "1",
        "CRUDDUR_STATEMENT_TIMEOUT": "3600",
    }
    samples = []
    with serving(OURS, 1, environment) as server:
        writers = Writers(server.port, key, words)
        tasks = [asyncio.create_task(writers.run(member)) for member in MEMBERS]
        try:
            begin = await conn.fetchval("SELECT clock_timestamp()")
            for hour in range(1, round(WARM_UP_HOURS + soak_hours) + 1):
                while (passed := await elapsed_hours(conn, begin)) < hour:
                    done, _ = await asyncio.wait(
                        tasks,
                        timeout=(hour - passed) * 3600 / speed,
                        return_when=asyncio.FIRST_EXCEPTION,
                    )
                    for task in done:
                        task.result()
                if hour >= WARM_UP_HOURS or hour % 12 == 0:
                    samples.append(await take_sample(conn, passed, writers.writes))
        finally:
            await cancel_tasks(*tasks)
    print(f"responses: {dict(writers.statuses)}")
    await conn.close()
    return samples


async def measure_words(dsn: str, cruds: int, words: int) -> None:
    """Replace all cruds again and again, and print the size of the search index; rebuild it."""
    conn = await asyncpg.connect(dsn)
    await conn.execute("SET session_replication_role = replica")
    await conn.execute("TRUNCATE activities CASCADE")
    print(f"\nsearch index, MB: each week, {cruds:,} cruds are replaced by others")
    for week in range(WEEKS):
        await conn.execute("DELETE FROM activities")
        await conn.execute(WEEK, cruds, float(words), MEMBERS[0].uuid, RARE)
        await conn.execute("VACUUM (INDEX_CLEANUP on) activities")
        if week in {0, WEEKS // 2 - 1, WEEKS - 1}:
            show_index(f"after week {week + 1}", await index_bytes(conn))
    await conn.execute("UPDATE index_rebuilds SET due_at = now()")
    await rebuild_search_index(dsn)
    show_index("rebuilt", await index_bytes(conn))
    await conn.close()


async def index_bytes(conn: "asyncpg.Connection[asyncpg.Record]") -> int:
    """Return the bytes of the search index."""
    found: int = await conn.fetchval("SELECT pg_relation_size('activities_search_idx')")
    return found


def show_index(what: str, size: int) -> None:
    """Print the size of the search index."""
    print(f"  {what:42}{size / 1e6:8.2f}", flush=True)


async def elapsed_hours(conn: "asyncpg.Connection[asyncpg.Record]", begin: object) -> float:
    """Return the hours since the beginning, by the clock of the database."""
    sql = "SELECT extract(epoch FROM clock_timestamp() - $1)::float8 / 3600"
    hours: float = await conn.fetchval(sql, begin)
    return hours


async def take_sample(
    conn: "asyncpg.Connection[asyncpg.Record]", hour: float, writes: int
) -> Sample:
    """Read the sizes of all tables and indexes."""
    rows = await conn.fetch(SIZES)
    tables = [row for row in rows if not row["is_index"]]
    return Sample(
        hour,
        {row["name"]: row["bytes"] for row in rows},
        {row["name"]: row["live"] for row in tables},
        {row["name"]: row["dead"] for row in tables},
        await conn.fetchval("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"),
        writes,
        await conn.fetchval("SELECT count(*) FROM activities WHERE expires_at > now()"),
    )


@dataclass(frozen=True)
class Trend:
    """What a table or an index did in the soak.

    Attributes:
        first, last: its bytes at the beginning and at the end.
        slopes: the bytes an hour of each part.
    """

    first: float
    last: float
    slopes: Sequence[float]

    @property
    def growth(self) -> float:
        """The growth as a share of its first size."""
        return (self.last - self.first) / self.first if self.first else 0.0

    @property
    def is_flat(self) -> bool:
        """Whether it is small, or grows by no more than the goal."""
        return self.last < SMALL or self.growth <= GOAL


def trend(hours: Sequence[float], sizes: Sequence[float]) -> Trend:
    """Return how a size changes."""
    length = len(hours) / PARTS
    parts = [slice(round(n * length), round((n + 1) * length) + 1) for n in range(PARTS)]
    slopes = [linear_regression(hours[part], sizes[part]).slope for part in parts]
    return Trend(sizes[0], sizes[-1], slopes)


def report(samples: Sequence[Sample]) -> bool:
    """Print the trends of the soak; return whether all are flat."""
    show_month(samples)
    samples = [sample for sample in samples if sample.hour >= WARM_UP_HOURS]
    hours = [sample.hour for sample in samples]
    first, last = samples[0], samples[-1]
    writes = last.writes - first.writes
    print(
        f"\n{last.hour - first.hour:.0f} hours: {writes:,} requests,"
        f" {last.cruds:,} live cruds at the end"
    )
    wal = (last.wal - first.wal) / writes / 1e3
    live = trend(hours, [sample.cruds for sample in samples])
    print(f"  {'write-ahead log, kB for each request':42}{wal:8.1f}")
    print(f"  {'live cruds, growth':50}{live.growth:8.1%}")
    print(
        f"\n  {'':42}{'MB':>8}{'growth':>8}"
        f"   {f'kB an hour: median (lowest to highest of {PARTS})':46}{'live':>8}{'dead':>8}"
    )
    total = trend(hours, [sum(sample.sizes.values()) for sample in samples])
    show("all tables and indexes", total)
    flat = [total.is_flat]
    for name in sorted(last.sizes, key=lambda name: -last.sizes[name]):
        found = trend(hours, [sample.sizes.get(name, 0) for sample in samples])
        flat.append(found.is_flat)
        if last.sizes[name] >= SHOWN or not found.is_flat:
            rows = f"{last.live[name]:8,}{last.dead[name]:8,}" if name in last.live else ""
            show(name, found, rows)
    verdict = "met" if all(flat) else "NOT MET"
    print(
        f"\nno table or index of {SMALL // 1024} kB or more grows by more than {GOAL:.0%}"
        f"   {verdict}"
    )
    return all(flat)


def show_month(samples: Sequence[Sample]) -> None:
    """Print the sizes while the first month passes, and after the soak."""
    print(f"\n  {'day':6}{'live cruds':>12}{'MB':>8}{'search index, MB':>18}{'bytes a crud':>14}")
    step = max(1, len(samples) // 20)
    for sample in [*samples[::step], samples[-1]]:
        size = sum(sample.sizes.values())
        index = sample.sizes["activities_search_idx"]
        each = index / sample.cruds if sample.cruds else 0
        print(
            f"  {sample.hour / 24:<6.1f}{sample.cruds:12,}{size / 1e6:8.1f}{index / 1e6:18.2f}"
            f"{each:14,.0f}"
        )


def show(name: str, found: Trend, rows: str = "") -> None:
    """Print a trend."""
    low, middle, high = (choose(found.slopes) / 1024 for choose in (min, median, max))
    slopes = f"{middle:12.2f} ({low:.2f} to {high:.2f})"
    mark = "" if found.is_flat else "  grows"
    print(f"  {name:42}{found.last / 1e6:8.2f}{found.growth:8.1%}   {slopes:50}{rows}{mark}")


def keep(samples: Sequence[Sample]) -> None:
    """Store the samples as JSON."""
    directory = ROOT / ".local" / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"growth-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps([vars(sample) for sample in samples]))
    print(f"samples: {os.path.relpath(path, ROOT)}")


def main(hours_per_second: float, soak_hours: float, words: int, cruds: int) -> int:
    """Measure and print; return the exit code."""
    speed = hours_per_second * 3600
    print(f"one hour of the database takes {1 / hours_per_second:.2f} s")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # the server may run as another user
        database = EmbeddedPostgres(directory / "postgres", durable=False)
        with fast_clock(directory, speed):
            database.start()
        try:
            # The server would write a checkpoint every five minutes of its clock.
            database.run_tool("psql", "-c", "ALTER SYSTEM SET checkpoint_timeout = '1d'")
            database.run_tool("psql", "-c", "SELECT pg_reload_conf()")
            database.create_database(DATABASE)
            dsn = database.dsn(DATABASE)
            samples = asyncio.run(soak(dsn, speed, soak_hours, words))
            asyncio.run(measure_words(dsn, cruds, words))
        finally:
            database.stop()
    keep(samples)
    return 0 if report(samples) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--words", type=int, default=WORDS)
    options = parser.parse_args()
    if options.short:
        sys.exit(main(SHORT_HOURS_PER_SECOND, SOAK_HOURS, options.words, SHORT_CRUDS_A_WEEK))
    sys.exit(main(HOURS_PER_SECOND, SOAK_HOURS, options.words, CRUDS_A_WEEK))
