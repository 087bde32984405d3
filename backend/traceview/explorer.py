"""Answer queries from the file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from traceview.query.fields import METRICS
from traceview.query.model import HISTOGRAM, MEASURED, PERCENTILES, Query
from traceview.query.parser import parse, parse_time
from traceview.query.printer import parts_of, print_query
from traceview.query.sql import (
    DEFAULT_LIMIT,
    MAX_CELLS,
    Column,
    Span,
    Statement,
    compile_hidden,
    compile_query,
    compile_units,
    range_of,
)
from traceview.result import Result
from traceview.storage.database import Database


def read_query(text: str, *, since: str = "", until: str = "", background: bool = False) -> Query:
    """Parse a query and the arguments that replace its time range.

    Raises:
        QueryError: one of them is invalid.
    """
    query = parse(text)
    if since:
        query = replace(query, since=parse_time(since))
    if until:
        query = replace(query, until=parse_time(until))
    return replace(query, background=query.background or background)


def run_query(database: Database, query: Query) -> Result:
    """Return the result of a query.

    Raises:
        QueryError: the query does not fit its dataset, or its time range is empty.
        StatementError: it failed in the database, or took too long.
    """
    started = time.perf_counter()
    span = range_of(query, time.time_ns())
    statement = compile_query(query, span)
    rows = database.select(statement.sql, statement.parameters)
    is_heat_map = any(one.function == "heatmap" for one in query.calculations)
    limit = MAX_CELLS if statement.step_ns else query.limit or DEFAULT_LIMIT
    return Result(
        query=print_query(query),
        parts=parts_of(query),
        dataset=query.dataset,
        is_heat_map=is_heat_map,
        since_ns=str(span.since_ns),
        until_ns=str(span.until_ns),
        step_ms=statement.step_ns / 1e6,
        columns=_with_units(database, query, span, statement),
        rows=[list(row) for row in rows[:limit]],
        truncated=len(rows) > limit,
        notes=background_notes(database, query, span) if rows in ([], [(0,)]) else [],
        took_ms=round((time.perf_counter() - started) * 1e3, 3),
    )


@contextmanager
def reading(path: Path) -> Iterator[Database]:
    """Open a file that no other process has open, to answer queries from it.

    Raises:
        StorageError: the file cannot be opened.
    """
    database = Database(path, read_only=True)
    try:
        yield database
    finally:
        database.close()


def background_notes(database: Database, query: Query, span: Span) -> list[str]:
    """Return how many rows an empty result leaves out as background work, if any."""
    if query.background or query.dataset in MEASURED:
        return []
    hidden = compile_hidden(query, span)
    [(count,)] = database.select(hidden.sql, hidden.parameters)
    if not count:
        return []
    rows = "1 row" if count == 1 else f"{count} rows"
    return [f"{rows} of background work left out; `with background` includes them"]


_VALUES = frozenset({"value", "sum", "min", "max", HISTOGRAM})
_KEEPING_UNIT = frozenset(
    {"sum", "avg", "min", "max", "heatmap", "rate", "increase", "last", *PERCENTILES}
)


def _with_units(database: Database, query: Query, span: Span, statement: Statement) -> list[Column]:
    """Return the columns; the values of metrics have the unit of the metric, if it is one."""
    columns = list(statement.columns)
    calculated = {
        len(columns) - len(query.calculations) + place
        for place, one in enumerate(query.calculations)
        if one.function in _KEEPING_UNIT and one.key in _VALUES and one.key in METRICS
    }
    if query.calculations and query.calculations[0].function == "heatmap":
        calculated = {1, 2} if calculated else set()
    if query.dataset not in MEASURED or not calculated:
        return columns
    units = compile_units(query, span)
    found = [unit for (unit,) in database.select(units.sql, units.parameters)]
    if len(found) != 1:
        return columns
    return [
        replace(one, unit=found[0].removesuffix("1") + one.unit) if place in calculated else one
        for place, one in enumerate(columns)
    ]
