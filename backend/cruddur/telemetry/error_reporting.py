"""Error reports: each failure is recorded once, on the span, in the log and in Rollbar."""

import logging
from collections import Counter
from time import monotonic

from opentelemetry import trace

from cruddur.telemetry.operation import (
    Failure,
    Operation,
    current_operation,
    describe,
    record_exception,
    stacktrace,
)

logger = logging.getLogger(__name__)

OUTAGE_SECONDS = 60.0
"""Interval between two reports of the same outage."""


class Outages:
    """Reports an outage once a minute, instead of once for each request that fails."""

    def __init__(self, what: str) -> None:
        """Set the name of what fails, such as "the database"."""
        self._what = what
        self._report_after: dict[str, float] = {}
        self._unreported: Counter[str] = Counter()

    def report(self, error: BaseException, condition: str) -> None:
        """Mark the current unit of work as failed; log and send one failure per minute.

        Args:
            error: the exception.
            condition: the kind of outage, one of a small set. The interval is per kind.
        """
        now = monotonic()
        if now < self._report_after.get(condition, now):
            self._unreported[condition] += 1
            error.is_reported = True  # type: ignore[attr-defined]  # as in `report`
            report(error)
            return
        self._report_after[condition] = now + OUTAGE_SECONDS
        unreported = self._unreported.pop(condition, 0)
        report(
            error,
            f"{self._what} (and {unreported} more since the last report)"
            if unreported
            else self._what,
        )


def report(error: BaseException, what: str | None = None) -> None:
    """Report a failure of the current unit of work. Never raises.

    An exception that is caught in several places is logged and sent once.

    Args:
        error: the exception.
        what: a description of what failed, without private data; by default the request, such
            as `GET /api/activities/home`.
    """
    operation = current_operation()
    if operation.error is error:
        return
    if operation.is_measured:
        operation.error = error
    try:
        span = trace.get_current_span()
        record_exception(span, error, operation)
        if not getattr(error, "is_reported", False):
            error.is_reported = True  # type: ignore[attr-defined]  # see the docstring
            _publish(
                error, operation, what or f"{operation.scope.get('method', 'WS')} {operation.route}"
            )
    except Exception:
        logger.critical("a failure could not be reported", exc_info=True)


def _publish(error: BaseException, operation: Operation, what: str) -> None:
    span = trace.get_current_span()
    ids = span.get_span_context()
    failure = Failure(
        error=error,
        message=describe(error, operation),
        stacktrace=stacktrace(error, operation),
        what=what,
        operation=operation,
        trace_id=trace.format_trace_id(ids.trace_id),
        span_id=trace.format_span_id(ids.span_id),
    )
    logger.error("%s failed: %s", what, failure.message, extra={"failure": failure})
    for reporter in operation.instruments.reporters:
        identifier = reporter.report(failure)
        if identifier is not None:
            span.set_attribute("rollbar.uuid", identifier)
