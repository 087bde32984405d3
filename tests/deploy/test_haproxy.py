"""HAProxy in front of two services, as deploy/haproxy configures it."""

import asyncio
import csv
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Sized
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

import proxy
from certificates import self_signed
from live.listening import Listener
from patience import PATIENCE
from pictures import file
from support import Member, free_port
from telemetry.serving import Served, served

HOME = "/api/activities/home"

pytestmark = pytest.mark.skipif(proxy.HAPROXY is None, reason="haproxy is not installed")


@dataclass
class Site:
    """HAProxy and the services behind it."""

    url: str
    certificate: Path
    dsn: str
    directory: Path
    services: list[Served]
    stack: ExitStack

    def client(self, *, http2: bool = True) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url,
            http2=http2,
            verify=ssl.create_default_context(cafile=self.certificate),
            trust_env=False,
            timeout=30,
        )

    def start(self, port: int) -> None:
        """Start a service that HAProxy knows, and wait until it is ready."""
        service = served(self.dsn, self.directory, port=port, CRUDDUR_TRUSTED_HOPS="1")
        self.services.append(self.stack.enter_context(service))


@contextmanager
def site(dsn: str, directory: Path, replacements: dict[str, str] | None = None) -> Iterator[Site]:
    """Run two services and HAProxy, whose configuration has further replacements."""
    certificate, port, ports = self_signed(directory), free_port(), (free_port(), free_port())
    text = proxy.configuration(
        "haproxy.cfg",
        {
            ":443 ssl crt /etc/haproxy/cruddur.pem": f"127.0.0.1:{port} ssl crt {certificate}",
            "/run/haproxy/admin.sock": str(directory / "admin.sock"),
            "cruddur-a:4567": f"127.0.0.1:{ports[0]}",
            "cruddur-b:4567": f"127.0.0.1:{ports[1]}",
            **(replacements or {}),
        },
    )
    with ExitStack() as stack:
        one = Site(f"https://127.0.0.1:{port}", certificate, dsn, directory, [], stack)
        for own in ports:
            one.start(own)
        stack.enter_context(proxy.running(text, directory))
        proxy.wait_for_response(f"{one.url}/api/ready")
        yield one


@asynccontextmanager
async def stream(site: Site, member: Member, after: str = "") -> AsyncIterator[Listener]:
    """Open a stream, or resume one after an id."""
    headers = {**member.headers, **({"Last-Event-ID": after} if after else {})}
    async with (
        site.client() as http,
        http.stream("GET", "/api/stream", headers=headers) as response,
    ):
        response.raise_for_status()
        yield Listener(response.headers, response.aiter_lines(), last_id=after)


async def follow(site: Site, member: Member, opened: asyncio.Event, seen: list[str]) -> None:
    """Read events until cancelled, over a new stream whenever one ends, as a page does.

    A new stream may reach the service that is stopping, over a connection that is still open. It
    responds with 503, and the page tries again.
    """
    after = ""
    while True:
        try:
            async with stream(site, member, after) as listener:
                await listener.place()
                opened.set()
                try:
                    while (event := await listener.next()) is not None:
                        assert event.event == "crud"
                        seen.append(event.data["uuid"])
                finally:
                    after = listener.last_id
        except httpx.RemoteProtocolError:
            pass
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 503:
                raise
            await asyncio.sleep(0.1)


