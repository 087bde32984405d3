"""Real processes deliver telemetry to their sinks without losses and without delaying requests."""

import asyncio
import json
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from botocore.credentials import Credentials
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from serving import Line, Served, Stopped, patient, served, span_id, trace_id

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry import pipeline
from cruddur.telemetry.export_queue import ExportQueue
from cruddur.telemetry.pipeline import Telemetry
from cruddur.version import __version__
from fakes.aws import environment as aws_environment
from fakes.honeycomb import DATASET_HEADER, KEY_HEADER, FakeHoneycomb
from fakes.rollbar import FakeRollbar
from fakes.sigv4 import FakeSignedOtlp
from fakes.sink import Mode, Sink
from outage import FOREVER
from patience import PATIENCE
from support import visiting
from telemetry.recorded import WAIT

HOME = "/api/activities/home"
HEALTH = "/api/health/telemetry"
KEY = "an-ingest-key"
OPERATOR = {"Authorization": "Bearer an-operator"}

GRACE_SECONDS = 3.0  # for requests in progress
LATE = "3600000"  # milliseconds: nothing is sent before the end

# A site customisation that notes every address that the process looks up, connects or
# sends to: Python's own sockets by the interpreter's audit events, those of the event
# loop, which are made in C, by its methods.
RECORDER = """
import os, sys, uvloop

def note(what, address):
    if isinstance(address, bytes):
        address = address.decode()
    with open(os.environ["CONNECTIONS"], "a") as file:
        file.write(f"{what} {address}\\n")

def audit(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        note(event, arguments[1])
    elif event == "socket.getaddrinfo":
        note(event, arguments[0])

sys.addaudithook(audit)

def wrap(name):
    method = getattr(uvloop.Loop, name)
    def noting(self, *arguments, **options):
        note(name, arguments[1:] or options)
        return method(self, *arguments, **options)
    setattr(uvloop.Loop, name, noting)

for name in ("create_connection", "create_unix_connection", "create_datagram_endpoint"):
    wrap(name)
"""


@pytest.fixture(scope="module")
async def served_dsn(make_database: Callable[..., Any]) -> str:
    """A separate database for the service processes, which no other test uses."""
    dsn: str = await make_database()
    return dsn


@pytest.fixture
def honeycomb() -> Iterator[FakeHoneycomb]:
    with FakeHoneycomb(KEY) as fake:
        yield fake


def requests(honeycomb: FakeHoneycomb, path: str) -> list[Any]:
    return [request for request in honeycomb.requests if request.path == path]


# --- P1 -------------------------------------------------------------------------------------


def test_P1_without_a_sink_nothing_is_called_and_ids_serve(served_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(RECORDER)
    addresses = tmp_path / "addresses"
    recorder = {"PYTHONPATH": str(tmp_path), "CONNECTIONS": str(addresses)}
    with served(served_dsn, tmp_path, OTEL_BSP_SCHEDULE_DELAY="10", **recorder) as service:
        response = service.http.get(HOME)
        refusal = service.http.get(HEALTH, headers=OPERATOR)
        stopped = service.stop(leaves_connections_open=True)
        called = addresses.read_text().splitlines()
        [line] = service.logged("cruddur.request", http__route=HOME)
        assert service.err.read_text() == ""
    assert response.status_code == 200
    assert (line["trace_id"], line["span_id"]) == (trace_id(response), span_id(response))
    assert called, "the recorder sees at least the database"
    host = served_dsn.partition("?host=")[2]
    assert [call for call in called if host not in call] == []
    assert refusal.status_code == 404, "P6: no operator's token is set, so there is no page"
    assert stopped.code == 0


# --- P2 -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def at_honeycomb(
    served_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[FakeHoneycomb, Served]]:
    """A service with the endpoint and the key of Honeycomb that served a few requests and ended."""
    directory = tmp_path_factory.mktemp("honeycomb")
    with (
        FakeHoneycomb(KEY) as fake,
        served(
            served_dsn,
            directory,
            OTEL_EXPORTER_OTLP_ENDPOINT=fake.url,
            HONEYCOMB_API_KEY=KEY,
            OTEL_SERVICE_NAME="backend-flask",
            OTEL_RESOURCE_ATTRIBUTES="cloud.region=ca-central-1",
            OTEL_EXPORTER_OTLP_TIMEOUT="10",
            CRUDDUR_ENVIRONMENT="staging",
            CRUDDUR_OPERATOR_TOKEN="an-operator",
            OTEL_BSP_SCHEDULE_DELAY="50",
            **patient(directory),
        ) as service,
    ):
        assert service.http.get(HOME).status_code == 200
        fake.wait_for(lambda: [span for span in fake.spans if span.name == f"GET {HOME}"])
        yield fake, service


