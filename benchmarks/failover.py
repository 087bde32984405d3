"""`make drill`: lose the primary of a Patroni cluster and switch over, under load.

etcd and three members of Patroni run on this machine, and the service with two workers and all
members in CONNECTION_URL. Meanwhile a member posts cruds, as the page does with an Idempotency-Key,
clients read home, and streams of home and of Following stay open and resume with Last-Event-ID.

1. The primary disappears: its Patroni and its PostgreSQL are killed. With `--silent` they are
   stopped instead, so that their connections stay open.
2. It returns as a standby.
3. `patronictl switchover` makes the synchronous standby the primary.

With `--haproxy`, the service knows one address, behind which HAProxy finds the primary by Patroni's
REST API (deploy/haproxy/postgres.cfg).

Prints how long writes and reads were interrupted, and what was lost, with the goals. The exit code
is 1 if a goal is missed. Synchronous replication loses no acknowledged write; the asynchronous
variant reports what it lost without a goal. It needs `patroni`, `etcd-server` and `python3-etcd` of
Debian.

    PYTHONPATH=tests python -m benchmarks.failover [--short] [--asynchronous] [--haproxy] [--silent]
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle, pairwise
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import msgspec

import proxy
from benchmarks import patroni
from benchmarks.servers import HOST, OURS, free_port, serving
from cruddur.concurrency.tasks import cancel_tasks
from cruddur.db.migrate import migrate
from cruddur.identity.keys import KeyRing, new_signing_key
from cruddur.identity.tokens import ISSUER, issue
from cruddur.settings.database_url import driver_url
from fakes.otlp import OtlpSink, Span

WORKERS = 2
DATABASE = "cruddur"
HOME, FOLLOWING = "/api/activities/home", "/api/activities/following"

FAILOVER_SECONDS = 15.0
"""Goal: the longest time without an acknowledged write after the loss of the primary."""

SWITCH_SECONDS = 3.0
"""Goal: the longest time that a write takes during a planned switch-over."""

CLIENT_SECONDS = 30.0
DELIVERY_SECONDS = 20.0


@dataclass(frozen=True)
class Size:
    """The amounts: cruds a second, reads a second, streams of each kind, and calm seconds before
    and after each step."""

    writes: float = 20.0
    reads: float = 10.0
    home_streams: int = 6
    following_streams: int = 3
    calm: float = 5.0


SHORT = Size(writes=10.0, reads=5.0, home_streams=2, following_streams=1, calm=2.0)


@dataclass(frozen=True)
class Outcome:
    """One request. Times are on the monotonic clock.

    Attributes:
        start, end: its start and its end.
        status: the status; 0 if there was no response.
        trace_id: the id of its trace; empty if there was no response.
        uuid: of the crud that was created.
    """

    start: float
    end: float
    status: int
    trace_id: str
    uuid: str = ""

    @property
    def is_success(self) -> bool:
        return self.status == 200

    @property
    def seconds(self) -> float:
        return self.end - self.start


class Crud(msgspec.Struct):
    """What is used of a crud."""

    uuid: str


@dataclass
class Reader:
    """A stream that reconnects as EventSource does.

    Attributes:
        received: how often each crud arrived as an event.
        loaded: cruds that were read again after a `reset`, as the page does.
        connections, resets: how often it was opened, and how often it had to start again.
    """

    http: httpx.AsyncClient
    path: str
    reload_path: str
    received: Counter[str] = field(default_factory=Counter)
    loaded: set[str] = field(default_factory=set)
    connections: int = 0
    resets: int = 0
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    _last_id: str = ""
    _pause: float = 1.0

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
            try:
                async with self.http.stream("GET", self.path, headers=headers) as response:
                    if response.status_code == 200:
                        self.connections += 1
                        await self._read(response)
            except httpx.TransportError:
                pass
            await asyncio.sleep(self._pause)

    async def _read(self, response: httpx.Response) -> None:
        event, data = "", ""
        async for line in response.aiter_lines():
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name if line else "":
                case "event":
                    event = value
                case "data":
                    data += value
                case "id":
                    self._last_id = value
                    self.opened.set()
                case "retry":
                    self._pause = int(value) / 1000
                case "" if not line:
                    await self._take(event, data)
                    event, data = "", ""

    async def _take(self, event: str, data: str) -> None:
        if event == "crud":
            self.received[msgspec.json.decode(data, type=Crud).uuid] += 1
        elif event == "reset":
            self.resets += 1
            page = await self.http.get(self.reload_path)
            if page.status_code == 200:
                self.loaded |= {x.uuid for x in msgspec.json.decode(page.content, type=list[Crud])}

    def has(self, uuid: str) -> bool:
        """Whether the client shows a crud."""
        return uuid in self.received or uuid in self.loaded


class Load:
    """Writes, reads and streams, and their outcomes."""

    def __init__(self, url: str, writer: str, follower: str, size: Size) -> None:
        self.size = size
        self.writes: list[Outcome] = []
        self.reads: list[Outcome] = []
        self._url = url
        self._writer = {"Authorization": f"Bearer {writer}"}
        self._follower = {"Authorization": f"Bearer {follower}"}
        self.streams: list[Reader] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the load; at exit, wait for the requests and the deliveries of what was written."""
        async with (
            self._client(self._writer) as writer,
            self._client(self._follower) as follower,
            self._client({}) as visitor,
        ):
            reads = cycle(((visitor, HOME), (follower, HOME), (follower, FOLLOWING)))
            self.streams = [
                *(Reader(visitor, "/api/stream", HOME) for _ in range(self.size.home_streams)),
                *(
                    Reader(follower, "/api/stream?feed=following", FOLLOWING)
                    for _ in range(self.size.following_streams)
                ),
            ]
            open_streams = [asyncio.create_task(stream.run()) for stream in self.streams]
            await asyncio.gather(*(stream.opened.wait() for stream in self.streams))
            requests: set[asyncio.Task[None]] = set()
            load = [
                asyncio.create_task(_at_rate(rate, requests, start))
                for rate, start in (
                    (self.size.writes, lambda: self._write(writer)),
                    (self.size.reads, lambda: self._read(*next(reads))),
                )
            ]
            try:
                yield
                await cancel_tasks(*load)
                await asyncio.gather(*requests)
                await self._delivered()
            finally:
                await cancel_tasks(*load, *requests, *open_streams)

    def acknowledged(self) -> list[str]:
        """Return the uuids of the cruds whose creation was acknowledged."""
        return [write.uuid for write in self.writes if write.is_success]

    async def _delivered(self) -> None:
        deadline = time.monotonic() + DELIVERY_SECONDS
        written = self.acknowledged()
        while time.monotonic() < deadline:
            if all(stream.has(uuid) for stream in self.streams for uuid in written):
                return
            await asyncio.sleep(0.1)

    def _client(self, headers: dict[str, str]) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self._url,
            headers=headers,
            timeout=httpx.Timeout(CLIENT_SECONDS, read=CLIENT_SECONDS),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            trust_env=False,
        )

    async def _write(self, http: httpx.AsyncClient) -> None:
        draft = {"message": f"Crud {len(self.writes)} {uuid4()}", "ttl": "1-hour"}
        headers = {"Idempotency-Key": str(uuid4())}
        self.writes.append(await _ask(http, "POST", "/api/activities", json=draft, headers=headers))

    async def _read(self, http: httpx.AsyncClient, path: str) -> None:
        self.reads.append(await _ask(http, "GET", path))


