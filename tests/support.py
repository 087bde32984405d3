"""Helpers for most tests: the API with its checks, and signed-in users.

`Api` checks every response for what holds everywhere: JSON, the expected status, and the error
format.
"""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import asyncpg
import httpx
import hypercorn.asyncio.run as hypercorn_run
from argon2 import PasswordHasher
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart

from cruddur.db.sweeper import sweep
from cruddur.edge.connections import ConnectionLimits
from cruddur.identity.tokens import ISSUER, issue
from cruddur.process.hypercorn import Timeouts, install
from cruddur.settings import Settings
from cruddur.settings.server import Parser
from patience import PATIENCE

JSON = {"Content-Type": "application/json"}

QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Hashes passwords at the lowest cost. Verifying such a hash is quick, too."""

KEPT = (
    "events",
    "expired_activities",
    "expired_messages",
    "index_rebuilds",
    "migrations",
    "signing_keys",
)
"""The tables that keep their rows: the event log, and what is written once."""

EMPTY = f"""
DO $$
DECLARE
    tables text[] := ARRAY(
        SELECT format('%I', tablename)
        FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> ALL ('{{{", ".join(KEPT)}}}')
    );
    name text;
BEGIN
    PERFORM set_config('session_replication_role', 'replica', true); -- no triggers, no cascades
    EXECUTE 'LOCK TABLE ' || array_to_string(tables, ', ') || ' IN SHARE ROW EXCLUSIVE MODE';
    FOREACH name IN ARRAY tables LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    INSERT INTO instance DEFAULT VALUES;
    PERFORM record_event('page', gen_random_uuid(), gen_random_uuid()); -- no cached page is valid
