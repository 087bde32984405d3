"""`python -m traceview`, as a user or a launcher runs it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from patience import PATIENCE
from support import free_port
from traceview.server import AddressError, listen
from traceview.storage.database import Database
from traceview.store import Bounds, bounds_of

Start = Callable[..., tuple[subprocess.Popen[bytes], str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the command on a free port and wait until it responds."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*options: str) -> tuple[subprocess.Popen[bytes], str]:
        url = f"127.0.0.1:{free_port()}"
        log = tmp_path / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "traceview", "--bind", url),
                    *("--file", str(tmp_path / "traces.duckdb"), *options),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        _wait(f"http://{url}", log)
        return process, f"http://{url}"

    yield begin
    for process in started:
        process.kill()
        process.wait()


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz").json()["product"] == "traceview":
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError(log.read_text())


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "traceview", *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


@contextmanager
def _unfinished_request(url: str) -> Iterator[None]:
    """Send a request whose body never ends, and wait until it is being handled."""
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
            b"Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(12) == b"HTTP/1.1 100"
        yield


def test_the_command_receives_from_the_sdk_and_stops_on_a_signal(
    start: Start, tmp_path: Path
) -> None:
    process, url = start()
    provider = TracerProvider(resource=Resource.create({"service.name": "from-the-sdk"}))
    exporter = OTLPSpanExporter(f"{url}/v1/traces", compression=Compression.Gzip)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    with (
        pytest.raises(ZeroDivisionError),
        tracer.start_as_current_span("GET /api/activities", kind=SpanKind.SERVER),
        tracer.start_as_current_span("SELECT activities.home", kind=SpanKind.CLIENT),
    ):
        raise ZeroDivisionError("on purpose")
    provider.shutdown()
    with httpx.Client(base_url=url) as client:
        [listed] = client.get("/api/traces?background=1").json()
        assert (listed["name"], listed["service"]) == ("GET /api/activities", "from-the-sdk")
        assert listed["error"]
        spans = client.get(f"/api/traces/{listed['trace_id']}").json()["spans"]
        assert [(one["depth"], one["kind"], one["name"]) for one in spans] == [
            (0, "SERVER", "GET /api/activities"),
            (1, "CLIENT", "SELECT activities.home"),
        ]
        [event] = spans[1]["events"]
        assert "Traceback" in event["attributes"]["exception.stacktrace"]
        with _unfinished_request(url):
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
    assert (tmp_path / "log").read_text() == f"traceview: {url}\n"


def test_the_number_of_traces_is_configurable(start: Start) -> None:
    _, url = start("--traces", "2")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    for name in ("first", "second", "third"):
        provider.get_tracer("tests").start_span(name).end()
    provider.shutdown()
    listed = httpx.get(f"{url}/api/traces?background=1").json()
    assert {trace["name"] for trace in listed} == {"second", "third"}


def test_host_names_are_configurable(start: Start) -> None:
    _, url = start("--host-name", "Viewer.example", "--host-name", "traces")
    statuses = {
        host: httpx.get(f"{url}/healthz", headers={"host": host}).status_code
        for host in ("viewer.example:4318", "traces", "127.0.0.1:1", "evil.example", "10.0.0.1")
    }
    assert list(statuses.values()) == [200, 200, 200, 403, 403]


def test_more_traces_get_more_memory() -> None:
    assert bounds_of(1) == Bounds(traces=1)
    assert bounds_of(500) == Bounds()
    assert bounds_of(5000) == Bounds(traces=5000, total_bytes=10 * Bounds().total_bytes)


def test_the_command_exits_with_its_parent(start: Start, tmp_path: Path) -> None:
    bind = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "traceview", "--in-memory", "--bind", bind]
    command.append("--follow-parent")
    # The parent records the pid of its child, and is then killed without warning.
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, subprocess; command = [*" + repr(command) + ", str(os.getpid())];"
            "print(subprocess.Popen(command).pid, flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        _wait(f"http://{bind}", tmp_path / "none")
    finally:
        parent.kill()
        parent.communicate()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://{bind}/healthz")
        except httpx.TransportError:
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("it outlives its parent")


def _send(url: str, *names: str) -> None:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    for name in names:
        provider.get_tracer("tests").start_span(name, kind=SpanKind.SERVER).end()
    provider.shutdown()


def _stored_bytes(url: str) -> int:
    return int(httpx.get(f"{url}/api/storage").json()["bytes"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_acknowledged_survives_the_end_of_the_process(
    start: Start, number: signal.Signals
) -> None:
    process, url = start()
    before = _stored_bytes(url)
    _send(url, "first")
    if number == signal.SIGKILL:
        deadline = time.monotonic() + PATIENCE
        while _stored_bytes(url) == before:  # it is written soon, without a request to do so
            assert time.monotonic() < deadline
            time.sleep(0.02)
        httpx.get(f"{url}/api/query", params={"q": "| count"})  # waits for the end of the write
    else:
        _send(url, "last")  # a shutdown stores everything
    process.send_signal(number)
    process.wait(PATIENCE)
    _, url = start()
    expected = {"first"} if number == signal.SIGKILL else {"first", "last"}
    assert {
        trace["name"] for trace in httpx.get(f"{url}/api/traces?background=1").json()
    } == expected
    done = _run("query", "| count by name", "--url", url, "--since", "10m", "--json")
    assert done.returncode == 0, done.stderr
    assert {name for name, _ in json.loads(done.stdout)["rows"]} == expected


def test_query_prints_a_table(start: Start, tmp_path: Path) -> None:
    process, url = start()
    _send(url, "GET /a", "GET /b", "GET /a")
    done = _run("query", "from roots | count, max(duration) by name", "--url", url)
    assert (done.returncode, done.stderr) == (0, "")
    heading, *rows = done.stdout.splitlines()
    assert heading.split() == ["name", "count", "max(duration)", "[ms]"]
    assert [row.split()[:3] for row in rows] == [["GET", "/a", "2"], ["GET", "/b", "1"]]
    assert _run("query", "where name = nothing", "--url", url).stdout == "(no rows)\n"

    # The file is in use, and later it is not.
    path = str(tmp_path / "traces.duckdb")
    used = _run("query", "| count", "--file", path)
    assert used.returncode == 1
    assert used.stderr == f"traceview: another process uses {path}\n"
    process.terminate()
    process.wait(PATIENCE)
    assert _run("query", "| count", "--file", path).stdout.split() == ["count", "3"]


MISTAKES = [
    (["where duration > 5"], 2, "column 18: duration is a duration and needs a unit"),
    (["| count", "--since", "soon"], 2, "column 1: expected a time such as 15m"),
    (["| count", "--since", "1m", "--until", "2m", "--file", "{file}"], 2, "time range is empty"),
    (["| count", "--file", "{file}/none"], 1, "none"),
    (["| count", "--url", "http://127.0.0.1:1"], 1, "no traceview responds at http://127.0.0.1:1:"),
]


@pytest.mark.parametrize(("arguments", "code", "reason"), MISTAKES)
def test_query_reports_a_mistake_in_one_line(
    tmp_path: Path, arguments: list[str], code: int, reason: str
) -> None:
    path = tmp_path / "traces.duckdb"
    Database(path).close()
    done = _run("query", *(one.replace("{file}", str(path)) for one in arguments))
    assert (done.returncode, done.stdout) == (code, "")
    [message] = done.stderr.splitlines()
    assert message.startswith("traceview: ")
    assert reason in message


def test_a_second_viewer_of_the_same_file_keeps_its_traces_in_memory(
    start: Start, tmp_path: Path
) -> None:
    _, first = start()
    _, second = start()
    assert httpx.get(f"{first}/api/storage").json()["stored"]
    status = httpx.get(f"{second}/api/storage").json()
    assert not status["stored"]
    assert status["reason"] == f"another process uses {tmp_path / 'traces.duckdb'}"
    _send(second, "only in memory")
    assert len(httpx.get(f"{second}/api/traces?background=1").json()) == 1
    assert httpx.get(f"{first}/api/traces?background=1").json() == []


def test_without_duckdb_it_works_in_memory_and_says_so(tmp_path: Path) -> None:
    url = f"127.0.0.1:{free_port()}"
    program = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from traceview.__main__ import main\n"
        f"main(['--bind', {url!r}, '--file', {str(tmp_path / 'none.duckdb')!r}])"
    )
    with (tmp_path / "log").open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait(f"http://{url}", tmp_path / "log")
        _send(f"http://{url}", "kept")
        assert [
            one["name"] for one in httpx.get(f"http://{url}/api/traces?background=1").json()
        ] == ["kept"]
        response = httpx.get(f"http://{url}/api/query", params={"q": "| count"})
        assert response.status_code == 409
        assert "the package duckdb is not installed" in response.json()["error"]
    finally:
        process.kill()
        process.wait()
    assert (tmp_path / "log").read_text().splitlines() == [
        f"traceview: http://{url}",
        "traceview: traces are kept only in memory: the package duckdb is not installed",
    ]
    assert not (tmp_path / "none.duckdb").exists()


def test_a_taken_port_prints_one_clear_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        done = _run("--bind", f"127.0.0.1:{other.getsockname()[1]}")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("traceview: cannot serve on 127.0.0.1:")
    assert "in use" in line


@pytest.mark.parametrize(
    ("bind", "why"),
    [
        ("0.0.0.0:4318", "--allow-remote"),
        ("[::]:4318", "--allow-remote"),
        ("viewer.example:4318", "--allow-remote"),
        ("127.0.0.1", "HOST:PORT"),
        ("127.0.0.1:http", "HOST:PORT"),
        ("127.0.0.1:0", "HOST:PORT"),
        ("127.0.0.1:65536", "HOST:PORT"),
    ],
)
def test_an_invalid_address_is_rejected(bind: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        listen(bind, allow_remote=False)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--forward", "http://localhost:{port}"), "that is this traceview itself"),
        (("--forward", "https://x.example", "--forward-header", "key"), "NAME=VALUE"),
    ],
)
def test_an_endpoint_that_cannot_be_used_stops_the_start(
    options: tuple[str, ...], reason: str
) -> None:
    port = free_port()
    given = [option.replace("{port}", str(port)) for option in options]
    done = _run("--in-memory", "--bind", f"127.0.0.1:{port}", *given)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("traceview: ")
    assert reason in done.stderr
