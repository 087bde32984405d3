"""Refuse requests early while a worker is overloaded, so that admitted requests stay fast.

The limit of requests in flight follows measured latency: it grows while admitted requests take
about as long as their baseline, and shrinks when they take longer. This is congestion control
applied to requests (as in Netflix's concurrency-limits and Envoy's adaptive concurrency): the
excess over the baseline latency is time spent in queues.
"""

import asyncio
import hmac
import logging
import math
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from cruddur.asgi_types import Application, Message, Receive, Scope, Send
from cruddur.edge.refusals import Headers, Refusals
from cruddur.errors import UnavailableError
from cruddur.request_context import Kind, current_request
from cruddur.telemetry.operation import Instruments

logger = logging.getLogger(__name__)

MIN_LIMIT = 20
"""Requests in flight that are always admitted. Up to this number, latency updates the baseline."""

MAX_LIMIT = 1000

INITIAL_LIMIT = 50
"""The limit at the start. It returns to this value when there is little load."""

WINDOW_SECONDS = 0.1
"""How often the limit is adjusted."""

TICK_SECONDS = 0.02
"""How often the lag of the event loop is measured."""

SMOOTHING = 0.05
"""The weight of a new sample in the baseline latency of a route, an exponential moving average."""

LANE_LIMIT = 16
"""Requests in flight in each priority lane."""

LOG_SECONDS = 1.0
"""Interval between two log lines about refused requests."""

# One complete request without a body, as HTTP/1.1 clients send it.
_GET = re.compile(rb"GET (/[^ ?]*)[^ ]* HTTP/1\.1\r\n((?:[^\r\n]+\r\n)*+)\r\n")
_NEEDS_PARSING = re.compile(
    rb"^(?:content-length|transfer-encoding|upgrade|expect|connection:(?! *keep-alive *\r))",
    re.IGNORECASE | re.MULTILINE,
)
_ORIGIN = re.compile(rb"^origin: *([^\r]*)", re.IGNORECASE | re.MULTILINE)
_AUTHORIZATION = re.compile(rb"^authorization: *([^\r]*)", re.IGNORECASE | re.MULTILINE)

_MAX_CACHED_ORIGINS = 16
"""Origins for which the rendered refusal is cached."""

_BODILESS_METHODS = frozenset({"GET", "HEAD"})  # unless a header announces a body
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})


class AdaptiveLimit:
    """The number of requests that may be in flight."""

    def __init__(self, target: float) -> None:
        """Start with INITIAL_LIMIT.

        Args:
            target: average excess over the baseline latency that is accepted, in seconds.
        """
        self.limit = float(INITIAL_LIMIT)
        self.in_flight = 0
        self._target = target
        self._baseline: dict[str, float] = {}
        self._begin_window()

    def _begin_window(self) -> None:
        self._excess, self._completed, self._peak, self._has_refused = 0.0, 0, self.in_flight, False
        self._lag, self._ticks = 0.0, 0

    def is_full(self) -> bool:
        """Whether the next request has to be refused."""
        return self.in_flight >= self.limit

    def record_refusal(self) -> None:
        """Record that a request was refused in this window."""
        self._has_refused = True

    def enter(self) -> int:
        """Count a request as in flight; return how many are."""
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)
        return self.in_flight

    def leave(self, route: str | None, seconds: float, concurrency: int) -> None:
        """Count a request as answered.

        Args:
            route: the rule of the request; None to ignore its latency.
            seconds: how long it was in flight.
            concurrency: the result of `enter`.
        """
        self.in_flight -= 1
        if route is None:
            return
        baseline = self._baseline.setdefault(route, seconds)
        # The second condition corrects a baseline that was measured under load.
        if concurrency <= MIN_LIMIT or seconds < baseline / 2:
            self._baseline[route] = baseline + (seconds - baseline) * SMOOTHING
        self._excess += seconds - baseline
        self._completed += 1

    def record_lag(self, seconds: float) -> None:
        """Record how late the event loop was: the wait of a request before this layer sees it."""
        self._lag += seconds
        self._ticks += 1

    def adjust(self) -> None:
        """Adjust the limit to the measurements since the last call."""
        delay = self._lag / self._ticks if self._ticks else 0.0
        if self._completed:
            delay += max(0.0, self._excess / self._completed)
        elif self._has_refused:  # no request completed
            delay = math.inf
        if self._peak * 2 < self.limit:  # so far below the limit, slowness has other causes
            self.limit = max(self.limit, min(INITIAL_LIMIT, self.limit + 1))
        elif delay > self._target:
            factor = min(0.95, max(0.7, self._target / delay))
            self.limit = max(MIN_LIMIT, self.limit * factor)
        elif self._has_refused:
            self.limit = min(MAX_LIMIT, self.limit * 1.1)
        self._begin_window()


