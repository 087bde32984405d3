"""Keys of a row that its trace provides: those of the root, and facts about all spans.

The SQL of this module is constant. Each part is a table with one row for each trace, which a query
joins if it needs it. `{among}` restricts the spans.
"""

from traceview.query.model import Dataset

DATASETS_WITH_TRACES: tuple[Dataset, ...] = ("spans", "roots", "logs")

MARGIN_NS = 900_000_000_000
"""Spans of a trace are considered if they start within the range of the query or this long before
or after."""

STATEMENT = "coalesce(s.db_summary, CASE WHEN s.db_system IS NOT NULL THEN s.name END)"

PARTS = {
    # Of several roots, the first one without a parent, or else the first one.
    "r": (
        "(SELECT * FROM spans WHERE rowid IN (SELECT coalesce("
        "arg_min(s.rowid, s.time_ns) FILTER (WHERE s.parent_span_id IS NULL), "
        "arg_min(s.rowid, s.time_ns)) "
        "FROM spans AS s WHERE s.is_root AND {among} GROUP BY s.trace_id))"
    ),
    "tf": (
        "(SELECT s.trace_id, count(*) AS spans, count(*) FILTER (WHERE s.is_error) AS errors, "
        f"count({STATEMENT}) AS statements, "
        f"count(*) FILTER (WHERE s.kind = 'CLIENT' AND {STATEMENT} IS NULL) AS calls, "
        f"arg_max({STATEMENT}, s.duration_ns) AS slowest_statement, "
        "arg_min(coalesce(s.error_type, s.exception_type), s.time_ns) "
        "FILTER (WHERE s.is_error AND NOT s.is_root) AS error_type "
        "FROM spans AS s WHERE {among} GROUP BY s.trace_id)"
    ),
    # Groups of hashes and row ids take two thirds of the time of groups of texts.
    "tp": (
        f"(SELECT c.trace_id, c.repetitions, {STATEMENT} AS repeated_statement "
        "FROM (SELECT trace_id, max(n) AS repetitions, "
        "CASE WHEN max(n) > 1 THEN arg_max(id, n) END AS id "
        "FROM (SELECT s.trace_id, min(s.rowid) AS id, count(*) AS n FROM spans AS s "
        f"WHERE {STATEMENT} IS NOT NULL AND {{among}} GROUP BY s.trace_id, hash({STATEMENT})) "
        "GROUP BY trace_id) AS c LEFT JOIN spans AS s ON s.rowid = c.id)"
    ),
    # Children that run at the same time can take longer than their parent, which then has no time
    # of its own.
    "ts": (
        "(SELECT s.trace_id, arg_max(CASE WHEN s.is_root THEN '(root)' ELSE s.name END, "
        "s.duration_ns - coalesce(c.ns, 0)) AS longest_part "
        "FROM spans AS s LEFT JOIN (SELECT s.trace_id, s.parent_span_id, sum(s.duration_ns) AS ns "
        "FROM spans AS s WHERE s.parent_span_id IS NOT NULL AND {among} GROUP BY ALL) AS c "
        "ON c.trace_id = s.trace_id AND c.parent_span_id = s.span_id "
        "WHERE {among} GROUP BY s.trace_id)"
    ),
}


def join_part(part: str, among: str) -> str:
    """Return the JOIN of a part with the rows `t`; `among` restricts its spans `s`."""
    return f" LEFT JOIN {PARTS[part].format(among=among)} AS {part} ON {part}.trace_id = t.trace_id"
