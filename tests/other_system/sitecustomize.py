"""Take from Python what it lacks on Windows, in each process with this folder in PYTHONPATH.

The names are those that Python's documentation calls unavailable there. What remains different:
paths, the console, how sockets and processes behave, and `sys.platform`, on which Python itself
depends. As root, what PostgreSQL needs to run as another user remains, too.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil  # it uses what is removed below, as the other modules here do
import signal
import socket
import subprocess
import sys
import types
from asyncio.selector_events import BaseSelectorEventLoop
from typing import Any

IS_ROOT = os.geteuid() == 0
MODULES = ("fcntl", "grp", "resource", "termios", "tty", "uvloop", *([] if IS_ROOT else ["pwd"]))
SIGNALS = ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
SYSTEM = ("O_DIRECTORY", "O_NOCTTY", "fork", "getloadavg", "killpg", "nice", "setsid", "sysconf")
USERS = () if IS_ROOT else ("chown", "geteuid", "getuid", "setgid", "setgroups", "setuid")


def pair_of_sockets(*_: Any) -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets of loopback, as Python makes them on Windows."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        first = socket.create_connection(listener.getsockname())
        second, _ = listener.accept()
        return first, second


class Process(subprocess.Popen[Any]):
    """Refuses what cannot be passed to a process on Windows."""

    def __init__(self, *args: Any, **options: Any) -> None:
        if options.get("preexec_fn") is not None and not IS_ROOT:
            raise ValueError("preexec_fn is not supported on Windows platforms")
        if options.get("pass_fds"):
            raise ValueError("pass_fds not supported on Windows")
        super().__init__(*args, **options)

    def send_signal(self, sig: int) -> None:
        if sig not in {signal.SIGTERM, signal.SIGKILL}:  # `terminate` and `kill` use these
            raise ValueError(f"Unsupported signal: {sig}")
        super().send_signal(sig)


def not_implemented(*_: Any) -> None:
    raise NotImplementedError


def locking(descriptor: int, mode: int, size: int) -> None:
    """Lock bytes at the position of a file, and fail if another process has locked them."""
    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, size, 0, os.SEEK_CUR)


def main() -> None:
    assert shutil
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment]  # the import then fails
    locks = types.ModuleType("msvcrt")
    locks.__dict__.update(locking=locking, LK_NBLCK=2)
    sys.modules["msvcrt"] = locks
    for module, names in ((signal, SIGNALS), (os, (*SYSTEM, *USERS)), (socket, ("AF_UNIX",))):
        for name in names:
            with contextlib.suppress(AttributeError):
                delattr(module, name)
    socket.socketpair = pair_of_sockets
    subprocess.Popen = Process  # type: ignore[misc]  # for all modules
    for loop in (BaseSelectorEventLoop, asyncio.SelectorEventLoop):
        loop.add_signal_handler = not_implemented  # type: ignore[method-assign]  # as above
        loop.add_reader = not_implemented  # type: ignore[method-assign]  # as above


main()
