"""Plans do not depend on statistics from a time with more or fewer live cruds."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from cruddur.db.statements import Statement, load, statement_names
from cruddur.db.sweeper import sweep
from support import swept

ANDREW, OTHER = UUID(int=1), UUID(int=2)
CRUDS, REPLIES = 4000, 400
LEFT = 20
"""Live cruds among thousands of expired ones."""

PAGE_WORK = 1500
"""Rows, or buffers, that a page or a single row may cost: far fewer than there are cruds."""

LINEAR_WORK = 8 * (CRUDS + REPLIES)
"""The cost of looking up each row by an index and in one more table."""

MOVING = re.compile(r"\bnow\(\)|live_activities|signed_in")
"""How a statement reads the clock; the view and the function contain now() themselves."""

STATEMENTS = [
    statement for name in statement_names() if MOVING.search((statement := load(name)).sql)
]

CRUD = "(SELECT uuid FROM activities WHERE message = 'crud 1 about tea' ORDER BY uuid DESC LIMIT 1)"

# A value for every parameter of these statements, as SQL.
ARGUMENTS = {
    **dict.fromkeys(["user_uuid", "viewer"], f"'{ANDREW}'"),
    **dict.fromkeys(["uuid", "parent_uuid", "activity_uuid"], CRUD),
    **dict.fromkeys(["before_at", "before_uuid", "after_at", "after_uuid", "before_rank"], "NULL"),
    **dict.fromkeys(
        [
            "session",
            "session_uuid",
            "message_group_uuid",
            "link",
            "pause",
            "picture",
            "traceparent",
            "until",
            "access_ends_at",
            "sealed_token",
        ],
        "NULL",
    ),
    "words": "'{tea}'",
    "message": "'tea'",
    **dict.fromkeys(["route", "member", "key", "device", "bio"], "''"),
    **dict.fromkeys(["handle", "email", "login", "subject", "issuer"], "'andrew'"),
    **dict.fromkeys(["lifetime", "period", "settle"], "'1 hour'"),
    **dict.fromkeys(["tags", "handles", "mentions", "unwanted", "pictures", "alts"], "'{}'"),
    **dict.fromkeys(["width", "height"], "1"),
    "most": "400",
    "size": "'full'",
    "jpeg": r"'\x00'",
    **dict.fromkeys(
        ["token_hash", "new_token_hash", "ticket_hash", "code_hash", "stop_hash"], r"'\x00'"
    ),
    **dict.fromkeys(["display_name", "password_hash", "bucket", "address"], "'andrew'"),
    **dict.fromkeys(["after", "since_at"], "now()"),
    **dict.fromkeys(["case_uuid", "actor_uuid"], f"'{OTHER}'"),
    "kind": "'profile'",
    "days": "7",
    "roles": "'{moderator,admin}'",
    "max_reports": "100",
    "code": "'abcdefghjkmnpqrs'",
    "domains": "'{example.com}'",
    "invitation_uuid": "NULL",
    "mistyped_email": "NULL",
    "terms_version": "1",
    "max_uses": "1",
    **dict.fromkeys(["max_invitations", "max_announcements"], "200"),
    "reason": "'tea'",
    "category": "'spam'",
    "decision": "'upheld'",
    **dict.fromkeys(["digest", "sealed", "sealed_words"], r"'\x00'"),
    **dict.fromkeys(["authors", "digests", "copies", "ends"], "'{}'"),
    **dict.fromkeys(["at", "newest_at"], "now()"),
    "most_changes": "1001",
    "since": "(SELECT pg_current_snapshot())",
    **dict.fromkeys(["seen", "newest"], "'1'"),
    "batch": "5000",
    "position": "NULL",
    "limit": "41",
    "max_ancestors": "100",
    "max_nested": "3",
    "max_passed": "100",
    "prefix": "'tea'",
    "horizon": "interval '30 seconds'",
    "only_mentions": "false",
    "are_requests": "false",
    "duration": "NULL::interval",
    "policy": "'everyone'",
    "max_actors": "20",
    **dict.fromkeys(["hashes", "device_hashes", "address_hashes"], r"ARRAY['\x00'::bytea]"),
    "viewers": f"'{{{ANDREW}}}'",
    "max_followed": "5000",
    "max_kept": "20",
    "max_ranked": "200",
    "term": "'fan'",
    "max_tags": "200",
    "max_tokens": "20",
    "method": "'password'",
    "name": "'bot'",
    "scopes": "'{read}'",
    "attempt_hash": r"'\x00'",
    "purpose": "'registration'",
    "state": "'{}'",
    **dict.fromkeys(["credential_id", "credential"], r"'\x00'"),
    "sign_count": "1",
    "max_passkeys": "20",
    **dict.fromkeys(["sealed_secret", "key_digest"], r"'\x00'"),
    **dict.fromkeys(["code_hashes", "old_secrets", "new_secrets"], r"ARRAY['\x00'::bytea]"),
    "user_uuids": f"'{{{ANDREW}}}'",
    "step": "1",
    "few": "100",
    "tag": "'tea'",
    "max_attempts": "3",
    "lease": "'1 minute'",
    "title": "'tea'",
    **dict.fromkeys(["description", "site"], "''"),
    "buckets": r"ARRAY['\x00'::bytea]",
    "seconds": "ARRAY[1.0]",
    "tries": "5",
    "is_public_feed": "true",
    "users": f"'{{{OTHER}}}'",
    "uuids": "(SELECT array_agg(uuid) FROM (SELECT uuid FROM activities LIMIT 100) AS few)",
}

# Further values, for statements that do different things with them.
VARIANTS: dict[str, list[dict[str, str]]] = {
    "activities.profile": [{"handle": "'other'"}, {"handle": "'nobody'"}],
    "activities.search": [
        {"words": "'{nothing}'"},
        {"words": "'{1234}'"},
        {"words": "'{}'", "tags": "'{tea}'"},
        {"words": "'{}'", "handles": "'{andrew}'"},
    ],
    "live.notifications": [
        {"uuids": "(SELECT array_agg(uuid) FROM (SELECT uuid FROM notifications LIMIT 100) AS few)"}
    ],
    "live.expiring": [{"after": "'-infinity'"}],
    "activities.following": [{"few": "2000"}, {"viewer": f"'{OTHER}'"}],
    "messages.groups": [{"are_requests": "true"}],
    "notifications.groups": [{"only_mentions": "true"}],
    "previews.picture": [
        {
            "uuid": "(SELECT COALESCE((SELECT uuid FROM previews WHERE picture IS NOT NULL),"
            " gen_random_uuid()))"
        }
    ],
    "users.by_prefix": [{"prefix": "'fan'"}, {"prefix": "'Fán'"}],
    "notifications.show": [{"uuid": "(SELECT uuid FROM notifications LIMIT 1)"}],
}

# These statements read every live crud, every hit of a search, everything that a user reposted
# or has not read, all their conversations, all that they follow, all cruds of a thread or user, a
# hundred events, links or cruds, or all expired rows: each row once.
LINEAR = {
    *(name for name in statement_names() if name.startswith("export.")),
    "activities.following",
    "activities.profile",
    "activities.search",
    "activities.sweep",
    "live.cruds",
    "live.expiring",
    "live.notifications",
    "messages.groups",
    "messages.sweep",
    "messages.unread",
    "notifications.groups",
    "notifications.list",
    "notifications.unread",
    "previews.assign",
    "previews.picture",
    "reports.cruds",
    "reports.recent_of_user",
    "reports.recent_thread",
    "sweeper.events",
    "sweeper.expired_activities",
    "sweeper.expired_messages",
    "sweeper.released_previews",
    "sweeper.sessions",
    "trends.by_prefix",
    "trends.tags",
    "users.suggested",
}

PEOPLE = f"""
INSERT INTO users (uuid, issuer, subject, handle, display_name)
VALUES ('{ANDREW}', 'andrew', 'andrew', 'andrew', 'Andrew'), ('{OTHER}', 'o', 'o', 'other', 'O');
INSERT INTO users (issuer, subject, handle, display_name)
SELECT 'test', n::text, 'fan_' || n, 'Fan' FROM generate_series(1, 1000) AS n;
INSERT INTO follows (follower_uuid, followee_uuid)
SELECT '{ANDREW}', uuid FROM users WHERE handle LIKE 'fan%'
UNION ALL SELECT uuid, '{ANDREW}' FROM users WHERE handle LIKE 'fan%';
INSERT INTO notifications (user_uuid, actor_uuid, kind, created_at)
SELECT '{ANDREW}', uuid, 'follow', now() - make_interval(hours => number::integer)
FROM (SELECT uuid, row_number() OVER () AS number FROM users WHERE handle LIKE 'fan%') AS fans;
INSERT INTO message_groups (low_user_uuid, high_user_uuid)
SELECT LEAST('{ANDREW}', uuid), GREATEST('{ANDREW}', uuid) FROM users WHERE handle LIKE 'fan%';
"""


ACCOUNTS = """
INSERT INTO users (issuer, subject, handle, display_name, email)
SELECT '', n::text, 'fan_' || n, 'Fan', 'Fan_' || n || '@Example.com'
FROM generate_series(1, 20000) AS n;
INSERT INTO accounts (user_uuid, email, password_hash)
SELECT uuid, lower(email), 'hash' FROM users;
"""

LOOK_UPS_BY_EMAIL = [
    "accounts.credentials",
    "accounts.reset_code",
    "known_clients.find",
    "users.by_email",
]


def written(cruds: int, replies: int) -> str:
    """Create cruds, half of them Andrew's, replies to one of them, and all dependent rows."""
    return f"""
    INSERT INTO activities (uuid, user_uuid, message, created_at, expires_at)
    SELECT
        uuidv7(make_interval(secs => -n)),
        CASE WHEN n % 2 = 0 THEN '{ANDREW}' ELSE fans[1 + n % 1000] END,
        'crud ' || n || ' about tea',
        now() - make_interval(secs => n),
        now() + interval '1 day'
    FROM generate_series(1, {cruds}) AS n
    CROSS JOIN (SELECT array_agg(uuid) AS fans FROM users WHERE handle LIKE 'fan%');
    INSERT INTO activities (user_uuid, message, created_at, expires_at, reply_to_activity_uuid)
    SELECT
        '{OTHER}', 'reply ' || n, now() - make_interval(secs => n), now() + interval '1 day', {CRUD}
    FROM generate_series(1, {replies}) AS n;
    INSERT INTO activity_tags SELECT uuid, 'tea' FROM activities ON CONFLICT DO NOTHING;
    INSERT INTO likes SELECT uuid, '{OTHER}' FROM activities ON CONFLICT DO NOTHING;
    INSERT INTO reposts SELECT uuid, '{OTHER}' FROM activities ON CONFLICT DO NOTHING;
    INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)
    SELECT '{ANDREW}', '{OTHER}', 'like', uuid FROM activities ON CONFLICT DO NOTHING;
    INSERT INTO messages (message_group_uuid, user_uuid, message)
    SELECT uuid, '{OTHER}', 'hello' FROM message_groups, generate_series(1, {replies} / 200 + 1);
    INSERT INTO events (kind, subject_uuid, user_uuid)
    SELECT 'crud', uuid, user_uuid FROM activities;
    INSERT INTO expired_activities (uuid, user_uuid, expired_at)
    SELECT gen_random_uuid(), user_uuid, now() FROM activities;
    INSERT INTO expired_messages (uuid, user_uuid, recipient_uuid, expired_at)
    SELECT gen_random_uuid(), user_uuid, user_uuid, now() FROM activities;
    INSERT INTO previews (url, title, picture)
    SELECT 'http://news.example/' || uuid, 'News', NULL::bytea FROM activities
    UNION ALL SELECT 'http://news.example/', 'News', '' ON CONFLICT DO NOTHING;
    INSERT INTO activity_links (activity_uuid, url, preview_uuid)
    SELECT activities.uuid, previews.url, previews.uuid
    FROM activities
    JOIN previews ON previews.url = CASE
        WHEN activities.user_uuid = '{OTHER}' THEN 'http://news.example/'
        ELSE 'http://news.example/' || activities.uuid
    END
    ON CONFLICT DO NOTHING;
    UPDATE activity_links SET preview_uuid = NULL WHERE url LIKE '%7';
    INSERT INTO released_previews (preview_uuid) SELECT uuid FROM previews;
    INSERT INTO sessions (user_uuid, device, address, expires_at)
    SELECT uuid, 'test', '::1', now() + interval '1 day'
    FROM users, generate_series(1, {replies} / 200 + 1);
    """


