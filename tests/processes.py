"""Run `cruddur` as users do: as a process with its own environment."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from cruddur.settings import declared_variables
from forked import Forked
from patience import PATIENCE
from support import free_port

START_SECONDS = 60
STOP_SECONDS = PATIENCE


RUNTIME_VARIABLES = {"PATH", "HOME", "SSL_CERT_FILE", *declared_variables()} - {"OTEL_PROPAGATORS"}
"""Variables without an effect on imports. With any other variable, a process is not forked."""

Process = subprocess.Popen[str] | Forked


@dataclass
class Running:
    """A running `cruddur serve`."""

    process: Process
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> "Running":
        """Wait until the service is ready."""
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(trust_env=False, verify=False) as http:  # loads no certificates
            while time.monotonic() < deadline:
                assert self.process.poll() is None, self.log.read_text()
                try:
                    if http.get(f"{self.url}/api/ready").status_code == 200:
                        return self
                except httpx.TransportError:
                    pass
                time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


Serve = Callable[..., Running]


def cruddur(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command until it ends."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        process = start_command(arguments, environment_of(data, **environment), output, errors)
        try:
            code = process.wait(START_SECONDS)
        finally:
            process.kill()
        return subprocess.CompletedProcess(
            process.args, code, output.read_text(), errors.read_text()
        )


def start_command(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    output: Path,
    errors: Path | None = None,
    *,
    may_fork: bool = True,
) -> Process:
    """Start `cruddur` with arguments.

    Args:
        arguments: the arguments of the command line.
        environment: its whole environment.
        output: the file for standard output.
        errors: the file for standard error; by default, it goes to `output`.
        may_fork: whether the process may have been forked after the imports. It then has the
            command line of another process, and the first part of its start takes no time.
    """
    if may_fork and environment.keys() <= RUNTIME_VARIABLES:
        for path in (output, errors or output):  # so that it can be read at once
            path.touch()
        return Forked(arguments, environment, stdout=output, stderr=errors)
    with output.open("w") as stdout, (errors or output).open("a") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "cruddur", *arguments],
            env=environment,
            stdout=stdout,
            stderr=stderr if errors else subprocess.STDOUT,
            text=True,
        )


@contextmanager
def services(folder: Path, data: Path) -> Iterator[Serve]:
    """Yield a function that starts `cruddur serve`; stop all that still run at the end.

    Args:
        folder: the folder for the output of each service.
        data: the data directory of all services.
    """
    started: list[Running] = []

    def serve(*options: str, may_fork: bool = True, **environment: str) -> Running:
        port = free_port()
        log = folder / f"log-{len(started)}"
        process = start_command(
            ("serve", *options),
            environment_of(data, PORT=str(port), **environment),
            log,
            may_fork=may_fork,
        )
        started.append(Running(process, port, log))
        return started[-1]

    try:
        yield serve
    finally:
        for running in started:
            if running.process.poll() is None:
                running.stop()


def inherited() -> dict[str, str]:
    """Return the variables that a process needs that tests start with an environment of its own.

    The process loads one certificate, as the tests do. COVERAGE_PROCESS_CONFIG is set by
    `make coverage` only: such a process measures its coverage, too. The service fetches no previews
    from the internet.
    """
    names = ("PATH", "HOME", "SSL_CERT_FILE", "COVERAGE_PROCESS_CONFIG")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    return {**environment, "CRUDDUR_PREVIEWS": "off"}


def environment_of(data: Path, **more: str) -> dict[str, str]:
    return {**inherited(), "CRUDDUR_DATA_DIRECTORY": str(data), "PORT": str(free_port()), **more}


def kill_session(session: int) -> None:
    """Kill every process of a session. Only Linux lists them."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rpartition(")")[2].split()[3]) == session:
                os.kill(int(path.parent.name), signal.SIGKILL)
        except OSError:  # it has just ended
            continue


def make_clone(directory: Path) -> Path:
    """Copy what `make run` needs to a directory that uses this environment's libraries."""
    root = Path(__file__).parents[1]
    directory.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(root / name, directory)
    for name in ("backend", "requirements"):
        # The compiled modules are copied too; a temporary one may be renamed meanwhile.
        ignored = shutil.ignore_patterns("*.pyc.*", "*.egg-info")
        shutil.copytree(root / name, directory / name, ignore=ignored)
    venv.create(directory / ".venv", symlinks=True)
    [packages] = (directory / ".venv" / "lib").glob("python*/site-packages")
    (packages / "clone.pth").write_text(
        f"{directory / 'backend'}\n{sysconfig.get_path('purelib')}\n"
    )
    (directory / ".venv" / ".run").touch()
    return directory


def clone_environment(**more: str) -> dict[str, str]:
    """Return the environment of `make` in a clone, with the default data directory."""
    return inherited() | more
