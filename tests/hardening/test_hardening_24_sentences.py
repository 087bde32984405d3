"""Messages of the command line about databases, identities and extras."""

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import unquote

import asyncpg
import httpx
import pytest

from cruddur.services.seed import PASSWORD
from processes import START_SECONDS, Serve, cruddur, environment_of
from support import free_port

FOREIGN = [
    "CREATE TABLE posts (id integer); CREATE VIEW newest AS TABLE posts; CREATE SEQUENCE n",
    "CREATE TABLE users (id integer); INSERT INTO users VALUES (1)",
    "CREATE TABLE migrations (id integer, migration text); INSERT INTO migrations VALUES (1, 'x')",
    "CREATE MATERIALIZED VIEW answers AS SELECT 42",
]

CATALOG = """
SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT proname, 'function' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT typname, 'type' FROM pg_type WHERE typnamespace = 'public'::regnamespace
ORDER BY 1, 2
"""


@pytest.fixture
async def empty_dsn(make_database: Callable[..., object]) -> str:
    return await make_database(of=None)


async def _state(dsn: str) -> list[tuple[str, str]]:
    conn = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await conn.fetch(CATALOG)]
    finally:
        await conn.close()


async def _execute(dsn: str, sql: str) -> None:
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute(sql)
    finally:
        await conn.close()


@pytest.mark.parametrize("sql", FOREIGN)
async def test_hardening_24_a_database_of_another_program_is_left_alone(
    empty_dsn: str, data: Path, sql: str
) -> None:
    await _execute(empty_dsn, sql)
    before = await _state(empty_dsn)
    for command in (["migrate"], ["serve", "--setup"], ["serve"], ["seed"]):
        response = cruddur(data, *command, CONNECTION_URL=empty_dsn)
        assert response.returncode == 1
        [line] = response.stderr.splitlines()
        assert "not Cruddur's" in line
        assert await _state(empty_dsn) == before


async def test_hardening_24_an_extension_is_not_another_program(empty_dsn: str, data: Path) -> None:
    # The server has no extension with tables: a table that belongs to plpgsql stands for one.
    await _execute(
        empty_dsn,
        "CREATE TABLE spatial_ref_sys (id integer);"
        "ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys",
    )
    response = cruddur(data, "migrate", CONNECTION_URL=empty_dsn)
    assert response.returncode == 0, response.stderr


@pytest.mark.parametrize(
    "sql",
    ["CREATE TYPE users AS ENUM ('a')", "DROP SCHEMA public CASCADE"],
    ids=["type", "schema"],
)
async def test_hardening_24_a_migration_that_fails_is_one_line_and_changes_nothing(
    empty_dsn: str, data: Path, sql: str
) -> None:
    await _execute(empty_dsn, sql)
    conn = await asyncpg.connect(empty_dsn)
    query = "SELECT typname::text FROM pg_type WHERE typnamespace > 16384 OR oid > 16384 ORDER BY 1"
    before = await conn.fetch(query)
    response = cruddur(data, "migrate", CONNECTION_URL=empty_dsn)
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert "0001_cruddur failed and changed nothing" in line
    assert await conn.fetch(query) == before
    await conn.close()


@pytest.mark.parametrize("command", ["seed", "sweep", "rotate-key", "serve"])
async def test_hardening_24_an_empty_database_is_one_line(
    empty_dsn: str, data: Path, command: str
) -> None:
    response = cruddur(data, command, CONNECTION_URL=empty_dsn)
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert "run `cruddur migrate`" in line


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://u:secret@127.0.0.1:1/cruddur", "127.0.0.1:1"),
        ("postgresql://u:secret@nowhere.invalid/cruddur", "nowhere.invalid:5432"),
        ("postgresql://u:secret@127.0.0.1:1,127.0.0.1:2/cruddur", "127.0.0.1:1, 127.0.0.1:2"),
        ("postgresql:///cruddur?host=/nonexistent", "the socket in /nonexistent"),
    ],
)
@pytest.mark.parametrize(
    "command", [["migrate"], ["serve"], ["serve", "--workers", "2"]], ids=lambda c: " ".join(c)
)
def test_hardening_24_an_unreachable_database_is_named(
    data: Path, command: list[str], url: str, named: str
) -> None:
    response = cruddur(data, *command, CONNECTION_URL=url)
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert named in line
    assert "secret" not in response.stderr + response.stdout