EXPIRED = f"""
UPDATE activities SET expires_at = now() - interval '1 second'
WHERE uuid NOT IN (
    SELECT uuid FROM activities WHERE reply_to_activity_uuid IS NULL
    ORDER BY created_at DESC LIMIT {LEFT}
);
"""

ALL_EXPIRED = "UPDATE activities SET expires_at = now() - interval '1 second';"

# The data when the statistics are taken, and the changes afterwards.
EXPIRING = f"""
INSERT INTO activities (user_uuid, message, expires_at)
SELECT '{ANDREW}', 'crud ' || n, now() + n * interval '1 minute'
FROM generate_series(1, {CRUDS}) AS n;
INSERT INTO message_groups (uuid, low_user_uuid, high_user_uuid)
VALUES ('{OTHER}', '{ANDREW}', '{OTHER}');
INSERT INTO messages (message_group_uuid, user_uuid, message, expires_at)
SELECT '{OTHER}', '{ANDREW}', 'message ' || n, now() + n * interval '1 minute'
FROM generate_series(1, {CRUDS}) AS n;
"""

CHANGES = {
    "empty, then many": ("", written(CRUDS, REPLIES)),
    "few, then many": (written(3, 2) + ALL_EXPIRED, written(CRUDS, REPLIES)),
    "many, then few": (written(CRUDS, REPLIES), EXPIRED),
}


