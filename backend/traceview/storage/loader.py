"""Read traces back from the file."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from traceview.model import LogLine, Numbered, Origin, Scope, Span
from traceview.storage.database import Database
from traceview.storage.rows import read_line, read_span
from traceview.storage.schema import LOGS, TABLES

MAX_ROWS = 10_000
"""Maximum number of spans, and of log lines, that are read at once; the default."""

_SHOWN = {
    "trace_id": "replace(t.trace_id::VARCHAR, '-', '')",
    "span_id": "format('{:016x}', t.span_id)",
    "parent_span_id": "format('{:016x}', t.parent_span_id)",
    "attributes": "t.attributes::JSON::VARCHAR",
}


def newest_traces(database: Database, count: int) -> list[str]:
    """Return the ids of the traces that were received last, the oldest of them first."""
    rows = database.select(
        "SELECT replace(trace_id::VARCHAR, '-', '') FROM spans GROUP BY trace_id "
        "ORDER BY max(received_s) DESC, max(time_ns) DESC LIMIT $count",
        {"count": count},
    )
    return [trace_id for (trace_id,) in reversed(rows)]


def count_items(database: Database, trace_id: str) -> tuple[int, int]:
    """Return how many spans and log lines a trace has."""
    [(spans, lines)] = database.select(
        "SELECT (SELECT count(*) FROM spans WHERE trace_id = $id::UUID), "
        "(SELECT count(*) FROM logs WHERE trace_id = $id::UUID)",
        {"id": trace_id},
    )
    return spans, lines


def load_traces(
    database: Database, trace_ids: list[str], max_rows: int = MAX_ROWS
) -> Iterator[Span | LogLine]:
    """Yield the spans and then the log lines of traces, each in the order of the ids given."""
    origins: dict[int, Origin] = {}
    for table in ("spans", "logs"):
        shown = ", ".join(_SHOWN.get(name, f"t.{name}") for name in TABLES[table])
        rows = database.select(
            f"SELECT {shown} FROM {table} AS t WHERE t.trace_id IN "
            "(SELECT unnest($ids::UUID[])) "
            "ORDER BY list_position($ids::UUID[], t.trace_id), t.time_ns LIMIT $most",
            {"ids": trace_ids, "most": max_rows},
        )
        yield from _items(database, table, rows, origins)


def load_rows(
    database: Database, table: str, row_ids: str, parameters: Mapping[str, object]
) -> list[Span | LogLine]:
    """Return the spans or log lines of rows, in the order of time.

    Args:
        database: the open file.
        table: `spans` or `logs`.
        row_ids: a statement that selects the ids of the rows.
        parameters: those of the statement.
    """
    columns = TABLES[table]
    shown = ", ".join(_SHOWN.get(name, f"t.{name}") for name in columns)
    rows = database.select(
        f"SELECT {shown} FROM {table} AS t WHERE t.rowid IN ({row_ids}) ORDER BY t.time_ns",
        parameters,
    )
    return list(_items(database, table, rows, {}))


def _items(
    database: Database, table: str, rows: list[tuple[Any, ...]], origins: dict[int, Origin]
) -> Iterator[Span | LogLine]:
    for values in rows:
        row = dict(zip(TABLES[table], values, strict=True))
        origin = _origin(database, row["origin"], origins)
        yield read_span(row, origin) if table == "spans" else read_line(row, origin)


def newest_line(database: Database) -> int:
    """Return the number of the log line that arrived last; 0 if there is none."""
    [(number,)] = database.select("SELECT coalesce(max(id), 0) FROM logs")
    return int(number)


def load_lines(
    database: Database, numbers_of: str, parameters: Mapping[str, object]
) -> list[Numbered]:
    """Return the log lines whose numbers a statement selects, in its order."""
    numbers = [number for (number,) in database.select(numbers_of, parameters)]
    if not numbers:
        return []
    shown = ", ".join(_SHOWN.get(name, f"t.{name}") for name in LOGS)
    rows = database.select(
        # The bounds skip the parts of the table without any of the lines.
        f"SELECT {shown} FROM logs AS t WHERE t.id BETWEEN $least AND $most "
        "AND t.id IN (SELECT unnest($numbers::BIGINT[]))",
        {"numbers": numbers, "least": min(numbers), "most": max(numbers)},
    )
    origins: dict[int, Origin] = {}
    found: dict[int, Numbered] = {}
    for values in rows:
        row = dict(zip(LOGS, values, strict=True))
        line = read_line(row, _origin(database, row["origin"], origins))
        found[row["id"]] = Numbered(row["id"], row["origin"], line)
    return [found[number] for number in numbers if number in found]


def _origin(database: Database, identity: int, known: dict[int, Origin]) -> Origin:
    if identity not in known:
        rows = database.select(
            "SELECT scope, scope_version, scope_attributes, resource::JSON::VARCHAR "
            "FROM origins WHERE id = $id",
            {"id": identity},
        )
        if rows:
            [(name, version, attributes, resource)] = rows
            scope = Scope(name, version, msgspec.json.decode(attributes))
            known[identity] = Origin(msgspec.json.decode(resource), scope)
        else:
            known[identity] = Origin({}, Scope("", "", {}))
    return known[identity]