async def _ask(http: httpx.AsyncClient, method: str, path: str, **more: object) -> Outcome:
    start = time.monotonic()
    try:
        response = await http.request(method, path, **more)  # type: ignore[arg-type]  # as given
    except httpx.TransportError:
        return Outcome(start, time.monotonic(), 0, "")
    end = time.monotonic()
    trace_id = response.headers.get("traceresponse", "--").split("-")[1]
    uuid = ""
    if method == "POST" and response.status_code == 200:
        uuid = msgspec.json.decode(response.content, type=Crud).uuid
    return Outcome(start, end, response.status_code, trace_id, uuid)


async def _at_rate(
    rate: float, tasks: set[asyncio.Task[None]], start: Callable[[], Awaitable[None]]
) -> None:
    """Start a request whenever one is due, however long the earlier ones take."""
    began, turn = time.monotonic(), 0
    while True:
        await asyncio.sleep(max(0.0, began + turn / rate - time.monotonic()))
        turn += 1
        task = asyncio.ensure_future(start())
        tasks.add(task)
        task.add_done_callback(tasks.discard)


@dataclass
class Phase:
    """A step of the drill, and the requests that were in progress during it."""

    name: str
    start: float
    end: float = 0.0

    def of(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """Return the requests that were in progress at some moment of the phase."""
        return [one for one in outcomes if one.end >= self.start and one.start <= self.end]

    def gap(self, outcomes: Sequence[Outcome]) -> float:
        """Return the longest time without a success."""
        ends = sorted(one.end for one in outcomes if one.is_success)
        inside = [end for end in ends if self.start <= end <= self.end]
        moments = [self.start, *inside, self.end]
        return max(later - earlier for earlier, later in pairwise(moments))


class Report:
    """Prints figures with their goals."""

    def __init__(self) -> None:
        self.is_met = True

    def show(self, what: str, figure: str, goal: str = "", is_met: bool | None = None) -> None:
        """Print one line."""
        self.is_met &= is_met is not False
        verdict = {None: "", True: "met", False: "MISSED"}[is_met]
        print(f"  {what:46}{figure:>18}   {goal:16}{verdict}".rstrip(), flush=True)


async def drill(cluster: patroni.Cluster, load: Load, calm: float, *, silent: bool) -> list[Phase]:
    """Run the steps under load, and return their phases."""
    phases = []
    async with load.running():
        await asyncio.sleep(calm)
        primary = await asyncio.to_thread(cluster.primary)
        phases.append(loss := Phase("the primary disappears", time.monotonic()))
        await asyncio.to_thread(primary.freeze if silent else primary.kill)
        await _writes_again(load, time.monotonic())
        await asyncio.sleep(calm)
        loss.end = time.monotonic()

        phases.append(back := Phase("the old primary returns", time.monotonic()))
        if silent:
            primary.thaw()
        else:
            primary.start()
        await asyncio.to_thread(cluster.wait_until_complete)
        await asyncio.sleep(calm)
        back.end = time.monotonic()

        phases.append(switch := Phase("planned switch-over", time.monotonic()))
        await asyncio.to_thread(cluster.switch_over)
        await _writes_again(load, time.monotonic())
        await asyncio.to_thread(cluster.wait_until_complete)
        await asyncio.sleep(calm)
        switch.end = time.monotonic()
    return phases


async def _writes_again(load: Load, since: float) -> None:
    """Wait for an acknowledged write that began after a moment."""
    async with asyncio.timeout(120):
        while True:
            if any(one.is_success and one.start > since for one in load.writes[-200:]):
                return
            await asyncio.sleep(0.1)


def show_phases(report: Report, phases: Sequence[Phase], load: Load) -> None:
    """Print what the requests of each phase met."""
    loss, _, switch = phases
    for phase in phases:
        writes, reads = phase.of(load.writes), phase.of(load.reads)
        failed_writes = [one for one in writes if not one.is_success]
        failed_reads = [one for one in reads if not one.is_success]
        print(f"\n{phase.name}, {phase.end - phase.start:.0f} s")
        gap = phase.gap(load.writes)
        if phase is loss:
            report.show(
                "without an acknowledged write, s", f"{gap:.1f}",
                f"at most {FAILOVER_SECONDS:g}", gap <= FAILOVER_SECONDS,
            )  # fmt: skip
            report.show("without a read, s", f"{phase.gap(load.reads):.1f}")
            report.show("failed reads", f"{len(failed_reads)} of {len(reads)}")
            report.show("failed writes", f"{len(failed_writes)} of {len(writes)}")
            continue
        longest = max((one.seconds for one in writes), default=0.0)
        is_planned = phase is switch
        goal = (f"at most {SWITCH_SECONDS:g}", longest <= SWITCH_SECONDS) if is_planned else ()
        report.show("longest write, s", f"{longest:.1f}", *goal)
        report.show("longest read, s", f"{max(one.seconds for one in reads):.1f}")
        for what, failed, of in (
            ("failed reads", failed_reads, reads),
            ("failed writes", failed_writes, writes),
        ):
            goal = ("none", not failed) if is_planned else ()
            report.show(what, f"{len(failed)} of {len(of)}", *goal)


async def show_losses(report: Report, url: str, load: Load, *, synchronous: bool) -> None:
    """Print which acknowledged writes the database has lost, and what the streams delivered."""
    written = load.acknowledged()
    conn = await asyncpg.connect(driver_url(url))
    rows = await conn.fetch("SELECT uuid::text FROM activities")
    await conn.close()
    stored = {row["uuid"] for row in rows}
    lost = set(written) - stored
    print("\nat the end")
    goal = ("none", not lost) if synchronous else ()
    report.show("acknowledged writes", f"{len(written)}")
    report.show("of these missing in the database", f"{len(lost)}", *goal)
    unknown = sum(not one.is_success for one in load.writes)
    kept = len(stored) - len(set(written) & stored)
    report.show("writes that failed, and were committed", f"{kept} of {unknown}")
    report.show("streams opened", f"{sum(one.connections for one in load.streams)}")
    resets = sum(stream.resets for stream in load.streams)
    report.show("streams reset", f"{resets}", *(("none", resets == 0) if synchronous else ()))
    missed = sum(not one.has(uuid) for one in load.streams for uuid in stored)
    doubled = sum(times > 1 for one in load.streams for times in one.received.values())
    report.show("cruds that a stream missed", f"{missed}", "none", missed == 0)
    report.show("cruds that a stream got twice", f"{doubled}", "none", doubled == 0)


def show_traces(report: Report, spans: Sequence[Span], load: Load, *, has_reasons: bool) -> None:
    """Print the trace of a failed write of each kind, which has to say why it failed.

    A silent server gives no reason: such a request was waiting for it, or for a free connection.
    HAProxy hides the reason: it only closes the connection.
    """
    failed = [one for one in load.writes if one.status == 503]
    print("\ntraces of failed writes")
    by_id: dict[str, list[Span]] = {}
    for span in spans:
        by_id.setdefault(span.trace_id, []).append(span)
    traces = [by_id.get(one.trace_id, []) for one in failed]
    explained = sum(_explains(trace) for trace in traces)
    goal = ("all", explained == len(failed)) if has_reasons else ()
    report.show("that name a server and the reason", f"{explained} of {len(failed)}", *goal)
    shown = set()
    for trace in traces:
        kind = tuple((span.name, span.attributes.get("error.type")) for span in trace)
        if kind not in shown and len(shown) < 4:
            shown.add(kind)
            print()
            for span in sorted(trace, key=lambda span: span.start_ns):
                print("\n".join(_describe(span)))


def _explains(trace: Sequence[Span]) -> bool:
    """Return whether a trace has a failed span that names a server and the reason."""
    return any(
        span.status == "ERROR"
        and "error.type" in span.attributes
        and span.status_message
        and ("server.address" in span.attributes or HOST in span.status_message)
        and span.kind in {"CLIENT", "INTERNAL"}
        for span in trace
    )


def _describe(span: Span) -> Iterator[str]:
    seconds = (span.end_ns - span.start_ns) / 1e9
    yield f"    {span.name}, {seconds:.3f} s, status {span.status}"
    for name in ("error.type", "db.response.status_code", "server.address", "server.port"):
        if name in span.attributes:
            yield f"      {name}: {span.attributes[name]}"
    if span.status_message:
        yield f"      {span.status_message}"


async def prepare(url: str, key: str) -> tuple[str, str]:
    """Create the schema, a writer and a follower of theirs; return their tokens."""
    address = url.rpartition("/")[0] + "/postgres"
    conn = await asyncpg.connect(driver_url(address), target_session_attrs="read-write")
    await conn.execute(f"CREATE DATABASE {DATABASE}")
    await conn.close()
    await migrate(driver_url(url))
    conn = await asyncpg.connect(driver_url(url))
    tokens, uuids = [], []
    for handle in ("writer", "follower"):
        user_uuid = uuid4()
        await conn.execute(
            "INSERT INTO users (uuid, issuer, subject, handle, display_name)"
            " VALUES ($1, $2, $3, $4, $4)",
            user_uuid, ISSUER, str(user_uuid), handle,
        )  # fmt: skip
        session_uuid = await conn.fetchval(
            "INSERT INTO sessions (user_uuid, device, address, expires_at)"
            " VALUES ($1, 'drill', $2, now() + interval '1 day') RETURNING uuid",
            user_uuid, HOST,
        )  # fmt: skip
        uuids.append(user_uuid)
        tokens.append(
            issue(KeyRing([key]), user_uuid=user_uuid, handle=handle, session_uuid=session_uuid)
        )
    await conn.execute("INSERT INTO follows (followee_uuid, follower_uuid) VALUES ($1, $2)", *uuids)
    await conn.close()
    return tokens[0], tokens[1]


def haproxy_configuration(cluster: patroni.Cluster, port: int) -> str:
    """Return deploy/haproxy/postgres.cfg for the members of a cluster, to serve on a port."""
    ports = {
        f" {member.name}:5432": f" {HOST}:{member.port} port {member.api_port}"
        for member in cluster.members
    }
    return proxy.configuration("postgres.cfg", {":5000": f"{HOST}:{port}", **ports})


def run(size: Size, *, synchronous: bool, silent: bool, through_haproxy: bool = False) -> bool:
    """Run the drill with one kind of replication and loss; return whether all goals are met."""
    report = Report()
    key = new_signing_key()
    with tempfile.TemporaryDirectory() as name, OtlpSink() as sink, ExitStack() as stack:
        directory = Path(name)
        directory.chmod(0o755)  # the members may run as another user
        with patroni.running(directory, synchronous=synchronous) as cluster:
            url = cluster.url(DATABASE)
            writer, follower = asyncio.run(prepare(url, key))
            times = ", ".join(f"{name} {value}" for name, value in patroni.TIMES.items())
            kind = "synchronous" if synchronous else "asynchronous"
            print(f"{kind} replication; {times}; {size.writes:g} writes and {size.reads:g} reads/s")
            service_url = url
            if through_haproxy:
                port = free_port()
                stack.enter_context(proxy.running(haproxy_configuration(cluster, port), directory))
                service_url = f"postgresql://postgres:postgres@{HOST}:{port}/{DATABASE}"
                print("through HAProxy")
            environment = {
                "CONNECTION_URL": service_url,
                "CRUDDUR_SIGNING_KEY": key,
                "CRUDDUR_DATA_DIRECTORY": str(directory / "service"),
                "CRUDDUR_PREVIEWS": "off",
                "LOG_LEVEL": "ERROR",
                "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
            }
            with serving(OURS, WORKERS, environment) as server:
                load = Load(f"http://{HOST}:{server.port}", writer, follower, size)
                phases = asyncio.run(drill(cluster, load, size.calm, silent=silent))
                asyncio.run(show_losses(report, url, load, synchronous=synchronous))
        show_phases(report, phases, load)
        show_traces(report, sink.spans, load, has_reasons=not silent and not through_haproxy)
    return report.is_met


def main() -> int:
    """Run and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="less load and shorter pauses")
    parser.add_argument("--asynchronous", action="store_true", help="without synchronous_mode")
    parser.add_argument("--haproxy", action="store_true", help="find the primary by HAProxy")
    parser.add_argument("--silent", action="store_true", help="stop the primary, do not kill it")
    options = parser.parse_args()
    if missing := patroni.missing_programs():
        print(f"skipped, because these programs are not installed: {', '.join(missing)}")
        return 0
    size = SHORT if options.short else Size()
    if options.haproxy and proxy.HAPROXY is None:
        print("skipped, because haproxy is not installed")
        return 0
    is_met = run(
        size,
        synchronous=not options.asynchronous,
        silent=options.silent,
        through_haproxy=options.haproxy,
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
