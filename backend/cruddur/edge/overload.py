"""Refuse requests early while a worker is overloaded, so that those it admits stay fast.

The limit of requests in flight follows measured latency: it grows while requests that were
admitted take about as long as usual, and shrinks when they take longer. The idea is that of
congestion control, applied to requests (Netflix's concurrency limits, Envoy's adaptive
concurrency): the excess over the usual latency is time spent in queues.
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

FEWEST = 20
"""Requests in flight that are always admitted. At most so many, latency counts as usual."""

MOST = 1000

CALM = 50
"""The limit at the start, and the one that it returns to in quiet times."""

WINDOW_SECONDS = 0.1
"""How often the limit is adjusted."""

TICK_SECONDS = 0.02
"""How often the lag of the event loop is measured."""

SMOOTHING = 0.05
"""The weight of a new sample in the usual latency of a route."""

LANE = 16
"""Requests in flight in each lane that overload leaves open."""

LOG_SECONDS = 1.0
"""Interval between two log lines about refused requests."""

SIGN_OUT = "/api/auth/signout"

# One complete request without a body, as HTTP/1.1 clients send it.
_GET = re.compile(rb"GET (/[^ ?]*)[^ ]* HTTP/1\.1\r\n((?:[^\r\n]+\r\n)*+)\r\n")
_LONG_WAY = re.compile(
    rb"^(?:content-length|transfer-encoding|upgrade|expect|connection:(?! *keep-alive *\r))",
    re.IGNORECASE | re.MULTILINE,
)
_ORIGIN = re.compile(rb"^origin: *([^\r]*)", re.IGNORECASE | re.MULTILINE)
_TOKEN = re.compile(rb"^authorization: *([^\r]*)", re.IGNORECASE | re.MULTILINE)

_ORIGINS = 16
"""Origins whose refusals are kept rendered."""

_BODILESS = frozenset({"GET", "HEAD"})  # unless a header announces a body
_BODY = frozenset({b"content-length", b"transfer-encoding"})


class AdaptiveLimit:
    """The number of requests that may be in flight."""

    def __init__(self, target: float) -> None:
        """Begin with the limit of quiet times.

        Args:
            target: seconds that requests may take longer than usual, on average.
        """
        self.limit = float(CALM)
        self.in_flight = 0
        self._target = target
        self._usual: dict[str, float] = {}
        self._begin_window()

    def _begin_window(self) -> None:
        self._excess, self._answered, self._peak, self._is_hit = 0.0, 0, self.in_flight, False
        self._lag, self._ticks = 0.0, 0

    def is_full(self) -> bool:
        """Whether the next request has to be refused."""
        return self.in_flight >= self.limit

    def note_refusal(self) -> None:
        """Note that a request was refused."""
        self._is_hit = True

    def enter(self) -> int:
        """Count a request as in flight; return how many are."""
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)
        return self.in_flight

    def leave(self, route: str | None, seconds: float, others: int) -> None:
        """Count a request as answered.

        Args:
            route: its rule; None if its latency should not be considered.
            seconds: how long it was in flight.
            others: what `enter` returned.
        """
        self.in_flight -= 1
        if route is None:
            return
        usual = self._usual.setdefault(route, seconds)
        # The second case corrects what was learned under load.
        if others <= FEWEST or seconds < usual / 2:
            self._usual[route] = usual + (seconds - usual) * SMOOTHING
        self._excess += seconds - usual
        self._answered += 1

    def note_lag(self, seconds: float) -> None:
        """Note how late the event loop was: what a request waits before it is seen here."""
        self._lag += seconds
        self._ticks += 1

    def adjust(self) -> None:
        """Set the limit by what was measured since the last call."""
        delay = self._lag / self._ticks if self._ticks else 0.0
        if self._answered:
            delay += max(0.0, self._excess / self._answered)
        elif self._is_hit:  # nothing is answered
            delay = math.inf
        if self._peak * 2 < self.limit:  # whatever takes long, it is not the number in flight
            self.limit = max(self.limit, min(CALM, self.limit + 1))
        elif delay > self._target:
            factor = min(0.95, max(0.7, self._target / delay))
            self.limit = max(FEWEST, self.limit * factor)
        elif self._is_hit:
            self.limit = min(MOST, self.limit * 1.1)
        self._begin_window()


class Lane:
    """Requests that overload does not refuse, up to a fixed number; more are like all others."""

    def __init__(self) -> None:
        """Begin with none."""
        self._in_flight = 0

    def is_full(self) -> bool:
        """Whether the next request has to be refused."""
        return self._in_flight >= LANE

    def enter(self) -> int:
        """Count a request as in flight; return how many are."""
        self._in_flight += 1
        return self._in_flight

    def leave(self, *_: object) -> None:
        """Count a request as answered."""
        self._in_flight -= 1


class _Passage:
    """One request, which is in flight until its response starts, but not while its body is awaited.

    The rest of its time is the client's, who may be slow, or keep a stream open for hours.
    """

    def __init__(self, gate: AdaptiveLimit | Lane, scope: Scope) -> None:
        self._gate = gate
        self._scope = scope
        self._is_counted = True
        self._has_body = scope["method"] not in _BODILESS or any(
            name in _BODY for name, _ in scope["headers"]
        )
        self._now = asyncio.get_running_loop().time
        self._start = self._now()
        self._others = gate.enter()

    def leave(self) -> None:
        if not self._is_counted:
            return
        self._is_counted = False
        # A request without a route does next to no work.
        request = current_request()
        route = None if request.kind is Kind.STREAM else request.route
        self._gate.leave(route, self._now() - self._start, self._others)

    async def run(self, app: Application, receive: Receive, send: Send) -> None:
        """Have the request answered."""

        async def receiving() -> Message:
            if not self._has_body or not self._is_counted:
                return await receive()
            self._is_counted = False
            self._gate.leave(None, 0.0, self._others)
            message = await receive()
            self._is_counted = True
            self._start, self._others = self._now(), self._gate.enter()
            self._has_body = bool(message.get("more_body"))
            return message

        async def sending(message: Message) -> None:
            self.leave()
            await send(message)

        try:
            await app(self._scope, receiving if self._has_body else receive, sending)
        finally:
            self.leave()


class LoadShedding:
    """The ASGI layer, outside of everything that does work for a request."""

    def __init__(
        self,
        app: Application,
        *,
        delay: float,
        operator_token: str,
        probes: Iterable[str],
        refusals: Refusals,
        more_headers: Headers,
        instruments: Instruments,
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            delay: seconds that requests may take longer than usual before others are refused.
            operator_token: what operators authenticate with, or empty.
            probes: the paths of the health checks.
            refusals: sends refusals.
            more_headers: what outer layers add to refusals, for `refuse`.
            instruments: counts the refused requests.
        """
        self._app = app
        self._limit = AdaptiveLimit(delay)
        self._probes, self._sign_outs, self._preflights, self._operators = (Lane() for _ in "1234")
        self._probe_paths = frozenset(path.encode() for path in probes)
        self._operator = f"Bearer {operator_token}".encode() if operator_token else None
        self._refusals = refusals
        self._more_headers = more_headers
        self._rendered: dict[bytes | None, bytes] = {}
        self._instruments = instruments
        self._refused = 0
        self._arriving = 0  # seen by `refuse` and not yet in flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        gate: AdaptiveLimit | Lane | None = self._lane(scope)
        if gate is None or gate.is_full():
            gate = self._limit
        self._arriving = max(0, self._arriving - 1)
        if gate.is_full():
            self._limit.note_refusal()
            self._refused += 1
            await self._refusals.send(UnavailableError(), scope, send)
        else:
            await _Passage(gate, scope).run(self._app, receive, send)

    def refuse(self, data: bytes) -> bytes | None:
        """Return the response that refuses a request, None to treat it as usual.

        For a server that has not parsed the request yet: parsing it with h11 and starting a task
        costs a third of answering it, so that three times the capacity would leave no time for
        anything but refusals.

        Args:
            data: what was received on an HTTP/1.1 connection without a request in progress.
        """
        if self._limit.in_flight + self._arriving < self._limit.limit:
            self._arriving += 1
            return None
        match = _GET.fullmatch(data)
        if match is None or match[1] in self._probe_paths or _LONG_WAY.search(match[2]):
            return None
        token = _TOKEN.search(match[2]) if self._operator is not None else None
        if token is not None and self._is_operator(token[1]):
            return None
        self._limit.note_refusal()
        self._refused += 1
        found = _ORIGIN.search(match[2])
        return self._render(found[1] if found else None)

    def _render(self, origin: bytes | None) -> bytes:
        rendered = self._rendered.get(origin)
        if rendered is None:
            headers, body = self._refusals.render(UnavailableError(), origin)
            lines = [b"%b: %b" % header for header in (*headers, *self._more_headers)]
            rendered = b"\r\n".join([b"HTTP/1.1 503 Service Unavailable", *lines, b"", body])
            if len(self._rendered) < _ORIGINS:
                self._rendered[origin] = rendered
        return rendered

    def _is_operator(self, authorization: bytes) -> bool:
        return self._operator is not None and hmac.compare_digest(authorization, self._operator)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Adjust the limit and report what is refused, inside."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def _lane(self, scope: Scope) -> Lane | None:
        """Return the lane of a request, if it has one."""
        if current_request().kind is Kind.PROBE:
            return self._probes
        if scope["path"] == SIGN_OUT:
            return self._sign_outs
        if scope["method"] == "OPTIONS":  # or a page could not read the refusal that follows
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
            self._arriving = 0  # some never get here, such as malformed ones
            self._limit.note_lag(max(0.0, now - start - TICK_SECONDS))
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
                "overloaded: refused %d requests; %d are in flight, at most %d may be",
                refused, self._limit.in_flight, self._limit.limit,
            )  # fmt: skip