@pytest.fixture
async def forwarder(dsn: str) -> AsyncIterator[tuple[int, Callable[[], None]]]:
    """A TCP port that leads to the server's socket, and how to close it."""
    path = f"{unquote(dsn.partition('host=')[2])}/.s.PGSQL.5432"
    writers: set[asyncio.StreamWriter] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            while block := await reader.read(65536):
                writer.write(block)
        finally:
            writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(path)
        await asyncio.gather(copy(reader, back), copy(there, writer), return_exceptions=True)

    server = await asyncio.start_server(forward, "127.0.0.1", 0)

    def close() -> None:
        server.close()
        for writer in writers:
            writer.transport.abort()

    yield server.sockets[0].getsockname()[1], close
    close()


async def test_hardening_24_a_worker_names_the_database_that_it_has_lost(
    serve: Serve, dsn: str, forwarder: tuple[int, Callable[[], None]]
) -> None:
    port, close = forwarder
    url = f"postgresql://postgres@127.0.0.1:{port}/{dsn.partition('@/')[2].partition('?')[0]}"
    running = serve("--workers", "2", CONNECTION_URL=url)
    await asyncio.to_thread(running.wait)
    close()
    async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(trust_env=False) as http:
        while f"127.0.0.1:{port}" not in running.log.read_text().partition("Running on")[2]:
            await http.get(f"{running.url}/api/ready")
    assert await asyncio.to_thread(running.stop) == 0


COGNITO = {
    "AWS_COGNITO_USER_POOL_ID": "us-east-1_x",
    "AWS_COGNITO_USER_POOL_CLIENT_ID": "x",
    "AWS_COGNITO_ENDPOINT_URL": "http://127.0.0.1:9",
}


@pytest.mark.parametrize(
    ("environment", "identity"),
    [
        (
            {},
            rf"local accounts; try andrewbrown with the password {PASSWORD} \(codes as log lines\)",
        ),
        (
            {"SMTP_URL": "smtp://127.0.0.1:9"},
            rf"local accounts; try .* {PASSWORD} \(codes by mail\)",
        ),
        (COGNITO, r"Cognito user pool us-east-1_x \(codes by Cognito\)"),
        (
            {"CRUDDUR_DEMO_HANDLE": "andrewbrown"},
            r"local accounts; requests without a token act as andrewbrown \(codes as log lines\)",
        ),
        (
            {"CRUDDUR_DEMO_HANDLE": "worf"},
            r"local accounts; requests without a token are refused, as there is no user worf .*",
        ),
    ],
    ids=["local", "mail", "cognito", "demo", "no demo"],
)
def test_hardening_24_the_banner_is_accurate(
    serve: Serve, dsn: str, environment: dict[str, str], identity: str
) -> None:
    running = serve("--setup", CONNECTION_URL=dsn, LOG_FORMAT="text", **environment).wait()
    assert running.stop() == 0
    banner = running.log.read_text()
    assert re.search(rf"^Identity   {identity}$", banner, re.MULTILINE), banner
    assert re.search(r"^Database   PostgreSQL at the socket in /\S+/test_\w+$", banner, re.M), (
        banner
    )


def test_hardening_24_the_hint_for_missing_extras_works_from_a_clone(
    data: Path, tmp_path: Path
) -> None:
    response = _without_extras(data, Path(__file__).parents[2] / "backend")
    assert (
        response
        == 'cruddur: watchtower and rollbar are not installed: make run EXTRAS="aws rollbar"'
    )


def test_hardening_24_the_hint_for_missing_extras_works_from_a_package(
    data: Path, tmp_path: Path
) -> None:
    shutil.copytree(Path(__file__).parents[2] / "backend" / "cruddur", tmp_path / "cruddur")
    response = _without_extras(data, tmp_path)
    # An environment may also have the distribution `cruddur`.
    assert re.search(r"pip install 'cruddur(-service)?\[aws,rollbar\]'", response), response
    assert "make" not in response


def _without_extras(data: Path, package: Path) -> str:
    """Return the message of `serve` if the libraries of two required extras are missing."""
    code = (
        "import importlib.util as u, runpy, sys; find = u.find_spec;"
        "u.find_spec = lambda n, *a: None if n in {'watchtower', 'rollbar'} else find(n, *a);"
        "sys.argv = ['cruddur', 'serve'];"
        "runpy.run_module('cruddur', run_name='__main__')"
    )
    response = subprocess.run(
        [sys.executable, "-c", code],
        env=environment_of(
            data,
            PYTHONPATH=str(package),
            PORT=str(free_port()),
            CRUDDUR_CLOUDWATCH_LOG_GROUP="x",
            ROLLBAR_ACCESS_TOKEN="x",
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    return line
