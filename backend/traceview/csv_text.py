"""Write traces and results of queries as CSV (RFC 4180), for spreadsheets and scripts."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from traceview.analysis import analyze
from traceview.model import Span, exact
from traceview.result import Cell, Result
from traceview.waterfall import arrange, find_root

SPAN_COLUMNS = (
    *("trace_id", "span_id", "parent_span_id", "depth", "name", "kind", "service", "start"),
    *("duration [ms]", "self_time [ms]", "critical_path [ms]", "status", "status_message"),
    "attributes",
)


def write_spans(spans: Sequence[Span]) -> bytes:
    """Return the spans of a trace in display order; the attributes are JSON."""
    tree = arrange(spans)
    rows = []
    for placed, times in zip(tree, analyze(tree, find_root(spans)), strict=True):
        span = placed.span
        rows.append(
            (
                *(span.trace_id, span.span_id, span.parent_span_id, placed.depth),
                *(span.name, span.kind, span.origin.service, iso_time(span.start_ns)),
                *(span.duration_ns / 1e6, times.self_ns / 1e6),
                sum(length for _, length in times.critical) / 1e6,
                *(span.status, span.status_message),
                msgspec.json.encode(exact(span.attributes)).decode(),
            )
        )
    return _write(SPAN_COLUMNS, rows)


def write_result(result: Result) -> bytes:
    """Return the rows of a result; times are ISO 8601, and units are in the heading."""
    heads = [f"{one.name} [{one.unit}]" if one.unit else one.name for one in result.columns]
    is_time = [one.type == "time" for one in result.columns]
    rows = (
        [
            iso_time(int(cell)) if time and isinstance(cell, str) else cell
            for cell, time in zip(row, is_time, strict=True)
        ]
        for row in result.rows
    )
    return _write(heads, rows)


def iso_time(ns: int) -> str:
    """Return a time with its nanoseconds; empty if it is none or beyond the year 9999."""
    seconds, fraction = divmod(ns, 10**9)
    if not 0 < seconds < 253_402_300_800:
        return ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"


def _write(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    output = io.StringIO()
    writer = csv.writer(output)
    writer.writerow([_cell(head) for head in heads])
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return output.getvalue().encode()


def _cell(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        text = cell.replace("\x00", "\ufffd")
        return f"'{text}" if text.startswith(_FORMULA) else text
    return cell


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
