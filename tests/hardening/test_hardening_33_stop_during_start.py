"""A signal ends the service at any moment of its start, also as PID 1, and nothing is left behind.

If a moment is too short to hit, the start is paused there: by a module that blocks when it is
imported, or by a database that does not answer. The pause lasts a minute, so only the signal can
end it.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from cruddur.db.migrate import LOCK, migrate
from processes import START_SECONDS, STOP_SECONDS, Running, Serve, cruddur, environment_of
from support import free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

HOLD = """
import sys, time
from pathlib import Path
class Hold:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            Path({reached!r}).touch()
            # Python handles a signal that arrives just before a sleep after it.
            for _ in range(6000):
                time.sleep(0.01)
sys.meta_path.insert(0, Hold())
"""


WAITERS = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE NOT granted AND datname = current_database()
"""


@pytest.fixture
def hold(tmp_path: Path) -> Callable[[str], tuple[Path, str]]:
    """Block every process when it imports a module; a file then exists."""

    def make(module: str) -> tuple[Path, str]:
        folder = tmp_path / "held"
        folder.mkdir()
        reached = folder / "reached"
        (folder / "sitecustomize.py").write_text(HOLD.format(module=module, reached=str(reached)))
        return reached, str(folder)

    return make


def begin(command: list[str], data: Path, folder: Path, **environment: str) -> Running:
    """Start a command."""
    port, log = free_port(), folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            env=environment_of(data, PORT=str(port), **environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return Running(process, port, log)


def until(holds: Callable[[], object], running: Running) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < deadline, running.log.read_text()
        time.sleep(0.005)


def processes_of(data: Path) -> list[str]:
    """Return the command lines of all processes that refer to a data directory."""
    found = []
    for path in Path("/proc").iterdir():
        try:
            if path.name.isdigit():
                line = (path / "cmdline").read_bytes() + (path / "environ").read_bytes()
                if os.fsencode(data) in line or os.readlink(path / "cwd").startswith(str(data)):
                    found.append((path / "cmdline").read_text())
        except OSError:
            continue
    return found


def nothing_is_left(data: Path) -> None:
    """Wait until no process of a data directory is left."""
    deadline = time.monotonic() + STOP_SECONDS
    while left := processes_of(data):
        assert time.monotonic() < deadline, left
        time.sleep(0.01)
    assert not (data / "postgres" / "data" / "postmaster.pid").exists()


@contextmanager
def silent_after(connections: int, path: str) -> Iterator[str]:
    """A database that answers a number of connections and stays silent on later ones."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        clients: list[socket.socket] = []
        servers: list[socket.socket] = []

        def copy(source: socket.socket, target: socket.socket) -> None:
            with contextlib.suppress(OSError):  # the process under test was ended
                while data := source.recv(65536):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                clients.append(client)
                if len(clients) > connections:
                    continue
                server = socket.socket(socket.AF_UNIX)
                servers.append(server)
                server.connect(path)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=copy, args=ends, daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for end in (*clients, *servers):
                end.close()


@pytest.mark.parametrize(
    ("options", "number"), [((), signal.SIGINT), (("--workers", "2"), signal.SIGTERM)]
)
def test_hardening_33_a_signal_ends_a_start_that_loads_the_application(
    serve: Serve,
    dsn: str,
    hold: Callable[[str], tuple[Path, str]],
    number: int,
    options: tuple[str, ...],
) -> None:
    reached, path = hold("cruddur.app")
    running = serve(*options, PYTHONPATH=path, CONNECTION_URL=dsn)
    until(reached.exists, running)
    assert running.stop(number) == 0, running.log.read_text()
    assert "Traceback" not in running.log.read_text()


def test_hardening_33_sigterm_ends_a_process_that_imports_its_commands(
    serve: Serve, data: Path, hold: Callable[[str], tuple[Path, str]]
) -> None:
    reached, path = hold("click")
    running = serve(PYTHONPATH=path)
    until(reached.exists, running)
    assert running.stop(signal.SIGTERM) == 128 + signal.SIGTERM
    assert running.log.read_text() == ""
    nothing_is_left(data)


@pytest.mark.parametrize(("command", "code"), [("serve", 0), ("migrate", 128 + signal.SIGTERM)])
def test_hardening_33_sigterm_ends_initdb(
    data: Path, tmp_path: Path, command: str, code: int
) -> None:
    running = begin([sys.executable, "-m", "cruddur", command], data, tmp_path)
    until((data / "postgres" / "data.new").exists, running)
    assert running.stop(signal.SIGTERM) == code
    assert running.log.read_text() == ""
    nothing_is_left(data)
    assert cruddur(data, "migrate").returncode == 0, (
        "the next start initializes the directory again"
    )


def test_hardening_33_sigterm_ends_the_start_of_the_embedded_server(
    prepared_data: Path, serve: Serve
) -> None:
    running = serve()
    until((prepared_data / "postgres" / "data" / "postmaster.pid").exists, running)
    assert running.stop(signal.SIGTERM) == 0
    assert "Traceback" not in running.log.read_text()
    nothing_is_left(prepared_data)


async def test_hardening_33_sigterm_ends_a_migration_that_waits_for_another(
    serve: Serve, make_database: Callable[..., object]
) -> None:
    dsn = str(await make_database(of=None))  # type: ignore[misc]  # a coroutine function
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute("SELECT pg_advisory_lock($1)", LOCK)
        running = serve("--setup", CONNECTION_URL=dsn)
        async with asyncio.timeout(START_SECONDS):
            while not await conn.fetchval(WAITERS):
                pass
        assert await asyncio.to_thread(running.stop, signal.SIGTERM) == 0
    finally:
        await conn.close()
    await migrate(dsn)


@pytest.mark.parametrize("answered", [0, 1])
def test_hardening_33_sigterm_ends_a_start_that_waits_for_a_silent_database(
    serve: Serve, dsn: str, answered: int
) -> None:
    folder = dsn.partition("host=")[2]
    name = dsn.partition("@/")[2].partition("?")[0]
    with silent_after(answered, f"{folder}/.s.PGSQL.5432") as address:
        running = serve(CONNECTION_URL=f"postgresql://postgres@{address}/{name}?sslmode=disable")
        port = int(address.partition(":")[2])
        until(lambda: connections(running.process.pid, port) and is_idle(running), running)
        assert running.stop(signal.SIGTERM) == 0
    assert "Traceback" not in running.log.read_text()


def connections(pid: int, port: int) -> int:
    """How many connections a process has to a port of this machine."""
    table = Path(f"/proc/{pid}/net/tcp").read_text()
    return sum(f":{port:04X} 01" in line for line in table.splitlines())


def is_idle(running: Running) -> bool:
    """Return whether the process waits, and has written everything that precedes that."""
    stat = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    return stat[0] == "S"


@pytest.mark.parametrize("module", ["click", "cruddur.app"])
@pytest.mark.skipif(shutil.which("unshare") is None, reason="util-linux is not installed")
def test_hardening_33_sigterm_ends_a_start_as_the_first_process(
    data: Path, tmp_path: Path, hold: Callable[[str], tuple[Path, str]], module: str
) -> None:
    isolated = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*isolated, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not make a process namespace")
    reached, path = hold(module)
    command = [*isolated, sys.executable, "-m", "cruddur", "serve"]
    running = begin(command, data, tmp_path, PYTHONPATH=path)
    until(reached.exists, running)
    pid = running.process.pid
    os.kill(int(Path(f"/proc/{pid}/task/{pid}/children").read_text()), signal.SIGTERM)
    code = running.process.wait(STOP_SECONDS)
    assert code == (128 + signal.SIGTERM if module == "click" else 0), running.log.read_text()
    nothing_is_left(data)
