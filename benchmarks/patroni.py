"""A cluster of Patroni on this machine: etcd, and members that run the wheel's PostgreSQL."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from benchmarks.servers import HOST, free_port, wait
from cruddur.db.embedded import find_binaries
from cruddur.db.postgres_user import PostgresUser, before_exec, required_user
from outage import children

PROGRAMS = ("etcd", "patroni", "patronictl")
"""The programs that have to be installed; on Debian, `patroni`, `etcd-server`, `python3-etcd`."""

MEMBERS = ("db-a", "db-b", "db-c")

TIMES = {"ttl": 10, "loop_wait": 2, "retry_timeout": 3}
"""Seconds. A member that disappears keeps the leader key for at most `ttl`. Patroni requires
loop_wait + 2 * retry_timeout <= ttl."""

PARAMETERS = {
    # As few as possible: etcd and three servers share this machine with the service.
    "max_connections": 100,
    "shared_buffers": "32MB",
    # Three machines have a disk each. Here all flushes would share one. A killed process loses
    # nothing that it has written, because the operating system keeps it.
    "fsync": "off",
    "wal_keep_size": "256MB",
    "wal_log_hints": "on",  # pg_rewind needs it
    # A standby and its primary notice a dead peer that closes no connection.
    "wal_receiver_timeout": "5s",
    "wal_sender_timeout": "5s",
    "tcp_user_timeout": "5s",
}

START_SECONDS = 90.0


def missing_programs() -> list[str]:
    """Return the programs that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class Member:
    """One member: its Patroni, which starts and supervises its PostgreSQL."""

    def __init__(self, name: str, directory: Path, user: PostgresUser | None) -> None:
        self.name = name
        self.directory = directory / name
        self.port, self.api_port = free_port(), free_port()
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def api(self) -> str:
        """The address of Patroni's REST API."""
        return f"http://{HOST}:{self.api_port}"

    def prepare(self, settings: Mapping[str, Any]) -> None:
        """Write the configuration. Patroni reads YAML, and JSON is YAML."""
        self.directory.mkdir()
        self._file.write_text(json.dumps(settings, indent=1))
        if self._user is not None:
            for path in (self.directory, self._file):
                self._user.own(path)

    def start(self) -> None:
        """Start Patroni."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["patroni", str(self._file)],
                cwd="/",
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=before_exec(self._user, follow=False),
            )

    def kill(self) -> None:
        """Kill Patroni and every process of its PostgreSQL: their connections break."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        self._process = None

    def freeze(self) -> None:
        """Stop the same processes with SIGSTOP: their connections stay open, and are silent."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the processes continue."""
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """Stop Patroni, which stops its PostgreSQL."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()

    def role(self) -> str:
        """Return the role that Patroni reports: master, replica, or an empty text if it is down."""
        try:
            answer = httpx.get(f"{self.api}/patroni", timeout=2, trust_env=False).json()
        except (httpx.TransportError, ValueError):
            return ""
        return str(answer.get("role", "")) if answer.get("state") == "running" else ""

    @property
    def log(self) -> str:
        """Patroni's and PostgreSQL's log."""
        return (self.directory / "log").read_text(errors="replace")

    @property
    def _file(self) -> Path:
        return self.directory / "patroni.yml"

    def _signal(self, number: int) -> None:
        assert self._process is not None
        pids = [self._process.pid]
        with suppress(OSError, ValueError, IndexError):  # PostgreSQL does not run
            postmaster = int((self.directory / "data" / "postmaster.pid").read_text().split()[0])
            pids += [postmaster, *children(postmaster)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


class Cluster:
    """Members and their etcd."""

    def __init__(self, directory: Path, *, synchronous: bool) -> None:
        self._directory = directory
        self._synchronous = synchronous
        self._user = required_user()
        self._etcd: subprocess.Popen[bytes] | None = None
        self._etcd_port = free_port()
        self.members = [Member(name, directory, self._user) for name in MEMBERS]

    def url(self, database: str) -> str:
        """Return a URL that names every member."""
        hosts = ",".join(f"{HOST}:{member.port}" for member in self.members)
        return (
            f"postgresql://postgres:postgres@{hosts}/{database}"
            "?sslmode=disable&target_session_attrs=read-write"
        )

    def start(self) -> None:
        """Start etcd and the first member, then the others."""
        self._start_etcd()
        for member in self.members:
            member.prepare(self._settings(member))
        first, *others = self.members
        first.start()
        self.wait_for({first: ("master", "primary")})
        for member in others:
            member.start()
        self.wait_until_complete()

    def stop(self) -> None:
        """Stop everything."""
        for member in self.members:
            member.stop()
        if self._etcd is not None:
            self._etcd.terminate()
            self._etcd.wait(10)

    def primary(self) -> Member:
        """Return the member that is the primary."""
        [found] = [one for one in self.members if one.role() in {"master", "primary"}]
        return found

    def states(self) -> list[dict[str, Any]]:
        """Return what Patroni reports of each member: role, state, timeline and lag."""
        for member in self.members:
            try:
                answer = httpx.get(f"{member.api}/cluster", timeout=2, trust_env=False).json()
            except httpx.TransportError:
                continue
            return list(answer.get("members", ()))
        return []

    def wait_until_complete(self) -> None:
        """Wait until every member runs, streams and, if so configured, one is synchronous."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            states = self.states()
            roles = {one["role"] for one in states}
            ready = [one for one in states if one["state"] in {"running", "streaming"}]
            lags = [one.get("lag", 0) for one in states if one["role"] != "leader"]
            is_synchronous = "sync_standby" in roles or not self._synchronous
            if (
                len(ready) == len(self.members)
                and "leader" in roles
                and is_synchronous
                and lags == [0] * len(lags)
            ):
                return
            time.sleep(0.2)
        logs = "\n".join(f"{member.name}\n{member.log[-3000:]}" for member in self.members)
        raise RuntimeError(f"the cluster is not complete: {self.states()}\n{logs}")

    def wait_for(self, roles: Mapping[Member, tuple[str, ...]]) -> None:
        """Wait until members have one of their roles."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if all(member.role() in accepted for member, accepted in roles.items()):
                return
            time.sleep(0.1)
        raise RuntimeError("\n".join(member.log[-3000:] for member in roles))

    def switch_over(self) -> subprocess.CompletedProcess[str]:
        """Switch over to the synchronous standby, or to any other."""
        states = self.states()
        leader = next(one["name"] for one in states if one["role"] == "leader")
        others = sorted(
            (one for one in states if one["role"] != "leader"),
            key=lambda one: one["role"] != "sync_standby",
        )
        return subprocess.run(
            [
                "patronictl", "-c", str(self.members[0].directory / "patroni.yml"),
                "switchover", "--master", leader, "--candidate", others[0]["name"], "--force",
                "cruddur",
            ],
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip

    def _start_etcd(self) -> None:
        peer = f"http://{HOST}:{free_port()}"
        client = f"http://{HOST}:{self._etcd_port}"
        self._etcd = subprocess.Popen(
            [
                "etcd", "--name", "drill", "--data-dir", str(self._directory / "etcd"),
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", f"drill={peer}", "--unsafe-no-fsync",
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self._directory / "etcd.log").open("w"),
            start_new_session=True,
        )  # fmt: skip
        wait(self._etcd, self._etcd_port)

    def _settings(self, member: Member) -> dict[str, Any]:
        """Return a member's configuration."""
        user = {"username": "postgres", "password": "postgres"}
        return {
            "scope": "cruddur",
            "name": member.name,
            "restapi": {
                "listen": f"{HOST}:{member.api_port}",
                "connect_address": f"{HOST}:{member.api_port}",
            },
            "etcd3": {"host": f"{HOST}:{self._etcd_port}"},
            "bootstrap": {
                "dcs": {
                    **TIMES,
                    "synchronous_mode": self._synchronous,
                    "maximum_lag_on_failover": 1048576,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "use_slots": True,
                        "parameters": PARAMETERS,
                    },
                },
                "initdb": [
                    {"encoding": "UTF8"},
                    {"locale-provider": "builtin"},
                    {"builtin-locale": "C.UTF-8"},
                    "no-sync",
                ],
            },
            "postgresql": {
                "listen": f"{HOST}:{member.port}",
                "connect_address": f"{HOST}:{member.port}",
                "data_dir": str(member.directory / "data"),
                "bin_dir": str(find_binaries()),
                "pgpass": str(member.directory / "pgpass"),
                "authentication": {
                    "superuser": user,
                    "replication": {"username": "replicator", "password": "replicator"},
                },
                "parameters": {"unix_socket_directories": str(member.directory)},
                "pg_hba": [
                    "local all all trust",
                    f"host replication replicator {HOST}/32 scram-sha-256",
                    f"host all all {HOST}/32 scram-sha-256",
                ],
            },
        }


@contextmanager
def running(directory: Path, *, synchronous: bool) -> Iterator[Cluster]:
    """Run a cluster."""
    cluster = Cluster(directory, synchronous=synchronous)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