def test_P2_honeycomb_gets_traces_and_metrics_as_it_wants_them(
    at_honeycomb: tuple[FakeHoneycomb, Served],
) -> None:
    honeycomb, service = at_honeycomb
    assert service.process.poll() is None

    def sinks() -> dict[str, Any]:
        page = service.http.get(HEALTH, headers=OPERATOR)
        assert page.status_code == 200
        return {sink["sink"]: sink for sink in page.json()["sinks"]}

    # The fake has the spans a moment before the service has its answer.
    service.until(lambda: sinks()["Honeycomb"]["sent"] >= 1)
    by_sink = sinks()
    assert by_sink.keys() == {"Honeycomb", "Honeycomb metrics"}
    assert by_sink["Honeycomb"]["last_error"] is None
    assert service.stop().code == 0

    assert honeycomb.problems == []
    assert {request.path for request in honeycomb.requests} == {"/v1/traces", "/v1/metrics"}
    for request in honeycomb.requests:
        assert request.headers[KEY_HEADER] == KEY
        assert request.headers["Content-Encoding"] == "gzip"
        assert request.headers["Content-Type"] == "application/x-protobuf"
        is_metrics = request.path == "/v1/metrics"
        assert request.headers[DATASET_HEADER] == ("backend-flask_metrics" if is_metrics else None)
        assert request.headers["traceparent"] is None
    [server] = [span for span in honeycomb.spans if span.name == f"GET {HOME}"]
    assert server.kind == "SERVER"
    for resource in (server.resource, honeycomb.metrics[0].resource):
        assert resource["service.name"] == "backend-flask"
        assert resource["service.version"] == __version__
        assert resource["service.instance.id"]
        assert resource["deployment.environment.name"] == "staging"
        assert resource["cloud.region"] == "ca-central-1"
    [duration] = [m for m in honeycomb.metrics if m.name == "http.server.request.duration"]
    assert HOME in [point.attributes.get("http.route") for point in duration.points]
    assert honeycomb.logs == [], "log lines are exported only on request"


def test_P7_a_timeout_in_seconds_causes_no_warning(
    at_honeycomb: tuple[FakeHoneycomb, Served],
) -> None:
    _, service = at_honeycomb
    assert "OTEL_EXPORTER_OTLP_TIMEOUT" not in service.text


def test_P2_X6_the_key_alone_sends_traces_alone_and_a_missing_daemon_is_not_noticed(
    served_dsn: str, tmp_path: Path, honeycomb: FakeHoneycomb
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))  # no other process gets the port
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        nobody.connect(("127.0.0.1", 9))  # what comes from elsewhere is refused now
        with served(
            served_dsn,
            tmp_path,
            HONEYCOMB_API_ENDPOINT=honeycomb.url,
            HONEYCOMB_API_KEY=KEY,
            AWS_XRAY_DAEMON_ADDRESS=address,
            OTEL_BSP_SCHEDULE_DELAY="10",
        ) as service:
            first = service.http.get(HOME)
            # A refusal that the system reports would meet the sending after it.
            honeycomb.wait_for(lambda: _of(honeycomb, trace_id(first)))
            second = service.http.get(HOME)
            honeycomb.wait_for(lambda: _of(honeycomb, trace_id(second)))
            stopped = service.stop()
            worst = [line for line in service.lines if line["level"] not in {"DEBUG", "INFO"}]
            assert service.err.read_text() == ""
    assert {request.path for request in honeycomb.requests} == {"/v1/traces"}
    assert worst == []
    assert stopped.code == 0


def _of(honeycomb: FakeHoneycomb, trace: str) -> list[str]:
    return [span.name for span in honeycomb.spans if span.trace_id == trace]


# --- P3 -------------------------------------------------------------------------------------

HYPERCORN = (sys.executable, "-m", "hypercorn", "cruddur.asgi:app", "--bind", "{bind}")


