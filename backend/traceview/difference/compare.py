"""Compare the selected rows of a query with the others, or two periods."""

import time

from msgspec.structs import replace

from traceview.difference.model import TIMES, Difference, Period, Periods, Request
from traceview.difference.ranking import FEW, Ranking, keys_of, rank
from traceview.difference.sample import SIZE, Sample, read_sample
from traceview.query.model import Condition, Dataset, Instant, Query, QueryError
from traceview.query.parser import parse_condition, parse_time
from traceview.query.printer import print_condition, print_query, print_value
from traceview.query.sql import Span, compile_sides, range_of
from traceview.storage.database import Database


def read_request(
    query: Query, *, selection: str = "", before: str = "", after: str = ""
) -> Request:
    """Return the comparison that texts describe.

    Args:
        query: whose rows are compared; its calculations and groups have no effect.
        selection: the condition of the selected rows.
        before: instead of it, the period to compare with, such as `2h..1h`.
        after: the period that is compared; its end can be missing, which is now: `1h..`.

    Raises:
        QueryError: one of them is invalid, or there is neither a selection nor two periods.
    """
    if bool(selection) == bool(before and after) or bool(before) != bool(after):
        raise QueryError("compare a selection with the rest, or the periods `before` and `after`")
    rows = replace(query, calculations=(), by=(), every=None, order=(), limit=None)
    if selection:
        return Request(rows, _condition(query.dataset, selection))
    return Request(rows, Periods(_period(before), _period(after)))


def _condition(dataset: Dataset, text: str) -> Condition:
    try:
        return parse_condition(dataset, text)
    except QueryError as error:
        at = f", column {error.position + 1}" if error.position is not None else ""
        raise QueryError(f"in the selection{at}: {error}") from error


def _period(text: str) -> Period:
    since, separator, until = text.partition("..")
    if not separator:
        raise QueryError("a period has a start and an end, such as `2h..1h` or `1h..`")
    return Period(parse_time(since), parse_time(until) if until.strip() else None)


def compare(database: Database, request: Request) -> Difference:
    """Rank the keys by how much they differ.

    Raises:
        QueryError: a condition does not fit the dataset, or a time range is empty.
        StatementError: a statement failed in the database, or took too long.
    """
    started, now = time.perf_counter(), time.time_ns()
    query, selection = request.query, request.selection
    sides: Condition | tuple[Span, Span]
    compared = ("", "")
    if isinstance(selection, Periods):
        before, after = (_span(one, now) for one in (selection.before, selection.after))
        if before.until_ns > after.since_ns and after.until_ns > before.since_ns:
            raise QueryError("the two periods overlap")
        span = Span(min(before.since_ns, after.since_ns), max(before.until_ns, after.until_ns))
        sides, defining = (after, before), TIMES
        compared = _instants(after), _instants(before)
    else:
        span, sides = range_of(query, now), selection
        defining = keys_of(query.dataset, selection)
    statement = compile_sides(query, span, sides, SIZE)
    with database.snapshot() as select:
        sample = read_sample(select, query.dataset, statement)
    ranking = rank(sample, query.dataset, defining)
    return Difference(
        query=print_query(query),
        dataset=query.dataset,
        selection=_text(selection),
        after=compared[0],
        before=compared[1],
        since_ns=str(span.since_ns),
        until_ns=str(span.until_ns),
        selection_rows=sample.selection.rows,
        rest_rows=sample.rest.rows,
        selection_sampled=len(sample.selection.ids),
        rest_sampled=len(sample.rest.ids),
        margin=round(sample.margin, 5),
        ranking=ranking.ranked,
        same=ranking.same,
        implied=ranking.implied,
        keys=ranking.keys,
        notes=_notes(sample, ranking),
        took_ms=round((time.perf_counter() - started) * 1e3, 3),
    )


def _span(period: Period, now_ns: int) -> Span:
    return range_of(Query(since=period.since, until=period.until), now_ns)


def _instants(span: Span) -> str:
    return "..".join(print_value(Instant(ns)) for ns in (span.since_ns, span.until_ns))


def _text(selection: Condition | Periods) -> str:
    if not isinstance(selection, Periods):
        return print_condition(selection)
    texts = [
        f"{print_value(one.since)}..{print_value(one.until) if one.until else ''}"
        for one in (selection.after, selection.before)
    ]
    return f"{texts[0]} after {texts[1]}"


def _notes(sample: Sample, ranking: Ranking) -> list[str]:
    notes = []
    total = sample.total
    for name, traces in (("selection", total.selection_traces), ("rest", total.rest_traces)):
        if traces < FEW:
            notes.append(f"the {name} is in {traces} of the traces, too few to compare")
    if sample.margin:
        notes.append(
            f"estimated from {len(sample.selection.ids)} selected and {len(sample.rest.ids)} "
            f"other rows; a share can be off by {sample.margin * 100:.1f} percentage points"
        )
    if not notes and not ranking.ranked:
        notes.append("nothing differs by more than chance explains")
    return notes
