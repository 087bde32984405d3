"""Backup and restore with PostgreSQL's own programs, as in docs/operations.md."""

import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.db.embedded import find_binaries
from cruddur.db.sweeper import LOCK
from cruddur.settings import Settings
from patience import PATIENCE
from processes import cruddur
from support import Member, count_rows, expire, serving

MakeDatabase = Callable[..., Awaitable[str]]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    return tmp_path / "cruddur.dump"


@asynccontextmanager
async def unswept(conn: asyncpg.Connection) -> AsyncIterator[None]:
    """Block every sweeper of this database, as if cruds expired while none was running."""
    await conn.execute("SELECT pg_advisory_lock($1)", LOCK)
    try:
        yield
    finally:
        await conn.execute("SELECT pg_advisory_unlock($1)", LOCK)


def run(*command: str, dsn: str) -> str:
    """Run a program successfully and return its output."""
    done = subprocess.run(
        command,
        env=os.environ | {"CONNECTION_URL": dsn},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def dump(dsn: str, backup: Path) -> None:
    program = str(find_binaries() / "pg_dump")
    run(program, f"--dbname={dsn}", "--format=custom", f"--file={backup}", dsn=dsn)


def restore(backup: Path, dsn: str) -> None:
    program = str(find_binaries() / "pg_restore")
    options = ("--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error")
    run(program, f"--dbname={dsn}", *options, str(backup), dsn=dsn)


async def test_a_restored_database_serves_only_live_cruds(
    backup: Path,
    data: Path,
    dsn: str,
    settings: Settings,
    andrew: Member,
    bayko: Member,
    database: asyncpg.Connection,
    make_database: MakeDatabase,
) -> None:
    live, gone = await andrew.crud("I live"), await andrew.crud("I am gone")
    for crud in (live, gone):
        await bayko.put(f"/api/activities/{crud['uuid']}/like")
    reply = await bayko.reply(gone["uuid"])
    async with unswept(database):
        await expire(database, gone["uuid"])
        dump(dsn, backup)

    restored = await make_database(of=None)
    restore(backup, restored)
    assert cruddur(data, "migrate", CONNECTION_URL=restored).stdout == "up to date\n"

    conn = await asyncpg.connect(restored)
    try:
        async with (
            unswept(conn),
            serving(create_app(replace(settings, connection_url=restored))) as api,
        ):
            [home] = await api.get("/api/activities/home")
            assert (home["uuid"], home["likes_count"]) == (live["uuid"], 1)
            for uuid in (gone["uuid"], reply["uuid"]):
                await api.get(f"/api/activities/@andrewbrown/status/{uuid}", expect=404)
            # Sessions are rows, and so is the key that signed their tokens.
            returned = replace(andrew, http=api.http)
            assert (await returned.crud("I am back"))["handle"] == "andrewbrown"
            assert await count_rows(conn, "activities") == 4  # the expired two among them
        assert cruddur(data, "sweep", CONNECTION_URL=restored).stdout.startswith("removed ")
        kept = await conn.fetch("SELECT message FROM activities ORDER BY created_at")
        assert [row["message"] for row in kept] == ["I live", "I am back"]
    finally:
        await conn.close()
