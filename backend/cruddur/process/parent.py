"""Stop this process when its parent exits (`--follow-parent`, used by `make run`)."""

import os
import signal
import threading
import time
from pathlib import Path

POLL_SECONDS = 0.25


def follow_parent(parent: int) -> None:
    """Send this process SIGTERM as soon as the parent exits or is about to exit.

    Args:
        parent: the process id, passed by the parent itself: if the parent has already been killed,
            `os.getppid` returns another one.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    caught = _caught_signals(parent)
    # The kernel gives an orphan another parent, however its parent exited. When SIGINT or SIGHUP
    # ends GNU make, make restores the default action of the signal and waits for its children.
    while os.getppid() == parent and not caught & ~_caught_signals(parent):
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _caught_signals(process: int) -> int:
    """Return the mask of the signals that a process handles, or 0 if it is unknown."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    _, _, rest = status.partition("\nSigCgt:")
    return int(rest.split()[0], 16) if rest else 0