END
$$
"""

BLOCKED = """
SELECT count(*)
FROM pg_locks
WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
"""

PARSERS = get_args(Parser)
"""The parsers of HTTP/1.1."""

HTTP1 = Settings().http1
"""The parser of HTTP/1.1 that the service uses by default."""

BUILD = {
    "index.html": "<!doctype html><title>Cruddur</title>" + "<p>What expires today?" * 20,
    "icon.svg": '<svg xmlns="http://www.w3.org/2000/svg">' + "<path/>" * 40 + "</svg>",
    "manifest.webmanifest": '{"name": "Cruddur"}',
    "robots.txt": "User-agent: *",
    "assets/index-Dw3Xk9aQ.js": "console.log('crud');" * 40,
    "assets/index-B1zYp0fM.css": "body { margin: 0 }" * 40,
    "assets/face-C7qLm2Rt.woff2": "not really a font" * 40,
}
"""A small front end with the layout of a real build."""


@dataclass(frozen=True)
class Api:
    """HTTP methods that expect a status; error responses are checked for their format."""

    http: httpx.AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def request(
        self, method: str, path: str, *, expect: int = 200, **options: Any
    ) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        response = await self.http.request(method, path, headers=headers, **options)
        assert response.status_code == expect, f"{method} {path}: {response.text}"
        if expect >= 400:
            refused(response)
        return response

    async def get(self, path: str, **options: Any) -> Any:
        return (await self.request("GET", path, **options)).json()

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return (await self.request("POST", path, json=body, **options)).json()

    async def put(self, path: str, body: Any = None, **options: Any) -> Any:
        return (await self.request("PUT", path, json=body, **options)).json()

    async def delete(self, path: str, body: Any = None, **options: Any) -> Any:
        return (await self.request("DELETE", path, json=body, **options)).json()


def refused(response: httpx.Response) -> list[str]:
    """Return the codes of an error response, after checking its form (docs/api.md, C5 and C8)."""
    assert response.headers["content-type"] == "application/json"
    codes = response.json()
    assert isinstance(codes, list)
    assert codes
    assert all(isinstance(code, str) and code for code in codes)
    if response.status_code == 401:
        assert response.headers["www-authenticate"] == "Bearer"
    if response.status_code in {429, 503}:
        assert int(response.headers["retry-after"]) >= 1
    return codes


def untraced(response: httpx.Response) -> dict[str, str]:
    """Return the headers without those of the trace, which differ in every response."""
    traced = {"traceresponse", "server-timing"}
    return {name: value for name, value in response.headers.items() if name not in traced}


@dataclass(frozen=True)
class Member(Api):
    """A signed-in user."""

    uuid: UUID = field(default_factory=uuid4)
    session_uuid: UUID | None = None
    handle: str = ""
    display_name: str = ""

    @classmethod
    async def enter(
        cls, api: Api, conn: asyncpg.Connection, app: Quart, handle: str, display_name: str
    ) -> "Member":
        """Create a user with an open session, without the cost of hashing a password."""
        uuid = await insert_user(conn, handle, display_name)
        session = await conn.fetchval(
            "INSERT INTO sessions (user_uuid, device, address, expires_at)"
            " VALUES ($1, 'test', '127.0.0.1', now() + $2) RETURNING uuid",
            uuid, timedelta(days=1),
        )  # fmt: skip
        keys = app.extensions["cruddur"].keys
        token = issue(keys, user_uuid=uuid, handle=handle, session_uuid=session)
        headers = {"Authorization": f"Bearer {token}"}
        return cls(api.http, headers, uuid, session, handle, display_name)

    async def api_token(self, *scopes: str, name: str = "bot", ttl: str = "1-day") -> "Member":
        """Create an API token and return the member who calls the API with it."""
        draft = {"name": name, "scopes": scopes, "ttl": ttl}
        created = await self.post("/api/auth/tokens", draft)
        headers = {"Authorization": f"Bearer {created['token']}"}
        session = UUID(created["uuid"])
        return Member(self.http, headers, self.uuid, session, self.handle, self.display_name)

    async def crud(self, message: str = "Today is a good day to crud", ttl: str = "7-days") -> Any:
        return await self.post("/api/activities", {"message": message, "ttl": ttl})

    async def reply(self, uuid: str, message: str = "So it is") -> Any:
        return await self.post(f"/api/activities/{uuid}/reply", {"message": message})

    async def message(self, handle: str, message: str = "nuqneH") -> Any:
        return await self.post("/api/messages", {"message": message, "handle": handle})


async def insert_user(conn: asyncpg.Connection, handle: str, display_name: str) -> UUID:
    """Insert a user of this issuer, and return the uuid."""
    uuid = uuid4()
    await conn.execute(
        "INSERT INTO users (uuid, issuer, subject, handle, display_name, email)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        uuid, ISSUER, str(uuid), handle, display_name, f"{handle}@example.com",
    )  # fmt: skip
    return uuid


async def acquaint(conn: asyncpg.Connection, one: Member, other: Member) -> None:
    """Let two users follow each other, so that their messages are no requests."""
    await conn.execute(
        "INSERT INTO follows (follower_uuid, followee_uuid) VALUES ($1, $2), ($2, $1)",
        one.uuid, other.uuid,
    )  # fmt: skip


async def expire(conn: asyncpg.Connection, uuid: str) -> None:
    """Let a crud have expired a second ago."""
    count = await conn.execute(
        "UPDATE activities SET expires_at = now() - interval '1 second' WHERE uuid = $1", UUID(uuid)
    )
    assert count == "UPDATE 1"


async def expire_message(conn: asyncpg.Connection, uuid: str) -> None:
    """Let a message have expired a second ago."""
    count = await conn.execute(
        "UPDATE messages SET expires_at = now() - interval '1 second' WHERE uuid = $1", UUID(uuid)
    )
    assert count == "UPDATE 1"


async def pages(api: Api, path: str) -> AsyncIterator[Any]:
    """Yield each page of a list by following `Link` to the end."""
    while path:
        response = await api.request("GET", path)
        yield response.json()
        path = response.links.get("next", {}).get("url", "")


async def count_rows(conn: asyncpg.Connection, table: str) -> int:
    """Return the number of rows of a table."""
    found: int = await conn.fetchval(f"SELECT count(*) FROM {table}")
    return found


async def empty(conn: asyncpg.Connection) -> None:
    """Delete all rows that a test may have written, in one round trip.

    A test writes few rows, and deleting them costs a twentieth of the CPU time of TRUNCATE, which
    creates new files for each table and index. The lock waits for writers. If that is a deadlock,
    try again.
    """
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await conn.execute(EMPTY)
            except asyncpg.DeadlockDetectedError:
                continue
            return


async def until_blocking(conn: asyncpg.Connection) -> None:
    """Wait until another session waits for a lock that this connection holds."""
    async with asyncio.timeout(PATIENCE):
        while not await conn.fetchval(BLOCKED):  # noqa: ASYNC110  # the database has no such event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def visiting(
    app: Quart, *, address: str = "127.0.0.1", base_url: str = "http://localhost:4567"
) -> AsyncIterator[Api]:
    """Yield the API of a started application, called by a visitor at an address."""
    transport = httpx.ASGITransport(app=app, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        yield Api(client)


@asynccontextmanager
async def serving(app: Quart) -> AsyncIterator[Api]:
    """Start another application, yield its API, and stop it."""
    async with app.test_app(), visiting(app) as api:
        yield api


async def swept(dsn: str) -> None:
    """Sweep; retry while the application's own sweeper holds the lock."""
    while await sweep(dsn) is None:
        pass


