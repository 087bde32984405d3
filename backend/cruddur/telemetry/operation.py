"""Units of work, such as a request, a sweep or a mail, and their costs.

Statements, outgoing calls, spans and failures find the current unit of work with
`current_operation()`, add their costs to it and start spans with its tracer. Outside of a unit of
work, such as in short commands, `current_operation()` returns a placeholder that measures nothing.
"""

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
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
    """Sends failures to a service for error tracking."""

    def report(self, failure: "Failure") -> str | None:
        """Queue a failure, and return its identifier in the service, if it has one."""


@dataclass(frozen=True, slots=True)
class Instruments:
    """The instruments that measure units of work; one set per application.

    Attributes:
        tracer: starts the spans.
        database: attributes of the spans of all statements: system, name, server.
        counters, gauges, histograms: by their names in the registry.
        reporters: receive failures, in addition to the span and the log.
    """

    tracer: Tracer = field(default_factory=NoOpTracer)
    database: Mapping[str, AttributeValue] = field(default_factory=dict)
    counters: Mapping[str, Counter] = field(default_factory=dict)
    gauges: Mapping[str, UpDownCounter] = field(default_factory=dict)
    histograms: Mapping[str, Histogram] = field(default_factory=dict)
    reporters: tuple[Reporter, ...] = ()


@dataclass(slots=True, eq=False)
class Operation:
    """One unit of work, and its costs so far. Times are in seconds.

    Attributes:
        instruments: record its measurements.
        is_recording: whether its spans are kept; otherwise none is started.
        scope: the ASGI scope of a request, empty for background work.
        route: the rule that a request matched, such as `/api/activities/@<handle>`.
        redacted_path: the path of a request with everything private redacted.
        private: values of path parameters that no log or span may contain.
        started: its start on the monotonic clock.
        statements, statement_seconds: SQL statements and their time.
        pool_wait_seconds: time spent waiting for database connections.
        repetitions: how often the work was repeated because it lost its database server.
        database_server: host and port of the latest database connection, if there are several.
        calls, call_seconds: outgoing HTTP calls and their time.
        user_uuid: the signed-in user, or None.
        error: the exception that it failed with, or None.
        bodies: values read from the body of the request; private.
        uncommitted: what follows the commit of a transaction in progress, dropped if it is rolled
            back.
        is_quiet: whether the span of a statement is kept only if it changed rows, failed or was
            slow. For periodic work, which usually finds nothing to do.
    """

    instruments: Instruments = field(default_factory=Instruments)
    is_recording: bool = False
    scope: Mapping[str, Any] = field(default_factory=dict)
    route: str | None = None
    redacted_path: str = f"/{REDACTED}"
    private: tuple[str, ...] = ()
    started: float = field(default_factory=monotonic)
    statements: int = 0
    statement_seconds: float = 0.0
    pool_wait_seconds: float = 0.0
    repetitions: int = 0
    database_server: tuple[str, int] | None = None
    calls: int = 0
    call_seconds: float = 0.0
    user_uuid: UUID | None = None
    error: BaseException | None = None
    bodies: list[object] = field(default_factory=list)
    uncommitted: list[Callable[[], None]] | None = None
    is_quiet: bool = False

    @property
    def is_measured(self) -> bool:
        """Whether this is a real unit of work and not the placeholder."""
        return self is not _PLACEHOLDER

    def scrub(self, text: str) -> str:
        """Return a text without the private values of the request."""
        return scrub(text, (*self.private, *private_values(self.scope, self.bodies)))

    def count(
        self, metric: str, amount: int = 1, attributes: Mapping[str, AttributeValue] | None = None
    ) -> None:
        """Add to a registered counter; inside a transaction, after the commit."""
        self.after_commit(partial(self._add, metric, amount, attributes))

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call a function after the commit of the transaction, or now if there is none."""
        if self.uncommitted is not None:
            self.uncommitted.append(action)
        else:
            action()

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Delay what follows a commit until the transaction ends, and drop it if it fails.

        A nested transaction belongs to another connection and is independent.
        """
        inner: list[Callable[[], None]] = []
        outer, self.uncommitted = self.uncommitted, inner
        try:
            yield
        finally:
            self.uncommitted = outer
        for action in inner:
            action()

    def _add(
        self, metric: str, amount: int, attributes: Mapping[str, AttributeValue] | None
    ) -> None:
        if counter := self.instruments.counters.get(metric):
            counter.add(amount, attributes)


