"""Send everything that is received to a second OTLP/HTTP endpoint as well.

Requests are forwarded as they were received, byte for byte, in a task of their own, from a bounded
queue. So an endpoint that is slow or fails delays nothing. Retries follow the rules of OTLP/HTTP.
"""

import asyncio
import contextlib
import random
import secrets
import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # it has no stubs
from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from werkzeug.datastructures import Headers

from traceview.access import is_loopback

WAITING_BYTES = 64 * 1024 * 1024
"""Maximum size of the requests that wait; further ones are dropped and counted."""

WAITING_REQUESTS = 10_000
"""Maximum number of requests that wait."""

TIMEOUT_SECONDS = 10.0
"""Maximum time of a connection, and between two parts of a response."""

RETRY_SECONDS = 300.0
"""How long a request is retried after its first failure."""

MAX_DELAY_SECONDS = 30.0
"""Maximum time between two attempts, unless the endpoint asks for more."""

RETRYABLE = frozenset({429, 502, 503, 504})

LAST_SECONDS = 0.2
"""How long the end of the process waits for what was not sent yet."""

_FORWARDED = ("Content-Type", "Content-Encoding")


class ForwardError(Exception):
    """The endpoint cannot be used; the message gives the reason."""


class ForwardStatus(Struct, frozen=True):
    """What happened to the requests. `error` is the last one, empty after a success."""

    url: str
    sent: int
    failed: int
    """How many requests the endpoint refused, or did not accept in time."""
    dropped: int
    """How many requests were dropped because too many waited."""
    rejected: int
    """How many items of the accepted requests the endpoint rejected."""
    waiting: int
    waiting_bytes: int
    error: str


class _Export(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Forwarder:
    """A queue of requests, and the task that sends them."""

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, *, first_delay: float = 1.0
    ) -> None:
        """Take the endpoint.

        Args:
            url: the base address; `/v1/traces`, `/v1/logs` and `/v1/metrics` are appended.
            headers: headers to add, such as that of an API key.
            first_delay: seconds between the first two attempts; it doubles with each.

        Raises:
            ForwardError: the URL is invalid.
        """
        self._url = check_url(url)
        self._headers = dict(headers or {})
        # The name of this process; a request that has passed it before is not forwarded again.
        self._name = f"traceview-{secrets.token_hex(8)}"
        self._first_delay = first_delay
        self._waiting: deque[_Export] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sent = self._failed = self._dropped = self._rejected = 0
        self._error = ""

    def offer(self, path: str, headers: Headers, body: bytes) -> None:
        """Send a request soon; drop it if too many wait. Never waits.

        Args:
            path: the path that it was received at.
            headers: those of the received request.
            body: the body as received.
        """
        if self._name in headers.get("Via", ""):
            return
        full = self._waiting_bytes + len(body) > WAITING_BYTES
        if full or len(self._waiting) >= WAITING_REQUESTS:
            self._dropped += 1
            self._error = "requests are dropped, because too many wait"
            return
        found = {name: headers.get(name, "") for name in _FORWARDED}
        kept = {name: value for name, value in found.items() if value and value.isascii()}
        via = [one for one in (headers.get("Via"), f"1.1 {self._name}") if one and one.isascii()]
        self._waiting.append(_Export(path, {**kept, "Via": ", ".join(via), **self._headers}, body))
        self._waiting_bytes += len(body)
        self._is_idle.clear()
        self._arrived.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="forwarder")

    def status(self) -> ForwardStatus:
        """Return what happened so far."""
        return ForwardStatus(
            url=self._url,
            sent=self._sent,
            failed=self._failed,
            dropped=self._dropped,
            rejected=self._rejected,
            waiting=len(self._waiting),
            waiting_bytes=self._waiting_bytes,
            error=self._error,
        )

    async def close(self) -> None:
        """Stop; what waits is sent if that takes less than LAST_SECONDS."""
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_idle.wait(), LAST_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
            while True:
                await self._arrived.wait()
                while self._waiting:
                    export = self._waiting[0]
                    await self._deliver(client, export)
                    self._waiting.popleft()
                    self._waiting_bytes -= len(export.body)
                self._arrived.clear()
                self._is_idle.set()

    async def _deliver(self, client: httpx.AsyncClient, export: _Export) -> None:
        """Send a request until it is accepted or refused, or the time is up."""
        ends = time.monotonic() + RETRY_SECONDS
        delay = self._first_delay
        while True:
            retry_after: float | None = None
            try:
                response = await client.post(
                    self._url + export.path, content=export.body, headers=export.headers
                )
            except httpx.HTTPError as error:
                self._error = _described(error)
            else:
                if response.is_success:
                    self._sent += 1
                    rejected, self._error = rejected_by(response)
                    self._rejected += rejected
                    return
                phrase = httpx.codes.get_reason_phrase(response.status_code)
                self._error = f"status {response.status_code} {phrase}".strip()
                if response.status_code not in RETRYABLE:
                    self._failed += 1
                    return
                retry_after = seconds_of(response.headers.get("Retry-After", ""))
            # With jitter, so that several senders do not come back at the same time.
            pause = random.uniform(delay / 2, delay) if retry_after is None else retry_after  # noqa: S311  # no secret
            if time.monotonic() + pause > ends:
                self._failed += 1
                return
            await asyncio.sleep(pause)
            delay = min(2 * delay, MAX_DELAY_SECONDS)


def check_url(url: str, own_port: int | None = None) -> str:
    """Return the base address of an endpoint.

    Raises:
        ForwardError: it is not one of HTTP, or it is that of this process, on `own_port`.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL) as error:
        raise ForwardError(f"cannot forward to {url}: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ForwardError(f"cannot forward to {url}: it is not an address such as https://host")
    if parts.username is not None or parts.query or parts.fragment:
        raise ForwardError(
            f"cannot forward to {parts.hostname}: put credentials into --forward-header, "
            "and leave out what follows the path"
        )
    if own_port is not None and port == own_port and is_loopback(parts.hostname):
        raise ForwardError(f"cannot forward to {url}: that is this traceview itself")
    return url.rstrip("/")


def read_header(text: str) -> tuple[str, str]:
    """Parse `name=value`.

    Raises:
        ForwardError: it is not such a pair, or the name cannot be that of a header.
    """
    name, separator, value = text.partition("=")
    if not separator or not name.strip().replace("-", "").replace("_", "").isalnum():
        raise ForwardError("a header to forward with is NAME=VALUE")
    if any(not one.isprintable() for one in value) or not text.isascii():
        raise ForwardError(f"the value of the header {name.strip()} has an invalid character")
    return name.strip(), value.strip()


def seconds_of(retry_after: str) -> float | None:
    """Return how long to wait by a Retry-After header: seconds or a date (RFC 9110, 10.2.3)."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def rejected_by(response: httpx.Response) -> tuple[int, str]:
    """Return how many items an endpoint rejected in an accepted request, and why.

    The responses of the three signals have the same fields.
    """
    try:
        if "json" in response.headers.get("Content-Type", ""):
            partial = msgspec.json.decode(response.content).get("partialSuccess") or {}
            count = sum(int(value) for key, value in partial.items() if key.startswith("rejected"))
            message = str(partial.get("errorMessage", ""))
        else:
            parsed = ExportTraceServiceResponse.FromString(response.content).partial_success
            count, message = parsed.rejected_spans, parsed.error_message
    except (DecodeError, msgspec.DecodeError, AttributeError, ValueError):
        return 0, ""  # it accepted the request, whatever it says
    return count, f"{count} items were rejected: {message}" if count else ""


def _described(error: httpx.HTTPError) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
