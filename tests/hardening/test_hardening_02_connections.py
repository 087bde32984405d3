"""No connection outlives its client, and the number of connections is limited."""

import asyncio
import os
import resource
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import hypercorn.asyncio.run as hypercorn_run
import pytest
from h2.connection import H2Connection
from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.protocol.h2 import H2Protocol, StreamBuffer
from hypercorn.protocol.h11 import H11Protocol
from quart import Quart

from cruddur.edge.connections import ConnectionLimits
from cruddur.process.hypercorn.http1 import HTTP1, HTTPToolsHTTP1, http1_class
from cruddur.process.hypercorn.http2 import HTTP2
from cruddur.settings import Settings
from hardening.wire import HEALTH, Wire, wired
from patience import PATIENCE
from processes import Serve
from support import serving_on_a_socket
from telemetry.recorded import until

MANY = 60


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_hardening_02_a_connection_that_the_client_closed_keeps_no_descriptor(
    app: Quart, database: asyncpg.Connection
) -> None:
    async with serving_on_a_socket(app) as url:
        await _ask_and_close(url, 1)
        before = _descriptors()
        await _ask_and_close(url, MANY)
        await until(lambda: _descriptors() <= before + 2)


async def test_hardening_02_a_closed_connection_without_requests_keeps_no_descriptor(
    app: Quart, database: asyncpg.Connection
) -> None:
    async with serving_on_a_socket(app) as url:
        before = _descriptors()
        for _ in range(MANY):
            async with wired(url):
                pass
        await until(lambda: _descriptors() <= before + 2)


async def _answer_without_reading(scope: Any, receive: Any, send: Any) -> None:
    """An application like the layers that refuse a request before its handler."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def test_hardening_02_an_unread_body_does_not_keep_a_connection_open() -> None:
    """The chunks would fill the application's queue after the application stopped reading."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving_on_a_socket(_answer_without_reading) as url:
        before = _descriptors()
        for _ in range(5):
            async with wired(url) as wire:
                await wire.send(head + b"1\r\nx\r\n" * 100)
                assert (await wire.response()).status == 200
        await until(lambda: _descriptors() <= before + 2)


async def _ask_and_close(url: str, count: int) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(count):
            wire = await stack.enter_async_context(wired(url))
            assert (await wire.ask()).status == 200


async def test_hardening_02_an_address_with_too_many_connections_gets_429(
    app: Quart, database: asyncpg.Connection
) -> None:
    async with serving_on_a_socket(app, limits=ConnectionLimits(100, 3)) as url:
        await _refuses(url, 3, 429, ["rate_limited"])


async def test_hardening_02_a_full_worker_answers_503(
    app: Quart, database: asyncpg.Connection
) -> None:
    async with serving_on_a_socket(app, limits=ConnectionLimits(3, None)) as url:
        await _refuses(url, 3, 503, ["unavailable"])


async def _refuses(url: str, limit: int, status: int, codes: list[str]) -> None:
    async with AsyncExitStack() as stack:
        admitted = [await stack.enter_async_context(wired(url)) for _ in range(limit)]
        for wire in admitted:
            assert (await wire.ask()).status == 200
        async with wired(url) as refused:
            await refused.send(HEALTH)
            response = await refused.response()
            assert (response.status, response.codes(), response.is_last) == (status, codes, True)
            assert await refused.rest() == b""
        assert (await admitted[0].ask()).status == 200
        admitted[0].close()
        await _until_admitted(url)


async def _until_admitted(url: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            async with wired(url) as wire:
                if (await wire.ask()).status == 200:
                    return


async def test_hardening_02_many_refused_connections_hold_no_descriptors(
    app: Quart, database: asyncpg.Connection
) -> None:
    """Some of the connections get a response, the others are reset at once."""
    full = ConnectionLimits(1, None)
    async with serving_on_a_socket(app, limits=full) as url, wired(url) as admitted:
        assert (await admitted.ask()).status == 200
        before = _descriptors()
        async with AsyncExitStack() as stack:
            refused = [await stack.enter_async_context(wired(url)) for _ in range(200)]
            # Half of the descriptors are ours.
            await until(lambda: _descriptors() <= before + 200 + 64)
            await asyncio.gather(*map(Wire.rest, refused))


def test_hardening_02_the_service_raises_its_limit_of_open_files(serve: Serve, dsn: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        running = serve(CONNECTION_URL=dsn).wait()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)


def test_hardening_02_limits_leave_descriptors_for_the_pool_and_the_sinks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (300, 300))
    limits = ConnectionLimits.from_settings(settings)
    count = 300 - 128 - settings.pool_size
    assert {limits.admit(f"192.0.2.{number}") for number in range(count)} == {None}
    assert limits.admit("192.0.2.255") == 503