@pytest.mark.parametrize(
    ("workers", "server"),
    [(1, None), (2, None), (1, HYPERCORN)],
    ids=["one worker", "two workers", "plain hypercorn"],
)
def test_P3_sigterm_delivers_the_whole_queue(
    served_dsn: str,
    tmp_path: Path,
    honeycomb: FakeHoneycomb,
    workers: int,
    server: tuple[str, ...] | None,
) -> None:
    count = 40
    with (
        FakeRollbar("a-token") as rollbar,
        served(
            served_dsn,
            tmp_path,
            workers=workers,
            OTEL_EXPORTER_OTLP_ENDPOINT=honeycomb.url,
            HONEYCOMB_API_KEY=KEY,
            OTEL_LOGS_EXPORTER="otlp",
            OTEL_BSP_SCHEDULE_DELAY=LATE,
            OTEL_BLRP_SCHEDULE_DELAY=LATE,
            ROLLBAR_ACCESS_TOKEN="a-token",
            ROLLBAR_ENDPOINT=rollbar.endpoint,
            server=server,
            **patient(tmp_path),
        ) as service,
    ):
        responses = asyncio.run(_at_once(service, HOME, count))
        failures = [service.http.get("/rollbar/test") for _ in range(3)]
        assert honeycomb.requests == [], "it waits, or this test tests nothing"
        stopped = service.stop()
        if server is None:  # another server says where it pleases that it runs
            assert service.err.read_text() == ""
    assert {response[0] for response in responses} == {200}
    expected = {trace for _, trace in responses} | {trace_id(failure) for failure in failures}
    assert len(expected) == count + 3
    servers = [span for span in honeycomb.spans if span.kind == "SERVER"]
    assert Counter(span.trace_id for span in servers) == Counter(expected)
    lines = [line for line in honeycomb.logs if line.attributes["logger"] == "cruddur.request"]
    assert Counter(line.trace_id for line in lines) == Counter(expected)
    assert {item["custom"]["trace_id"] for item in rollbar.items} == {
        trace_id(failure) for failure in failures
    }
    # Each worker has something to export: its first sweep.
    for received in (honeycomb.spans, honeycomb.metrics):
        assert len({one.resource["service.instance.id"] for one in received}) == workers
    assert honeycomb.problems == []
    assert stopped.code == 0


def test_P3_a_request_in_progress_at_the_signal_is_exported_too(
    served_dsn: str, tmp_path: Path, honeycomb: FakeHoneycomb
) -> None:
    body = b'{"email": "odo@example.com"}'
    head = (
        "POST /api/auth/forgot HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with (
        served(
            served_dsn,
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=honeycomb.url,
            HONEYCOMB_API_KEY=KEY,
            OTEL_BSP_SCHEDULE_DELAY=LATE,
            **patient(tmp_path),
        ) as service,
        socket.create_connection(("127.0.0.1", service.port)) as slow,
    ):
        slow.sendall(head.encode() + body[:-1])
        assert service.http.get(HOME).status_code == 200  # by now the other has begun
        service.process.terminate()
        service.until(lambda: not _is_listening(service.port))
        slow.sendall(body[-1:])
        response = slow.recv(65536).decode()
        code = service.process.wait(PATIENCE)
    assert response.startswith("HTTP/1.1 200")
    [traceresponse] = [line for line in response.split("\r\n") if line.startswith("traceresponse")]
    assert "POST /api/auth/forgot" in _of(honeycomb, traceresponse.split("-")[1])
    assert code == 0


def _is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionError:
        return False
    return True


