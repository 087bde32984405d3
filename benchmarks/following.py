"""`make bench-following`: what follows, blocks and mutes cost.

A database gets 10,000 users and a month of cruds, 1% of them live, spread evenly among the
expired ones, each with one repost. One member follows 2,000 users, another one 50. The service
reads both feeds with one worker, without its response cache, in turns. Two more members read home,
as a cached and as a computed page: one hides no one, the other one blocks 500 users and mutes 500
others. Then the statements run alone, next to a timeline: a table with a row for each follower of
the author of each crud, which a post has to write. Prints medians.

    python -m benchmarks.following [--short]
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import httpx

from benchmarks.database import hold_sweeper
from benchmarks.servers import HOST, OURS, Server, serving
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.migrate import migrate
from cruddur.db.statements import Statement, load
from cruddur.identity.passwords import hash_password
from cruddur.identity.tokens import ISSUER

DATABASE = "following"
USERS = 10_000
READERS = {"user_1": 2000, "user_2": 50}
"""The readers, and how many users each of them follows."""

HIDERS = {"user_3": 0, "user_4": 500}
"""The readers of home, and how many users each of them blocks and how many more they mute."""

CRUDS, SHORT_CRUDS = 1_000_000, 20_000
ROUNDS, SHORT_ROUNDS = 20, 2
REQUESTS = 25
"""Requests of one feed in a row, in each round."""

GOAL = 1.3
"""The feed of the first reader against home."""

HIDING_GOAL = 1.1
"""Home of the reader who blocks and mutes, against that of the one who does not."""

PASSWORD = "follow the leader"

FILL = """
INSERT INTO users (uuid, issuer, subject, handle, display_name)
SELECT uuidv7(), $1, n::text, 'user_' || n, 'User ' || n
FROM generate_series(1, $2::integer) AS n;
"""

CRUD_ROWS = """
INSERT INTO activities (uuid, user_uuid, message, created_at, expires_at, reposts_count)
SELECT
    uuidv7(-(interval '30 days' * n / $1::integer)),
    authors.uuids[1 + floor(random() * cardinality(authors.uuids))::integer],
    'Crud number ' || n || ' of a long and busy month',
    now() - interval '30 days' * n / $1::integer,
    CASE WHEN n % 100 = 0 THEN now() + interval '1 day' ELSE now() - interval '1 second' END,
    CASE WHEN n % 100 = 0 THEN 1 ELSE 0 END
FROM generate_series(1, $1::integer) AS n
CROSS JOIN (SELECT array_agg(users.uuid) AS uuids FROM users) AS authors
"""

REPOSTS = """
INSERT INTO reposts (activity_uuid, user_uuid, created_at)
SELECT
    activities.uuid,
    authors.uuids[1 + floor(random() * cardinality(authors.uuids))::integer],
    activities.created_at + (now() - activities.created_at) * random()
FROM activities
CROSS JOIN (SELECT array_agg(users.uuid) AS uuids FROM users) AS authors
WHERE activities.expires_at > now()
"""

FOLLOW = """
INSERT INTO follows (follower_uuid, followee_uuid)
SELECT
    follower.uuid,
    followee.uuid
