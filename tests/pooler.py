"""Run a real PgBouncer in front of the embedded server, in a given mode."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cruddur.db.postgres_user import before_exec, required_user
from support import free_port

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")


def version() -> tuple[int, ...]:
    """Return the version of PgBouncer; empty if it is not installed."""
    if PGBOUNCER is None:
        return ()
    shown = subprocess.run([PGBOUNCER, "--version"], capture_output=True, text=True, check=True)
    return tuple(map(int, shown.stdout.split()[1].split(".")))


KEEPS_STATEMENTS = version() >= (1, 21)
"""Whether prepared statements work in transaction mode."""


@contextmanager
def pooling(
    dsn: str, directory: Path, *, mode: str = "transaction", size: int = 4
) -> Iterator[str]:
    """Run PgBouncer in front of a database and yield the DSN that goes through it."""
    if PGBOUNCER is None:
        pytest.skip("pgbouncer is not installed")
    parts = urlsplit(dsn)
    port = free_port()
    users = directory / "users.txt"
    users.write_text('"postgres" ""\n')
    configuration = directory / "pgbouncer.ini"
    configuration.write_text(
        f"""
        [databases]
        {parts.path[1:]} = host={parse_qs(parts.query)["host"][0]} user=postgres
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = trust
        auth_file = {users}
        pool_mode = {mode}
        default_pool_size = {size}
        {"max_prepared_statements = 100" if KEEPS_STATEMENTS else ""}
        """.replace("\n        ", "\n")
    )
    log = (directory / "pgbouncer.log").open("w")
    # PgBouncer refuses to run as root, and needs access to the socket of the embedded server.
    user = required_user()
    process = subprocess.Popen(
        [PGBOUNCER, str(configuration)],
        stdout=log,
        stderr=log,
        preexec_fn=before_exec(user, follow=False),
    )
    try:
        _wait(port, process)
        yield f"postgresql://postgres@127.0.0.1:{port}{parts.path}"
    finally:
        process.terminate()
        process.wait()
        log.close()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    while True:
        assert process.poll() is None, "pgbouncer ended"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.01)
