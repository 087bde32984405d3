"""`make bench`: measure one route at a time, all peers taking turns in each round.

Every peer has its own copy of one database, so that its writes do not affect the others.
Before the measurement, every peer must return the same responses as Cruddur. The tables follow the
measurements, those of members and of the mix first. Missed goals do not affect the exit code; only
a failed measurement does.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.clients import Load, Request, closed_loop, closed_loop_client, constant_rate
from benchmarks.database import Member, Rows, fill, hold_sweeper
from benchmarks.reader import reading
from benchmarks.report import Measurement, steady, tables, verdicts
from benchmarks.routes import MANY, ROUTES, Inputs, Route, measuring_order
from benchmarks.servers import HOST, OURS, PEERS, ROOT, UVICORN, Server, receiver, serving
from benchmarks.writer import posting
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.identity.keys import KeyRing, SigningKey, new_signing_key
from cruddur.identity.tokens import issue

CAPACITY = 0.7
"""The share of a peer's capacity that is used as the constant rate."""
FLUSH_SECONDS = 0.7
"""Seconds after a load in which queued traces are still exported, which counts as cost."""
OF_CREATION = frozenset({"activity_uuid", "created_at", "expires_at", "uuid"})
"""The fields that differ where two peers write the same."""


@dataclass(frozen=True)
class Size:
    """The amounts; times are in seconds."""

    rounds: int = 3
    seconds: float = 3.0
    warm_up: float = 1.0
    rows: int = 10_000
    many_rows: int = 1_000_000


SHORT = Size(rounds=1, seconds=1.0, many_rows=20_000)


class DisagreementError(Exception):
    """A peer returns a different response than Cruddur, so a comparison would be meaningless."""


class Bench:
    """The database, the receiver and the keys that all peers share."""

    def __init__(self, directory: Path, size: Size, stack: ExitStack) -> None:
        self._answers = directory / "answers.json"
        self._stack = stack
        self._pem = new_signing_key()
        self._postgres = EmbeddedPostgres(directory / "postgres", durable=False)
        self._postgres.start()
        self._stack.callback(self._postgres.stop)
        self._allow_connections()
        self._rows = self._fill("few", size.rows)
        self._fill("many", size.many_rows)
        self._endpoint = stack.enter_context(receiver())

    def requests(self, route: Route) -> Sequence[Request]:
        """Return the requests of a route, with new tokens, because tokens are short-lived."""
        return route.requests(Inputs(self._rows, self._signed_in))

    def _signed_in(self, member: Member) -> dict[str, str]:
        token = issue(
            KeyRing([self._pem]),
            user_uuid=member.uuid,
            handle=member.handle,
            session_uuid=member.session_uuid,
        )
        return {"Authorization": f"Bearer {token}"}

    @contextmanager
    def serving(
        self, peers: Sequence[str], routes: Sequence[Route], workers: int
    ) -> Iterator[dict[str, Server]]:
        """Serve Cruddur, over few rows and over many, and its peers; check their responses."""
        with ExitStack() as stack:
            servers = {}
            if OURS in peers:
                servers[OURS] = self._serve(stack, OURS, workers, f"few_{OURS}_{workers}")
                if workers == 1 and any(MANY in route.peers for route in routes):
                    servers[MANY] = self._serve(stack, OURS, 1, "many")
            # The floor replays the response of another server, which must run meanwhile.
            model = servers.get(OURS) or self._serve(stack, OURS, 1, f"few_model_{workers}")
            expected: dict[str, list[str]] = {}
            by_request: dict[str, str] = {}
            for route in routes:
                requests = self.requests(route)
                expected[route.name] = [ask(model, request) for request in requests]
                by_request |= zip(map(key, requests), expected[route.name], strict=True)
            self._answers.write_text(json.dumps(by_request))
            for peer in peers:
                if peer == OURS:
                    continue
                servers[peer] = self._serve(stack, peer, workers, f"few_{peer}_{workers}")
                for route in routes:
                    if peer not in route.peers:
                        continue
                    for request, ours in zip(
                        self.requests(route), expected[route.name], strict=True
                    ):
                        compare(peer, route, request, ask(servers[peer], request), ours)
            yield servers

    def _serve(self, stack: ExitStack, peer: str, workers: int, database: str) -> Server:
        if database != "many":
            self._postgres.run_tool("createdb", "--template=few", database)
        dsn = self._postgres.dsn(database)
        if peer in {OURS, UVICORN}:
            runner = stack.enter_context(asyncio.Runner())
            conn = runner.run(hold_sweeper(dsn))
            stack.callback(lambda: runner.run(conn.close()))
        public = SigningKey(self._pem).public.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        environment = {
            "CONNECTION_URL": dsn,
            "CRUDDUR_SIGNING_KEY": self._pem,
            "PEER_PUBLIC_KEY": public.decode(),
            "FLOOR_ANSWERS": str(self._answers),
            "OTEL_EXPORTER_OTLP_ENDPOINT": self._endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "500",
        }
        return stack.enter_context(serving(peer, workers, environment))

    def _allow_connections(self) -> None:
        """Raise the connection limit for the pools of all peers together."""

        async def alter() -> None:
            conn = await asyncpg.connect(self._postgres.dsn("postgres"))
            await conn.execute("ALTER SYSTEM SET max_connections = 400")
            # As on our own connections, so that the peers have no disadvantage.
            await conn.execute("ALTER ROLE CURRENT_USER SET jit = off")
            await conn.execute("ALTER ROLE CURRENT_USER SET timezone = 'UTC'")
            await conn.close()

        asyncio.run(alter())
        self._postgres.stop()
        self._postgres.start()

    def _fill(self, database: str, rows: int) -> Rows:
        self._postgres.create_database(database)
        return asyncio.run(fill(self._postgres.dsn(database), rows))