async def _at_once(service: Served, path: str, count: int) -> list[tuple[int, str]]:
    """Status and trace of so many requests at once, each by a connection of its own."""
    port = service.port

    async def ask() -> tuple[int, str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head = (await reader.read()).partition(b"\r\n\r\n")[0].decode()
        writer.close()
        await writer.wait_closed()
        lines = head.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        return int(lines[0].split()[1]), headers["traceresponse"].split("-")[1]

    return await asyncio.gather(*(ask() for _ in range(count)))


# --- P4, P5, P6: every sink in trouble at once ----------------------------------------------

SINKS = {"Honeycomb", "Honeycomb metrics", "Honeycomb logs", "X-Ray", "Rollbar", "CloudWatch"}
PATHS = {"/v1/traces", "/v1/metrics", "/v1/logs", "/TraceSegments", "/api/1/item/", "/"}
REQUESTS = 100


TROUBLES: list[tuple[Mode, Literal["api", "daemon"]]] = [
    ("refuse", "api"),
    ("hang", "api"),
    ("401", "api"),
    ("429", "daemon"),
    ("503", "api"),
]


@dataclass(frozen=True)
class Trouble:
    """What was seen of a service whose sinks were all in trouble.

    Attributes:
        statuses: of all requests.
        page: the page of the telemetry's health after all requests, by sink.
        strangers_status: the status of that page without the operator's token.
        stopped: how the service ended.
        printed: its standard error.
        lines: its log.
        tried: the paths of the sinks that it called.
    """

    statuses: Counter[int]
    page: dict[str, dict[str, Any]]
    strangers_status: int
    stopped: Stopped
    printed: str
    lines: list[Line]
    tried: set[str]


def _serve_in_trouble(
    dsn: str, mode: Mode, xray: Literal["api", "daemon"], directory: Path
) -> Trouble:
    with (
        _troubled(mode) as sink,
        served(
            dsn,
            directory,
            **_all_sinks(sink.refused_url if mode == "refuse" else sink.url, xray),
            CRUDDUR_OPERATOR_TOKEN="an-operator",
            OTEL_EXPORTER_OTLP_TIMEOUT="10000" if mode == "hang" else "10",
            OTEL_BSP_MAX_QUEUE_SIZE="10",
            OTEL_BSP_SCHEDULE_DELAY="20",
            OTEL_METRIC_EXPORT_INTERVAL="200",
        ) as service,
    ):
        statuses = _ask_often(service)
        if mode == "401":  # the only one without retries
            service.until(lambda: all(one["last_error"] for one in _page(service).values()))
        if mode == "hang":
            service.until(lambda: all(map(_is_tried, _page(service).values())))
        if mode != "refuse":
            sink.wait_for(lambda: {"/v1/metrics", "/api/1/item/"} <= _paths(sink))
        page = _page(service)
        strangers = service.http.get(HEALTH)
        stopped = service.stop(leaves_connections_open=True)
        return Trouble(
            statuses,
            page,
            strangers.status_code,
            stopped,
            service.err.read_text(),
            service.lines,
            _paths(sink),
        )


def _stop_during_a_request(dsn: str, directory: Path) -> Stopped:
    head = "POST /api/auth/forgot HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with (
        _troubled("hang") as sink,
        served(dsn, directory, **_all_sinks(sink.url, "api")) as service,
        socket.create_connection(("127.0.0.1", service.port)) as slow,
    ):
        slow.sendall(f"{head}Content-Length: 9\r\n\r\n{{".encode())
        assert service.http.get("/rollbar/test").status_code == 200
        return service.stop(leaves_connections_open=True)


def test_P4_P5_P6_P7_L4_R5_failing_sinks_are_reported_and_delay_no_request(
    served_dsn: str, tmp_path_factory: pytest.TempPathFactory, subtests: pytest.Subtests
) -> None:
    """All services run at the same time, because their ends take seconds."""

    def directory() -> Path:
        return tmp_path_factory.mktemp("trouble")

    with ThreadPoolExecutor(len(TROUBLES) + 1) as threads:
        troubles = [
            (mode, xray, threads.submit(_serve_in_trouble, served_dsn, mode, xray, directory()))
            for mode, xray in TROUBLES
        ]
        during_a_request = threads.submit(_stop_during_a_request, served_dsn, directory())
    for mode, xray, found in troubles:
        with subtests.test(mode=mode):
            _check_trouble(mode, xray, found.result())
    with subtests.test("P4: a request in progress and hanging sinks do not prevent the end"):
        stopped = during_a_request.result()
        assert stopped.code == 0
        assert stopped.seconds >= GRACE_SECONDS


def _is_tried(sink: dict[str, Any]) -> bool:
    return bool(sink["delivering_since"] or sink["failed"])


def _index(messages: list[str], start: str) -> int:
    """Return the place of the first message with this start, or the end."""
    places = (place for place, message in enumerate(messages) if message.startswith(start))
    return next(places, len(messages))


