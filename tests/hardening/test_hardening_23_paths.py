"""The data directory and PostgreSQL can have any characters in their paths."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from cruddur.db import embedded
from cruddur.db.embedded import EmbeddedPostgres
from processes import (
    START_SECONDS,
    Running,
    Serve,
    clone_environment,
    cruddur,
    make_clone,
)
from support import free_port

ODD = 'it\'s a "clone" in $HOME, \\ `id` 100%25#?&=@'


@pytest.mark.parametrize("name", [ODD, "x" * 150], ids=["odd", "long"])
def test_hardening_23_a_data_directory_may_have_any_path(
    serve: Serve, tmp_path: Path, name: str
) -> None:
    data = tmp_path / name / "data"
    running = serve(CRUDDUR_DATA_DIRECTORY=str(data)).wait()
    assert len(httpx.get(f"{running.url}/api/activities/home").json()) == 2
    assert cruddur(data, "migrate").stdout == "up to date\n", "by the same socket"
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()
    assert not (data / "postgres" / "data" / "postmaster.pid").exists()


def test_hardening_23_postgresql_may_lie_at_any_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binaries = embedded.find_binaries()
    package = binaries.parents[1]
    version = binaries.parent.name
    shutil.copytree(package / version, tmp_path / ODD / package.name / version, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, tmp_path / ODD / libraries.name)
    installed = tmp_path / ODD / binaries.relative_to(package.parent)
    monkeypatch.setattr(embedded, "find_binaries", lambda: installed)
    server = EmbeddedPostgres(tmp_path / "data", durable=False)
    server.start()
    try:
        server.create_database("works")
    finally:
        server.stop()


def test_hardening_23_make_runs_the_service_in_a_clone_at_any_path(tmp_path: Path) -> None:
    clone = make_clone(tmp_path / ODD)
    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["make", "run", "PAGE="],
            cwd=clone,
            env=clone_environment(PORT=str(port), CRUDDUR_TRACES_BIND=f"127.0.0.1:{free_port()}"),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        Running(process, port, log).wait()
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(START_SECONDS)
    assert (clone / ".local" / "postgres" / "data" / "PG_VERSION").exists()
    assert "Traceback" not in log.read_text()
