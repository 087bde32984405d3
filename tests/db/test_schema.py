"""Rules of the schema, checked in the database's catalog."""

import asyncpg
import pytest

# For each foreign key, whether an index begins with its columns.
FOREIGN_KEYS = """
SELECT
    key.conrelid::regclass::text || ' ' || key.conname AS name,
    EXISTS (
        SELECT FROM pg_index AS index
        WHERE index.indrelid = key.conrelid
          AND (index.indkey::smallint[])[0 : cardinality(key.conkey) - 1] = key.conkey
          AND (index.indpred IS NULL OR key.conname LIKE 'activities_reply%')
    ) AS is_indexed,
    -- A crud whose preview is deleted gets another one.
    key.confdeltype = CASE WHEN key.conname LIKE 'activity_links_preview%' THEN 'n' ELSE 'c' END
        AS cascades
FROM pg_constraint AS key
WHERE key.contype = 'f'
"""

SWAP_PAIR = """
UPDATE message_groups
SET (low_user_uuid, high_user_uuid) = (high_user_uuid, low_user_uuid)
"""


async def test_every_foreign_key_cascades_and_has_an_index(database: asyncpg.Connection) -> None:
    keys = await database.fetch(FOREIGN_KEYS)
    assert len(keys) > 15
    assert [key["name"] for key in keys if not key["is_indexed"]] == []
    assert [key["name"] for key in keys if not key["cascades"]] == []


async def test_every_time_has_a_zone(database: asyncpg.Connection) -> None:
    naive = await database.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'"
    )
    assert naive == []


async def test_only_core_postgresql_is_used(database: asyncpg.Connection) -> None:
    assert [row["extname"] for row in await database.fetch("SELECT extname FROM pg_extension")] == [
        "plpgsql"
    ]


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE activities SET message = repeat('x', 281)", asyncpg.CheckViolationError),
        ("UPDATE activities SET message = ''", asyncpg.CheckViolationError),
        ("UPDATE activities SET likes_count = -1", asyncpg.CheckViolationError),
        ("UPDATE users SET handle = 'Upper'", asyncpg.CheckViolationError),
        ("UPDATE users SET display_name = repeat('x', 51)", asyncpg.CheckViolationError),
        ("UPDATE users SET bio = repeat('x', 501)", asyncpg.CheckViolationError),
        ("UPDATE users SET handle = 'one'", asyncpg.UniqueViolationError),
        (SWAP_PAIR, asyncpg.CheckViolationError),
    ],
)
async def test_the_database_checks_lengths_and_uniqueness_itself(
    database: asyncpg.Connection, statement: str, refusal: type[Exception]
) -> None:
    await database.execute(
        "INSERT INTO users (issuer, subject, handle, display_name)"
        " VALUES ('test', '1', 'one', 'One'), ('test', '2', 'two', 'Two');"
        "INSERT INTO activities (user_uuid, message, expires_at)"
        " SELECT uuid, 'hello', now() + interval '1 hour' FROM users;"
        "INSERT INTO message_groups (low_user_uuid, high_user_uuid)"
        " SELECT min(uuid::text)::uuid, max(uuid::text)::uuid FROM users"
    )
    with pytest.raises(refusal):
        await database.execute(statement)


async def test_ids_of_events_follow_the_order_in_which_they_are_drawn(
    database: asyncpg.Connection,
) -> None:
    """A session that draws several ids in advance would use them after larger ones."""
    assert await database.fetchval(
        "SELECT cache_size = 1 AND increment_by = 1 AND NOT cycle"
        " FROM pg_sequences WHERE sequencename = 'events_id_seq'"
    )
