"""The service under attack, and measurements of its state.

An attack goes to this machine only: `Target` refuses any address that is not loopback.
"""

import asyncio
import os
import statistics
import time
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import httpx

HOME = "/api/activities/home"


class NotLoopbackError(Exception):
    """The URL does not point to this machine."""


@dataclass(frozen=True)
class Target:
    """A running service on a loopback address.

    Args:
        url: its origin, such as `http://127.0.0.1:4567`.

    Raises:
        NotLoopbackError: the host is not a loopback address.
    """

    url: str
    host: str = field(init=False)
    port: int = field(init=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        try:
            loopback = ip_address(host).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise NotLoopbackError(f"{self.url} is not a loopback address")
        object.__setattr__(self, "host", host)
        object.__setattr__(self, "port", parts.port or 80)

    def client(self, **options: object) -> httpx.AsyncClient:
        """Return an HTTP client for the service that ignores proxies."""
        settings = {"base_url": self.url, "trust_env": False, "timeout": 30.0} | options
        return httpx.AsyncClient(**settings)  # type: ignore[arg-type]  # httpx's own arguments

    def processes(self) -> list[int]:
        """Return the ids of the processes that listen on the port (Linux, own processes)."""
        sockets = set()
        for table in ("tcp", "tcp6"):
            path = Path("/proc/net", table)
            for line in path.read_text().splitlines()[1:] if path.exists() else []:
                columns = line.split()
                if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == self.port:
                    sockets.add(f"socket:[{columns[9]}]")
        return [pid for pid in _own_processes() if sockets & _open_files(pid)]


@dataclass(frozen=True)
class Figures:
    """Measurements of other clients and of the service at one moment."""

    home_ms: list[float]
    """Response times of the home feed, in milliseconds."""
    refused: int
    """Requests for the home feed that got no response or a status other than 200."""
    descriptors: int
    """Open file descriptors of all processes of the service."""
    megabytes: float
    """Resident memory of all of them."""

    def __str__(self) -> str:
        times = self.home_ms or [float("nan")]
        return (
            f"home {statistics.median(times):7.1f} ms median, {max(times):7.1f} ms at most, "
            f"{self.refused} of {len(self.home_ms) + self.refused} refused; "
            f"{self.descriptors} descriptors, {self.megabytes:.0f} MB"
        )


async def measure(target: Target, *, seconds: float = 2.0) -> Figures:
    """Request the home feed ten times a second, as an ordinary visitor.

    Args:
        target: the service.
        seconds: for how long.
    """
    times: list[float] = []
    refused = 0

    async def ask(client: httpx.AsyncClient) -> None:
        nonlocal refused
        start = time.perf_counter()
        try:
            response = await client.get(HOME)
        except httpx.HTTPError:
            refused += 1
            return
        if response.status_code == 200:
            times.append((time.perf_counter() - start) * 1000)
        else:
            refused += 1

    async with target.client() as client, asyncio.TaskGroup() as group:
        for _ in range(int(seconds * 10)):
            group.create_task(ask(client))
            await asyncio.sleep(0.1)
    processes = target.processes()
    return Figures(
        home_ms=times,
        refused=refused,
        descriptors=sum(len(_open_files(pid)) for pid in processes),
        megabytes=sum(_resident_megabytes(pid) for pid in processes),
    )


def _own_processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _open_files(pid: int) -> set[str]:
    """Return the targets of a process's descriptors; empty if it has ended or is not ours."""
    found = set()
    try:
        for number, entry in enumerate(Path(f"/proc/{pid}/fd").iterdir()):
            try:
                name = os.readlink(entry)
            except OSError:
                continue
            found.add(name if name.startswith("socket:") else f"{number} {name}")
    except OSError:
        return set()
    return found


def _resident_megabytes(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
