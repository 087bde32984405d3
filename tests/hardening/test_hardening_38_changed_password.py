"""A password file is read for each new connection, so the password may change meanwhile."""

from dataclasses import replace
from pathlib import Path

import asyncpg

from cruddur.app import create_app
from cruddur.db.migrate import migrate
from cruddur.settings import Settings
from cruddur.settings.database_url import driver_url
from outage import own_server
from processes import cruddur
from relay import relaying
from support import visiting


async def test_hardening_38_a_changed_password_needs_no_restart(
    settings: Settings, tmp_path: Path
) -> None:
    passfile = tmp_path / "pgpass"
    with own_server(tmp_path / "server") as (server, data):
        conn = await asyncpg.connect(server.dsn("postgres"))
        await conn.execute("CREATE ROLE rotating LOGIN")  # as managed servers give no superuser
        await conn.execute("CREATE DATABASE own OWNER rotating")
        dsn = server.dsn("own")
        await migrate(dsn.replace("postgres@", "rotating@"))

        async def change_password(password: str) -> None:
            await conn.execute(f"ALTER ROLE rotating PASSWORD '{password}'")
            written = passfile.with_suffix(".new")
            written.touch(mode=0o600)
            written.write_text(f"*:*:*:rotating:{password}\n")
            written.replace(passfile)

        await change_password("first:token")
        rules = data / "pg_hba.conf"
        rules.write_text("local all rotating scram-sha-256\n" + rules.read_text())
        await conn.execute("SELECT pg_reload_conf()")
        async with relaying(dsn) as relay:
            url = driver_url(
                f"postgresql://rotating@127.0.0.1:{relay.port}/own"
                f"?sslmode=disable&passfile={passfile}"
            )
            app = create_app(replace(settings, connection_url=url, pool_size=1))
            async with app.test_app(), visiting(app) as api:
                await api.get("/api/activities/home")
                for password in ("second/token?&", "third token"):
                    await change_password(password)
                    await conn.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE usename = 'rotating'"
                    )
                    await api.get("/api/activities/home")
        await conn.close()


def test_hardening_38_a_password_file_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    passfile = tmp_path / "pgpass"
    passfile.write_text("*:*:*:*:secret\n")
    passfile.chmod(0o640)
    for path, problem in (
        (passfile, f"names a passfile that others may use: chmod 600 {passfile}"),
        (tmp_path / "none", "names a file in passfile that cannot be read"),
    ):
        url = f"postgresql://worf@db.example.com/cruddur?passfile={path}"
        ended = cruddur(tmp_path / "data", "serve", CONNECTION_URL=url)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith(f"cruddur: CONNECTION_URL {problem}")
