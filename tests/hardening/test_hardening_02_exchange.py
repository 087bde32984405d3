"""The layer around Quart: a body has a limit, and a request ends with its response.

These tests play the server, because they need one that sends an endless body or never reports a
disconnect.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from quart import Quart

from patience import PATIENCE

Message = dict[str, Any]

CHUNK = b" " * 65_536


async def exchange(
    app: Quart, method: str, path: str, receive: Callable[[], Awaitable[Message]]
) -> list[Message]:
    """Return what the application sends for a request with an endless JSON body."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 4567),
        "extensions": {},
        "state": {},
    }
    async with asyncio.timeout(PATIENCE):
        await app(scope, receive, send)  # type: ignore[arg-type]  # typed dictionaries
    return sent


@pytest.mark.parametrize("path", ["/api/auth/forgot", "/api/nowhere"])
async def test_hardening_02_a_body_without_an_end_is_not_buffered(
    app: Quart, database: asyncpg.Connection, path: str
) -> None:
    chunks = 0

    async def receive() -> Message:
        nonlocal chunks
        chunks += 1
        await asyncio.sleep(0)
        return {"type": "http.request", "body": CHUNK, "more_body": True}

    [start, *_] = await exchange(app, "POST", path, receive)
    assert start["status"] == {"/api/auth/forgot": 413, "/api/nowhere": 404}[path]
    read = chunks
    for _ in range(100):  # in each turn of the event loop, a chunk could be read
        await asyncio.sleep(0)
    assert chunks == read


@pytest.mark.parametrize("path", ["/api/health-check", "/api/activities/home", "/api/nowhere"])
async def test_hardening_02_a_request_ends_with_its_response(
    app: Quart, database: asyncpg.Connection, path: str
) -> None:
    messages: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await asyncio.Event().wait()
        raise AssertionError("the event is never set")

    for _ in range(3):  # the third request reads the response cache
        messages.append({"type": "http.request", "body": b"", "more_body": False})
        sent = await exchange(app, "GET", path, receive)
        assert sent[0]["type"] == "http.response.start"
        assert not sent[-1].get("more_body")
