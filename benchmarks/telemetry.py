"""`make bench-telemetry`: measure what telemetry costs the home feed, in CPU time of the server.

Several servers use one database, and one of them is loaded at a time: Cruddur with telemetry off,
sending every trace, and sending every tenth; a bare Quart application with the stock middleware,
the same three ways; and, all on the same server, Cruddur with its own wiring and with the stock
middleware in its place. They take turns within each round. A receiver in a process of its own
takes the traces. CPU time per request is compared, because it depends less on the other load of
the machine than throughput does. Nothing here is a test.

    python -m benchmarks.telemetry [ROUNDS REQUESTS [PART]]
    python -m benchmarks.telemetry --short [PART]

With PART, only the servers whose name matches this pattern are measured, such as `wiring`.
With --short, the figures mean nothing: it shows that the benchmark works.
"""

import asyncio
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.database import fill
from benchmarks.servers import HOST, OURS, STOCK_WIRING, WIRING, Server, receiver, serving
from cruddur.db.embedded import EmbeddedPostgres

ROUNDS = 7
REQUESTS = 3000
CONNECTIONS = 8
CRUDS = 10_000
EXPORT_SECONDS = 0.7  # the interval of exports, and some more

TENTH = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}
METRICS = {"OTEL_METRICS_EXPORTER": "otlp"}
OFF = {"OTEL_SDK_DISABLED": "true"}
STOCK = "quart"
SERVER = {"PEER_TRACING": "server"}  # as in the course: no spans for statements
MODES: dict[str, tuple[str, dict[str, str]]] = {
    "cruddur, off": (OURS, OFF),
    "cruddur, 100 %": (OURS, {}),
    "cruddur, 10 %": (OURS, TENTH),
    "cruddur, 100 % and metrics": (OURS, METRICS),
    "stock, off": (STOCK, {"PEER_TRACING": "off"}),
    "stock, 100 %": (STOCK, SERVER),
    "stock, 10 %": (STOCK, {**SERVER, **TENTH}),
    "our wiring, off": (WIRING, OFF),
    "our wiring, 100 %": (WIRING, {}),
    "our wiring, 100 % and metrics": (WIRING, METRICS),
    "stock wiring, off": (STOCK_WIRING, OFF),
    "stock wiring, 100 %": (STOCK_WIRING, {}),
    "stock wiring, 100 % and metrics": (STOCK_WIRING, METRICS),
}


def main(
    rounds: int,
    requests: int,
    part: str = "",
    *,
    cruds: int = CRUDS,
    export_seconds: float = EXPORT_SECONDS,
) -> None:
    """Measure and print."""
    modes = {name: mode for name, mode in MODES.items() if re.search(part, name)}
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        database = EmbeddedPostgres(Path(directory), durable=False)
        database.start()
        stack.callback(database.stop)
        database.create_database("bench")
        dsn = database.dsn("bench")
        asyncio.run(fill(dsn, cruds, alive=1.0))
        endpoint = stack.enter_context(receiver())
        servers = {
            name: stack.enter_context(
                serving(peer, 1, {**_environment(dsn, endpoint), **environment})
            )
            for name, (peer, environment) in modes.items()
        }
        costs: dict[str, list[float]] = {name: [] for name in modes}
        rates: dict[str, list[float]] = {name: [] for name in modes}
        for server in servers.values():
            load(server, requests // 3)
        for _ in range(rounds):
            for name, server in servers.items():
                cpu, start = server.cpu, time.perf_counter()
                load(server, requests)
                rates[name].append(requests / (time.perf_counter() - start))
                if "off" not in name:
                    time.sleep(export_seconds)  # the cost of exporting counts too
                costs[name].append((server.cpu - cpu) / requests * 1e6)
    print(f"home, 40 cruds, {rounds} rounds of {requests} requests, {CONNECTIONS} connections")
    show(costs, rates)


def _environment(dsn: str, endpoint: str) -> dict[str, str]:
    return {
        "CONNECTION_URL": dsn,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "500",
    }


def show(costs: dict[str, list[float]], rates: dict[str, list[float]]) -> None:
    print(f"{'':32}{'CPU us/request':>22}{'':>6}{'requests/s':>12}{'':>4}CPU against off")
    for name, found in costs.items():
        base = costs.get(f"{name.split(',')[0]}, off", found)
        ratios = [on / max(off, 1) for on, off in zip(found, base, strict=True)]
        spread = f"({min(found):.0f} to {max(found):.0f})"
        print(
            f"{name:32}{median(found):8.0f} {spread:>16}{median(rates[name]):15.0f}"
            f"     {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )

    for what in ("100 %", "100 % and metrics"):
        ours, stock = costs.get(f"our wiring, {what}"), costs.get(f"stock wiring, {what}")
        if ours and stock:
            ratios = [a / b for a, b in zip(ours, stock, strict=True)]
            print(
                f"our wiring against the stock one, {what}: {median(ratios):.2f}"
                f" ({min(ratios):.2f} to {max(ratios):.2f})"
            )


def load(server: Server, requests: int) -> None:
    """Send requests over a few keep-alive connections."""
    asyncio.run(_load(server.port, requests))


async def _load(port: int, requests: int) -> None:
    # A token, even an invalid one, keeps the response out of the response cache.
    request = b"GET /api/activities/home HTTP/1.1\r\nHost: localhost\r\nAuthorization: none\r\n\r\n"

    async def ask(count: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        for _ in range(count):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                raise RuntimeError(head)
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
        writer.close()

    await asyncio.gather(*(ask(requests // CONNECTIONS) for _ in range(CONNECTIONS)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--short"]:
        main(1, 48, *sys.argv[2:], cruds=100, export_seconds=0.1)
    else:
        main(*map(int, sys.argv[1:3] or (ROUNDS, REQUESTS)), *sys.argv[3:])
