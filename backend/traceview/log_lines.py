"""Pages of log lines, from the file or from memory.

Lines are ordered by time, and those of one time by the number of their arrival. A cursor is such a
pair, so pages have no gaps and no line twice, whatever arrives between two requests. New lines are
found by their number, because a line can arrive later than others with a later time.
"""

import re
import time
from collections import deque
from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from traceview.explorer import background_notes
from traceview.model import LogLine, Numbered, exact, weigh_line, weigh_origin
from traceview.query.model import AllOf, Comparison, Condition, Instant, Query, QueryError
from traceview.query.parser import parse, parse_time
from traceview.query.printer import parts_of
from traceview.query.sql import Lines, Span, compile_lines, time_range
from traceview.storage.database import Database
from traceview.storage.loader import load_lines, newest_line
from traceview.views import LinesView, show_lines

MAX_PAGE = 1_000

BUFFERED_LINES = 5_000
"""How many lines are kept in memory if there is no file."""

BUFFERED_BYTES = 16 * 1024 * 1024

ALL_TIMES = (Instant(0), Instant(2**63 - 1))

Severity: TypeAlias = Literal["", "trace", "debug", "info", "warn", "error", "fatal"]
LEAST: dict[Severity, int] = {
    "": 0,
    "trace": 1,
    "debug": 5,
    "info": 9,
    "warn": 13,
    "error": 17,
    "fatal": 21,
}


class LineRequest(Struct, forbid_unknown_fields=True):
    """Which lines are wanted: those of a query, from a place on. At most one place is given."""

    q: str = ""
    """A query of logs, or only its condition."""
    text: str = ""
    """A part of the body, ignoring case."""
    severity: Severity = ""
    """The least severity."""
    since: str = ""
    until: str = ""
    background: bool = False
    before: str = ""
    """A cursor: only older lines."""
    after: str = ""
    """A cursor: only newer lines, those next to it."""
    around: str = ""
    """A moment in nanoseconds: lines before and after it."""
    tail: int | None = None
    """The number of a line: only those that arrived later."""
    limit: int = 200


def query_of(wanted: LineRequest) -> Query:
    """Return the query of the lines.

    Raises:
        QueryError: `q` is not a query of logs, or a time is invalid.
    """
    text = wanted.q.strip()
    added = ""
    if not re.match(r"from\b", text):
        added = "from logs " if _CLAUSE.match(text) or not text else "from logs where "
    try:
        query = parse(added + text)
    except QueryError as error:
        at = error.position
        raise QueryError(str(error), None if at is None else max(0, at - len(added))) from error
    if query.dataset != "logs" or query.calculations or query.order:
        raise QueryError("only `from logs` with a condition; the page Query has the others", 0)
    conditions: list[Condition] = [query.where] if query.where is not None else []
    if wanted.text:
        conditions.append(Comparison("body", "contains", (wanted.text,)))
    if wanted.severity:
        conditions.append(Comparison("severity_number", ">=", (LEAST[wanted.severity],)))
    return replace(
        query,
        where=AllOf(tuple(conditions)) if len(conditions) > 1 else next(iter(conditions), None),
        since=parse_time(wanted.since) if wanted.since else query.since,
        until=parse_time(wanted.until) if wanted.until else query.until,
        background=query.background or wanted.background,
    )


_CLAUSE = re.compile(r"(where|since|with|limit)\b|\|")


def read_lines(database: Database, wanted: LineRequest) -> LinesView:
    """Return lines from the file, the newest first.

    Raises:
        QueryError: the request is invalid.
        StatementError: the statement failed, or took too long.
    """
    query = query_of(wanted)
    span = _span(query)
    newest = newest_line(database)  # read first: what arrives later is found from here on

    def page(place: Lines) -> list[Numbered]:
        statement = compile_lines(query, span, place)
        return load_lines(database, statement.sql, statement.parameters)

    view = _view(wanted, query, newest, page)
    if not view.lines and wanted.tail is None:
        view.notes = background_notes(database, query, span)
    return view


