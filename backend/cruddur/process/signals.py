"""Signals that ask the process to stop or to reload, from its start to its end.

Python runs a signal handler between any two instructions of the main thread, so our handlers
only note the signal and call the current listener, which wakes or interrupts one step.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOP = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """The stop and reload signals of this process."""

    def __init__(self) -> None:
        """Handle nothing yet; `install` does."""
        self.is_stopping = False
        self._on_stop: Callable[[], object] = _ignore
        self._on_reload: Callable[[], object] = _ignore
        self._has_terminal = False

    def install(self) -> None:
        """Handle SIGINT, SIGTERM and SIGHUP from now on."""
        self._has_terminal = signal.getsignal(signal.SIGHUP) == signal.SIG_DFL and _has_terminal()
        for number in STOP:
            signal.signal(number, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, lambda *_: self._hang_up())

    @contextmanager
    def listening(
        self, on_stop: Callable[[], object], on_reload: Callable[[], object] | None = None
    ) -> Iterator[None]:
        """Have the signals call these functions.

        Args:
            on_stop: called for each SIGINT and SIGTERM, and at once if one arrived earlier.
            on_reload: called for each SIGHUP.
        """
        before = self._on_stop, self._on_reload
        self._on_stop, self._on_reload = on_stop, on_reload or _ignore
        try:
            if self.is_stopping:
                on_stop()
            yield
        finally:
            self._on_stop, self._on_reload = before

    def _stop(self) -> None:
        self.is_stopping = True
        self._on_stop()

    def _hang_up(self) -> None:
        """Reload, unless the signal means that our terminal was closed: then stop."""
        if self._has_terminal and not _has_terminal():
            self._stop()
        else:
            self._on_reload()


def _ignore() -> None:
    """Do nothing."""


def _has_terminal() -> bool:
    """Whether the process has a controlling terminal that is still open."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
