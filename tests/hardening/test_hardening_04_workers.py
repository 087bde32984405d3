"""Several workers: one that dies is replaced, and SIGHUP reloads them one after another."""

import asyncio
import os
import pty
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from fakes.otlp import OtlpSink
from processes import START_SECONDS, Running, Serve, environment_of, services
from support import free_port
from telemetry.serving import patient

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def workers(running: Running) -> set[int]:
    """Return the worker processes of `cruddur serve`."""
    children = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children")
    return {pid for pid in map(int, children.read_text().split()) if _is_worker(pid)}


def _is_worker(pid: int) -> bool:
    try:
        return b"cruddur.process.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def until(holds: Callable[[], object], running: Running) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < deadline, running.log.read_text()
        time.sleep(0.02)


def serving(running: Running) -> set[int]:
    """Return the processes that have logged that they serve and have not ended."""
    said = re.findall(r"worker (\d+) serves", running.log.read_text())
    return set(map(int, said)) & workers(running)


@dataclass(frozen=True)
class Pair:
    """A service with two workers, and a module that every new process imports."""

    running: Running
    module: Path


@pytest.fixture(scope="module")
def _pair(worker_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    module = folder / "shadow" / "sitecustomize.py"
    module.parent.mkdir()
    module.touch()
    with services(folder, folder / "data") as serve:
        path = str(module.parent)
        running = serve("--workers", "2", CONNECTION_URL=worker_dsn, PYTHONPATH=path)
        yield Pair(running, module)
        assert running.stop(signal.SIGTERM) == 0
        assert "Traceback" not in running.log.read_text()


@pytest.fixture
def pair(_pair: Pair) -> Pair:
    """A service with two workers that serve; the test leaves it so."""
    until(lambda: len(serving(_pair.running)) == 2, _pair.running)
    return _pair


def test_hardening_04_a_killed_worker_is_replaced_and_the_others_keep_serving(pair: Pair) -> None:
    """A worker that keeps dying is replaced with growing delays."""
    running = pair.running
    before = len(running.log.read_text())
    victim, other = sorted(serving(running))
    victims = []
    with httpx.Client(base_url=running.url, trust_env=False) as http:
        for _ in range(3):
            victims.append(victim)
            os.kill(victim, signal.SIGKILL)
            # Until then it may accept a connection, which ends with it.
            until(lambda gone=victim: gone not in workers(running), running)
            while len(serving(running)) < 2:
                response = http.get("/api/health-check", headers={"Connection": "close"})
                assert response.status_code == 200
                time.sleep(0.02)
            [victim] = serving(running) - {other}
    found = re.findall(
        r"worker (\d+) was ended by SIGKILL: the next one starts in ([\d.]+) s",
        running.log.read_text()[before:],
    )
    assert found == list(zip(map(str, victims), ["0.5", "1", "2"], strict=True))


async def test_hardening_04_sighup_replaces_every_worker_and_loses_no_request(pair: Pair) -> None:
    running = pair.running
    before = serving(running)
    statuses: list[int] = []
    running.process.send_signal(signal.SIGHUP)

    async def visit() -> None:
        async with httpx.AsyncClient(base_url=running.url, trust_env=False) as http:
            while serving(running) & before or len(serving(running)) < 2:
                response = await http.get("/api/activities/home", headers={"Connection": "close"})
                statuses.append(response.status_code)
                await asyncio.sleep(0.02)

    async with asyncio.timeout(START_SECONDS), asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(visit())
    assert set(statuses) == {200}
    assert not workers(running) & before


def test_hardening_04_a_reload_that_cannot_start_keeps_the_old_workers(pair: Pair) -> None:
    running = pair.running
    before = serving(running)
    pair.module.write_text(
        "import os, sys\nif 'cruddur.process.worker' in sys.orig_argv: os._exit(3)\n"
    )
    running.process.send_signal(signal.SIGHUP)
    until(lambda: "the reload ends here" in running.log.read_text(), running)
    pair.module.write_text("")
    assert serving(running) == before
    assert httpx.get(f"{running.url}/api/ready").status_code == 200


def test_hardening_04_workers_that_cannot_start_end_the_service_with_one_line(
    serve: Serve, prepared_data: Path, tmp_path: Path
) -> None:
    package = tmp_path / "sitecustomize.py"
    package.write_text("import os, sys\nif 'cruddur.process.worker' in sys.orig_argv: os._exit(3)")
    running = serve("--workers", "2", PYTHONPATH=str(tmp_path))
    assert running.process.wait(START_SECONDS) == 1
    given_up = [line for line in running.log.read_text().splitlines() if "giving up" in line]
    assert len(given_up) == 1
    assert "ended with exit code 3" in given_up[0]
    assert not (prepared_data / "postgres" / "data" / "postmaster.pid").exists()


def test_hardening_04_the_exit_code_shows_a_worker_that_died_while_stopping(
    serve: Serve, dsn: str
) -> None:
    running = serve("--workers", "2", CONNECTION_URL=dsn).wait()
    until(lambda: len(serving(running)) == 2, running)
    victim, _ = serving(running)
    os.kill(victim, signal.SIGSTOP)  # so that it does not stop by itself
    running.process.send_signal(signal.SIGTERM)
    until(lambda: len(workers(running)) == 1, running)
    os.kill(victim, signal.SIGKILL)
    assert running.process.wait(START_SECONDS) == 1
    assert f"worker {victim} was ended by SIGKILL" in running.log.read_text()


def test_hardening_04_every_worker_flushes_its_telemetry_when_the_service_stops(
    serve: Serve, dsn: str, tmp_path: Path
) -> None:
    with OtlpSink() as sink:
        running = serve(
            "--workers", "2",
            CONNECTION_URL=dsn,
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            OTEL_BSP_SCHEDULE_DELAY="3600000",
            **patient(tmp_path),
        ).wait()  # fmt: skip
        until(lambda: len(serving(running)) == 2, running)
        answered = 20
        for _ in range(answered):
            httpx.get(f"{running.url}/api/activities/home")
        assert running.stop(signal.SIGTERM) == 0
        names = [span.name for span in sink.spans]
    assert names.count("GET /api/activities/home") == answered


def test_hardening_04_a_single_worker_logs_sighup_and_keeps_serving(serve: Serve, dsn: str) -> None:
    running = serve(CONNECTION_URL=dsn).wait()
    running.process.send_signal(signal.SIGHUP)
    until(lambda: "a single worker cannot be reloaded" in running.log.read_text(), running)
    assert httpx.get(f"{running.url}/api/ready").status_code == 200
    assert running.stop() == 0


@pytest.mark.parametrize("options", [(), ("--workers", "2")])
def test_hardening_04_a_closed_terminal_stops_the_service(
    prepared_data: Path, options: tuple[str, ...]
) -> None:
    port = free_port()
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup, for example, ignores it
        os.execve(
            sys.executable,
            [sys.executable, "-m", "cruddur", "serve", *options],
            environment_of(prepared_data, PORT=str(port), LOG_FORMAT="json"),
        )
    written = b""
    while b"Running on" not in written:
        written += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.WIFEXITED(status), "any exit code is fine: the last lines could not be written"
    assert not (prepared_data / "postgres" / "data" / "postmaster.pid").exists()


def test_hardening_04_the_reloader_serves_a_file_that_changed(
    serve: Serve, dsn: str, tmp_path: Path
) -> None:
    package = tmp_path / "cruddur_watched.py"
    package.write_text("")
    (tmp_path / "sitecustomize.py").write_text("import cruddur_watched")
    running = serve("--reload", CONNECTION_URL=dsn, PYTHONPATH=str(tmp_path)).wait()
    [before] = serving(running)
    os.utime(package, (time.time() + 5, time.time() + 5))
    until(lambda: serving(running) and before not in workers(running), running)
    assert httpx.get(f"{running.url}/api/ready").status_code == 200
    assert running.stop() == 0
