"""How many streams are allowed, and how they end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from cruddur.app import create_app
from cruddur.live import hub
from cruddur.settings import Settings
from live.listening import listening
from patience import PATIENCE
from support import refused, serving_on_a_socket
from telemetry.serving import served


@pytest.fixture
async def few(settings: Settings) -> AsyncIterator[Callable[..., Any]]:
    """Serve an application with a low limit: `await few(streams=2)` returns its address."""
    async with AsyncExitStack() as stack:

        async def start(**limits: int) -> str:
            app = create_app(replace(settings, trusted_hops=1, **limits))
            await stack.enter_async_context(app.test_app())
            return await stack.enter_async_context(serving_on_a_socket(app))

        yield start


async def ask(url: str, address: str = "127.0.0.1") -> httpx.Response:
    """Request a stream that will be rejected."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"{url}/api/stream", headers={"X-Forwarded-For": address})


async def test_streams_per_client_address_are_limited(few: Callable[..., Any]) -> None:
    url = await few(streams_per_address=2)
    async with listening(url), listening(url):
        response = await ask(url)
        assert response.status_code == 429
        assert refused(response) == ["rate_limited"]
        async with listening(url, {"X-Forwarded-For": "127.0.0.2"}):
            pass
    await _until_there_is_room(url)


async def test_streams_per_worker_are_limited(few: Callable[..., Any]) -> None:
    url = await few(streams=2)
    async with listening(url, {"X-Forwarded-For": "127.0.0.2"}), listening(url):
        response = await ask(url, "127.0.0.3")
        assert response.status_code == 503
        assert refused(response) == ["unavailable"]
    await _until_there_is_room(url)


async def _until_there_is_room(url: str) -> None:
    """Wait until every slot is free again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with listening(url), listening(url):
                    return
            except AssertionError:
                await asyncio.sleep(0.01)


async def test_a_rejected_request_takes_no_slot(few: Callable[..., Any]) -> None:
    url = await few(streams=1)
    async with httpx.AsyncClient(trust_env=False) as client:
        for path in ("?handle=nobody", "?feed=x", "?ticket=x"):
            assert (await client.get(f"{url}/api/stream{path}")).status_code >= 400
        head = await client.head(f"{url}/api/stream")
        assert head.status_code == 200
        assert head.headers["content-type"] == "text/event-stream"
    async with listening(url):
        pass


async def test_an_idle_stream_sends_heartbeats(
    few: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 1)
    url = await few()
    async with listening(url) as stream, asyncio.timeout(PATIENCE):
        while not stream.comments:
            await stream.blank()


async def test_a_client_that_disconnects_during_the_handshake_takes_no_slot(
    few: Callable[..., Any],
) -> None:
    """At any time: before the slot is taken, after that, and while the headers are sent."""
    url = await few(streams=8)
    address = urlsplit(url)

    async def leave(seconds: float) -> None:
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(b"GET /api/stream?last_event_id=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.sleep(seconds)
        writer.transport.abort()

    for number in range(25):
        await asyncio.gather(*(leave((number + part / 8) / 1000) for part in range(8)))
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        for _ in range(8):
            while True:
                try:
                    await stack.enter_async_context(listening(url))
                    break
                except AssertionError:
                    await asyncio.sleep(0.01)


@pytest.mark.parametrize("workers", [1, 2])
async def test_streams_end_at_shutdown_with_different_reconnection_delays(
    workers: int, dsn: str, tmp_path: Path
) -> None:
    with served(dsn, tmp_path, workers=workers) as service:
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(listening(service.url)) for _ in range(20)]
            for stream in streams:
                stream.retry = None
            stopping = asyncio.create_task(asyncio.to_thread(service.stop))
            for stream in streams:
                assert await stream.rest() == []
            pauses = {stream.retry for stream in streams}
            assert None not in pauses, "a stream ended without a delay"
            assert len(pauses) > 10, "equal delays would cause a stampede"
        assert (await stopping).code == 0