FROM users AS follower
CROSS JOIN LATERAL (
    SELECT users.uuid
    FROM users
    WHERE users.uuid <> follower.uuid
    ORDER BY random()
    LIMIT $2
) AS followee
WHERE follower.handle = $1
"""

BLOCK = """
INSERT INTO blocks (blocker_uuid, blocked_uuid)
SELECT blocker.uuid, hidden.uuid
FROM users AS blocker
CROSS JOIN LATERAL (
    SELECT users.uuid FROM users WHERE users.uuid <> blocker.uuid ORDER BY users.uuid LIMIT $2
) AS hidden
WHERE blocker.handle = $1
"""

MUTE = """
INSERT INTO mutes (muter_uuid, muted_uuid, ends_at)
SELECT muter.uuid, hidden.uuid, 'infinity'
FROM users AS muter
CROSS JOIN LATERAL (
    SELECT users.uuid FROM users WHERE users.uuid <> muter.uuid ORDER BY users.uuid DESC LIMIT $2
) AS hidden
WHERE muter.handle = $1
"""

COUNT = """
INSERT INTO follow_counts (user_uuid, following_count)
SELECT follower_uuid, count(*) FROM follows GROUP BY follower_uuid
"""

TIMELINE = """
CREATE TABLE timelines (
    user_uuid uuid NOT NULL,
    activity_uuid uuid NOT NULL,
    listed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
INSERT INTO timelines
SELECT follows.follower_uuid, activities.uuid, activities.created_at, activities.expires_at
FROM follows
JOIN activities ON activities.user_uuid = follows.followee_uuid;
CREATE INDEX timelines_idx ON timelines (user_uuid, listed_at DESC, activity_uuid DESC, expires_at);
CREATE INDEX timelines_activity_idx ON timelines (activity_uuid);
"""

READ_TIMELINE = """
SELECT timelines.activity_uuid
FROM timelines
WHERE timelines.user_uuid = $1
  AND timelines.expires_at > now()
ORDER BY timelines.listed_at DESC, timelines.activity_uuid DESC
LIMIT 41
"""

WRITE_TIMELINE = """
INSERT INTO timelines
SELECT users.uuid, uuidv7(), now(), now() + interval '1 day'
FROM users
LIMIT $1
"""


async def main(*, is_short: bool) -> int:
    """Measure and print; return the exit code."""
    cruds, rounds = (SHORT_CRUDS, SHORT_ROUNDS) if is_short else (CRUDS, ROUNDS)
    with tempfile.TemporaryDirectory() as directory:
        database = EmbeddedPostgres(Path(directory), durable=False)
        database.start()
        try:
            database.create_database(DATABASE)
            dsn = database.dsn(DATABASE)
            await fill(dsn, cruds)
            sweeper = await hold_sweeper(dsn)
            with serving(OURS, 1, {"CONNECTION_URL": dsn}) as server:
                await measure_requests(server, rounds)
                await measure_hiding(server, rounds)
            await measure_statements(dsn)
            await sweeper.close()
        finally:
            database.stop()
    return 0


async def fill(dsn: str, cruds: int) -> None:
    """Migrate, and insert the rows without triggers, so that they cause no events."""
    await migrate(dsn)
    conn = await asyncpg.connect(dsn)
    await conn.execute("SET session_replication_role = replica")
    await conn.execute(FILL, ISSUER, USERS)
    await conn.execute(CRUD_ROWS, cruds)
    await conn.execute(REPOSTS)
    password_hash = await hash_password(PASSWORD)
    for handle, followed in READERS.items():
        await conn.execute(FOLLOW, handle, followed)
    for handle, hidden in HIDERS.items():
        await conn.execute(BLOCK, handle, hidden)
        await conn.execute(MUTE, handle, hidden)
    for handle in (*READERS, *HIDERS):
        await conn.execute(
            "INSERT INTO accounts (user_uuid, email, password_hash)"
            " SELECT uuid, handle || '@example.com', $2 FROM users WHERE handle = $1",
            handle, password_hash,
        )  # fmt: skip
    await conn.execute(COUNT)
    await conn.execute("VACUUM ANALYZE")
    await conn.close()


async def measure_requests(server: Server, rounds: int) -> None:
    """Read both feeds in turns. Each request has an address of its own, so none is cached."""
    print("a request, ms: median of all rounds, and CPU time of the worker")
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{server.port}") as http:
        for handle, followed in READERS.items():
            headers = await sign_in(http, handle)
            times: dict[str, list[float]] = {"home": [], "following": []}
            cpu = dict.fromkeys(times, 0.0)
            number = 0
            for turn in range(rounds + 1):  # the first one warms up
                for feed in times:
                    start_cpu = server.cpu
                    for _ in range(REQUESTS):
                        number += 1
                        start = time.perf_counter()
                        path = f"/api/activities/{feed}?number={number}"
                        response = await http.get(path, headers=headers)
                        if turn:
                            times[feed].append(time.perf_counter() - start)
                        response.raise_for_status()
                    if turn:
                        cpu[feed] += server.cpu - start_cpu
            home, following = (median(times[feed]) for feed in times)
            for feed, taken in times.items():
                each = cpu[feed] / len(taken)
                show(f"{feed}, {followed:,} followed", median(taken), f"CPU {1000 * each:.2f}")
            ratio = following / home
            goal = f"at most {GOAL} {'met' if ratio <= GOAL else 'missed'}"
            print(f"  {'ratio':40}{ratio:8.2f} x  {goal}")


async def measure_hiding(server: Server, rounds: int) -> None:
    """Read home as both members in turns."""
    print("home, ms: median of all rounds, and CPU time of the worker")
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{server.port}") as http:
        headers = {handle: await sign_in(http, handle) for handle in HIDERS}
        for page in ("cached", "computed"):
            times: dict[str, list[float]] = {handle: [] for handle in HIDERS}
            cpu = dict.fromkeys(times, 0.0)
            number = 0
            for turn in range(2 * rounds + 1):  # the first one warms up
                for handle in HIDERS:
                    start_cpu = server.cpu
                    for _ in range(REQUESTS):
                        number += page == "computed"
                        start = time.perf_counter()
                        path = f"/api/activities/home?page={page}{number}"
                        response = await http.get(path, headers=headers[handle])
                        if turn:
                            times[handle].append(time.perf_counter() - start)
                        response.raise_for_status()
                    if turn:
                        cpu[handle] += server.cpu - start_cpu
            for handle, hidden in HIDERS.items():
                each = cpu[handle] / len(times[handle])
                what = f"{page}, {hidden} blocked and {hidden} muted"
                show(what, median(times[handle]), f"CPU {1000 * each:.2f}")
            none, many = (median(taken) for taken in times.values())
            goal = f"at most {HIDING_GOAL} {'met' if many / none <= HIDING_GOAL else 'missed'}"
            print(f"  {'ratio':40}{many / none:8.2f} x  {goal}")


async def sign_in(http: httpx.AsyncClient, handle: str) -> dict[str, str]:
    """Return the headers of a signed-in member."""
    draft = {"email": handle, "password": PASSWORD}
    signed_in = (await http.post("/api/auth/signin", json=draft)).json()
    return {"Authorization": f"Bearer {signed_in['access_token']}"}


async def measure_statements(dsn: str) -> None:
    """Run the statements alone, next to a timeline."""
    print("a statement, ms")
    conn = await asyncpg.connect(dsn)
    await conn.execute(TIMELINE)
    await conn.execute("VACUUM ANALYZE timelines")
    for handle, followed in READERS.items():
        viewer = await conn.fetchval("SELECT uuid FROM users WHERE handle = $1", handle)
        values = {
            "viewer": viewer,
            "limit": 41,
            "few": 100,
            "max_passed": 2000,
        }
        for name in ("activities.home", "activities.following"):
            statement = load(name)
            taken = await run(conn, statement.sql, arguments(statement, values))
            show(f"{name}, {followed:,} followed", taken)
        taken = await run(conn, READ_TIMELINE, [viewer])
        show(f"timeline without its cruds, {followed:,} followed", taken)
    size = await conn.fetchval(
        "SELECT pg_total_relation_size('timelines') / count(*) FROM timelines"
    )
    print(f"  {'bytes of a timeline row':40}{size:8,}")
    for followers in (100, USERS):
        taken = await run(conn, WRITE_TIMELINE, [followers])
        show(f"a post to {followers:,} timelines", taken)
    await conn.close()


def arguments(statement: Statement, values: dict[str, Any]) -> list[Any]:
    """Return the values of a statement's parameters; NULL by default."""
    return [values.get(parameter) for parameter in statement.parameters]


async def run(conn: Any, sql: str, values: Sequence[Any], times: int = 60) -> float:
    """Return the median time of a prepared statement, in seconds."""
    prepared = await conn.prepare(sql)
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        await prepared.fetch(*values)
        taken.append(time.perf_counter() - start)
    return median(taken)


def show(what: str, seconds: float, more: str = "") -> None:
    """Print a time in milliseconds."""
    print(f"  {what:40}{1000 * seconds:8.2f}    {more}".rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(is_short="--short" in sys.argv)))
