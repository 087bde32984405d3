"""Find and stop the processes that decode pictures."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from patience import PATIENCE


def decoders(ancestor: int) -> list[int]:
    """The processes that decode pictures for a process or for a worker of it."""
    parents, found = {}, []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            status = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)] = int(status[1])
        if b"cruddur.process.picture" in command:
            found.append(int(entry.name))
    return [pid for pid in found if ancestor in (parents[pid], parents.get(parents[pid]))]


def is_limited(pid: int) -> bool:
    """Return whether a decoder has finished its setup."""
    try:
        return Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"
    except OSError:
        return False


async def until(condition: Callable[[], Any]) -> Any:
    """Wait until the function returns a true value, and return that."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.002)
    return found


STOPPING = """
import os, signal, sys

def stop(event, arguments):
    if event == "import" and arguments[0] == "PIL" and os.path.exists({flag!r}):
        os.unlink({flag!r})
        os.kill(os.getpid(), signal.SIGSTOP)

if "cruddur.process.picture" in sys.orig_argv:
    sys.addaudithook(stop)
"""
"""A site customization that stops the first decoder after its setup."""


def first_stops(folder: Path) -> dict[str, str]:
    """Return the environment of a service whose first decoder never ends by itself."""
    flag = folder / "decoder-stops"
    flag.touch()
    (folder / "sitecustomize.py").write_text(STOPPING.format(flag=str(flag)))
    return {"PYTHONPATH": str(folder)}


async def frozen(parent: int) -> int:
    """Wait until the first decoder of a process has stopped itself; see `first_stops`."""

    def stopped() -> list[int]:
        return [pid for pid in decoders(parent) if _state(pid) == "T"]

    [pid] = await until(stopped)
    return int(pid)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:  # it has ended
        return ""
