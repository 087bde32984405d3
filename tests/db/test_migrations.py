"""Migrations only go forward, run once each, and create the recorded schema."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from cruddur.db import migrate as module
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.live import StreamUser
from cruddur.db.migrate import MigrationError, migrate, migrations, pending
from cruddur.db.notifications import count_unread
from cruddur.db.pool import DatabaseUnavailableError
from db.schema import SCHEMA, dump_schema

MakeDatabase = Callable[..., Awaitable[str]]


async def test_an_empty_database_gets_every_migration_once(make_database: MakeDatabase) -> None:
    dsn = await make_database(of=None)
    names = [migration.name for migration in migrations()]
    assert await pending(dsn) == names
    assert await migrate(dsn) == names
    assert await migrate(dsn) == []
    assert await pending(dsn) == []


async def test_only_one_of_two_concurrent_migrators_migrates(make_database: MakeDatabase) -> None:
    dsn = await make_database(of=None)
    done = await asyncio.gather(migrate(dsn), migrate(dsn), migrate(dsn))
    assert sorted(map(len, done)) == [0, 0, len(migrations())]


async def test_a_migration_that_was_changed_after_it_ran_is_refused(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = await make_database()
    first, *rest = migrations()
    changed = [replace(first, checksum="0" * 64), *rest]
    monkeypatch.setattr(module, "migrations", lambda: changed)
    with pytest.raises(MigrationError, match="was changed"):
        await migrate(dsn)
    with pytest.raises(MigrationError, match="was changed"):
        await pending(dsn)


async def test_a_database_of_a_newer_version_is_not_migrated_but_served(
    make_database: MakeDatabase,
) -> None:
    dsn = await make_database()
    conn = await asyncpg.connect(dsn)
    await conn.execute(
        "INSERT INTO migrations (number, name, checksum) VALUES (9999, '9999_future', '')"
    )
    await conn.close()
    with pytest.raises(MigrationError, match="9999_future"):
        await migrate(dsn)
    # During a release, the old version still starts alongside the new one.
    assert await pending(dsn) == []


async def test_a_migration_that_fails_leaves_nothing_behind(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = await make_database()
    broken = replace(
        migrations()[0],
        number=9999,
        name="9999_broken",
        sql="CREATE TABLE half (); SELECT 1 / 0;",
    )
    known = [*migrations(), broken]
    monkeypatch.setattr(module, "migrations", lambda: known)
    with pytest.raises(MigrationError, match="division by zero"):
        await migrate(dsn)
    conn = await asyncpg.connect(dsn)
    assert await conn.fetchval("SELECT to_regclass('half')") is None
    await conn.close()
    assert await pending(dsn) == ["9999_broken"]


async def test_existing_users_have_no_unread_notifications(
    make_database: MakeDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = await make_database(of=None)
    first = migrations()[:1]
    with monkeypatch.context() as patch:
        patch.setattr(module, "migrations", lambda: first)
        await migrate(dsn)
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute(
            "INSERT INTO users (issuer, subject, handle, display_name)"
            " VALUES ('test', '1', 'one', 'One'), ('test', '2', 'two', 'Two');"
            "INSERT INTO activities (user_uuid, message, expires_at)"
            " SELECT uuid, 'hello', now() + interval '1 hour' FROM users WHERE handle = 'one';"
            "INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)"
            " SELECT one.uuid, two.uuid, 'like', activities.uuid FROM activities"
            " JOIN users AS one ON one.handle = 'one' JOIN users AS two ON two.handle = 'two'"
        )
        assert (await migrate(dsn))[0] == "0002_notifications_read_at"
        one = await conn.fetchval("SELECT user_uuid FROM notifications")
        assert await count_unread(conn, viewer=StreamUser(one, None, None)) == 0
    finally:
        await conn.close()


async def test_search_finds_the_same_words_in_a_database_of_any_locale(
    make_database: MakeDatabase, server_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one has the locale C, as databases of the embedded server have."""
    server = await asyncpg.connect(server_dsn)
    locale = await server.fetchval(
        "SELECT collcollate FROM pg_collation WHERE collprovider = 'c' AND collcollate ~* 'utf-?8$'"
    )
    await server.close()
    dsns = [await make_database(of=None), await make_database(of="template0", locale=locale)]
    texts = [
        "“hello”",
        "wait—what",
        "party🎉",
        "東京。大阪",
        "ง่ายၾမန္မာ",
        "don’t",
        "Łódź हिन्दी",
        "x_y@z",
    ]
    before = [one for one in migrations() if one.number < 13]
    found = []
    for dsn in dsns:
        with monkeypatch.context() as patch:
            patch.setattr(module, "migrations", lambda: before)
            await migrate(dsn)
        conn = await asyncpg.connect(dsn)
        await conn.execute(
            "INSERT INTO users (issuer, subject, handle, display_name)"
            " VALUES ('test', '1', 'one', 'One')"
        )
        await conn.execute(
            "INSERT INTO activities (user_uuid, message, expires_at)"
            " SELECT users.uuid, message, now() + interval '1 hour'"
            " FROM users CROSS JOIN unnest($1::text[]) AS message",
            texts,
        )
        assert (await migrate(dsn))[0] == "0013_search_text"
        rows = await conn.fetch("SELECT message, search::text FROM activities")
        await conn.close()
        found.append(dict(map(tuple, rows)))
    assert found[0] == found[1]
    assert found[0]["東京。大阪"] == "'京':2,6 '大':3,7 '東':1,5 '阪':4,8"


async def test_an_unreachable_server_is_reported_in_one_line() -> None:
    with pytest.raises(DatabaseUnavailableError) as refusal:
        await migrate("postgresql://nobody@127.0.0.1:1/nothing")
    assert len(str(refusal.value).splitlines()) == 1


def test_schema_sql_matches_the_migrations(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    server.start()
    try:
        for name in ("migrated", "loaded"):
            server.create_database(name)
        asyncio.run(migrate(server.dsn("migrated")))
        assert dump_schema(server, "migrated") == SCHEMA.read_text("utf-8")
        asyncio.run(_load(server.dsn("loaded"), SCHEMA.read_text("utf-8")))
        assert dump_schema(server, "loaded") == SCHEMA.read_text("utf-8")
    finally:
        server.stop()


async def _load(dsn: str, sql: str) -> None:
    conn = await asyncpg.connect(dsn)
    await conn.execute(sql)
    await conn.close()