async def _prepared(dsn: str, mode: str) -> asyncpg.Connection:
    """A connection that has prepared all statements, and planned those whose plan is kept."""
    conn = await asyncpg.connect(dsn, server_settings={"plan_cache_mode": f"force_{mode}_plan"})
    for number, statement in enumerate(STATEMENTS):
        await conn.execute(f"PREPARE s{number} AS {statement.sql}")
        if mode == "generic":
            await conn.fetch(f"EXPLAIN {_execution(number, ['NULL'] * len(statement.parameters))}")
    return conn


def _execution(number: int, arguments: list[str]) -> str:
    return f"EXECUTE s{number}" + (f"({', '.join(arguments)})" if arguments else "")


async def _arguments(
    conn: asyncpg.Connection, statement: Statement, variant: dict[str, str]
) -> list[str]:
    values = []
    for parameter in statement.parameters:
        value = {**ARGUMENTS, **variant}.get(parameter)
        assert value, f"{statement.name}: give ARGUMENTS a value for {parameter}"
        if value.startswith("("):  # EXECUTE takes no queries
            value = f"'{await conn.fetchval(f'SELECT {value}::text')}'"
        values.append(value)
    return values


async def _rows_read(conn: asyncpg.Connection) -> int:
    """Return the number of rows that this session has read, including triggers and foreign keys."""
    read: int = await conn.fetchval(
        "SELECT sum(seq_tup_read + idx_tup_fetch)::bigint FROM pg_stat_xact_user_tables"
    )
    return read


