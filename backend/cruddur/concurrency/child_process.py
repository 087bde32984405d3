"""Run modules as child processes that convert bytes, with limits on their time and their output."""

import contextlib
import logging
import subprocess
import sys
import threading
from pathlib import Path

import cruddur
from cruddur.concurrency.thread_pool import BoundedThreadPool
from cruddur.errors import OverloadedError

logger = logging.getLogger(__name__)

_ROOT = Path(cruddur.__file__).parents[1]
_MAX_ERROR_BYTES = 64 * 1024


class ChildProcessFailedError(Exception):
    """The child process exited without a result.

    Attributes:
        code: its exit code; negative for the signal that ended it.
    """

    def __init__(self, code: int, text: str) -> None:
        """Set the exit code and the last line of standard error."""
        super().__init__(text or f"exit code {code}")
        self.code = code


class ChildProcess:
    """One run of a module of this package as a child process.

    `run` starts it with an exec right after the fork, because the service has threads and an event
    loop, whose state must not be copied.
    """

    def __init__(self, module: str, *arguments: str, seconds: float, max_bytes: int) -> None:
        """Prepare the child; nothing is started yet.

        Args:
            module: the full name of the module.
            arguments: its command line arguments.
            seconds: how long the process may run.
            max_bytes: maximum size of its output in bytes.
        """
        self._command = [sys.executable, "-m", module, *arguments]
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_killed = False

    def run(self, data: bytes) -> bytes:
        """Start the child, write the data to its input and return its output. Blocks.

        Raises:
            ChildProcessFailedError: it failed, took too long, returned too much or was killed.
            OSError: it could not be started.
        """
        with self._lock:
            if self._is_killed:
                raise ChildProcessFailedError(-9, "killed before its start")
            process = self._process = subprocess.Popen(  # noqa: S603  # a module of our own
                self._command,
                cwd=_ROOT,  # "-m" looks here first, wherever the service was started
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # the service handles Ctrl-C and kills its children
            )
        timer = threading.Timer(self._seconds, self.kill)
        timer.daemon = True
        timer.start()
        try:
            return self._result(process, data)
        finally:
            timer.cancel()
            process.kill()
            process.wait()

    def kill(self) -> None:
        """Kill the child, or prevent its start. Thread-safe."""
        with self._lock:
            self._is_killed = True
            if self._process is not None:
                self._process.kill()

    def _result(self, process: subprocess.Popen[bytes], data: bytes) -> bytes:
        stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
        if stdin is None or stdout is None or stderr is None:
            raise RuntimeError("Popen created no pipes")
        with stdout, stderr:
            # If a child exits early, its exit code shows why.
            with contextlib.suppress(BrokenPipeError), stdin:
                stdin.write(data)
            result = stdout.read(self._max_bytes + 1)
            if len(result) > self._max_bytes:
                raise ChildProcessFailedError(0, "it returned too much")
            lines = stderr.read(_MAX_ERROR_BYTES).decode(errors="replace").splitlines()
        if code := process.wait():
            raise ChildProcessFailedError(code, lines[-1] if lines else "")
        return result


class ChildProcessQueue:
    """Runs child processes one at a time, and limits the number of callers that wait."""

    def __init__(self, name: str, *, waiting: int) -> None:
        """Set the limit; threads and processes start when they are needed.

        Args:
            name: names the process in the log.
            waiting: maximum number of callers that wait.
        """
        self._name = name
        self._threads = BoundedThreadPool(name, threads=1, waiting=waiting)
        self._children: set[ChildProcess] = set()
        self._is_closed = False

    async def run(
        self, module: str, *arguments: str, data: bytes, seconds: float, max_bytes: int
    ) -> bytes:
        """Run a child process and return its output. If the caller is cancelled, it is killed.

        Args:
            module, arguments, seconds, max_bytes: see `ChildProcess`.
            data: its input.

        Raises:
            ChildProcessFailedError: it failed, took too long or returned too much.
            OverloadedError: the queue is full or closed, or the process cannot be started.
        """
        child = ChildProcess(module, *arguments, seconds=seconds, max_bytes=max_bytes)
        self._children.add(child)
        try:
            return await self._threads.run(child.run, data)
        except OSError as error:  # no memory, or too many processes
            logger.warning("the %s did not start: %s", self._name, error)
            raise OverloadedError from error
        except ChildProcessFailedError as error:
            if self._is_closed:
                raise OverloadedError from error
            if error.code < 0:  # a limit was reached, or it crashed
                logger.warning("the %s was killed by signal %d", self._name, -error.code)
            raise
        finally:
            self._children.discard(child)
            child.kill()

    def close(self) -> None:
        """Kill the running process and drop the callers that wait."""
        self._is_closed = True
        for child in self._children:
            child.kill()
        self._threads.close()
