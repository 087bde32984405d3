"""Run the service as operators do: a process with a log, signals and an exit code.

Use `served` with `with`; a process that still runs at the end is killed.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from patience import PATIENCE
from processes import Process, inherited, start_command
from support import free_port

T = TypeVar("T")

Line = dict[str, Any]

START_SECONDS = 60.0
POLL_SECONDS = 0.02

PATIENT = """
from cruddur.process import server
from cruddur.telemetry import pipeline

server.STOP_SECONDS = pipeline.STOP_SECONDS = pipeline.CLOSE_SECONDS = 3600
"""
"""A site customization: the service ends when everything is delivered, however long that takes."""


def patient(directory: Path) -> dict[str, str]:
    """Return the environment of a service that delivers everything before it ends."""
    (directory / "sitecustomize.py").write_text(PATIENT)
    return {"PYTHONPATH": str(directory)}


@dataclass(frozen=True)
class Stopped:
    """How it ended.

    Attributes:
        code: the exit code.
        seconds: from the signal to the end.
    """

    code: int
    seconds: float


@dataclass
class Served:
    """A running service.

    Attributes:
        out, err: the files with its output.
        scheme: `https` if it serves with TLS.
        http: a client with connections that stay open, as a load balancer's do.
    """

    process: Process
    port: int
    out: Path
    err: Path
    scheme: str = "http"
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        # Without TLS, no certificates are loaded.
        self.http = httpx.Client(base_url=self.url, trust_env=False, verify=False)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def text(self) -> str:
        """Return all of its standard output."""
        return self.out.read_text()

    @property
    def lines(self) -> list[Line]:
        """Its log, line by line; a line that is not one JSON object fails the test."""
        is_over = self.process.poll() is not None
        complete, _, rest = self.text.rpartition("\n")
        assert not (is_over and rest), f"the last line has no end: {rest!r}"
        return [_object(line) for line in complete.splitlines()]

    def logged(self, logger: str, **fields: Any) -> list[Line]:
        """The lines of a logger that have these values (`__` stands for a dot)."""
        wanted = {name.replace("__", "."): value for name, value in fields.items()}
        return [
            line
            for line in self.lines
            if line["logger"] == logger and wanted.items() <= line.items()
        ]

    def until(self, predicate: Callable[[], T], seconds: float = PATIENCE) -> T:
        """Wait until the predicate is true, and return what it returned."""
        deadline = time.monotonic() + seconds
        while not (found := predicate()):
            assert time.monotonic() < deadline, f"not in {seconds} s: {self.text}"
            time.sleep(POLL_SECONDS)
        return found

    def wait(self, workers: int) -> "Served":
        """Wait until all its workers answer."""

        def is_ready() -> bool:
            assert self.process.poll() is None, self.text + self.err.read_text()
            if self.text.count("Running on http") < workers:
                return False
            try:
                response = httpx.get(f"{self.url}/api/ready", trust_env=False, verify=False)
            except httpx.TransportError:
                return False
            return response.status_code == 200

        self.until(is_ready, START_SECONDS)
        return self

    def stop(
        self, number: int = signal.SIGTERM, *, leaves_connections_open: bool = False
    ) -> Stopped:
        """Send a signal, and wait for the end.

        The service waits a second for requests on open connections that are idle, so `http` is
        closed first by default.
        """
        if not leaves_connections_open:
            self.http.close()
        start = time.monotonic()
        self.process.send_signal(number)
        self.until(lambda: self.process.poll() is not None)
        return Stopped(self.process.wait(), time.monotonic() - start)


@contextmanager
def served(
    dsn: str,
    directory: Path,
    *options: str,
    workers: int = 1,
    server: Sequence[str] | None = None,
    port: int | None = None,
    **environment: str,
) -> Iterator[Served]:
    """Start the service with a database and only the variables of `environment`.

    Args:
        dsn: the database; it has been migrated.
        directory: where its output and its data are kept.
        options: the options of `cruddur serve`.
        workers: how many worker processes.
        server: the command of another server; `{bind}` in it is replaced by host and port.
        port: the port to serve on; default: a free one.
        environment: its further variables.
    """
    port = port or free_port()
    out, err = directory / f"out-{port}", directory / f"err-{port}"
    variables = {
        **inherited(),
        "CONNECTION_URL": dsn,
        "CRUDDUR_DATA_DIRECTORY": str(directory / "data"),
        "PORT": str(port),
        "WEB_CONCURRENCY": str(workers),
        "CRUDDUR_ADDRESS_ATTEMPTS": "1000",
        "CRUDDUR_RATE_EXEMPT": "127.0.0.1",
        "CRUDDUR_OVERLOAD_DELAY": "0",  # a busy machine must not cause refusals
        **environment,
    }
    process: Process
    if server is None:
        process = start_command(("serve", *options), variables, out, err)
    else:
        command = [part.format(bind=f"127.0.0.1:{port}") for part in server]
        with out.open("w") as stdout, err.open("w") as stderr:
            process = subprocess.Popen(
                command, env=variables, stdout=stdout, stderr=stderr, text=True, process_group=0
            )
    has_tls = "CRUDDUR_CERTFILE" in variables or "--certfile" in options
    service = Served(process, port, out, err, "https" if has_tls else "http")
    try:
        yield service.wait(workers)
    finally:
        service.http.close()
        if process.poll() is None:
            if server is not None:  # it may have started workers that do not notice its end
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()


def trace_id(response: httpx.Response) -> str:
    """Return the trace id in a response."""
    version, found, span_id, flags = response.headers["traceresponse"].split("-")
    assert (version, len(found), len(span_id), len(flags)) == ("00", 32, 16, 2)
    return str(found)


def span_id(response: httpx.Response) -> str:
    """The id of its server span."""
    return str(response.headers["traceresponse"].split("-")[2])


def _object(line: str) -> Line:
    try:
        found = json.loads(line)
    except ValueError:
        raise AssertionError(f"not JSON: {line!r}") from None
    assert isinstance(found, dict), f"not an object: {line!r}"
    return found
