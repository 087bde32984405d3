"""Limits use one key per client, however its address is written."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from live.listening import listening
from support import refused, serving, serving_on_a_socket
from telemetry.recorded import Recorded

HOME = "/api/activities/home"


@pytest.fixture
async def one_stream_each(settings: Settings) -> AsyncIterator[str]:
    """The URL of a service behind a proxy that gives each address one stream."""
    app = create_app(replace(settings, trusted_hops=1, streams_per_address=1))
    async with app.test_app(), serving_on_a_socket(app) as url:
        yield url


@asynccontextmanager
async def stream_of(url: str, address: str) -> AsyncIterator[None]:
    async with listening(url, {"X-Forwarded-For": address}):
        yield


async def is_refused(url: str, address: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        request = client.build_request(
            "GET", f"{url}/api/stream", headers={"X-Forwarded-For": address}
        )
        response = await client.send(request, stream=True)
        if response.status_code == 200:
            await response.aclose()
            return False
        await response.aread()
        assert refused(response) == ["rate_limited"]
        return True


@pytest.mark.parametrize(
    ("first", "same"),
    [
        ("203.0.113.9", "203.0.113.9:4711"),
        ("203.0.113.9:1", "203.0.113.9:2"),
        ("203.0.113.9", "::ffff:203.0.113.9"),
        ("203.0.113.9", "[::FFFF:203.0.113.9]:4711"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("2001:db8:1:2::1", "[2001:db8:1:2::2]:443"),
        ("2001:db8:1:2::1", '"[2001:DB8:1:2:0:0:0:3]"'),
        ("fe80::1%eth0", "fe80::2%eth1"),
        ("not an address", "9" * 300),
    ],
)
async def test_hardening_14_one_client_has_one_key(
    one_stream_each: str, first: str, same: str
) -> None:
    async with stream_of(one_stream_each, first):
        assert await is_refused(one_stream_each, same)


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("203.0.113.9", "203.0.113.10"),
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.10"),
    ],
)
async def test_hardening_14_other_clients_have_other_keys(
    one_stream_each: str, first: str, other: str
) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(stream_of(one_stream_each, first))
        await stack.enter_async_context(stream_of(one_stream_each, other))


@pytest.mark.parametrize(
    ("header", "address"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:DB8::1]:4711", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("\xff" * 500, "unknown"),
    ],
)
async def test_hardening_14_a_span_names_the_plain_address(
    settings: Settings, header: str, address: str
) -> None:
    exporter = InMemorySpanExporter()
    settings = replace(settings, trusted_hops=1)
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(exporter)])
    async with serving(create_app(settings, telemetry)) as api:
        await api.http.get(HOME, headers={b"X-Forwarded-For": header.encode("latin-1")})
    span = Recorded(exporter).server
    assert span.attributes is not None
    assert span.attributes["client.address"] == address


async def test_hardening_14_a_mapped_address_of_a_socket_is_unwrapped(
    settings: Settings,
) -> None:
    """A socket that serves IPv4 and IPv6 reports IPv4 clients as mapped addresses."""
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(exporter)])
    app = create_app(settings, telemetry)
    async with app.test_app():
        transport = httpx.ASGITransport(app=app, client=("::ffff:203.0.113.9", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            await http.get(HOME)
    span = Recorded(exporter).server
    assert span.attributes is not None
    assert span.attributes["client.address"] == "203.0.113.9"
