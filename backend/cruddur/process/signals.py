"""Handle the signals that stop or reload the process, from its start to its end.

Python runs a signal handler between any two instructions of the main thread, so our handlers
only record the signal and call the current listener, which wakes or interrupts one operation.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

STOP = tuple(
    signal.Signals[name]
    for name in ("SIGINT", "SIGTERM", "SIGBREAK")  # Windows has the last one: Ctrl-Break
    if hasattr(signal, name)
)

CANCEL_SECONDS = 1.0
"""Time for a cancelled coroutine to clean up before it is cancelled again."""


class StoppedError(BaseException):
    """A signal has asked the process to stop; not an `Exception`, so that no import catches it."""


class StopSignals:
    """The stop and reload signals of this process."""

    def __init__(self) -> None:
        """Create the state; `install` sets the handlers."""
        self.number: int | None = None
        self._on_stop: Callable[[], object] = _ignore
        self._on_reload: Callable[[], object] = _ignore
        self._has_terminal = False

    @property
    def is_stopping(self) -> bool:
        """Whether a signal has asked the process to stop."""
        return self.number is not None

    def check(self) -> None:
        """Raise StoppedError if a signal has asked the process to stop."""
        if self.is_stopping:
            raise StoppedError

    def install(self) -> None:
        """Handle SIGINT, SIGTERM and SIGHUP from now on."""
        for number in STOP:
            signal.signal(number, lambda number, _: self._stop(number))
        if sys.platform == "win32" or not hasattr(signal, "SIGHUP"):
            return
        self._has_terminal = signal.getsignal(signal.SIGHUP) == signal.SIG_DFL and _has_terminal()
        signal.signal(signal.SIGHUP, lambda number, _: self._hang_up(number))

    @contextmanager
    def listening(
        self, on_stop: Callable[[], object], on_reload: Callable[[], object] | None = None
    ) -> Iterator[None]:
        """Call these functions when signals arrive.

        Args:
            on_stop: called for each SIGINT and SIGTERM, and at once if one arrived earlier.
            on_reload: called for each SIGHUP.
        """
        previous = self._on_stop, self._on_reload
        self._on_stop, self._on_reload = on_stop, on_reload or _ignore
        try:
            if self.is_stopping:
                on_stop()
            yield
        finally:
            self._on_stop, self._on_reload = previous

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Raise StoppedError in the block when a signal arrives, at any instruction.

        Use it for imports, which hold no resources that need a clean-up.
        """
        with self.listening(self.check):
            yield
        self.check()  # code that ran at that moment may have caught the error

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine as asyncio.run does, and cancel it when a signal arrives.

        Raises:
            StoppedError: it was cancelled.
        """

        async def cancellable() -> T:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()

            def cancel() -> None:
                if task is not None:
                    task.cancel()
                loop.call_later(CANCEL_SECONDS, cancel)

            with self.listening(lambda: loop.call_soon_threadsafe(cancel)):
                return await main

        runner = asyncio.Runner()
        try:
            return runner.run(cancellable())
        except (Exception, asyncio.CancelledError):
            self.check()
            raise
        finally:
            if not self.is_stopping:  # it would wait for threads, such as a DNS lookup
                runner.close()

    def _stop(self, number: int) -> None:
        self.number = number
        self._on_stop()

    def _hang_up(self, number: int) -> None:
        """Reload, or stop if the signal means that our terminal was closed."""
        if self._has_terminal and not _has_terminal():
            self._stop(number)
        else:
            self._on_reload()


def _ignore() -> None:
    """Do nothing."""


def _has_terminal() -> bool:
    """Whether the process has a controlling terminal that is still open."""
    if sys.platform == "win32":
        return False
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
