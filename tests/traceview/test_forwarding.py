"""Everything that is received is also sent to a second endpoint."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from quart import Quart, Response, request
from samples import JSON, PROTOBUF, Viewer, line, pack, pack_logs, pack_metrics, span

from patience import PATIENCE
from support import free_port, serving_on_a_socket
from traceview import forwarding
from traceview.app import create_app
from traceview.forwarding import Forwarder, ForwardError, check_url, read_header, seconds_of


@dataclass
class Endpoint:
    """An OTLP endpoint with responses that a test sets, 200 by default."""

    url: str = ""
    received: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    blocked: asyncio.Event = field(default_factory=asyncio.Event)

    async def count(self, number: int) -> None:
        """Wait until so many requests have arrived."""
        async with asyncio.timeout(PATIENCE), self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= number)

    async def take(self) -> Response:
        headers = {key.lower(): value for key, value in request.headers.items()}
        body = await request.get_data()
        assert isinstance(body, bytes)
        async with self.arrived:
            self.received.append((request.path, headers, body))
            self.arrived.notify_all()
        await self.blocked.wait()
        return self.answers.pop(0) if self.answers else Response(b"", content_type=PROTOBUF)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    made = Endpoint()
    made.blocked.set()
    app = Quart("endpoint")

    @app.post("/base/v1/<_signal>")
    async def take(_signal: str) -> Response:
        return await made.take()

    async with serving_on_a_socket(app) as url:
        made.url = f"{url}/base"
        yield made
        made.blocked.set()


@asynccontextmanager
async def _forwarding(url: str, headers: dict[str, str] | None = None) -> AsyncIterator[Viewer]:
    forwarder = Forwarder(url, headers, first_delay=0.01)
    transport = httpx.ASGITransport(app=create_app(forwarder=forwarder))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4318") as http:
        yield Viewer(http)
    await forwarder.close()


async def _status(viewer: Viewer) -> dict[str, Any]:
    status: dict[str, Any] = (await viewer.http.get("/healthz")).json()["forward"]
    return status


async def _until(viewer: Viewer, is_done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while not is_done(status := await _status(viewer)):  # noqa: ASYNC110  # only there
            await asyncio.sleep(0.01)
    return status


async def test_every_signal_is_forwarded_as_it_was_received(endpoint: Endpoint) -> None:
    packed = gzip.compress(pack(span(1)))
    metric = pack_metrics()
    async with _forwarding(endpoint.url, {"x-honeycomb-team": "key"}) as viewer:
        await viewer.post("traces", packed, **{"content-encoding": "gzip", "x-other": "1"})
        await viewer.post("logs", pack_logs(line("said")))
        await viewer.post("metrics", metric)
        await viewer.post("traces", b'{"resourceSpans": []}', f"{JSON}; charset=utf-8")
        await endpoint.count(4)
        status = await _until(viewer, lambda status: status["waiting"] == 0)
    assert [(path, body) for path, _, body in endpoint.received] == [
        ("/base/v1/traces", packed),
        ("/base/v1/logs", pack_logs(line("said"))),
        ("/base/v1/metrics", metric),
        ("/base/v1/traces", b'{"resourceSpans": []}'),
    ]
    first, last = endpoint.received[0][1], endpoint.received[3][1]
    assert (first["content-type"], first["content-encoding"]) == (PROTOBUF, "gzip")
    assert last["content-type"] == f"{JSON}; charset=utf-8"
    assert first["x-honeycomb-team"] == last["x-honeycomb-team"] == "key"
    assert "x-other" not in first
    assert status == {
        "url": endpoint.url,
        "sent": 4,
        "failed": 0,
        "dropped": 0,
        "rejected": 0,
        "waiting": 0,
        "waiting_bytes": 0,
        "error": "",
    }


async def test_a_rejected_request_is_not_forwarded(endpoint: Endpoint) -> None:
    async with _forwarding(endpoint.url) as viewer:
        assert (await viewer.post("traces", b"nonsense")).status_code == 400
        assert (await viewer.post("traces", pack(span(1)))).status_code == 200
        await endpoint.count(1)
    assert [body for _, _, body in endpoint.received] == [pack(span(1))]


async def test_an_overloaded_endpoint_gets_the_request_again(endpoint: Endpoint) -> None:
    endpoint.answers += [
        Response("", 503),
        Response("", 429, {"Retry-After": "0"}),
        Response("", 502),
    ]
    async with _forwarding(endpoint.url) as viewer:
        await viewer.send(span(1), span(2))
        await endpoint.count(4)
        status = await _until(viewer, lambda status: status["sent"] == 1)
    assert {body for _, _, body in endpoint.received} == {pack(span(1), span(2))}
    assert (status["failed"], status["error"]) == (0, "")


async def test_an_endpoint_that_refuses_is_reported(endpoint: Endpoint) -> None:
    endpoint.answers += [Response("", 401)]
    async with _forwarding(endpoint.url, {"x-key": "secret"}) as viewer:
        await viewer.send(span(1))
        await endpoint.count(1)
        status = await _until(viewer, lambda status: status["failed"] == 1)
        assert status["error"] == "status 401 Unauthorized"
        assert "secret" not in (await viewer.http.get("/healthz")).text
        await viewer.send(span(2))
        status = await _until(viewer, lambda status: status["sent"] == 1)
        assert (status["failed"], status["error"]) == (1, "")


@pytest.mark.parametrize("form", [PROTOBUF, JSON])
async def test_items_that_the_endpoint_rejects_are_counted(endpoint: Endpoint, form: str) -> None:
    partial = ExportTraceServiceResponse()
    partial.partial_success.rejected_spans = 2
    partial.partial_success.error_message = "too old"
    as_json = b'{"partialSuccess": {"rejectedSpans": "2", "errorMessage": "too old"}}'
    body = as_json if form == JSON else partial.SerializeToString()
    endpoint.answers += [Response(body, content_type=form)]
    async with _forwarding(endpoint.url) as viewer:
        await viewer.send(span(1))
        status = await _until(viewer, lambda status: status["sent"] == 1)
    assert (status["rejected"], status["error"]) == (2, "2 items were rejected: too old")


async def test_an_endpoint_that_does_not_run_is_retried() -> None:
    async with _forwarding(f"http://127.0.0.1:{free_port()}") as viewer:
        await viewer.send(span(1))
        status = await _until(viewer, lambda status: bool(status["error"]))
    assert status["error"].startswith("ConnectError")
    assert (status["waiting"], status["failed"]) == (1, 0)


async def test_a_request_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "RETRY_SECONDS", 0.05)
    async with _forwarding(f"http://127.0.0.1:{free_port()}") as viewer:
        await viewer.send(span(1))
        status = await _until(viewer, lambda status: status["failed"] == 1)
    assert (status["waiting"], status["waiting_bytes"]) == (0, 0)


async def test_an_endpoint_that_does_not_answer_delays_nothing_and_the_queue_is_bounded(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forwarding, "WAITING_BYTES", 3 * len(pack(span(1))))
    endpoint.blocked.clear()
    async with _forwarding(endpoint.url) as viewer:
        for number in range(1, 6):
            await viewer.send(span(number))  # with a blocked endpoint, each is acknowledged
        await endpoint.count(1)
        status = await _status(viewer)
        assert (status["waiting"], status["dropped"], status["sent"]) == (3, 2, 0)
        assert status["error"] == "requests are dropped, because too many wait"
        assert len((await viewer.trace())["spans"]) == 5
        endpoint.blocked.set()
        await endpoint.count(3)
        status = await _until(viewer, lambda status: status["waiting"] == 0)
        assert (status["sent"], status["waiting_bytes"], status["error"]) == (3, 0, "")


async def test_a_request_that_comes_back_is_not_forwarded_again(endpoint: Endpoint) -> None:
    async with _forwarding(endpoint.url) as viewer:
        await viewer.post("traces", pack(span(1)), via="1.1 proxy")
        await endpoint.count(1)
        via = endpoint.received[0][1]["via"]
        assert via.startswith("1.1 proxy, 1.1 traceview-")
        # Another explorer that forwards to this one adds itself.
        response = await viewer.post("traces", pack(span(2)), via=f"{via}, 1.1 traceview-other")
        assert response.status_code == 200
        await viewer.post("traces", pack(span(3)))
        await endpoint.count(2)
    assert [body for _, _, body in endpoint.received] == [pack(span(1)), pack(span(3))]


async def test_without_an_endpoint_nothing_is_forwarded(viewer: Viewer) -> None:
    assert (await viewer.http.get("/healthz")).json()["forward"] is None


def test_retry_after_is_a_number_of_seconds_or_a_date() -> None:
    assert seconds_of("120") == 120
    later = format_datetime(datetime.now(UTC) + timedelta(days=2), usegmt=True)
    assert 24 * 3600 < (seconds_of(later) or 0) <= 48 * 3600
    assert seconds_of(format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)) == 0
    for text in ("", "soon", "-5", "1.5"):
        assert seconds_of(text) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("localhost:4317", "it is not an address"),
        ("ftp://host", "it is not an address"),
        ("http://", "it is not an address"),
        ("http://host:port", "cannot forward to http://host:port"),
        ("https://user:secret@host", "put credentials into --forward-header"),
        ("https://host?key=secret", "put credentials into --forward-header"),
        ("http://localhost:4318/", "that is this traceview itself"),
        ("http://[::1]:4318", "that is this traceview itself"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ForwardError, match=reason) as refused:
        check_url(url, own_port=4318)
    assert "secret" not in str(refused.value)


def test_headers_are_pairs() -> None:
    assert read_header("x-key=a=b") == ("x-key", "a=b")
    for text in ("x-key", "=a", "x key=a", "x-key=a\nb", "x-key=\u00e9"):
        with pytest.raises(ForwardError):
            read_header(text)
    assert check_url("https://api.example/base/", own_port=4318) == "https://api.example/base"
