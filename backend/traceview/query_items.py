"""Read the spans or log lines that a query lists."""

import time

from traceview.model import LogLine, Span
from traceview.query.fields import TABLES
from traceview.query.model import Query
from traceview.query.sql import compile_row_ids, range_of
from traceview.storage.database import Database
from traceview.storage.loader import load_rows


def list_items(database: Database, query: Query) -> tuple[list[Span], list[LogLine]]:
    """Return the spans, or the log lines, that a query lists.

    Raises:
        QueryError: the query does not list spans or log lines.
        StatementError: it failed in the database, or took too long.
    """
    statement = compile_row_ids(query, range_of(query, time.time_ns()))
    table = TABLES[query.dataset]
    items = load_rows(database, table, statement.sql, statement.parameters)
    spans = [item for item in items if isinstance(item, Span)]
    return spans, [item for item in items if isinstance(item, LogLine)]
