"""A unit of work, and what it costs: a request, a sweep, a mail on its way.

Whatever happens inside one (statements, outgoing calls, domain spans, failures) finds it
by `current_operation()`, adds to its account and opens spans with its tracer. Outside of any,
in the command line's short commands, there is one that measures nothing.
"""

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol
from uuid import UUID

from opentelemetry import context, trace
from opentelemetry.metrics import Counter, Histogram, UpDownCounter
from opentelemetry.trace import NoOpTracer, Span, Status, StatusCode, Tracer
from opentelemetry.util.types import AttributeValue

from cruddur.errors import CruddurError
from cruddur.telemetry.redaction import REDACTED, private_values, scrub


class Reporter(Protocol):
    """Takes failures that somebody should look at."""

    def report(self, failure: "Failure") -> str | None:
        """Send it, soon; returns the identifier under which it will be found, if any."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """What a unit of work is measured with; one set per application.

    Attributes:
        tracer: opens the spans.
        database: the attributes of every statement's span: system, name, server.
        counters, gauges, histograms: by the metric's registered name.
        reporters: where failures go beside the span and the log.
    """

    tracer: Tracer = field(default_factory=NoOpTracer)
    database: Mapping[str, AttributeValue] = field(default_factory=dict)
    counters: Mapping[str, Counter] = field(default_factory=dict)
    gauges: Mapping[str, UpDownCounter] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    reporters: tuple[Reporter, ...] = ()


@dataclass(slots=True, eq=False)
class Operation:
    """One unit of work, and its account so far. Times are in seconds.

    Attributes:
        instruments: what it is measured with.
        is_recording: whether its spans are kept; without, none is opened.
        scope: the ASGI scope of a request, empty for background work.
        route: the rule that a request matched, such as `/api/activities/@<handle>`.
        shown_path: the path of a request with everything private redacted.
        private: values of path parameters that no log or span may contain.
        started: when it began, on the monotonic clock.
        statements, statement_seconds: SQL statements and their time.
        pool_wait_seconds: time spent waiting for database connections.
        calls, call_seconds: outgoing HTTP calls and their time.
        user_uuid: the person who asks.
        error: what ended it, if it failed.
        bodies: what was read from the request's body; private.
        uncommitted: counts that a transaction in progress may still take back.
        is_quiet: whether the span of a statement is kept only if it changed rows, failed or was
            slow. For periodic work, which usually finds nothing to do.
    """

    instruments: Instruments = field(default_factory=Instruments)
    is_recording: bool = False
    scope: Mapping[str, Any] = field(default_factory=dict)
    route: str | None = None
    shown_path: str = f"/{REDACTED}"
    private: tuple[str, ...] = ()
    started: float = field(default_factory=monotonic)
    statements: int = 0
    statement_seconds: float = 0.0
    pool_wait_seconds: float = 0.0
    calls: int = 0
    call_seconds: float = 0.0
    user_uuid: UUID | None = None
    error: BaseException | None = None
    bodies: list[object] = field(default_factory=list)
    uncommitted: list[tuple[str, int, Mapping[str, AttributeValue] | None]] | None = None
    is_quiet: bool = False

    @property
    def is_measured(self) -> bool:
        """Whether it is one: outside of any, everybody is given the same."""
        return self is not _NOTHING

    def scrub(self, text: str) -> str:
        """The text without anything private that came with the request."""
        return scrub(text, (*self.private, *private_values(self.scope, self.bodies)))

    def count(
        self, metric: str, amount: int = 1, attributes: Mapping[str, AttributeValue] | None = None
    ) -> None:
        """Add to a registered counter; inside a transaction, when it commits."""
        if self.uncommitted is not None:
            self.uncommitted.append((metric, amount, attributes))
        else:
            self._add(metric, amount, attributes)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """A transaction: what is counted inside counts if it is left without an exception.

        One inside another is another connection's, and neither waits for the other.
        """
        inner: list[tuple[str, int, Mapping[str, AttributeValue] | None]] = []
        outer, self.uncommitted = self.uncommitted, inner
        try:
            yield
        finally:
            self.uncommitted = outer
        for counted in inner:
            self._add(*counted)

    def _add(
        self, metric: str, amount: int, attributes: Mapping[str, AttributeValue] | None
    ) -> None:
        if counter := self.instruments.counters.get(metric):
            counter.add(amount, attributes)


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that somebody should look at, as every sink tells it.

    Attributes:
        error: the exception; for its type and frames, not for its text.
        message: its text, scrubbed.
        stacktrace: the scrubbed stack trace with all causes.
        what: what failed, in words.
        work: the unit of work that it ended.
        trace_id, span_id: 32 and 16 hexadecimal digits.
    """

    error: BaseException
    message: str
    stacktrace: str
    what: str
    operation: Operation
    trace_id: str
    span_id: str