def _check_trouble(mode: Mode, xray: Literal["api", "daemon"], found: Trouble) -> None:
    page = found.page

    # P5, L4, R5: requests do not notice. While a sink hangs, the first request that waited for it
    # would end after the delivery was given up.
    assert found.statuses == {200: REQUESTS}
    if mode == "hang":
        assert all(map(_is_tried, page.values()))
        messages = [line["message"] for line in found.lines]
        for sink in ("Rollbar", "CloudWatch"):
            given_up = _index(messages, f"{sink} does not accept items")
            assert _index(messages, "GET /rollbar/test 200") < given_up
            assert _index(messages, f"GET {HOME} 200") < given_up

    # P6: undelivered items are counted, and only the operator sees the counts.
    assert found.strangers_status == 401
    assert page.keys() == SINKS
    spans = page["Honeycomb"]
    assert spans["capacity"] == 10
    assert spans["queued"] <= 10
    assert spans["sent"] == 0
    # A span waits, is on its way, was given up or was dropped; there were 3 a request.
    assert spans["failed"] + spans["dropped"] > REQUESTS
    if mode in {"refuse", "hang", "503"}:  # one delivery takes longer than all this
        assert spans["dropped"] > REQUESTS
    if mode == "401":
        for one in page.values():
            assert one["failed"] >= 1
            assert one["last_failed"] is not None
        for sink in ("Honeycomb", "Honeycomb metrics", "Honeycomb logs", "Rollbar"):
            assert "401" in page[sink]["last_error"]
    assert KEY not in json.dumps(page)
    assert "a-token" not in json.dumps(page)

    # P7: a timeout in milliseconds would be misread as seconds.
    told = [
        line["message"] for line in found.lines if "OTEL_EXPORTER_OTLP_TIMEOUT" in line["message"]
    ]
    assert len(told) == (1 if mode == "hang" else 0)
    assert all("seconds" in message and "2.8 hours" in message for message in told)

    # P4, L4, R5: the service ends although every sink was tried; the next tests check when.
    assert found.stopped.code == 0
    assert found.printed == ""
    tried = PATHS - ({"/TraceSegments"} if xray == "daemon" else set())
    assert found.tried == (set() if mode == "refuse" else tried)


@pytest.mark.parametrize("sinks", [0, 2])
async def test_P1_P4_the_end_waits_only_until_everything_is_delivered(
    worker_settings: Settings, monkeypatch: pytest.MonkeyPatch, sinks: int
) -> None:
    monkeypatch.setattr(pipeline, "CLOSE_SECONDS", FOREVER)
    telemetry = Telemetry(worker_settings)
    assert telemetry.export_queues == []
    delivered: list[int] = []
    for number in range(sinks):
        queue = ExportQueue[int](f"sink {number}", delivered.extend, delay=FOREVER)
        queue.put(number)
        telemetry.export_queues.append(queue)
    async with asyncio.timeout(PATIENCE), telemetry.running():
        pass
    assert sorted(delivered) == list(range(sinks))


@pytest.mark.parametrize(
    ("after", "granted"),
    [(None, 3.5), (0.0, 3.5), (3.0, 3.0), (4.5, 1.5), (9.0, 0.5)],
)
async def test_P4_all_deadlines_count_from_the_instant_at_which_the_server_stops(
    worker_settings: Settings, monkeypatch: pytest.MonkeyPatch, after: float | None, granted: float
) -> None:
    """The seconds after that instant at which the requests have ended, and the sinks' time."""
    now = 1000.0
    monkeypatch.setattr(pipeline, "time", SimpleNamespace(monotonic=lambda: now))
    telemetry = Telemetry(worker_settings)
    closed: list[float] = []
    for name in ("one", "two"):
        queue = ExportQueue[int](name, lambda _: None)
        monkeypatch.setattr(queue, "close", closed.append)
        telemetry.export_queues.append(queue)
    async with telemetry.running():
        if after is not None:
            telemetry.begin_stop()
            now += after
    assert closed == pytest.approx([granted - 0.1] * 2)


def _ask_often(service: Served) -> Counter[int]:
    """Return the statuses. Every twentieth request reports a failure."""
    paths = ("/rollbar/test" if number % 20 == 0 else HOME for number in range(REQUESTS))
    return Counter(service.http.get(path).status_code for path in paths)


def _page(service: Served) -> dict[str, dict[str, Any]]:
    """The page of the telemetry's health, by sink."""
    response = service.http.get(HEALTH, headers=OPERATOR)
    assert response.status_code == 200
    return {found["sink"]: found for found in response.json()["sinks"]}


@contextmanager
def _troubled(mode: Mode) -> Iterator[Sink]:
    with Sink() as sink:
        if mode != "refuse":  # for which it has an address of its own
            sink.mode = mode
        sink.retry_after = 30
        yield sink


def _paths(sink: Sink) -> set[str]:
    return {received.path for received in sink.requests}