def free_port() -> int:
    """Return a free port of this machine.

    It is below the ports that kernels give to outgoing connections, so none of these takes it
    before a server listens on it.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def without_lifespan(app: Quart | Callable) -> Callable:
    """Return the application with a lifespan that does nothing."""

    async def run(scope: dict, receive: Callable, send: Callable) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": f"{message['type']}.complete"})
        else:
            await app(scope, receive, send)

    return run


@asynccontextmanager
async def serving_on_a_socket(
    app: Quart | Callable,
    *,
    limits: ConnectionLimits | None = None,
    timeouts: Timeouts | None = None,
    config: Config | None = None,
    http1: str = HTTP1,
    h2c: bool = False,
    send_buffer: int | None = None,
    stop: asyncio.Event | None = None,
) -> AsyncIterator[str]:
    """Serve an application that has been started already, and yield its URL.

    Args:
        app: the application.
        limits: of connections; none by default.
        timeouts: of a connection. By default, idle connections are closed soon after the stop.
        config: Hypercorn's configuration, which a test may change while the service runs.
        http1: the parser of HTTP/1.1.
        h2c: whether HTTP/2 is accepted.
        send_buffer: the bytes that the kernel keeps for a client that does not read; by default,
            up to some megabytes.
        stop: stops the service when it is set, which otherwise happens at the end.
    """
    stop = stop or asyncio.Event()
    if config is None:
        config = Config()
        config.keep_alive_timeout = 75
        config.graceful_timeout = 1
    config.bind = ["127.0.0.1:0"]
    sockets = config.create_sockets()
    port = sockets.insecure_sockets[0].getsockname()[1]
    if send_buffer is not None:  # a connection inherits it
        sockets.insecure_sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    config.create_sockets = lambda: sockets  # type: ignore[method-assign]  # the sockets are bound already

    originals = hypercorn_run.WorkerContext, hypercorn_run.TCPServer
    install(
        limits or ConnectionLimits(100_000, None),
        http1=http1,
        has_h2c=h2c,
        on_stop=lambda: None,
        timeouts=timeouts or Timeouts(drain=0.05),
    )
    server = asyncio.create_task(serve(without_lifespan(app), config, shutdown_trigger=stop.wait))
    try:
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"http://127.0.0.1:{port}/api/health-check")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        await server
        hypercorn_run.WorkerContext, hypercorn_run.TCPServer = originals