# As Python says it, so that whoever reads stack traces can take them apart.
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"
_LONGEST_CHAIN = 50

_NOTHING = Operation()
_current: ContextVar[Operation] = ContextVar("cruddur_operation", default=_NOTHING)


def current_operation() -> Operation:
    """The unit of work that is being done."""
    return _current.get()


@contextmanager
def operation_scope(operation: Operation) -> Iterator[Operation]:
    """Make it the current one, in this task and those that start in it."""
    token = _current.set(operation)
    try:
        yield operation
    finally:
        _current.reset(token)


@contextmanager
def span(name: str, attributes: Mapping[str, AttributeValue] | None = None) -> Iterator[Span]:
    """An INTERNAL span around something that a rule of ours does; it is the current one
    meanwhile. A refusal is not its failure. Never hold it across a `yield`."""
    operation = current_operation()
    if not operation.is_recording:
        yield trace.INVALID_SPAN
        return
    opened = operation.instruments.tracer.start_span(name, attributes=attributes)
    token = context.attach(trace.set_span_in_context(opened))
    try:
        yield opened
    except CruddurError as refusal:
        if refusal.status >= 500:
            mark_failed(opened, refusal, operation)
        raise
    except Exception as error:
        mark_failed(opened, error, operation)
        raise
    finally:
        context.detach(token)
        opened.end()


def operation_attributes(operation: Operation) -> dict[str, AttributeValue]:
    """What it cost, as the attributes of its first span and the fields of its log line."""
    found: dict[str, AttributeValue] = {
        "app.db.statements": operation.statements,
        "app.db.duration_ms": milliseconds(operation.statement_seconds),
    }
    if operation.pool_wait_seconds:
        found["app.db.pool_wait_ms"] = milliseconds(operation.pool_wait_seconds)
    if operation.calls:
        found["app.http.calls"] = operation.calls
        found["app.http.duration_ms"] = milliseconds(operation.call_seconds)
    if operation.user_uuid is not None:
        found["enduser.pseudo.id"] = str(operation.user_uuid)
    return found


def milliseconds(seconds: float) -> float:
    """To the microsecond, which is more than the clock is good for."""
    return round(seconds * 1000, 3)


def error_type(error: BaseException) -> str:
    """The value of `error.type`: the class's name."""
    return type(error).__qualname__


def mark_failed(span: Span, error: BaseException, operation: Operation) -> None:
    """Set the status and `error.type` of a span that an exception ended.

    An exception passes through several spans, such as those of a statement and of its request.
    All of them are marked; `record_exception` is for the one in which the failure is reported.
    """
    if span.is_recording():
        span.set_attribute("error.type", error_type(error))
        span.set_status(Status(StatusCode.ERROR, describe(error, operation)))


def record_exception(span: Span, error: BaseException, operation: Operation) -> None:
    """Mark a span as failed, and record the exception with its stack trace, as a span event.

    When OpenTelemetry moves exceptions from span events to log records, only this changes.
    """
    if not span.is_recording():
        return
    mark_failed(span, error, operation)
    kind = type(error)
    qualified = kind.__qualname__
    if kind.__module__ != "builtins":
        qualified = f"{kind.__module__}.{qualified}"
    span.add_event(
        "exception",
        {
            "exception.type": qualified,
            "exception.message": describe(error, operation),
            "exception.stacktrace": stacktrace(error, operation),
        },
    )


def describe(error: BaseException, operation: Operation) -> str:
    """The text of an exception, scrubbed and never empty.

    PostgreSQL's errors append the row's values as DETAIL; only the first line is told.
    """
    text = str(error.args[0]) if hasattr(error, "sqlstate") and error.args else str(error)
    return operation.scrub(text.strip()) or error_type(error)


def stacktrace(error: BaseException, operation: Operation, *, with_texts: bool = True) -> str:
    """Frames with their lines of code, causes first, as Python prints them; the texts as
    `describe` gives them, or none."""
    told = ""
    for link in reversed(list(chain(error))):
        frames = "".join(traceback.format_tb(link.__traceback__))
        text = f": {describe(link, operation)}" if with_texts else ""
        led = _CAUSE if link.__cause__ is not None else _CONTEXT
        told = f"{told}{led if told else ''}Traceback (most recent call last):\n{frames}"
        told += f"{error_type(link)}{text}\n"
    return told


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what led to it, as Python prints it, the error first; after a group
    the errors that it holds."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending and len(seen) < _LONGEST_CHAIN:
        link = pending.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        led = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        pending += [led] if led is not None else []
        pending += link.exceptions if isinstance(link, BaseExceptionGroup) else ()
