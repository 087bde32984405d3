"""The rows for the benchmarks: a month of cruds, 1% of them live, and what members did to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from cruddur.db.migrate import migrate
from cruddur.db.sweeper import LOCK
from cruddur.identity.tokens import ISSUER
from cruddur.services.paging import page
from cruddur.wire import PAGE_DEFAULT

ALIVE = 0.01
REPLIES = 10
LIKED = 4
"""Every member likes this number of the newest live cruds."""
MESSAGES = 60
"""Messages in each conversation, which are more than a page."""
TERM = "lighthouse keeper"
"""Words that every 70th crud contains: a search for two of them is a plain word search."""
TAG = "lighthouse"


@dataclass(frozen=True)
class Member:
    """A user with an open session."""

    uuid: UUID
    session_uuid: UUID
    handle: str


MEMBERS = tuple(
    Member(
        UUID(f"00000000-0000-7000-8000-{number:012}"),
        UUID(f"00000000-0000-7000-8001-{number:012}"),
        f"bench_{number}",
    )
    for number in range(1, 17)
)
"""As many as the closed loop has connections."""
AUTHOR, *READERS = MEMBERS
"""The author of all cruds, and the members who like them and exchange messages with the author."""


@dataclass(frozen=True)
class Rows:
    """The rows that requests name.

    Attributes:
        answered: the crud that has replies.
        cruds: the live cruds without it, newest first.
        cursor: the position of the second page of the home feed, if there is one.
        conversations: the author's conversation with each reader.
    """

    answered: UUID
    cruds: Sequence[UUID]
    cursor: str | None
    conversations: Sequence[UUID]


# Live cruds are spread evenly among the expired ones, which is the hard case for a feed that
# reads the newest first. The sweeper, which would delete the expired ones, is held off.
FILL = """
INSERT INTO activities (user_uuid, message, created_at, expires_at)
SELECT
    $3::uuid,
    'Crud number ' || n || ' of a long and busy month'
        || CASE WHEN n % 70 = 0 THEN ' of the #lighthouse keeper' ELSE '' END,
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


TAGGED = """
INSERT INTO activity_tags (activity_uuid, tag, created_at, expires_at)
SELECT uuid, $1, created_at, expires_at FROM activities WHERE message LIKE '%#' || $1 || ' %'
"""

LIKES = """
WITH newest AS (
    SELECT uuid
    FROM activities
    WHERE expires_at > now() AND reply_to_activity_uuid IS NULL
    ORDER BY created_at DESC
    LIMIT $1
),
liked AS (
    INSERT INTO likes (activity_uuid, user_uuid)
    SELECT newest.uuid, users.uuid FROM newest CROSS JOIN users
)
UPDATE activities
SET likes_count = (SELECT count(*) FROM users)
FROM newest
WHERE activities.uuid = newest.uuid
"""

CONVERSATIONS = """
INSERT INTO message_groups (low_user_uuid, high_user_uuid, latest_message_at)
SELECT $1, unnest($2::uuid[]), now()
"""

# The author has written every second message.
EXCHANGE = """
INSERT INTO messages (message_group_uuid, user_uuid, message, created_at)
SELECT
    message_groups.uuid,
    CASE n % 2 WHEN 0 THEN low_user_uuid ELSE high_user_uuid END,
    'Message ' || n || ' counted from the end of a long conversation',
    latest_message_at - interval '1 minute' * (n - 1)
FROM message_groups
CROSS JOIN generate_series(1, $1::integer) AS n
"""

NOTIFY = """
INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid, message_uuid, created_at)
SELECT $1, user_uuid, 'like', activity_uuid, NULL::uuid, created_at
FROM likes
WHERE user_uuid <> $1
UNION ALL
SELECT $1, messages.user_uuid, 'message', NULL, messages.uuid, messages.created_at
FROM messages
JOIN message_groups ON message_groups.uuid = messages.message_group_uuid
WHERE messages.created_at = message_groups.latest_message_at
"""


async def fill(dsn: str, count: int, alive: float = ALIVE) -> Rows:
    """Migrate, and insert the rows."""
    await migrate(dsn)
    conn = await asyncpg.connect(dsn)
    # Without triggers, so that the rows cause no events.
    await conn.execute("SET session_replication_role = replica")
    await conn.executemany(
        "INSERT INTO users (uuid, issuer, subject, handle, display_name)"
        " VALUES ($1, $2, $3, $4, 'Bench')",
        [(member.uuid, ISSUER, str(member.uuid), member.handle) for member in MEMBERS],
    )
    await conn.executemany(
        "INSERT INTO sessions (uuid, user_uuid, device, address, expires_at)"
        " VALUES ($1, $2, 'bench', '127.0.0.1', now() + interval '1 day')",
        [(member.session_uuid, member.uuid) for member in MEMBERS],
    )
    await conn.execute(FILL, count, alive, AUTHOR.uuid)
    answered: UUID = await conn.fetchval(ANSWER, AUTHOR.uuid, REPLIES)
    await conn.execute(TAGGED, TAG)
    await conn.execute(LIKES, LIKED)
    await conn.execute(CONVERSATIONS, AUTHOR.uuid, [reader.uuid for reader in READERS])
    await conn.execute(EXCHANGE, MESSAGES)
    await conn.execute(NOTIFY, AUTHOR.uuid)
    cruds = await conn.fetch(
        "SELECT created_at, uuid FROM live_activities WHERE reply_to_activity_uuid IS NULL"
        " ORDER BY created_at DESC, uuid DESC LIMIT 200"
    )
    groups = await conn.fetch("SELECT uuid FROM message_groups ORDER BY high_user_uuid")
    await conn.execute("VACUUM ANALYZE")
    await conn.close()
    return Rows(
        answered,
        [crud["uuid"] for crud in cruds if crud["uuid"] != answered],
        page(cruds, PAGE_DEFAULT, tuple).cursor,
        [group["uuid"] for group in groups],
    )


async def hold_sweeper(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Hold a database's sweeper lock, as another machine's sweeper would."""
    conn = await asyncpg.connect(dsn)
    await conn.execute(f"SELECT pg_advisory_lock({LOCK})")
    return conn
