"""The wait for a database connection: counted always, a span when it was one."""

import time

from cruddur.telemetry.operation import current_work

_WORTH_A_SPAN = 0.001
"""Seconds. A connection that is free is had in some twenty microseconds."""


def record_wait(start: int) -> None:
    """A connection was asked for at `start` (Unix nanoseconds) and has come, or has not."""
    work = current_work()
    seconds = (time.time_ns() - start) / 1e9
    histogram = work.instruments.histograms.get("db.client.connection.wait_time")
    if histogram is not None:
        histogram.record(max(0.0, seconds), {"db.client.connection.pool.name": "cruddur"})
    if seconds >= _WORTH_A_SPAN:
        work.pool_wait_seconds += seconds
        if work.is_recording:
            work.instruments.tracer.start_span("wait for connection", start_time=start).end()
