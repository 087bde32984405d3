"""The wait for a database connection: always in the histogram, a span if it was noticeable."""

import time

from cruddur.telemetry.operation import current_work

_MIN_SPAN_SECONDS = 0.001
"""A wait of at least this long has a span. A free connection is acquired in about 20 µs."""


def record_wait(start: int) -> None:
    """Record the wait for a connection that has ended, with a connection or without one.

    Args:
        start: the beginning of the wait, in nanoseconds since 1970.
    """
    work = current_work()
    seconds = (time.time_ns() - start) / 1e9
    histogram = work.instruments.histograms.get("db.client.connection.wait_time")
    if histogram is not None:
        histogram.record(max(0.0, seconds), {"db.client.connection.pool.name": "cruddur"})
    if seconds >= _MIN_SPAN_SECONDS:
        work.pool_wait_seconds += seconds
        if work.is_recording and not work.is_quiet:
            work.instruments.tracer.start_span("wait for connection", start_time=start).end()