def test_hardening_02_one_address_never_fills_a_worker(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (300, 300))
    limits = ConnectionLimits.from_settings(settings)
    responses = [limits.admit("192.0.2.1") for _ in range(300)]
    assert 0 < responses.count(None) <= 300 // 2
    assert limits.admit("192.0.2.2") is None


def test_hardening_02_addresses_are_not_counted_behind_a_trusted_proxy() -> None:
    environment = {"CRUDDUR_CONNECTIONS_PER_ADDRESS": "2", "CONNECTION_URL": "postgresql://x"}
    direct = ConnectionLimits.from_settings(Settings.from_env(environment))
    assert [direct.admit("192.0.2.1") for _ in range(3)] == [None, None, 429]
    direct.release("192.0.2.1")
    assert direct.admit("192.0.2.1") is None
    proxied = ConnectionLimits.from_settings(
        Settings.from_env({**environment, "CRUDDUR_TRUSTED_HOPS": "1"})
    )
    assert {proxied.admit("192.0.2.1") for _ in range(300)} == {None}


def test_hardening_02_hosts_of_one_ipv6_network_share_a_limit() -> None:
    limits = ConnectionLimits(100, 2)
    responses = [limits.admit(f"2001:db8::{number}") for number in range(1, 4)]
    assert responses == [None, None, 429]
    assert limits.admit("2001:db8:0:1::1") is None


def test_hardening_02_refusals_are_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    limits = ConnectionLimits(1, None)
    for _ in range(50):
        limits.admit("192.0.2.1")
    assert [r.message for r in caplog.records if r.name == "cruddur.connections"] == [
        "refused 1 connections: the limit of 1 per worker is reached"
    ]


PRIVATE = {
    H11Protocol: (
        "_check_protocol",
        "_close_stream",
        "_handle_events",
        "_maybe_recycle",
        "_send_error_response",
        "_send_h11_event",
    ),
    H2Protocol: (
        "_close_stream",
        "_create_stream",
        "_flush",
        "_handle_events",
        "_send_data",
        "_window_updated",
    ),
}
"""The methods of Hypercorn that we override or call."""


@pytest.mark.parametrize("owner", PRIVATE, ids=lambda owner: owner.__name__)
def test_hardening_02_hypercorn_has_the_names_that_we_depend_on(owner: type) -> None:
    assert set(PRIVATE[owner]) <= set(vars(owner))
    own = vars(HTTP1 if owner is H11Protocol else HTTP2)
    overridden = {name for name in own if name in vars(owner) and name.startswith("_")}
    assert {name for name in overridden if not name.startswith("__")} <= set(PRIVATE[owner])


def test_hardening_02_http1_is_parsed_by_the_chosen_parser() -> None:
    assert http1_class("h11") is HTTP1
    assert http1_class("httptools") is HTTPToolsHTTP1


def test_hardening_02_an_unknown_hypercorn_is_served_with_h11(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(H11Protocol, "_handle_events")
    assert http1_class("httptools") is HTTP1
    [record] = [one for one in caplog.records if one.levelname == "WARNING"]
    assert record.message.endswith("Hypercorn has no H11Protocol._handle_events")


def test_hardening_02_hypercorn_uses_the_names_that_we_replace() -> None:
    names = hypercorn_run.worker_serve.__code__.co_names
    closures = [c for c in hypercorn_run.worker_serve.__code__.co_consts if hasattr(c, "co_names")]
    used = set(names).union(*(code.co_names for code in closures))
    assert {"WorkerContext", "TCPServer"} <= used
    assert hasattr(StreamBuffer(lambda: None), "_complete")
    assert callable(TaskGroup.spawn_app)
    assert hasattr(H2Connection(), "local_settings")
