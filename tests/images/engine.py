"""A container engine, a small HTTP client, and checks that print their results.

Uses only Python's standard library, so that it runs without installed packages.
"""

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]

WAIT_SECONDS = 60.0
"""Timeout for a condition, in seconds; only a busy machine needs much of it."""


class CheckError(Exception):
    """A check failed, or a command did."""


@dataclass(frozen=True)
class Response:
    """An HTTP response; status 0 where no connection could be made or it broke."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """Parse the body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """An HTTP client for one origin on this machine; each request has its own connection.

    Args:
        url: the origin.
        certificate: a certificate to trust, for https.
    """

    url: str
    certificate: Path | None = None

    def get(self, path: str, **headers: str) -> Response:
        """Send a GET request."""
        return self.request("GET", path, None, headers)

    def spans(self, trace_id: str) -> list[str]:
        """Return the names of a trace's spans, the first one first, once it has any.

        Its log lines may arrive earlier. Raises CheckError if no span arrives.
        """
        names: list[str] = []

        def arrived() -> bool:
            response = self.get(f"/api/traces/{trace_id}")
            names[:] = (
                [span["name"] for span in response.json()["spans"]]
                if response.status == 200
                else []
            )
            return bool(names)

        until(f"the trace {trace_id} arrives", arrived)
        return names

    def post(self, path: str, body: object, **headers: str) -> Response:
        """Send a POST request with a JSON body."""
        headers["Content-Type"] = "application/json"
        return self.request("POST", path, json.dumps(body).encode(), headers)

    def request(self, method: str, path: str, body: bytes | None, headers: dict) -> Response:
        """Send a request and read the whole response."""
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or 80
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=15, context=self.context())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=15)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, named, response.read())
        except (OSError, http.client.HTTPException):
            return Response(0)
        finally:
            connection.close()

    def context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts the certificate."""
        return ssl.create_default_context(cafile=self.certificate)

    def protocol(self) -> str | None:
        """Return the protocol that the server chooses when HTTP/2 is offered."""
        parts = urlsplit(self.url)
        context = self.context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        address = (parts.hostname or "", parts.port or 443)
        with (
            socket.create_connection(address, 15) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as tls,
        ):
            return tls.selected_alpn_protocol()


@dataclass(frozen=True)
class Compose:
    """A Compose project that reads no `.env` of this checkout.

    Args:
        engine: the path of docker or podman.
        project: its name.
        files: its files.
        environment: variables for Compose, in addition to those of this process.
    """

    engine: str
    project: str
    files: tuple[str, ...]
    environment: dict[str, str]

    def __call__(self, *arguments: str) -> str:
        """Run `docker compose` and return what it printed.

        Raises:
            CheckError: it failed.
        """
        return run(self.engine, "compose", *arguments, environment=self.variables)

    @property
    def variables(self) -> dict[str, str]:
        """The whole environment of a command that works on this project."""
        return os.environ | {
            "COMPOSE_PROJECT_NAME": self.project,
            "COMPOSE_FILE": os.pathsep.join(self.files),
            "COMPOSE_ENV_FILES": os.devnull,
            **self.environment,
        }

    def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers, running or not."""
        return self("ps", "--all", "--quiet", service).split()

    def client(self, container: str, port: int) -> Client:
        """Return a client for a port that a container publishes."""
        address = run(self.engine, "port", container, f"{port}/tcp").splitlines()[0]
        return Client(f"http://{address}")

    def inspect(self, container: str, template: str) -> str:
        """Return one property of a container."""
        return run(self.engine, "inspect", "--format", template, container)

    def python(self, container: str, script: str) -> str:
        """Return what a Python script prints inside a container, or its error."""
        command = [self.engine, "exec", container, "python", "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).strip()

    @contextlib.contextmanager
    def up(self, *arguments: str) -> Iterator[None]:
        """Start the project and remove it, with its volumes, at the end.

        If anything fails, the last log lines of every service are printed.
        """
        try:
            self("up", "--detach", "--wait", *arguments)
            yield
        except BaseException:
            with contextlib.suppress(CheckError):
                print(self("ps", "--all"), self("logs", "--tail", "40"), sep="\n", flush=True)
            raise
        finally:
            self("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "1")


def find_engine() -> str:
    """Return the path of docker or podman.

    Raises:
        CheckError: neither is installed.
    """
    engine = shutil.which("docker") or shutil.which("podman")
    if engine is None:
        raise CheckError("Docker or Podman is needed, and neither is installed")
    os.environ["DOCKER_BUILDKIT"] = "1"
    return engine


def until(what: str, holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Wait until a condition holds.

    Raises:
        CheckError: it did not within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise CheckError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.05)


def check(what: str, holds: bool) -> None:
    """Print that a check holds. Raises CheckError if it does not."""
    if not holds:
        raise CheckError(what)
    say(f"ok  {what}")


def say(what: str) -> None:
    """Print a line at once."""
    print(what, flush=True)


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run a command in the checkout and return what it printed.

    Raises:
        CheckError: it failed; the message holds its output.
    """
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CheckError(f"{' '.join(command)}\n{done.stdout[-8000:]}{done.stderr[-8000:]}")
    return done.stdout.strip()


def git(*arguments: str) -> str:
    """Return what git prints, or nothing outside of a repository."""
    command = ("git", *arguments)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(checks: Callable[[], None]) -> None:
    """Run checks as a command: exit code 1 and one message if one fails."""
    start = time.monotonic()
    try:
        checks()
    except CheckError as error:
        sys.exit(f"FAILED  {error}")
    say(f"done in {time.monotonic() - start:.0f} s")