async def _work(conn: asyncpg.Connection, execution: str) -> tuple[int, int]:
    """Return the rows and buffers that a statement reads; its writes are rolled back."""
    transaction = conn.transaction()
    await transaction.start()
    try:
        before = await _rows_read(conn)
        explained = await conn.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {execution}")
        plan = json.loads(explained)[0]["Plan"]
        rows = await _rows_read(conn) - before
        return rows, plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    finally:
        await transaction.rollback()


async def _excesses(conn: asyncpg.Connection) -> list[tuple[str, dict[str, str], tuple[int, int]]]:
    """Return the statements that exceed their limit of work, with their arguments."""
    found = []
    for number, statement in enumerate(STATEMENTS):
        most = LINEAR_WORK if statement.name in LINEAR else PAGE_WORK
        for variant in [{}, *VARIANTS.get(statement.name, [])]:
            arguments = await _arguments(conn, statement, variant)
            work = await _work(conn, _execution(number, arguments))
            if max(work) > most:
                found.append((statement.name, variant, work))
    return found


@pytest.mark.parametrize("change", CHANGES)
async def test_hardening_09_stale_statistics_never_increase_the_work_of_a_statement(
    make_database: Callable[..., Any], change: str
) -> None:
    before, after = CHANGES[change]
    dsn = await make_database()
    writer = await asyncpg.connect(dsn, server_settings={"session_replication_role": "replica"})
    for name in await writer.fetchval(
        "SELECT array_agg(oid::regclass::text) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ):
        await writer.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = false)")
    await writer.execute(PEOPLE + before)
    await writer.execute("VACUUM ANALYZE")
    earlier = await _prepared(dsn, "generic")
    await writer.execute(after)
    later = await _prepared(dsn, "custom")
    try:
        assert await _excesses(later) == []
        # A cached plan is replaced after the next sweep.
        await sweep(dsn)
        assert await _excesses(earlier) == []
    finally:
        for conn in (writer, earlier, later):
            await conn.close()


