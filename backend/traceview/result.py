"""The result of a query, and its form as a table of text."""

from datetime import UTC, datetime
from typing import TypeAlias

from msgspec import Struct

from traceview.query.printer import Parts
from traceview.query.sql import Column

Cell: TypeAlias = str | bool | int | float | None


class Result(Struct, kw_only=True):
    """The rows of a query, with the type and the unit of each column.

    Times are nanoseconds since 1970 as decimal strings. `step_ms` is the width of a time bucket,
    0 without buckets. The columns of a heat map are the time of a bucket, the lower and the upper
    edge of a band of values, and the number of rows in it.
    """

    query: str
    parts: Parts
    """The clauses of the query, from which the queries of the rows behind it are made."""
    dataset: str
    is_heat_map: bool
    since_ns: str
    until_ns: str
    step_ms: float
    columns: list[Column]
    rows: list[list[Cell]]
    truncated: bool
    """Whether there are more rows than the limit."""
    notes: list[str]
    took_ms: float


def format_table(result: Result) -> str:
    """Return the rows as aligned text, with the units in the heading and the notes below."""
    heads = [f"{one.name} [{one.unit}]" if one.unit else one.name for one in result.columns]
    lines = [
        [format_cell(cell, column) for cell, column in zip(row, result.columns, strict=True)]
        for row in result.rows
    ]
    widths = [max(map(len, texts)) for texts in zip(heads, *lines, strict=True)]
    is_number = [column.type == "number" for column in result.columns]
    table = [_line(texts, widths, is_number) for texts in ([heads, *lines] if lines else [])]
    notes = list(result.notes)
    if not lines:
        notes.insert(0, "no rows")
    if result.truncated:
        notes.append(f"only the first {len(lines)} rows; `limit` changes that")
    return "\n".join([*table, *(f"({note})" for note in notes)])


def _line(texts: list[str], widths: list[int], is_number: list[bool]) -> str:
    cells = [
        text.rjust(width) if right else text.ljust(width)
        for text, width, right in zip(texts, widths, is_number, strict=True)
    ]
    return "  ".join(cells).rstrip()


def format_cell(cell: Cell, column: Column) -> str:
    """Return a cell as text that cannot break the table."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.6g}" if abs(cell) < 1e6 else f"{cell:.0f}"
    if column.type == "time" and isinstance(cell, str):
        moment = datetime.fromtimestamp(int(cell) // 10**6 / 1000, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # Received text must not move the cursor of a terminal or break the table.
    return "".join(one if one.isprintable() else " " for one in str(cell))
