"""Keep worker processes running: replace those that die, and reload them one after another.

The supervisor holds the listening sockets and shares them with its workers, so a connection
that arrives while a worker is replaced waits for another one. A socket pair connects each
worker to the supervisor: the worker writes one byte when it serves, and reads end of file if the
supervisor is killed. Each worker reads the environment itself, so that a reload
picks up changed secret files. The supervisor passes the settings that it has changed on the
worker's standard input.
"""

import contextlib
import logging
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from cruddur.process.signals import StopSignals

logger = logging.getLogger(__name__)

SERVING = b"s"
"""The byte that a worker writes to its supervisor once it accepts connections."""

MAX_FAILED_STARTS = 3
"""Consecutive failed starts after which the supervisor gives up, if no other worker serves."""

MIN_DELAY_SECONDS = 0.5
"""Seconds before a worker that died is replaced; doubled for each consecutive failure."""

MAX_DELAY_SECONDS = 30.0

STABLE_SECONDS = 60.0
"""Time of serving in seconds after which the delay for a replacement is reset."""

WATCH_SECONDS = 1.0
"""Interval in seconds between two checks for changed files."""


@dataclass(eq=False, slots=True)
class _Worker:
    """A worker process.

    Attributes:
        generation: how many reloads preceded it.
        attempt: one more than the number of consecutive failures before it.
        served_at: when it began to serve; None while it starts.
        stop_by: when it is killed; None until it is asked to stop.
    """

    process: subprocess.Popen[bytes]
    control: socket.socket
    generation: int
    attempt: int
    served_at: float | None = None
    stop_by: float | None = None


@dataclass(order=True, slots=True)
class _Start:
    """A planned start of a worker."""

    at: float
    attempt: int = field(compare=False)


