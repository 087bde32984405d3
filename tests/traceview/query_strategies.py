"""Hypothesis strategies for queries."""

import string
from typing import Any

from hypothesis import strategies as st

from traceview.query.checks import check_comparison, check_query
from traceview.query.fields import resolve
from traceview.query.model import (
    DATASETS,
    PERCENTILES,
    WITHOUT_KEY,
    AllOf,
    AnyOf,
    Calculation,
    Comparison,
    Condition,
    Duration,
    Instant,
    Not,
    Order,
    Query,
    QueryError,
)


def _is_key(text: str) -> bool:
    """Hypothesis also tries texts of the code, such as the prefix `root.` alone."""
    try:
        resolve("spans", text)
    except QueryError:
        return False
    return True


KEYS = (
    st.sampled_from(["name", "duration", "route", "user", "error", "time", "count", "not", "limit"])
    | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
    | st.text(string.ascii_letters + "._-", min_size=1, max_size=20)
).filter(_is_key)
LENGTHS = st.builds(Duration, st.integers(1, 2**62))
INSTANTS = st.builds(Instant, st.integers(0, 2**62))
VALUES: st.SearchStrategy[Any] = (
    st.text(st.characters(codec="utf-8"), max_size=30)
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | LENGTHS
    | INSTANTS
)
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "contains"])


def _fits(comparison: Comparison) -> bool:
    try:
        check_comparison("spans", comparison)
    except QueryError:
        return False
    return True


COMPARISONS = (
    st.builds(Comparison, KEYS, OPERATORS, VALUES.map(lambda value: (value,)))
    | st.builds(lambda key: Comparison(key, "exists"), KEYS)
    | st.builds(
        lambda key, values: Comparison(key, "in", tuple(values)),
        KEYS,
        st.lists(VALUES, min_size=1, max_size=3),
    )
).filter(_fits)  # fmt: skip
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    COMPARISONS,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda found: AllOf(tuple(found)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda found: AnyOf(tuple(found)))
    ),
    max_leaves=8,
)
CALCULATIONS = st.sampled_from(WITHOUT_KEY).map(Calculation) | st.builds(
    Calculation, st.sampled_from(["sum", "avg", *PERCENTILES]), st.sampled_from(["duration", "x y"])
)


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Any valid query over spans."""
    calculations = tuple(draw(st.lists(CALCULATIONS, max_size=3, unique=True)))
    by = tuple(draw(st.lists(KEYS, max_size=3, unique=True))) if calculations else ()
    terms = [*calculations, *by]
    orders = st.lists(st.builds(Order, st.sampled_from(terms), st.booleans()), max_size=2)
    since = draw(st.none() | LENGTHS | INSTANTS)
    query = Query(
        dataset=draw(st.sampled_from(DATASETS[:2])),
        where=draw(st.none() | CONDITIONS),
        calculations=calculations,
        by=by,
        every=draw(st.none() | LENGTHS) if calculations else None,
        order=tuple(draw(orders)) if terms else (),
        limit=draw(st.none() | st.integers(1, 10_000)),
        since=since,
        until=draw(st.none() | LENGTHS | INSTANTS) if since else None,
        background=draw(st.booleans()),
    )
    check_query(query)
    return query
