"""Everything works through PgBouncer in transaction mode."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.db.migrate import migrate, migrations
from cruddur.db.sweeper import sweep
from cruddur.settings import Settings, SettingsError
from live.listening import listening
from outage import FOREVER, Limits
from patience import PATIENCE
from pooler import KEEPS_STATEMENTS, pooling
from support import Member, count_rows, serving, serving_on_a_socket, visiting

MakeDatabase = Callable[..., Awaitable[str]]
DEAF = "goes through a pooler in transaction mode"


async def test_hardening_31_migrations_run_again_and_again(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    dsn = await make_database(of=None)
    with pooling(dsn, tmp_path) as pooled:
        async with asyncio.timeout(PATIENCE):
            done = [await migrate(pooled) for _ in range(4)]
            await asyncio.gather(*(migrate(pooled) for _ in range(4)))
    assert list(map(len, done)) == [len(migrations()), 0, 0, 0]


async def test_hardening_31_the_lock_of_the_sweeper_does_not_leak(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    dsn = await make_database()
    conn = await asyncpg.connect(dsn)
    await conn.execute(
        "INSERT INTO users (issuer, subject, handle, display_name) VALUES ('', 'o', 'odo', 'Odo')"
    )
    with pooling(dsn, tmp_path) as pooled:
        for _ in range(4):
            await conn.execute(
                "INSERT INTO activities (user_uuid, message, expires_at)"
                " SELECT uuid, 'expired', now() FROM users"
            )
            assert await sweep(pooled) == 1
            assert await sweep(dsn) == 0, "another process cannot take the lock"
    await conn.close()


@pytest.mark.parametrize(
    ("mode", "prepared"),
    [
        ("transaction", "auto"),
        ("transaction", "off"),
        pytest.param(
            *("transaction", "on"),
            marks=pytest.mark.skipif(not KEEPS_STATEMENTS, reason="needs PgBouncer 1.21"),
        ),
        ("session", "on"),
    ],
)
async def test_hardening_31_the_service_works_through_a_pooler(
    settings: Settings,
    andrew: Member,
    bayko: Member,
    database: asyncpg.Connection,
    tmp_path: Path,
    mode: str,
    prepared: str,
) -> None:
    size = 2 if mode == "transaction" else 20  # fewer than the connections of the service
    with pooling(settings.connection_url, tmp_path, mode=mode, size=size) as pooled:
        through = replace(settings, connection_url=pooled, prepared_statements=prepared)
        async with serving(create_app(through)) as api:
            writer = replace(andrew, http=api.http)
            reader = replace(bayko, http=api.http)

            async def one(number: int) -> None:
                crud = await writer.crud(f"crud {number} about #tea for @bayko")
                body = {"message": f"keyed {number}", "ttl": "1-day"}
                key = {"headers": {"Idempotency-Key": str(number)}}
                first = await writer.post("/api/activities", body, **key)
                assert await writer.post("/api/activities", body, **key) == first
                await reader.reply(crud["uuid"])
                await reader.put(f"/api/activities/{crud['uuid']}/like")
                await reader.get("/api/activities/home")
                await reader.get("/api/activities/search?term=tea")
                await writer.get("/api/activities/notifications")
                await reader.message("andrewbrown")
                await writer.get("/api/messages/@bayko")
                await writer.delete(f"/api/activities/{crud['uuid']}")

            await asyncio.gather(*(one(number) for number in range(8)))
    assert await count_rows(database, "activities") == 8


async def test_hardening_31_a_statement_ends_in_time_through_a_pooler(
    settings: Settings,
    andrew: Member,
    database: asyncpg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = Limits(monkeypatch)
    with pooling(settings.connection_url, tmp_path) as pooled:
        app = create_app(replace(settings, connection_url=pooled, statement_timeout=FOREVER))
        async with serving(app) as api:
            writer = replace(andrew, http=api.http)
            await writer.get("/api/activities/home")
            async with database.transaction():
                await database.execute("LOCK TABLE activities")
                await limits.statements(app, 0.5)
                async with asyncio.timeout(PATIENCE):
                    await writer.get("/api/activities/home", expect=503)  # no transaction
                    body = {"message": "keyed", "ttl": "1-day"}
                    key = {"headers": {"Idempotency-Key": "key"}}
                    await writer.post("/api/activities", body, expect=503, **key)  # and with one
            await limits.statements(app, FOREVER)
            await writer.get("/api/activities/home")


@pytest.mark.parametrize(
    ("mode", "is_direct", "is_deaf"),
    [("transaction", False, True), ("transaction", True, False), ("session", False, False)],
)
async def test_hardening_31_events_arrive_and_a_pooler_that_withholds_them_is_named(
    settings: Settings,
    andrew: Member,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    mode: str,
    is_direct: bool,
    is_deaf: bool,
) -> None:
    caplog.set_level(logging.WARNING, logger="cruddur.live.bus")
    with pooling(settings.connection_url, tmp_path, mode=mode, size=10) as pooled:
        direct = settings.connection_url if is_direct else ""
        app = create_app(replace(settings, connection_url=pooled, direct_url=direct))
        async with app.test_app(), serving_on_a_socket(app) as url, listening(url) as stream:
            async with visiting(app) as api:
                crud = await replace(andrew, http=api.http).crud()
            [received] = await stream.receive("crud")
            assert received["uuid"] == crud["uuid"]
    warnings = [message for message in caplog.messages if DEAF in message]
    assert len(warnings) == is_deaf
    assert all(line.startswith("CONNECTION_URL goes") and "\n" not in line for line in warnings)


def test_hardening_31_a_direct_url_alone_is_refused() -> None:
    with pytest.raises(SettingsError, match="CRUDDUR_DIRECT_URL needs CONNECTION_URL"):
        Settings.from_env({"CRUDDUR_DIRECT_URL": "postgresql://127.0.0.1/cruddur"})
