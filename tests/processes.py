"""Run `cruddur` as users do: as a process with its own environment."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from support import free_port

START_SECONDS = 60
STOP_SECONDS = 10


@dataclass
class Running:
    """A running `cruddur serve`."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> "Running":
        """Wait until the service is ready."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if httpx.get(f"{self.url}/api/ready").status_code == 200:
                    return self
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)


Serve = Callable[..., Running]


def cruddur(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command until it ends."""
    return subprocess.run(
        [sys.executable, "-m", "cruddur", *arguments],
        env=environment_of(data, **environment),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def environment_of(data: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "CRUDDUR_DATA_DIRECTORY": str(data), "PORT": str(free_port()), **more}


def make_clone(directory: Path) -> Path:
    """Copy what `make run` needs to a directory that uses this environment's libraries."""
    root = Path(__file__).parents[1]
    directory.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(root / name, directory)
    for name in ("backend", "requirements"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
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
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | more