class LineBuffer:
    """The newest lines, in memory."""

    def __init__(self, count: int = BUFFERED_LINES, total_bytes: int = BUFFERED_BYTES) -> None:
        """Take the maximum number of lines and of their estimated bytes."""
        self._bounds = (count, total_bytes)
        self._lines: deque[tuple[int, Numbered]] = deque()
        self._bytes = 0
        # Numbers grow also from one process to the next, which an open page can outlive.
        self._next = time.time_ns() // 10**6

    def keep(self, item: object) -> None:
        """Store a log line, and evict the oldest ones if necessary; ignore other items."""
        if isinstance(item, LogLine):
            self._add(item)

    def _add(self, line: LogLine) -> None:
        weight = weigh_line(line) + weigh_origin(line.origin)
        self._lines.append((weight, Numbered(self._next, id(line.origin), line)))
        self._next += 1
        self._bytes += weight
        count, total_bytes = self._bounds
        while self._lines and (len(self._lines) > count or self._bytes > total_bytes):
            self._bytes -= self._lines.popleft()[0]

    def clear(self) -> None:
        """Delete all lines."""
        self._lines.clear()
        self._bytes = 0

    def read(self, wanted: LineRequest) -> LinesView:
        """Return lines, the newest first.

        Raises:
            QueryError: the request is invalid, or contains a condition.
        """
        if wanted.q.strip():
            raise QueryError("conditions need a file; text, severity and times work without", 0)
        query = query_of(wanted)
        span, least, part = _span(query), LEAST[wanted.severity], wanted.text.lower()
        lines = sorted(
            (
                one
                for _, one in self._lines
                if span.since_ns <= one.line.time_ns < span.until_ns
                and one.line.severity_number >= least
                and part in _text(one.line).lower()
            ),
            key=_place,
            reverse=True,
        )

        def page(place: Lines) -> list[Numbered]:
            if place.tail is not None:
                found = [one for one in reversed(lines) if one.number > (place.tail or 0)]
                found.sort(key=lambda one: one.number)
            elif place.after is not None:
                found = [one for one in reversed(lines) if _place(one) > (place.after or ())]
            else:
                found = [one for one in lines if not place.before or _place(one) < place.before]
            return found[: place.limit]

        return _view(wanted, query, self._next - 1, page)


def _place(one: Numbered) -> tuple[int, int]:
    return one.line.time_ns, one.number


def _text(line: LogLine) -> str:
    return line.body if isinstance(line.body, str) else str(exact(line.body))


def _span(query: Query) -> Span:
    until = query.until or ALL_TIMES[1]
    return time_range(query.since, until, time.time_ns(), default=ALL_TIMES[0])


def _view(
    wanted: LineRequest, query: Query, newest: int, page: Callable[[Lines], list[Numbered]]
) -> LinesView:
    """Return the lines of a request.

    Args:
        wanted: the request.
        query: its query.
        newest: the number of the line that arrived last.
        page: returns the lines at a place, the nearest ones first.
    """
    if sum(map(bool, (wanted.before, wanted.after, wanted.around, wanted.tail is not None))) > 1:
        raise QueryError("only one of before, after, around and tail")
    if not 1 <= wanted.limit <= MAX_PAGE:
        raise QueryError(f"a limit is a number from 1 to {MAX_PAGE}")
    limit, lines = wanted.limit, list[Numbered]()
    has_older = has_newer = False
    if wanted.tail is not None:
        lines = page(Lines(limit=limit, tail=min(wanted.tail, newest)))
        if len(lines) == limit:
            newest = max(one.number for one in lines)
    moment = (_integer(wanted.around), -1) if wanted.around else None
    if wanted.after or wanted.around:
        lines = page(Lines(limit=limit + 1, after=moment or _cursor(wanted.after)))
        has_newer, lines = len(lines) > limit, lines[:limit]
    if wanted.before or wanted.around or not (wanted.after or wanted.tail is not None):
        before = _cursor(wanted.before) if wanted.before else moment
        older = page(Lines(limit=limit + 1, before=before))
        has_older, lines = len(older) > limit, [*lines, *older[:limit]]
    lines.sort(key=_place, reverse=True)
    return show_lines(
        lines, parts=parts_of(query), tail=newest, has_older=has_older, has_newer=has_newer
    )


def _cursor(text: str) -> tuple[int, int]:
    time_ns, _, number = text.partition("-")
    return _integer(time_ns), _integer(number)


def _integer(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < 2**63):
        raise QueryError(f"{text[:40]!r} is not a cursor or a time in nanoseconds")
    return int(text)