@pytest.mark.parametrize("mode", ["generic", "custom"])
@pytest.mark.parametrize("is_analyzed", [False, True])
async def test_hardening_09_an_account_is_found_by_an_index(
    make_database: Callable[..., Any], mode: str, is_analyzed: bool
) -> None:
    """A sign-in by e-mail address, in any case, costs the same with 20,000 accounts."""
    dsn = await make_database()
    plan = {"plan_cache_mode": f"force_{mode}_plan"}
    conn = await asyncpg.connect(dsn, server_settings=plan)
    await conn.execute("ALTER TABLE users SET (autovacuum_enabled = false)")
    await conn.execute("ALTER TABLE accounts SET (autovacuum_enabled = false)")
    await conn.execute("VACUUM ANALYZE users, accounts")
    await conn.execute(ACCOUNTS)
    if is_analyzed:
        await conn.execute("VACUUM ANALYZE users, accounts")
    for number, name in enumerate(LOOK_UPS_BY_EMAIL):
        statement = load(name)
        await conn.execute(f"PREPARE s{number} AS {statement.sql}")
        values = {"login": "'fan_7@example.com'", "email": "'fan_7@example.com'", "issuer": "''"}
        arguments = [{**ARGUMENTS, **values}[parameter] for parameter in statement.parameters]
        rows, buffers = await _work(conn, _execution(number, arguments))
        assert rows <= 5, name
        assert buffers <= 30, name
    await conn.close()


@pytest.mark.parametrize("name", ["activities", "messages"])
async def test_hardening_09_a_sweep_expects_few_expired_rows(
    make_database: Callable[..., Any], name: str
) -> None:
    # If it expected a third of the table, each batch could sort all of a large one.
    conn = await asyncpg.connect(await make_database())
    await conn.execute(PEOPLE + EXPIRING)
    await conn.execute("VACUUM ANALYZE activities, messages")
    await conn.execute(f"PREPARE sweep AS {load(f'{name}.sweep').sql}")
    explained = await conn.fetchval("EXPLAIN (FORMAT JSON) EXECUTE sweep(5000)")
    [expected] = _expected_rows(json.loads(explained)[0]["Plan"], "expired")
    assert expected <= CRUDS / 100
    await conn.close()


def _expected_rows(plan: dict[str, Any], alias: str) -> list[int]:
    """Return how many rows the planner expects from the scans of a table."""
    own = [plan["Plan Rows"]] if plan.get("Alias") == alias else []
    return own + [n for part in plan.get("Plans", []) for n in _expected_rows(part, alias)]


async def test_hardening_09_no_column_of_any_table_or_index_has_statistics(
    database: asyncpg.Connection,
) -> None:
    found = await database.fetch(
        "SELECT attrelid::regclass::text AS relation, attname FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid"
        " LEFT JOIN pg_index ON indexrelid = attrelid"
        " WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped"
        " AND (relkind = 'r' OR indexprs IS NOT NULL) AND attstattarget IS DISTINCT FROM 0"
    )
    assert found == [], "SET STATISTICS 0 (migration 0005)"
    assert await database.fetchval("SELECT count(*) FROM pg_statistic_ext") == 0


async def test_hardening_09_a_sweep_counts_the_rows_of_every_table(
    dsn: str, database: asyncpg.Connection
) -> None:
    await database.execute("UPDATE pg_class SET reltuples = -1 WHERE relname !~ '^pg_'")
    await swept(dsn)
    assert await database.fetch(
        "SELECT relname FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples < 0"
    ) == [("migrations",)]
