"""The rows for the benchmarks: a month of cruds, 1% of them live."""

from uuid import UUID

import asyncpg

from cruddur.db.migrate import migrate
from cruddur.db.sweeper import LOCK
from cruddur.identity.tokens import ISSUER

HANDLE = "bench"
USER_UUID = UUID("00000000-0000-7000-8000-000000000001")
SESSION_UUID = UUID("00000000-0000-7000-8000-000000000002")
ALIVE = 0.01
REPLIES = 10
TERM = "lighthouse keeper"
"""Words that every 70th crud contains: a search for two of them is a plain word search."""

# Live cruds are spread evenly among the expired ones, which is the hard case for a feed that
# reads the newest first. The sweeper, which would delete the expired ones, is held off.
FILL = """
INSERT INTO activities (user_uuid, message, created_at, expires_at)
SELECT
    $3::uuid,
    'Crud number ' || n || ' of a long and busy month'
        || CASE WHEN n % 70 = 0 THEN ' of the lighthouse keeper' ELSE '' END,
    now() - interval '30 days' * n / $1::integer,
    CASE
        WHEN n % round(1 / $2::numeric) = 0 THEN now() + interval '1 day'
        ELSE now() - interval '1 second'
    END
FROM generate_series(1, $1::integer) AS n
"""

ANSWER = """
INSERT INTO activities (user_uuid, message, reply_to_activity_uuid, created_at, expires_at)
SELECT $1::uuid, 'Reply number ' || n, uuid, created_at + interval '1 minute' * n, expires_at
FROM (
    SELECT * FROM activities WHERE expires_at > now() ORDER BY created_at DESC LIMIT 1
) AS newest
CROSS JOIN generate_series(1, $2::integer) AS n
RETURNING reply_to_activity_uuid
"""


async def fill(dsn: str, count: int, alive: float = ALIVE) -> UUID:
    """Migrate, and insert the rows; return the crud that has replies."""
    await migrate(dsn)
    conn = await asyncpg.connect(dsn)
    # Without triggers, so that the rows cause no events.
    await conn.execute("SET session_replication_role = replica")
    await conn.execute(
        "INSERT INTO users (uuid, issuer, subject, handle, display_name)"
        " VALUES ($1, $2, $3, $4, 'Bench')",
        USER_UUID, ISSUER, str(USER_UUID), HANDLE,
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO sessions (uuid, user_uuid, device, address, expires_at)"
        " VALUES ($1, $2, 'bench', '127.0.0.1', now() + interval '1 day')",
        SESSION_UUID, USER_UUID,
    )  # fmt: skip
    await conn.execute(FILL, count, alive, USER_UUID)
    answered: UUID = await conn.fetchval(ANSWER, USER_UUID, REPLIES)
    await conn.execute("VACUUM ANALYZE")
    await conn.close()
    return answered


async def hold_sweeper(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Hold a database's sweeper lock, as another machine's sweeper would."""
    conn = await asyncpg.connect(dsn)
    await conn.execute(f"SELECT pg_advisory_lock({LOCK})")
    return conn