def key(request: Request) -> str:
    """Return the key of a request among the responses of the floor."""
    caller = " signed in" if "Authorization" in request.headers else ""
    return request.line.partition("?")[0] + caller


def ask(server: Server, request: Request) -> str:
    """Return the body of a response, which must arrive soon."""
    deadline = time.monotonic() + 20
    while True:
        conn = HTTPConnection(HOST, server.port, timeout=10)
        try:
            conn.request(request.method, request.path, request.body or None, dict(request.headers))
            response = conn.getresponse()
            body = response.read().decode()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)  # the port may open before all workers are ready
            continue
        finally:
            conn.close()
        if response.status != 200:
            raise DisagreementError(f"{request.line}: {response.status} {body[:200]}")
        return body


def compare(peer: str, route: Route, request: Request, response: str, ours: str) -> None:
    """Raise DisagreementError unless both bodies are equal, except for generated fields."""
    theirs, expected = (
        json.loads(body, object_hook=without_generated if route.is_writing else None)
        for body in (response, ours)
    )
    if theirs != expected:
        raise DisagreementError(
            f"{peer}, {route.name}, {request.line}:\n{response[:600]}\ninstead of\n{ours[:600]}"
        )


def without_generated(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item of a response without the fields that are generated."""
    return {name: value for name, value in item.items() if name not in OF_CREATION}


def measure(
    bench: Bench, servers: Mapping[str, Server], route: Route, workers: int, size: Size
) -> Iterator[Measurement]:
    """Measure a route in all rounds."""
    of_route = {peer: server for peer, server in servers.items() if peer in route.peers}
    rates: dict[str, list[float]] = {}
    for _ in range(size.rounds):
        for peer, server in of_route.items():
            requests = bench.requests(route)
            with meanwhile(route, peer, server):
                closed_loop(server.port, requests, size.warm_up)
                asking = partial(closed_loop, server.port, requests, size.seconds)
                measured = load(route.name, workers, peer, server, asking)
            rates.setdefault(peer, []).append(measured.rate)
            yield measured
    if not route.is_steady:
        return
    of_route.pop(MANY, None)
    for _ in range(size.rounds):
        for peer, server in of_route.items():
            rate = CAPACITY * median(rates[peer])
            requests = bench.requests(route)
            with meanwhile(route, peer, server):
                constant_rate(server.port, requests, size.warm_up, rate)
                asking = partial(constant_rate, server.port, requests, 2 * size.seconds, rate)
                yield load(steady(route.name), workers, peer, server, asking)


@contextmanager
def meanwhile(route: Route, peer: str, server: Server) -> Iterator[None]:
    """Run what belongs to a route besides its requests: a writer, and open streams."""
    with ExitStack() as stack:
        if route.posts:
            stack.enter_context(posting(server.dsn, route.posts))
        if route.streams and peer in {OURS, UVICORN}:
            reader = stack.enter_context(reading())
            reader("open", HOST, server.port, route.streams)
        yield


def load(
    route: str, workers: int, peer: str, server: Server, asking: Callable[[], Load]
) -> Measurement:
    """Run one load and measure the CPU time of the server."""
    cpu = server.cpu
    done = asking()
    time.sleep(FLUSH_SECONDS)
    return Measurement(
        route, workers, peer, done.rate, (server.cpu - cpu) / done.requests, done.p50, done.p99
    )


def main() -> int:
    """Measure, print and write the results; return the exit code."""
    options = arguments()
    size = SHORT if options.short else Size()
    size = Size(
        rounds=options.rounds or size.rounds,
        seconds=options.seconds or size.seconds,
        many_rows=size.many_rows,
    )
    found: list[Measurement] = []
    memory: dict[str, int] = {}
    routes = measuring_order([route for route in ROUTES if route.name in options.routes])
    client = closed_loop_client()
    print(
        f"Python {platform.python_version()}; closed loop: {client}, 16 connections; constant rate:"
        f" built-in; tracing at 100 %; {size.rounds} rounds of {size.seconds:g} s: median (least to"
        " most)"
    )
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        bench = Bench(Path(directory), size, stack)
        for workers in options.workers:
            with bench.serving(options.peers, routes, workers) as servers:
                time.sleep(1)
                if workers == 1:
                    memory = {peer: server.memory for peer, server in servers.items()}
                of_workers: list[Measurement] = []
                try:
                    for route in routes:
                        print(f"measuring {route.name}, workers: {workers}", file=sys.stderr)
                        of_workers += measure(bench, servers, route, workers, size)
                finally:
                    for table in tables(of_workers):
                        print(f"\n{table}", flush=True)
                found += of_workers
    if memory:
        print("\nmemory of one worker at rest, MB")
        for peer, size_of in memory.items():
            print(f"  {peer:38}{size_of / 1e6:22.1f}")
    goals = list(verdicts(found, memory))
    if goals:
        print("\n".join(("\ngoals, one worker", *goals)))
    print(f"\nwritten to {write(found, memory, client, size, goals).relative_to(ROOT)}")
    return 0


def write(
    found: Sequence[Measurement],
    memory: Mapping[str, int],
    client: str,
    size: Size,
    goals: Sequence[str],
) -> Path:
    """Write all results as JSON."""
    directory = ROOT / ".local" / "bench"
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / time.strftime("%Y-%m-%dT%H-%M-%SZ.json", time.gmtime())
    document = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg(),
        "client": client,
        "size": asdict(size),
        "memory_bytes": memory,
        "goals": [" ".join(line.split()) for line in goals],
        "measurements": [asdict(one) for one in found],
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def arguments() -> Any:
    """Parse the command line."""

    def names(known: Sequence[str]) -> Any:
        def read(text: str) -> list[str]:
            chosen = text.split(",")
            if unknown := set(chosen) - set(known):
                raise argparse.ArgumentTypeError(f"not known: {', '.join(sorted(unknown))}")
            return [name for name in known if name in chosen]

        return read

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="one short round: does it work?")
    routes = [route.name for route in ROUTES]
    parser.add_argument("--routes", type=names(routes), default=routes, help="such as home,crud")
    parser.add_argument(
        "--peers", type=names(PEERS), default=list(PEERS), help="such as cruddur,flask"
    )
    parser.add_argument(
        "--workers", type=lambda text: [int(x) for x in text.split(",")], default=[1, 2]
    )
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