class Lane:
    """Requests that overload does not refuse, up to a fixed number."""

    def __init__(self) -> None:
        """Start with no requests in flight."""
        self._in_flight = 0

    def is_full(self) -> bool:
        """Whether the next request has to be refused."""
        return self._in_flight >= LANE_LIMIT

    def enter(self) -> int:
        """Count a request as in flight; return how many are."""
        self._in_flight += 1
        return self._in_flight

    def leave(self, *_: object) -> None:
        """Count a request as answered."""
        self._in_flight -= 1


class _CountedRequest:
    """One request, counted until its response starts, but not while it waits for its body.

    All other time depends on the client, which may be slow or keep a stream open for hours.
    """

    def __init__(self, gate: AdaptiveLimit | Lane, scope: Scope) -> None:
        self._gate = gate
        self._scope = scope
        self._is_counted = True
        self._has_body = scope["method"] not in _BODILESS_METHODS or any(
            name in _BODY_HEADERS for name, _ in scope["headers"]
        )
        self._now = asyncio.get_running_loop().time
        self._start = self._now()
        self._concurrency = gate.enter()

    def leave(self) -> None:
        if not self._is_counted:
            return
        self._is_counted = False
        # A request without a route does next to no work.
        request = current_request()
        route = None if request.kind is Kind.STREAM else request.route
        self._gate.leave(route, self._now() - self._start, self._concurrency)

    async def run(self, app: Application, receive: Receive, send: Send) -> None:
        """Run the application for the request."""

        async def receive_body() -> Message:
            if not self._has_body or not self._is_counted:
                return await receive()
            self._is_counted = False
            self._gate.leave(None, 0.0, self._concurrency)
            message = await receive()
            self._is_counted = True
            self._start, self._concurrency = self._now(), self._gate.enter()
            self._has_body = bool(message.get("more_body"))
            return message

        async def send_response(message: Message) -> None:
            self.leave()
            await send(message)

        try:
            await app(self._scope, receive_body if self._has_body else receive, send_response)
        finally:
            self.leave()


