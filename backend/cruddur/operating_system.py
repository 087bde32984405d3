"""What operating systems do differently: Linux, macOS and Windows.

Each function checks for what it uses, instead of for a system. Windows has no `fork`, no limits of
processes, fewer signals and no uvloop, and Python cannot listen on Unix sockets there.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import IO, TYPE_CHECKING

HAS_UNIX_SOCKETS = hasattr(socket, "AF_UNIX")
"""Whether servers can listen on Unix sockets."""

HAS_FORK = hasattr(os, "fork")
"""Whether child processes inherit descriptors, and handle signals."""

NEW_PROCESS_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
"""Creation flag for children that must not receive the Ctrl-C of our console. Systems without it
start a session for them."""

UNLIMITED = (
    "this operating system cannot limit the memory of the programs that read pictures and linked"
    " pages: they are only stopped after a few seconds"
)

_LOCKED_BYTE = 1 << 30  # beyond the text of the file: Windows lets no other process read it


def limitations() -> tuple[str, ...]:
    """Return what this system cannot do for the safety of the service, one sentence each."""
    return (UNLIMITED,) if _resource() is None else ()


def event_loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what creates the event loop of uvloop; without uvloop None, which means asyncio's."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _resource() -> ModuleType | None:
    """Return the module for limits and usage of processes; None on Windows, which has none."""
    try:
        return import_module("resource")
    except ImportError:
        return None


def cpu_seconds() -> tuple[float, float]:
    """Return the processor time of this process, in user mode and in system mode."""
    if (resource := _resource()) is None:
        times = os.times()
        return times.user, times.system
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime, usage.ru_stime


def max_open_files() -> int | None:
    """Return how many files this process may open; None if there is no limit."""
    if (resource := _resource()) is None:
        return None
    soft: int
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def raise_open_files_limit() -> None:
    """Raise the soft limit of open files, usually 1,024, to the hard limit."""
    if resource := _resource():
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def try_to_lock(file: IO[str]) -> bool:
    """Lock an open file until it is closed; return whether no other process has locked it."""
    try:
        import fcntl
    except ImportError:
        return _try_to_lock_byte(file)
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_to_lock_byte(file: IO[str]) -> bool:
    """Lock a file as Windows does it."""
    if TYPE_CHECKING and sys.platform != "win32":
        return False
    import msvcrt

    os.lseek(file.fileno(), _LOCKED_BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    finally:
        os.lseek(file.fileno(), 0, os.SEEK_SET)
    return True
