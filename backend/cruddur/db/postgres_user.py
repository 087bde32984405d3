"""The system user of PostgreSQL's processes, for a service that runs as root.

PostgreSQL refuses to run as root, so its processes then run as a system user. On Linux, that user
gets one capability: to pass through the folders above the data and the binaries, whose modes stay
as they are.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cruddur.operating_system import HAS_FORK

NAME = "cruddur-postgres"
"""The name of the user."""

_PATH_CAPABILITIES = (2, 1)  # CAP_DAC_READ_SEARCH; CAP_DAC_OVERRIDE where only that is held


class UserCreationError(Exception):
    """The user cannot be created; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class PostgresUser:
    """The numbers of the user and of its group."""

    uid: int
    gid: int

    def own(self, path: Path, *, follow_symlinks: bool = True) -> None:
        """Make this user the owner of a file or folder."""
        if sys.platform != "win32":
            os.chown(path, self.uid, self.gid, follow_symlinks=follow_symlinks)


def effective_uid() -> int:
    """Return the number of the user of this process; on Windows 0, as for all files."""
    if sys.platform == "win32" or not hasattr(os, "geteuid"):
        return 0
    return os.geteuid()


def required_user() -> PostgresUser | None:
    """Return the user that PostgreSQL must run as, after creating it; None for our own.

    Raises:
        UserCreationError: it does not exist and cannot be created.
    """
    if sys.platform == "win32" or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    import pwd

    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell=/usr/sbin/nologin"]
        try:
            subprocess.run(  # noqa: S603  # fixed words, no shell
                [*command, NAME], check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise UserCreationError(str(error)) from None
        entry = pwd.getpwnam(NAME)
    return PostgresUser(entry.pw_uid, entry.pw_gid)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]  # ctypes' own form


class _CapabilityData(ctypes.Structure):
    _fields_ = [  # ctypes' own form
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def before_exec(user: PostgresUser | None, *, follow: bool) -> Callable[[], None] | None:
    """Return what a child does before exec: become the user and keep the capability.

    With `follow`, the server shuts down when this process exits for any reason. The kernel watches
    the thread that started the server, so `follow` has no effect outside of the main thread.

    The numbers are from linux/prctl.h, linux/securebits.h and linux/capability.h. A program without
    file capabilities keeps only ambient capabilities (capabilities(7)). Without the securebit,
    access(2) ignores the capabilities of a user other than root, and initdb uses it to check that
    the programs exist. Returns None on systems without fork, where nothing can run before exec.
    """
    if sys.platform == "win32" or not (user or HAS_FORK):
        return None
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    follow = follow and threading.current_thread() is threading.main_thread()
    parent = os.getpid()

    def become(user: PostgresUser) -> None:
        if libc:
            libc.prctl(28, 1 << 2, 0, 0, 0)  # PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP
            libc.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)
        if libc is None:
            return
        for capability in _PATH_CAPABILITIES:
            if _keep_only(libc, 1 << capability):
                libc.prctl(47, 2, capability, 0, 0)  # PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE
                return
        _keep_only(libc, 0)  # setuid has not dropped them

    def prepare() -> None:
        os.umask(0o077)
        if user:
            become(user)
        if libc and follow:
            libc.prctl(1, signal.SIGINT, 0, 0, 0)  # PR_SET_PDEATHSIG, after setuid, which clears it
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _keep_only(libc: ctypes.CDLL, capabilities: int) -> bool:
    """Drop all capabilities except those of a mask; return whether that was possible."""
    header = _CapabilityHeader(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3
    kept = _CapabilityData(capabilities, capabilities, capabilities)
    data = (_CapabilityData * 2)(kept, _CapabilityData())
    return bool(libc.capset(ctypes.byref(header), data) == 0)
