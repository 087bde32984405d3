"""The span of an SQL statement, and its time in the account of the work that sends it."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, get_current_span
from opentelemetry.util.types import AttributeValue

from cruddur.telemetry.operation import Work, current_work, error_type, mark_failed

T = TypeVar("T")


def traceparent() -> str:
    """The current span for what a statement causes later, as W3C Trace Context writes it;
    empty where the trace is not kept."""
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
    """Await a statement's answer inside its span.

    Args:
        attributes: its operation, summary (the span's name) and text with placeholders.
        statement: what sends it.
        count: the rows of an answer; None where rows make no sense.
        writes: whether these are rows that it touched and not rows that it returned.
    """
    work = current_work()
    span: Span = INVALID_SPAN
    if work.is_recording:
        span = work.instruments.tracer.start_span(
            str(attributes["db.query.summary"]),
            kind=SpanKind.CLIENT,
            attributes={**work.instruments.database, **attributes},
        )
    start = time.perf_counter()
    error: BaseException | None = None
    try:
        answer = await statement
        if count is not None and work.is_recording:
            key = "app.db.affected_rows" if writes else "db.response.returned_rows"
            span.set_attribute(key, count(answer))
    except BaseException as failure:
        error = failure
        if isinstance(failure, Exception):
            if sqlstate := getattr(failure, "sqlstate", None):
                span.set_attribute("db.response.status_code", sqlstate)
            mark_failed(span, failure, work)
        raise
    else:
        return answer
    finally:
        span.end()
        _account(work, attributes, time.perf_counter() - start, error)


def _account(
    work: Work,
    attributes: Mapping[str, AttributeValue],
    seconds: float,
    error: BaseException | None,
) -> None:
    work.statements += 1
    work.statement_seconds += seconds
    histogram = work.instruments.histograms.get("db.client.operation.duration")
    if histogram is not None:
        facts = {
            "db.system.name": "postgresql",
            "db.query.summary": attributes["db.query.summary"],
        }
        if error is not None:
            facts["error.type"] = error_type(error)
        histogram.record(seconds, facts)