def ask(site: Site, command: str) -> str:
    """Return what HAProxy answers to a command on its socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(site.directory / "admin.sock"))
        connection.sendall(f"{command}\n".encode())
        return connection.makefile().read().strip()


def all_are_up(site: Site) -> bool:
    """Return whether HAProxy has found every service ready."""
    servers = csv.DictReader(ask(site, "show stat").splitlines())
    return all(row["status"] == "UP" for row in servers if row["# pxname"] == "services")


def has_length(items: Sized, length: int) -> bool:
    return len(items) >= length


async def until(predicate: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if predicate():
                return
            await asyncio.sleep(0.02)


async def test_a_rolling_restart_fails_no_request_and_loses_no_event(
    dsn: str, tmp_path: Path, andrew: Member
) -> None:
    opened, is_over = asyncio.Event(), asyncio.Event()
    seen, written, statuses = list[str](), list[str](), set[int]()

    async def load(one: Site) -> None:
        async with one.client() as http:
            while not is_over.is_set():
                draft = {"message": str(uuid4()), "ttl": "1-day"}
                post = await http.post("/api/activities", json=draft, headers=andrew.headers)
                read = await http.get(HOME)
                statuses.update((post.status_code, read.status_code))
                assert statuses == {200}
                written.append(post.json()["uuid"])

    with site(dsn, tmp_path) as one:
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(follow(one, andrew, opened, seen))
            await opened.wait()
            loads = [tasks.create_task(load(one)) for _ in range(3)]
            for service in list(one.services):
                assert (await asyncio.to_thread(service.stop)).code == 0
                await asyncio.to_thread(one.start, service.port)
                await until(partial(all_are_up, one))
                await until(partial(has_length, written, len(written) + 20))
            is_over.set()
            await asyncio.gather(*loads)
            await until(partial(has_length, seen, len(written)))
            following.cancel()
    assert sorted(seen) == sorted(written)


async def test_a_drained_service_stops_without_any_retry(dsn: str, tmp_path: Path) -> None:
    statuses = set[int]()
    is_over = asyncio.Event()

    async def load(one: Site) -> None:
        while not is_over.is_set():
            async with one.client() as http:
                statuses.add((await http.get(HOME)).status_code)

    with site(dsn, tmp_path, {"retries 3": "retries 0", "option redispatch 1": ""}) as one:
        assert ask(one, "set server services/a state drain") == ""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(load(one))
            await until(partial(has_length, statuses, 1))
            assert (await asyncio.to_thread(one.services[0].stop)).code == 0
            is_over.set()
    assert statuses == {200}


async def test_clients_get_http2_uploads_and_their_own_address(
    dsn: str, tmp_path: Path, andrew: Member
) -> None:
    picture = file(Image.effect_noise((900, 900), 80))
    with site(dsn, tmp_path) as one:
        for http2, version in ((True, "HTTP/2"), (False, "HTTP/1.1")):
            async with one.client(http2=http2) as http:
                spoofed = {"X-Forwarded-For": "203.0.113.9"}
                home = await http.get(HOME, headers=spoofed)
                assert (home.status_code, home.http_version) == (200, version)
                upload = await http.post("/api/pictures", content=picture, headers=andrew.headers)
                assert upload.status_code == 200
        lines = [line for service in one.services for line in service.lines]
        assert "203.0.113.9" not in str(lines)


async def test_a_source_that_sends_too_much_is_rejected(dsn: str, tmp_path: Path) -> None:
    with site(dsn, tmp_path, {"sc_http_req_rate(0) gt 2000": "sc_http_req_rate(0) gt 20"}) as one:
        async with one.client() as http:
            responses = [await http.get("/api/health-check") for _ in range(30)]
    rejected = [response for response in responses if response.status_code == 429]
    assert rejected
    assert rejected[0].json() == ["rate_limited"]
    assert rejected[0].headers["retry-after"] == "10"


async def test_a_source_with_too_many_requests_at_a_time_is_rejected(
    dsn: str, tmp_path: Path, andrew: Member
) -> None:
    with site(dsn, tmp_path, {"sc_conn_cur(0) gt 1000": "sc_conn_cur(0) gt 2"}) as one:
        async with (
            stream(one, andrew) as first,
            stream(one, andrew) as second,
            one.client() as http,
        ):
            await asyncio.gather(first.place(), second.place())
            assert (await http.get(HOME)).status_code == 429
        async with asyncio.timeout(PATIENCE), one.client() as http:
            # The streams end when HAProxy sees that their connections are closed. Requests without
            # a pause would exceed the rate of a source.
            while (await http.get(HOME)).status_code != 200:  # noqa: ASYNC110  # HAProxy's event
                await asyncio.sleep(0.1)


async def test_without_a_service_the_error_is_that_of_the_api(dsn: str, tmp_path: Path) -> None:
    with site(dsn, tmp_path) as one:
        for service in one.services:
            service.stop()
        async with one.client() as http:
            response = await http.get(HOME)
    assert (response.status_code, response.json()) == (503, ["unavailable"])
    assert response.headers["retry-after"] == "5"


def test_haproxy_accepts_the_configurations(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    hosts = {f"{name}:": "127.0.0.1:" for name in ("cruddur-a", "cruddur-b")}
    services = proxy.configuration(
        "haproxy.cfg", {"/etc/haproxy/cruddur.pem": str(certificate), **hosts}
    )
    members = {f" {name}:5432": " 127.0.0.1:5432" for name in ("db-a", "db-b", "db-c")}
    for text in (services, proxy.configuration("postgres.cfg", members)):
        assert proxy.problems(text, tmp_path) == ""
