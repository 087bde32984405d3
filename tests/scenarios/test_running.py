"""`make run SCENARIO=<name>`: its own database, its releases, and where it does not run."""

import asyncio
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from exploring import Explorer
from setuptools import find_packages

from processes import inherited
from support import count_rows
from telemetry.serving import served

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "scenarios")
VERSIONS = "from roots | count by resource.service.version"


async def test_a_scenario_has_its_own_database_and_deploys_its_releases(
    explorer: Explorer, make_database: Callable[..., Any], tmp_path: Path
) -> None:
    dsn = await make_database()
    name = urlsplit(dsn).path[1:]
    conn = await asyncpg.connect(dsn)
    try:
        with served(
            dsn,
            tmp_path,
            server=(*COMMAND, "since-the-release", "--release-after", "0.5"),
            PYTHONPATH=f"{ROOT}:{ROOT / 'tests'}",
            CRUDDUR_TRACES_BIND=urlsplit(explorer.url).netloc,
            OTEL_BSP_SCHEDULE_DELAY="50",
        ) as running:
            versions: set[str] = set()
            async with asyncio.timeout(30):
                while versions != {"0.2.9", "0.3.0"}:
                    # No request fails while one release takes over from the other.
                    response = await asyncio.to_thread(running.http.get, "/api/activities/@load_1")
                    assert response.status_code == 200
                    versions = {row[0] for row in await explorer.rows(VERSIONS)}
            assert await databases(conn, name) == {name, f"{name}_scenario"}
            assert await asyncio.to_thread(running.stop, signal.SIGINT)
        assert running.process.returncode == 0
        assert await databases(conn, name) == {name}
        assert await count_rows(conn, "users") == 0
    finally:
        await conn.close()


async def databases(conn: asyncpg.Connection, prefix: str) -> set[str]:
    """Return the databases whose names have a prefix."""
    rows = await conn.fetch(
        "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", prefix
    )
    return {row["datname"] for row in rows}


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("CRUDDUR_ENVIRONMENT", "production", "CRUDDUR_ENVIRONMENT=production"),
        ("CRUDDUR_BIND", "0.0.0.0", "loopback"),
    ],
)
def test_a_scenario_runs_in_development_only(variable: str, value: str, reason: str) -> None:
    done = subprocess.run(
        (*COMMAND, "slow-search"),
        cwd=ROOT,
        env={**inherited(), "PYTHONPATH": "tests", variable: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert reason in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_wheel_and_no_image_has_the_scenarios() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    [where] = project["tool"]["setuptools"]["packages"]["find"]["where"]
    assert (ROOT / "scenarios" / "__init__.py").exists()
    assert "scenarios" not in find_packages(str(ROOT / where))
    context = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert context[1] == "*"
    assert [line for line in context if line.startswith(("!scenarios", "!tests", "!."))] == []
