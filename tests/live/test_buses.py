"""Events reach the streams of every process with each kind of bus."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from quart import Quart

from cruddur.app import create_app
from cruddur.db import live
from cruddur.settings import Settings
from live.listening import listening
from patience import PATIENCE
from support import Member, free_port, serving_on_a_socket, visiting
from telemetry.recorded import until

REDIS = shutil.which("redis-server") or shutil.which("valkey-server")


class Redis:
    """A real server that a test can kill and restart."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert REDIS is not None
        self._process = subprocess.Popen(
            [
                *(REDIS, "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", str(self._directory)),
            ],
            stdout=subprocess.DEVNULL,
        )
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.01)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


async def test_a_client_ahead_of_a_process_receives_what_follows(
    settings: Settings, andrew: Member, bayko: Member
) -> None:
    """No notification arrives, so the process reads at once what it lacks."""
    bus = f"redis://127.0.0.1:{free_port()}"
    app = create_app(replace(settings, pool_size=2, bus=bus))
    async with app.test_app(), serving_on_a_socket(app) as url:
        crud = await andrew.crud()
        async with listening(url) as stream:
            await bayko.put(f"/api/activities/{crud['uuid']}/like")
            [counts] = await stream.receive("counts")
            assert counts["likes_count"] == 1


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A running server. Without one on this machine, its tests are skipped."""
    if REDIS is None:
        pytest.skip("neither redis-server nor valkey-server is here")
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=["postgres", "redis"])
def bus(request: pytest.FixtureRequest) -> str:
    """The value of CRUDDUR_BUS."""
    if request.param == "postgres":
        return ""
    server: Redis = request.getfixturevalue("redis")
    return server.url


@pytest.fixture
async def start(settings: Settings, bus: str) -> AsyncIterator[Callable[[], object]]:
    """Start another instance of the service and return its application and address."""
    async with AsyncExitStack() as stack:

        async def start() -> tuple[Quart, str]:
            app = create_app(replace(settings, bus=bus, pool_size=2))
            await stack.enter_async_context(app.test_app())
            return app, await stack.enter_async_context(serving_on_a_socket(app))

        yield start


async def entered(stack: AsyncExitStack, app: Quart, database: asyncpg.Connection) -> Member:
    """A member whose requests go to this application."""
    api = await stack.enter_async_context(visiting(app))
    return await Member.enter(api, database, app, "andrewbrown", "Andrew Brown")


async def test_an_event_written_through_one_instance_reaches_all(
    start: Callable, database: asyncpg.Connection
) -> None:
    first, second, third = [await start() for _ in range(3)]
    async with AsyncExitStack() as stack:
        andrew = await entered(stack, first[0], database)
        streams = [
            await stack.enter_async_context(listening(url)) for _, url in (first, second, third)
        ]
        crud = await andrew.crud()
        assert [(await stream.receive("crud"))[0]["uuid"] for stream in streams] == [
            crud["uuid"]
        ] * 3
        await andrew.put(f"/api/activities/{crud['uuid']}/like")
        for stream in streams:
            await stream.receive("counts")
        await andrew.delete(f"/api/activities/{crud['uuid']}")
        for stream in streams:
            await stream.receive("gone")
        assert len({stream.last_id for stream in streams}) == 1


async def test_many_writers_at_once(start: Callable, database: asyncpg.Connection) -> None:
    (first, _), (_, url) = await start(), await start()
    async with AsyncExitStack() as stack:
        andrew = await entered(stack, first, database)
        stream = await stack.enter_async_context(listening(url))
        cruds = await asyncio.gather(*(andrew.crud(f"crud {n}") for n in range(30)))
        received = await stream.receive(*["crud"] * 30)
        assert sorted(crud["uuid"] for crud in received) == sorted(crud["uuid"] for crud in cruds)
        assert stream.places == sorted(set(stream.places))


async def test_a_broken_connection_loses_no_events(
    start: Callable, database: asyncpg.Connection
) -> None:
    (first, _), (_, url) = await start(), await start()
    async with AsyncExitStack() as stack:
        andrew = await entered(stack, first, database)
        stream = await stack.enter_async_context(listening(url))
        for number in range(5):
            await database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND application_name = 'cruddur' AND query NOT LIKE 'COMMIT%'"
            )
            async with asyncio.timeout(PATIENCE):
                while True:  # a request that loses its connection returns 503 and is retried
                    response = await andrew.http.post(
                        "/api/activities",
                        json={"message": f"crud {number}", "ttl": "1-hour"},
                        headers=andrew.headers,
                    )
                    if response.status_code == 200:
                        break
            [received] = await stream.receive("crud")
            assert received["uuid"] == response.json()["uuid"]


@pytest.fixture
async def notifications(dsn: str, database: asyncpg.Connection) -> AsyncIterator[list[str]]:
    """The senders of the notifications of the database."""
    received: list[str] = []
    conn = await asyncpg.connect(dsn)
    await conn.add_listener("cruddur_events", lambda *args: received.append(args[3]))
    yield received
    await conn.close()


async def test_notifications_are_sent_only_while_another_process_listens(
    dsn: str, database: asyncpg.Connection, notifications: list[str]
) -> None:
    listener = await asyncpg.connect(dsn)
    try:
        await live.notify(database, sender="nobody listens", own_process_id=0)
        own = await live.listen(listener)
        await live.notify(database, sender="only the sender listens", own_process_id=own)
        await live.notify(database, sender="another one listens", own_process_id=0)
        await live.unlisten(listener)
        await live.notify(database, sender="nobody listens any more", own_process_id=0)
        await live.listen(listener)
        await live.notify(database, sender="the last", own_process_id=0)
        await until(lambda: "the last" in notifications)
    finally:
        await listener.close()
    assert notifications == ["another one listens", "the last"]


async def test_an_instance_notifies_the_others_of_its_commits(
    settings: Settings, url: str, notifications: list[str], database: asyncpg.Connection
) -> None:
    app = create_app(replace(settings, pool_size=2))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.test_app())
        andrew = await entered(stack, app, database)
        async with listening(url) as stream:
            await andrew.crud()
            await stream.receive("crud")
            await until(lambda: notifications)


async def test_with_redis_the_database_sends_no_notification(
    settings: Settings,
    redis: Redis,
    url: str,
    notifications: list[str],
    database: asyncpg.Connection,
) -> None:
    app = create_app(replace(settings, bus=redis.url, pool_size=2))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.test_app())
        andrew = await entered(stack, app, database)
        async with listening(url) as stream:  # of a process without Redis, which polls
            await andrew.crud()
            await stream.receive("crud")
    assert notifications == []


async def test_events_of_other_programs_arrive_without_a_notification(
    url: str, andrew: Member, notifications: list[str], database: asyncpg.Connection
) -> None:
    async with listening(url) as stream:
        await database.execute(
            "INSERT INTO activities (user_uuid, message, expires_at)"
            " VALUES ($1, 'written with psql', now() + interval '1 hour')",
            andrew.uuid,
        )
        [crud] = await stream.receive("crud")
    assert crud["message"] == "written with psql"
    assert notifications == []


async def test_after_redis_fails_events_are_late_and_with_it_immediate_again(
    settings: Settings,
    redis: Redis,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cruddur.live.redis._RETRY_SECONDS", 0.2)
    app = create_app(replace(settings, bus=redis.url, pool_size=2))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.test_app())
        url = await stack.enter_async_context(serving_on_a_socket(app))
        andrew = await entered(stack, app, database)
        stream = await stack.enter_async_context(listening(url))
        redis.kill()
        try:
            await andrew.crud("nobody carries the word")
            [received] = await stream.receive("crud")
            assert received["message"] == "nobody carries the word"
        finally:
            redis.start()
        await andrew.crud("somebody does again")
        await stream.receive("crud")
