"""Record waits for a database connection: all in a histogram, noticeable ones as spans."""

import time

from cruddur.telemetry.operation import current_operation, mark_failed

_MIN_SPAN_SECONDS = 0.001
"""A wait of at least this long has a span. A free connection is acquired in about 20 µs."""


def record_wait(start: int, error: Exception | None) -> None:
    """Record the wait for a connection that has ended, with a connection or without one.

    Args:
        start: the beginning of the wait, in nanoseconds since 1970.
        error: why there is no connection. Then there is a span in any case.
    """
    operation = current_operation()
    seconds = (time.time_ns() - start) / 1e9
    histogram = operation.instruments.histograms.get("db.client.connection.wait_time")
    if histogram is not None:
        histogram.record(max(0.0, seconds), {"db.client.connection.pool.name": "cruddur"})
    if seconds < _MIN_SPAN_SECONDS and error is None:
        return
    operation.pool_wait_seconds += seconds
    if operation.is_recording and not operation.is_quiet:
        span = operation.instruments.tracer.start_span("wait for connection", start_time=start)
        if error is not None:
            if sqlstate := getattr(error, "sqlstate", None):
                span.set_attribute("db.response.status_code", sqlstate)
            mark_failed(span, error, operation)
        span.end()
