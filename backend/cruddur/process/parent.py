"""Stopping with the process that started this one, where it asks for that (`make run`)."""

import os
import signal
import threading
import time
from pathlib import Path

POLL_SECONDS = 0.25


def follow_parent(parent: int) -> None:
    """Send this process SIGTERM as soon as the parent ends or is about to end.

    Args:
        parent: the process id that the parent has told. Asking for it here would be too late for
            a parent that was killed meanwhile.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    caught = _caught_signals(parent)
    # An orphan is given to another process, however its parent ended. GNU make waits for its
    # children when SIGINT or SIGHUP ends it, and no longer catches that signal then.
    while os.getppid() == parent and not caught & ~_caught_signals(parent):
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _caught_signals(process: int) -> int:
    """The mask of the signals that a process handles; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    _, _, rest = status.partition("\nSigCgt:")
    return int(rest.split()[0], 16) if rest else 0
