"""Record spans and durations of SQL statements."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, get_current_span
from opentelemetry.util.types import AttributeValue

from cruddur.telemetry.operation import Operation, current_operation, error_type, mark_failed

T = TypeVar("T")

_SLOW_SECONDS = 0.1
"""Minimum duration at which any statement of quiet work has a span."""

_server: ContextVar[Mapping[str, AttributeValue] | None] = ContextVar(
    "cruddur_server", default=None
)


@contextmanager
def statements_on(server: Mapping[str, AttributeValue]) -> Iterator[None]:
    """Give the spans of statements inside the block the attributes of another server."""
    token = _server.set(server)
    try:
        yield
    finally:
        _server.reset(token)


def traceparent() -> str:
    """Return the `traceparent` of the current span (W3C Trace Context), to store in rows.

    Readers of the rows continue the trace. It is empty if the trace is not sampled.
    """
    ids = get_current_span().get_span_context()
    if not ids.trace_flags.sampled:
        return ""
    return f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"


async def measured(
    attributes: Mapping[str, AttributeValue],
    statement: Awaitable[T],
    count: Callable[[T], int] | None = None,
    *,
    writes: bool = False,
) -> T:
    """Await a statement and return its result; record its span and its duration.

    Args:
        attributes: its operation, summary (the span's name) and text with placeholders.
        statement: the call that sends it.
        count: returns the number of rows of a result; None for statements without rows.
        writes: whether `count` counts changed rows instead of returned ones.
    """
    operation = current_operation()
    started = time.time_ns() if operation.is_quiet else None
    span = INVALID_SPAN if operation.is_quiet else _start_span(operation, attributes)
    start = time.perf_counter()
    rows: int | None = None
    error: BaseException | None = None
    try:
        answer = await statement
        if count is not None and operation.is_recording:
            rows = count(answer)
    except BaseException as failure:
        error = failure
        raise
    else:
        return answer
    finally:
        seconds = time.perf_counter() - start
        if operation.is_quiet and (
            (writes and rows) or error is not None or seconds >= _SLOW_SECONDS
        ):
            span = _start_span(operation, attributes, started)
        if rows is not None:
            span.set_attribute(
                "app.db.affected_rows" if writes else "db.response.returned_rows", rows
            )
        if isinstance(error, Exception):
            if sqlstate := getattr(error, "sqlstate", None):
                span.set_attribute("db.response.status_code", sqlstate)
            mark_failed(span, error, operation)
        span.end()
        _record_cost(operation, attributes, seconds, error)


def _start_span(
    operation: Operation, attributes: Mapping[str, AttributeValue], started: int | None = None
) -> Span:
    if not operation.is_recording:
        return INVALID_SPAN
    return operation.instruments.tracer.start_span(
        str(attributes["db.query.summary"]),
        kind=SpanKind.CLIENT,
        attributes={
            **operation.instruments.database,
            **_host(operation),
            **(_server.get() or {}),
            **attributes,
        },
        start_time=started,
    )


def _host(operation: Operation) -> Mapping[str, AttributeValue]:
    """Return the attributes of the server, if it is one of several. A socket has no port."""
    if operation.database_server is None or operation.database_server[0].startswith("/"):
        return {}
    host, port = operation.database_server
    return {"server.address": host, "server.port": port}


def _record_cost(
    operation: Operation,
    attributes: Mapping[str, AttributeValue],
    seconds: float,
    error: BaseException | None,
) -> None:
    operation.statements += 1
    operation.statement_seconds += seconds
    histogram = operation.instruments.histograms.get("db.client.operation.duration")
    if histogram is not None:
        metric_attributes = {
            "db.system.name": "postgresql",
            "db.query.summary": attributes["db.query.summary"],
        }
        if error is not None:
            metric_attributes["error.type"] = error_type(error)
        histogram.record(seconds, metric_attributes)
