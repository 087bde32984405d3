"""A backup restored as docs/operations.md says: what lives is served, what expired is swept."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg

from cruddur.app import create_app
from cruddur.db.embedded import find_binaries
from cruddur.settings import Settings
from support import Member, count_rows, expire, serving, swept


def run(*command: str, **environment: str) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_restored_backup_serves_what_lives_and_loses_what_expired(
    andrew: Member,
    settings: Settings,
    database: asyncpg.Connection,
    make_database: Callable[..., Any],
    tmp_path: Path,
) -> None:
    alive = await andrew.crud("still here")
    dead = await andrew.crud("gone meanwhile")
    await expire(database, dead["uuid"])
    fresh = await make_database(of=None)
    tools = find_binaries()
    file = str(tmp_path / "cruddur.dump")

    def back_up_and_restore() -> str:
        dump = ("--format=custom", "--no-owner", "--no-privileges", f"--file={file}")
        run(str(tools / "pg_dump"), *dump, settings.connection_url)
        restore = ("--no-owner", "--no-privileges", "--single-transaction", f"--dbname={fresh}")
        run(str(tools / "pg_restore"), *restore, file)
        return run(sys.executable, "-m", "cruddur", "migrate", CONNECTION_URL=fresh)

    assert await asyncio.to_thread(back_up_and_restore) == "up to date\n"

    conn = await asyncpg.connect(fresh)
    try:
        async with serving(create_app(replace(settings, connection_url=fresh))) as api:
            # The key came with the database, so the tokens from before are good.
            assert await api.get("/api/auth/me", headers=andrew.headers)
            home = await api.get("/api/activities/home")
            assert [crud["uuid"] for crud in home] == [alive["uuid"]]
            await swept(fresh)
        assert await count_rows(conn, "activities") == 1
    finally:
        await conn.close()
