"""`make bench-http2`: a stream, an upload and twenty reads, over one connection or separate ones.

The service speaks TLS and HTTP/2 itself, with one worker. A client keeps a stream open, uploads a
picture and sends twenty reads at once; then again. In turns, all of that shares one HTTP/2
connection, or each of it has one. Prints percentiles of the reads, from request to last byte.

    PYTHONPATH=tests python -m benchmarks.http2 [--short]
"""

import asyncio
import ssl
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
from PIL import Image

from benchmarks.clients import percentile
from benchmarks.database import AUTHOR, fill
from benchmarks.servers import HOST, OURS, Server, serving
from certificates import self_signed
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.identity.keys import KeyRing, new_signing_key
from cruddur.identity.tokens import issue
from pictures import file

DATABASE = "http2"
CRUDS = 10_000
READS = 20
SIDE = 1200
"""Width and height of the picture in pixels. As a JPEG of noise, it has 0.8 MB."""

TURNS, SHORT_TURNS = 40, 2
"""The server closes a connection after 1,000 requests."""
GOAL = 1.5
"""The 99th percentile over one connection against that over separate ones."""


async def main(*, is_short: bool) -> int:
    """Measure and print; return the exit code."""
    turns = SHORT_TURNS if is_short else TURNS
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        certificate, key = self_signed(directory), new_signing_key()
        database = EmbeddedPostgres(directory / "postgres", durable=False)
        database.start()
        try:
            database.create_database(DATABASE)
            dsn = database.dsn(DATABASE)
            await fill(dsn, CRUDS)
            environment = {
                "CONNECTION_URL": dsn,
                "CRUDDUR_CERTFILE": str(certificate),
                "CRUDDUR_DATA_DIRECTORY": str(directory / "data"),
                "CRUDDUR_PICTURES_PER_DAY": "1000000",
                "CRUDDUR_PICTURES_PER_MEMBER": "1000000",
                "CRUDDUR_SIGNING_KEY": key,
            }
            with serving(OURS, 1, environment) as server:
                await measure(server, certificate, token(key), turns)
        finally:
            database.stop()
    return 0


def token(key: str) -> str:
    """Return an access token of a member."""
    return issue(
        KeyRing([key]),
        user_uuid=AUTHOR.uuid,
        handle=AUTHOR.handle,
        session_uuid=AUTHOR.session_uuid,
    )


async def measure(server: Server, certificate: Path, access_token: str, turns: int) -> None:
    """Send the same requests in both ways, in turns."""
    trusted = ssl.create_default_context(cafile=certificate)
    picture = file(Image.effect_noise((SIDE, SIDE), 60), "JPEG")

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"https://{HOST}:{server.port}",
            headers={"Authorization": f"Bearer {access_token}"},
            http1=False,
            http2=True,
            limits=httpx.Limits(max_connections=1),
            timeout=60,
            trust_env=False,
            verify=trusted,
        )

    async with AsyncExitStack() as opened:
        shared = await opened.enter_async_context(client())
        separate = [await opened.enter_async_context(client()) for _ in range(READS + 2)]
        ways = {"one connection": [shared] * (READS + 2), "separate connections": separate}
        times: dict[str, list[float]] = {way: [] for way in ways}
        for clients in ways.values():
            await opened.enter_async_context(streaming(clients[-1]))
        for turn in range(turns + 1):  # the first one warms up
            for way, clients in ways.items():
                taken = await one_turn(clients, picture)
                if turn:
                    times[way] += taken
    print(f"{READS} reads beside a stream and an upload of {len(picture):,} bytes, ms")
    p99 = [show(way, sorted(taken)) for way, taken in times.items()]
    ratio = p99[0] / p99[1]
    goal = f"at most {GOAL} {'met' if ratio <= GOAL else 'missed'}"
    print(f"  {'ratio of the 99th percentiles':30}{ratio:8.2f} x  {goal}")


@asynccontextmanager
async def streaming(http: httpx.AsyncClient) -> AsyncIterator[None]:
    """Hold a stream of events open."""
    async with http.stream("GET", "/api/stream") as response:
        response.raise_for_status()
        yield


async def one_turn(clients: Sequence[httpx.AsyncClient], picture: bytes) -> list[float]:
    """Upload the picture and read meanwhile; return the times of the reads in seconds."""

    async def read(http: httpx.AsyncClient, number: int) -> float:
        start = time.perf_counter()
        response = await http.get(f"/api/activities/home?limit={number}")
        response.raise_for_status()
        return time.perf_counter() - start

    *readers, uploader, _ = clients
    upload = asyncio.create_task(uploader.post("/api/pictures", content=picture))
    taken = await asyncio.gather(*(read(http, n) for n, http in enumerate(readers, start=1)))
    (await upload).raise_for_status()
    return list(taken)


def show(way: str, ordered: Sequence[float]) -> float:
    """Print the percentiles of some times in milliseconds; return the 99th in seconds."""
    median, p99 = (percentile(ordered, share) for share in (0.5, 0.99))
    print(f"  {way:30}{1000 * median:8.1f}  p99{1000 * p99:8.1f}", flush=True)
    return p99


if __name__ == "__main__":
    sys.exit(asyncio.run(main(is_short="--short" in sys.argv)))