@dataclass(frozen=True, slots=True)
class Failure:
    """A reported exception, in the form that all sinks use.

    Attributes:
        error: the exception, for its type and frames; its own message is not scrubbed.
        message: the scrubbed message.
        stacktrace: the scrubbed stack trace with all causes.
        what: a description of what failed.
        operation: the unit of work that failed.
        trace_id, span_id: 32 and 16 hexadecimal digits.
    """

    error: BaseException
    message: str
    stacktrace: str
    what: str
    operation: Operation
    trace_id: str
    span_id: str


# The separators of Python's tracebacks, for parsers.
_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"
_MAX_CHAIN = 50

_PLACEHOLDER = Operation()
_current: ContextVar[Operation] = ContextVar("cruddur_operation", default=_PLACEHOLDER)


def current_operation() -> Operation:
    """Return the current unit of work."""
    return _current.get()


@contextmanager
def operation_scope(operation: Operation) -> Iterator[Operation]:
    """Make a unit of work the current one, in this task and in those that it starts."""
    token = _current.set(operation)
    try:
        yield operation
    finally:
        _current.reset(token)


@contextmanager
def span(name: str, attributes: Mapping[str, AttributeValue] | None = None) -> Iterator[Span]:
    """Record an INTERNAL span around a step of the service, and make it the current span.

    A CruddurError below 500 does not mark the span as failed. Do not hold it across a `yield`.
    """
    operation = current_operation()
    if not operation.is_recording:
        yield trace.INVALID_SPAN
        return
    new_span = operation.instruments.tracer.start_span(name, attributes=attributes)
    token = context.attach(trace.set_span_in_context(new_span))
    try:
        yield new_span
    except CruddurError as error:
        if error.status >= 500:
            mark_failed(new_span, error, operation)
        raise
    except Exception as error:
        mark_failed(new_span, error, operation)
        raise
    finally:
        context.detach(token)
        new_span.end()


def operation_attributes(operation: Operation) -> dict[str, AttributeValue]:
    """Return the costs of a unit of work, for its first span and its log line."""
    result: dict[str, AttributeValue] = {
        "app.db.statements": operation.statements,
        "app.db.duration_ms": milliseconds(operation.statement_seconds),
    }
    if operation.pool_wait_seconds:
        result["app.db.pool_wait_ms"] = milliseconds(operation.pool_wait_seconds)
    if operation.repetitions:
        result["app.db.repetitions"] = operation.repetitions
    if operation.calls:
        result["app.http.calls"] = operation.calls
        result["app.http.duration_ms"] = milliseconds(operation.call_seconds)
    if operation.user_uuid is not None:
        result["enduser.pseudo.id"] = str(operation.user_uuid)
    return result


def milliseconds(seconds: float) -> float:
    """Return seconds as milliseconds, rounded to the microsecond."""
    return round(seconds * 1000, 3)


def error_type(error: BaseException) -> str:
    """Return the value of `error.type`: the name of the class."""
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
    """Return the scrubbed message of an exception, or its type if there is none.

    PostgreSQL appends the values of the row as DETAIL, so only the first line is used.
    """
    text = str(error.args[0]) if hasattr(error, "sqlstate") and error.args else str(error)
    return operation.scrub(text.strip()) or error_type(error)


def stacktrace(error: BaseException, operation: Operation, *, with_texts: bool = True) -> str:
    """Return the stack trace with all causes, as Python prints it.

    Args:
        error: the exception.
        operation: the unit of work that failed.
        with_texts: whether to include the messages, scrubbed.
    """
    result = ""
    for link in reversed(list(chain(error))):
        frames = "".join(traceback.format_tb(link.__traceback__))
        text = f": {describe(link, operation)}" if with_texts else ""
        separator = _CAUSE if link.__cause__ is not None else _CONTEXT
        result = (
            f"{result}{separator if result else ''}Traceback (most recent call last):\n{frames}"
        )
        result += f"{error_type(link)}{text}\n"
    return result


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its cause or context, and so on; after a group also its members."""
    pending: list[BaseException] = [error]
    seen: set[int] = set()
    while pending and len(seen) < _MAX_CHAIN:
        link = pending.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        cause = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        pending += [cause] if cause is not None else []
        pending += link.exceptions if isinstance(link, BaseExceptionGroup) else ()
