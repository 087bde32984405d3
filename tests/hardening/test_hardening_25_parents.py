"""Processes of `make run` end with it; those of a process manager do not."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from processes import (
    START_SECONDS,
    Running,
    Serve,
    clone_environment,
    environment_of,
    make_clone,
)
from support import free_port

LEAVE_SECONDS = 60.0

Make = Callable[..., Running]


def _remaining(marks: tuple[str, ...]) -> list[str]:
    """The processes that have one of the marks in their command line or their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if command and any(m in command + _environment(process) for m in marks):
                found.append(f"{process.name}: {command}")
        except OSError:  # the process has just ended
            continue
    return found


def _environment(process: Path) -> str:
    try:
        return (process / "environ").read_bytes().decode(errors="replace")
    except PermissionError:
        return ""


def _wait_until_gone(*marks: str) -> None:
    deadline = time.monotonic() + LEAVE_SECONDS
    while remaining := _remaining(marks):
        assert time.monotonic() < deadline, remaining
        time.sleep(0.05)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clone(tmp_path_factory.mktemp("parents") / "clone")


@pytest.fixture
def make(clone: Path, tmp_path: Path) -> Iterator[Make]:
    """Run `make run` in the clone; kill the processes that remain."""
    started: list[subprocess.Popen[str]] = []

    def start(*command: str) -> Running:
        port = free_port()
        traces = f"127.0.0.1:{free_port()}"
        log = tmp_path / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [*command, "make", "run", "PAGE="],
                cwd=clone,
                env=clone_environment(PORT=str(port), CRUDDUR_TRACES_BIND=traces, CLONE=str(clone)),
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        started.append(process)
        return Running(process, port, log)

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL], ids=lambda n: n.name
)
def test_hardening_25_nothing_outlives_make(make: Make, clone: Path, number: int) -> None:
    running = make()
    running.wait()
    assert len(_remaining((str(clone),))) >= 4, "make, the service, the database, the traces page"
    running.process.send_signal(number)
    assert running.process.wait(START_SECONDS) != 0
    _wait_until_gone(str(clone))
    assert "Traceback" not in running.log.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_hardening_25_nothing_outlives_make_that_is_killed_while_the_service_starts(
    make: Make, clone: Path
) -> None:
    running = make()
    deadline = time.monotonic() + START_SECONDS
    while not any("-m cruddur" in line for line in _remaining((str(clone),))):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    running.process.kill()
    running.process.wait()
    _wait_until_gone(str(clone))


def test_hardening_25_the_service_is_told_which_make_it_follows(clone: Path) -> None:
    command = ["make", "--dry-run", "run", "PAGE="]
    process = subprocess.Popen(
        command, cwd=clone, env=clone_environment(), stdout=subprocess.PIPE, text=True
    )
    output, _ = process.communicate(timeout=START_SECONDS)
    assert output.rstrip().endswith(f" --follow-parent {process.pid}")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_hardening_25_nothing_outlives_a_service_that_is_killed(
    serve: Serve, prepared_data: Path, workers: str
) -> None:
    bind = f"127.0.0.1:{free_port()}"
    running = serve(
        "--workers", workers, "--traces", may_fork=False, CRUDDUR_TRACES_BIND=bind,
        LOG_FORMAT="json",
    ).wait()  # fmt: skip
    running.process.kill()
    running.process.wait()
    _wait_until_gone(str(prepared_data), bind)
    again = serve().wait()
    assert again.stop() == 0


def test_hardening_25_a_service_of_a_process_manager_outlives_its_parent(
    prepared_data: Path, tmp_path: Path
) -> None:
    port = free_port()
    log = tmp_path / "log"
    script = 'nohup setsid "$0" -m cruddur serve >"$1" 2>&1 & echo $!; exit'
    response = subprocess.run(
        ["sh", "-c", script, sys.executable, log],
        env=environment_of(prepared_data, PORT=str(port)),
        capture_output=True,
        text=True,
        check=True,
    )
    process = int(response.stdout)
    try:
        orphan = Running(_Alive(process), port, log)  # type: ignore[arg-type]  # the only attribute that is used
        orphan.wait()
    finally:
        os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + LEAVE_SECONDS
    while _Alive(process).poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


class _Alive:
    """A process that is not our child."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def poll(self) -> int | None:
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return 0
        return None