def _all_sinks(url: str, xray: Literal["api", "daemon"]) -> dict[str, str]:
    daemon = {"AWS_XRAY_DAEMON_ADDRESS": urlsplit(url).netloc}
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "HONEYCOMB_API_KEY": KEY,
        "OTEL_LOGS_EXPORTER": "otlp",
        "ROLLBAR_ACCESS_TOKEN": "a-token",
        "ROLLBAR_ENDPOINT": f"{url}/api/1/",
        "CRUDDUR_CLOUDWATCH_LOG_GROUP": "cruddur",
        **(daemon if xray == "daemon" else {"CRUDDUR_XRAY_EXPORTER": "api"}),
        **aws_environment(url),
    }


# --- X4 -------------------------------------------------------------------------------------


def test_X4_X5_signed_otlp_goes_to_x_ray_and_honeycomb_with_the_same_trace(
    served_dsn: str, tmp_path: Path, honeycomb: FakeHoneycomb
) -> None:
    with (
        FakeSignedOtlp(Credentials("testing", "testing-secret", "session"), "ca-central-1") as xray,
        served(
            served_dsn,
            tmp_path,
            CRUDDUR_XRAY_EXPORTER="otlp",
            AWS_ENDPOINT_URL_XRAY=xray.url,
            AWS_DEFAULT_REGION="ca-central-1",
            AWS_ACCESS_KEY_ID="testing",
            AWS_SECRET_ACCESS_KEY="testing-secret",
            AWS_SESSION_TOKEN="session",
            OTEL_EXPORTER_OTLP_ENDPOINT=honeycomb.url,
            HONEYCOMB_API_KEY=KEY,
            **patient(tmp_path),
        ) as service,
    ):
        response = service.http.get(HOME)
        assert service.stop().code == 0
        assert xray.problems == []
        assert {signature.service for signature in xray.signatures} == {"xray"}
    for sink in (xray, honeycomb):
        assert trace_id(response) in {span.trace_id for span in sink.spans}
    # Each has the key that is its own.
    assert KEY.encode() not in b"".join(str(r.headers).encode() for r in xray.requests)


# --- P8 -------------------------------------------------------------------------------------


def test_P8_switched_off_no_span_and_no_metric_leaves_and_ids_serve(
    served_dsn: str, tmp_path: Path, honeycomb: FakeHoneycomb
) -> None:
    with served(
        served_dsn,
        tmp_path,
        OTEL_SDK_DISABLED="true",
        OTEL_EXPORTER_OTLP_ENDPOINT=honeycomb.url,
        HONEYCOMB_API_KEY=KEY,
        AWS_XRAY_DAEMON_ADDRESS=urlsplit(honeycomb.url).netloc,
        OTEL_BSP_SCHEDULE_DELAY="10",
    ) as service:
        responses = [service.http.get(HOME) for _ in range(5)]
        # A line is written when its answer has been sent.
        service.until(lambda: len(service.logged("cruddur.request", http__route=HOME)) == 5)
        lines = service.logged("cruddur.request", http__route=HOME)
        stopped = service.stop()
        assert service.err.read_text() == ""
    assert [response.status_code for response in responses] == [200] * 5
    assert [line["trace_id"] for line in lines] == [trace_id(r) for r in responses]
    assert len({trace_id(response) for response in responses}) == 5
    assert honeycomb.requests == []
    assert stopped.code == 0


async def test_P8_a_sample_has_its_rate_and_complete_traces(
    settings: Settings,
) -> None:
    exporter = InMemorySpanExporter()
    half = replace(settings, traces_sampler="traceidratio", traces_sampler_arg=0.5)
    telemetry = Telemetry(half, processors=[SimpleSpanProcessor(exporter)])
    application = create_app(half, telemetry)
    # All low, so that a sampler which looked at the id itself would keep every one of them.
    ids = [f"{'ab' * 9}{low:014x}" for low in range(40)]
    async with application.test_app(), visiting(application) as api:
        for flag in ("01", "00"):  # the caller's sampling flag has no effect
            for one in ids:
                headers = {
                    "traceparent": f"00-{one}-00f067aa0ba902b7-{flag}",
                    "Authorization": "none",  # invalid, but it prevents caching
                }
                response = await api.request("GET", HOME, headers=headers)
                assert trace_id(response) == one
    spans = [s for s in exporter.get_finished_spans() if _trace(s) in ids]
    names = Counter((_trace(span), span.name) for span in spans if span.name != WAIT)
    wanted = (f"GET {HOME}", "home-activities", "SELECT activities.home")
    kept = {trace for trace, _ in names}
    assert 5 < len(kept) < 35
    assert names == {(one, name): 2 for one in kept for name in wanted}
    assert {span.attributes["SampleRate"] for span in spans if span.attributes} == {2}


def _trace(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"
