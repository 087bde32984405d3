"""`python -m traceview`, as a user or a launcher runs it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from support import free_port
from traceview.server import AddressError, listen
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
                [sys.executable, "-m", "traceview", "--bind", url, *options],
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
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz").json()["product"] == "traceview":
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError(log.read_text())


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "traceview", *options], capture_output=True, text=True, timeout=30
    )


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
    with httpx.Client(base_url=url) as client:  # an idle connection must not delay the shutdown
        [listed] = client.get("/api/traces").json()
        assert (listed["name"], listed["service"]) == ("GET /api/activities", "from-the-sdk")
        assert listed["error"]
        spans = client.get(f"/api/traces/{listed['trace_id']}").json()["spans"]
        assert [(one["depth"], one["kind"], one["name"]) for one in spans] == [
            (0, "SERVER", "GET /api/activities"),
            (1, "CLIENT", "SELECT activities.home"),
        ]
        [event] = spans[1]["events"]
        assert "Traceback" in event["attributes"]["exception.stacktrace"]
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - told < 2  # usually 0.3 s; the machine may be busy
    assert (tmp_path / "log").read_text() == f"traceview: {url}\n"


def test_the_number_of_traces_is_configurable(start: Start) -> None:
    _, url = start("--traces", "2")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    for name in ("first", "second", "third"):
        provider.get_tracer("tests").start_span(name).end()
    provider.shutdown()
    listed = httpx.get(f"{url}/api/traces").json()
    assert {trace["name"] for trace in listed} == {"second", "third"}


def test_more_traces_get_more_memory() -> None:
    assert bounds_of(1) == Bounds(traces=1)
    assert bounds_of(500) == Bounds()
    assert bounds_of(5000) == Bounds(traces=5000, total_bytes=10 * Bounds().total_bytes)


def test_the_command_exits_with_its_parent(start: Start, tmp_path: Path) -> None:
    bind = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "traceview", "--bind", bind, "--follow-parent"]
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
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://{bind}/healthz")
        except httpx.TransportError:
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    raise AssertionError("it outlives its parent")


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
