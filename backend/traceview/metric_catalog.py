"""The metrics in a time range, each with the attributes that can group it."""

import time

from traceview.query.parser import parse_time
from traceview.query.sql import Span, time_range
from traceview.storage.database import Database
from traceview.views import MetricInfo

MAX_METRICS = 1_000
MAX_KEYS = 20
"""Maximum number of attributes of a metric."""

_METRICS = """
    WITH shown AS (
        SELECT service, name, kind, unit, is_monotonic, temporality, description, series, time_ns,
            attributes
        FROM metrics WHERE time_ns >= $since AND time_ns < $until
    ), series AS (
        SELECT service, name, kind, unit, series, arg_max(attributes, time_ns)::JSON AS attributes
        FROM shown GROUP BY ALL
    ), keys AS (
        SELECT service, name, kind, unit, key, count(*) AS n
        FROM (SELECT *, unnest(json_keys(attributes)) AS key FROM series) GROUP BY ALL
    ), listed AS (
        SELECT service, name, kind, unit, list(key ORDER BY n DESC, key)[:$keys] AS keys
        FROM keys GROUP BY ALL
    ), led AS (
        SELECT service, name, kind, unit, count(*) AS exemplars
        FROM exemplars WHERE time_ns >= $since AND time_ns < $until GROUP BY ALL
    )
    SELECT m.service, m.name, m.kind, m.unit, m.description, m.temporality, m.is_monotonic,
        m.series, coalesce(listed.keys, []), coalesce(led.exemplars, 0)
    FROM (
        SELECT service, name, kind, unit,
            coalesce(arg_max(description, time_ns), '') AS description,
            arg_max(temporality, time_ns) AS temporality,
            arg_max(is_monotonic, time_ns) AS is_monotonic, count(DISTINCT series) AS series
        FROM shown GROUP BY service, name, kind, unit
    ) AS m
    LEFT JOIN listed USING (service, name, kind, unit)
    LEFT JOIN led USING (service, name, kind, unit)
    ORDER BY m.service, m.name, m.kind, m.unit LIMIT $most
"""


def list_metrics(database: Database, since: str, until: str) -> list[MetricInfo]:
    """Return the metrics of a time range, by service and name.

    Raises:
        QueryError: a time is invalid.
        StatementError: the statement failed, or took too long.
    """
    span: Span = time_range(
        parse_time(since) if since else None, parse_time(until) if until else None, time.time_ns()
    )
    bounds = {"since": span.since_ns, "until": span.until_ns}
    rows = database.select(_METRICS, {**bounds, "most": MAX_METRICS, "keys": MAX_KEYS})
    return [MetricInfo(*row) for row in rows]