class Supervisor:
    """Runs workers until a signal asks it to stop."""

    def __init__(
        self,
        signals: StopSignals,
        listeners: Sequence[socket.socket],
        *,
        overrides: Mapping[str, object],
        workers: int,
        stop_seconds: float,
        has_changed: Callable[[], bool] | None = None,
    ) -> None:
        """Configure the supervisor; `run` starts the workers.

        Args:
            signals: the handled signals of this process.
            listeners: the listening sockets that all workers accept connections from.
            overrides: the settings of the workers that differ from the environment.
            workers: how many workers should serve.
            stop_seconds: how long a worker may take to stop before it is killed.
            has_changed: called every second; if it returns True, the workers are reloaded. For
                development.
        """
        self._signals = signals
        self._listeners = listeners
        self._overrides = msgspec.json.encode(overrides)
        self._count = workers
        self._stop_seconds = stop_seconds
        self._has_changed = has_changed
        self._workers: list[_Worker] = []
        self._planned_starts: list[_Start] = [_Start(0.0, 1) for _ in range(workers)]
        self._generation = 0
        self._is_stopping = False
        self._exit_code = 0
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Supervise until SIGINT, SIGTERM or too many failed starts; return the exit code.

        The code is 0 only if every worker stopped cleanly and in time.
        """
        with self._selector, self._waking():
            try:
                with self._signals.listening(self._stop, self._reload):
                    while not self._is_stopping or self._workers:
                        self._step()
                        self._wait()
                        self._reap()
            finally:
                for worker in self._workers:
                    worker.process.kill()
                    worker.process.wait()
        return self._exit_code

    @contextlib.contextmanager
    def _waking(self) -> Iterator[None]:
        """Wake the selector when a signal arrives or a worker ends."""
        if sys.platform == "win32":
            raise NotImplementedError("serve() does not start a supervisor there")
        wake, woken = socket.socketpair()
        with wake, woken:
            wake.setblocking(False)
            woken.setblocking(False)
            self._selector.register(woken, selectors.EVENT_READ, (woken, None))
            handler = signal.signal(signal.SIGCHLD, lambda *_: None)
            descriptor = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
            try:
                yield
            finally:
                signal.set_wakeup_fd(descriptor)
                signal.signal(signal.SIGCHLD, handler)

    def _stop(self) -> None:
        self._is_stopping = True

    def _reload(self) -> None:
        self._generation += 1

    def _step(self) -> None:
        """Start and stop the workers that are due."""
        now = time.monotonic()
        for worker in self._workers:
            if worker.stop_by is not None and worker.stop_by <= now:
                logger.error("worker %d did not stop in time: killed", worker.process.pid)
                worker.process.kill()
                worker.stop_by = float("inf")
        remaining = [worker for worker in self._workers if worker.stop_by is None]
        if self._is_stopping:
            for listener in self._listeners:
                listener.close()  # so that new clients are refused instead of waiting
            for worker in remaining:
                self._end(worker)
            return
        while self._planned_starts and self._planned_starts[0].at <= now:
            self._start(self._planned_starts.pop(0).attempt)
        if self._planned_starts or any(worker.served_at is None for worker in self._workers):
            return
        if len(remaining) < len(self._workers):
            return  # replace one worker at a time
        outdated = [worker for worker in remaining if worker.generation != self._generation]
        if len(remaining) > self._count:
            self._end(outdated[0])
        elif outdated:
            logger.info("replacing worker %d", outdated[0].process.pid)
            self._start(attempt=1)

    def _start(self, attempt: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptors = [sock.fileno() for sock in (theirs, *self._listeners)]
            process = subprocess.Popen(  # noqa: S603  # our own program
                [sys.executable, "-m", "cruddur.process.worker", *map(str, descriptors)],
                pass_fds=descriptors,
                stdin=subprocess.PIPE,
                start_new_session=True,  # a terminal's Ctrl-C is for the supervisor
            )
        if process.stdin is not None:
            # The worker may have ended already; then it is replaced as usual.
            with contextlib.suppress(BrokenPipeError), process.stdin:
                process.stdin.write(self._overrides)
        worker = _Worker(process, ours, self._generation, attempt)
        self._selector.register(ours, selectors.EVENT_READ, (ours, worker))
        self._workers.append(worker)

    def _end(self, worker: _Worker) -> None:
        worker.process.terminate()
        worker.stop_by = time.monotonic() + self._stop_seconds

    def _wait(self) -> None:
        """Wait until a signal arrives, a worker serves or ends, or the next deadline."""
        deadlines = [worker.stop_by for worker in self._workers if worker.stop_by is not None]
        deadlines += [start.at for start in self._planned_starts if not self._is_stopping]
        timeout = min(deadlines, default=float("inf")) - time.monotonic()
        if self._has_changed is not None:
            timeout = min(timeout, WATCH_SECONDS)
        ready = self._selector.select(None if timeout == float("inf") else max(0.0, timeout))
        for key, _ in ready:
            source, worker = key.data
            received = source.recv(4096)
            if worker is not None:
                self._selector.unregister(source)
                if received == SERVING:
                    worker.served_at = time.monotonic()
                    logger.info("worker %d serves", worker.process.pid)
        if self._has_changed is not None and self._has_changed():
            logger.info("files have changed: reloading")
            self._reload()

    def _reap(self) -> None:
        """Remove the workers that have ended and plan their replacements."""
        ended = [worker for worker in self._workers if worker.process.poll() is not None]
        for worker in ended:
            self._workers.remove(worker)
            if worker.control in self._selector.get_map():
                self._selector.unregister(worker.control)
            worker.control.close()
            if worker.stop_by is None and not self._is_stopping:
                self._replace(worker)
            elif worker.process.returncode not in {0, -signal.SIGTERM}:
                logger.error("worker %d %s", worker.process.pid, _outcome(worker.process))
                self._exit_code = 1

    def _replace(self, worker: _Worker) -> None:
        pid, outcome = worker.process.pid, _outcome(worker.process)
        if len(self._workers) + len(self._planned_starts) >= self._count:
            logger.error("worker %d %s before it served: the reload ends here", pid, outcome)
            for other in self._workers:
                other.generation = self._generation
            return
        attempt = worker.attempt + 1
        if worker.served_at is None:
            if worker.attempt >= MAX_FAILED_STARTS and not self._any_worker_serves():
                logger.critical("worker %d %s before it served: giving up", pid, outcome)
                self._is_stopping, self._exit_code = True, 1
                return
        elif time.monotonic() - worker.served_at >= STABLE_SECONDS:
            attempt = 2
        delay = min(MAX_DELAY_SECONDS, MIN_DELAY_SECONDS * 2 ** (attempt - 2))
        logger.error("worker %d %s: the next one starts in %g s", pid, outcome, delay)
        self._planned_starts = sorted(
            [*self._planned_starts, _Start(time.monotonic() + delay, attempt)]
        )

    def _any_worker_serves(self) -> bool:
        return any(worker.served_at is not None for worker in self._workers)


def _outcome(process: subprocess.Popen[bytes]) -> str:
    """Describe how a process ended."""
    if process.returncode < 0:
        return f"was ended by {signal.Signals(-process.returncode).name}"
    return f"ended with exit code {process.returncode}"