class LoadShedding:
    """The ASGI layer; it wraps every layer that does work for a request."""

    def __init__(
        self,
        app: Application,
        *,
        delay: float,
        operator_token: str,
        probes: Iterable[str],
        priority: Iterable[str],
        refusals: Refusals,
        extra_headers: Headers,
        instruments: Instruments,
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            delay: excess over the baseline latency above which requests are refused, in seconds.
            operator_token: the bearer token of operators, or empty.
            probes: the paths of the health checks.
            priority: the paths of the endpoints that are declared with `priority`.
            refusals: sends refusals.
            extra_headers: the headers that outer layers would add; for `refuse`.
            instruments: counts the refused requests.
        """
        self._app = app
        self._limit = AdaptiveLimit(delay)
        self._probes, self._priority, self._preflights, self._operators = (Lane() for _ in range(4))
        self._probe_paths = frozenset(path.encode() for path in probes)
        self._priority_paths = frozenset(priority)
        self._operator = f"Bearer {operator_token}".encode() if operator_token else None
        self._refusals = refusals
        self._more_headers = extra_headers
        self._rendered: dict[bytes | None, bytes] = {}
        self._instruments = instruments
        self._refused = 0
        self._arriving = 0  # passed by `refuse` but not yet in flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        gate: AdaptiveLimit | Lane | None = self._priority_lane(scope)
        if gate is None or gate.is_full():
            gate = self._limit
        self._arriving = max(0, self._arriving - 1)
        if gate.is_full():
            self._limit.record_refusal()
            self._refused += 1
            await self._refusals.send(UnavailableError(), scope, send)
        else:
            await _CountedRequest(gate, scope).run(self._app, receive, send)

    def refuse(self, data: bytes) -> bytes | None:
        """Return the response that refuses a request, or None to process it normally.

        The server calls it before it parses the request. Parsing with h11 and starting a task
        costs a third of answering a request, so at three times its capacity a worker would do
        nothing but refuse.

        Args:
            data: bytes received on an HTTP/1.1 connection without a request in progress.
        """
        if self._limit.in_flight + self._arriving < self._limit.limit:
            self._arriving += 1
            return None
        match = _GET.fullmatch(data)
        if match is None or match[1] in self._probe_paths or _NEEDS_PARSING.search(match[2]):
            return None
        token = _AUTHORIZATION.search(match[2]) if self._operator is not None else None
        if token is not None and self._is_operator(token[1]):
            return None
        self._limit.record_refusal()
        self._refused += 1
        origin = _ORIGIN.search(match[2])
        return self._rendered_refusal(origin[1] if origin else None)

    def _rendered_refusal(self, origin: bytes | None) -> bytes:
        rendered = self._rendered.get(origin)
        if rendered is None:
            headers, body = self._refusals.render(UnavailableError(), origin)
            lines = [b"%b: %b" % header for header in (*headers, *self._more_headers)]
            rendered = b"\r\n".join([b"HTTP/1.1 503 Service Unavailable", *lines, b"", body])
            if len(self._rendered) < _MAX_CACHED_ORIGINS:
                self._rendered[origin] = rendered
        return rendered

    def _is_operator(self, authorization: bytes) -> bool:
        return self._operator is not None and hmac.compare_digest(authorization, self._operator)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Adjust the limit and report refused requests inside the block."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _priority_lane(self, scope: Scope) -> Lane | None:
        """Return the lane of a request, if it has one."""
        if current_request().kind is Kind.PROBE:
            return self._probes
        if scope["path"] in self._priority_paths:
            return self._priority
        if scope["method"] == "OPTIONS":  # without it, a page cannot read the refusal
            return self._preflights
        if self._operator is not None:
            for name, value in scope["headers"]:
                if name == b"authorization" and self._is_operator(value):
                    return self._operators
        return None

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        adjusted = logged = loop.time()
        limit = round(self._limit.limit)
        gauge = self._instruments.gauges["app.requests.limit"]
        gauge.add(limit)
        while True:
            start = loop.time()
            await asyncio.sleep(TICK_SECONDS)
            now = loop.time()
            self._arriving = 0  # some never reach this layer, such as malformed requests
            self._limit.record_lag(max(0.0, now - start - TICK_SECONDS))
            if now - adjusted >= WINDOW_SECONDS:
                adjusted = now
                self._limit.adjust()
            if now - logged >= LOG_SECONDS:
                logged = now
                self._report()
                gauge.add(round(self._limit.limit) - limit)
                limit = round(self._limit.limit)

    def _report(self) -> None:
        if self._refused:
            refused, self._refused = self._refused, 0
            self._instruments.counters["app.requests.refused"].add(refused)
            logger.warning(
                "overloaded: refused %d requests; %d in flight, limit %d",
                refused, self._limit.in_flight, self._limit.limit,
            )  # fmt: skip
