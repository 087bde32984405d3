"""Start `cruddur` in processes that are forked from one that has imported its modules.

The imports take most of the CPU time of a start, and are the same for every process. Each process
has its own arguments, environment and output, and exits as an interpreter does.
"""

import atexit
import ctypes
import multiprocessing
import multiprocessing.connection
import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from cruddur.settings.library_variables import prefer_stable_conventions

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["cruddur.cli.main", "cruddur.process.application", __name__])
_lock = threading.Lock()  # a start also polls the processes of other threads
_PR_SET_PDEATHSIG = 1


class Forked:
    """A forked process, with the methods of `subprocess.Popen` that tests use."""

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        stdout: Path,
        stderr: Path | None = None,
    ) -> None:
        """Start `python -m cruddur` with arguments.

        Args:
            arguments: the arguments of the command line.
            environment: its whole environment.
            stdout: the file for standard output.
            stderr: the file for standard error; by default, it goes to standard output.
        """
        self._process = _context.Process(
            target=_run,
            args=(list(arguments), dict(environment), stdout, stderr),
            daemon=True,  # it ends with the tests
        )
        with _lock:
            self._process.start()
        self.args = ["cruddur", *arguments]

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or None while it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        with _lock:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has exited and return the exit code."""
        multiprocessing.connection.wait([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal unless it has exited."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def _run(
    arguments: list[str], environment: dict[str, str], stdout: Path, stderr: Path | None
) -> None:
    if sys.platform == "linux":  # the server of the forks ends with the tests, however they end
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for descriptor, path in ((1, stdout), (2, stderr or stdout)):
        with path.open("a") as output:
            os.dup2(output.fileno(), descriptor)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    prefer_stable_conventions()  # as the imports do
    sys.argv = ["cruddur", *arguments]
    try:
        runpy.run_module("cruddur", run_name="__main__", alter_sys=True)
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # as at the end of an interpreter
        atexit._run_exitfuncs()
