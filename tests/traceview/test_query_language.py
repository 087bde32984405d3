"""The text form of queries: what it means, where a mistake is, and that it round-trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query_strategies import queries

from traceview.query.model import (
    AllOf,
    AnyOf,
    Calculation,
    Comparison,
    Duration,
    Instant,
    Not,
    Order,
    Query,
    QueryError,
)
from traceview.query.parser import parse, parse_time
from traceview.query.printer import print_query

MS = 1_000_000
MINUTE = Duration(60_000 * MS)

MEANINGS: list[tuple[str, Query]] = [
    ("", Query()),
    (
        'where http.route = "/api/search" and duration > 200ms | p95(duration), count by user',
        Query(
            where=AllOf(
                (
                    Comparison("http.route", "=", ("/api/search",)),
                    Comparison("duration", ">", (Duration(200 * MS),)),
                )
            ),
            calculations=(Calculation("p95", "duration"), Calculation("count")),
            by=("user",),
        ),
    ),
    ("where error", Query(where=Comparison("error", "=", (True,)))),
    ("where kind = server", Query(where=Comparison("kind", "=", ("server",)))),
    ("where x not exists", Query(where=Not(Comparison("x", "exists")))),
    ("where x not in (1, 'b')", Query(where=Not(Comparison("x", "in", (1, "b"))))),
    (
        "where not name contains 'it\\'s \"'",
        Query(where=Not(Comparison("name", "contains", ('it\'s "',)))),
    ),
    (
        "where a=1 or b=2 and not (c=3 or d=4)",
        Query(
            where=AnyOf(
                (
                    Comparison("a", "=", (1,)),
                    AllOf(
                        (
                            Comparison("b", "=", (2,)),
                            Not(AnyOf((Comparison("c", "=", (3,)), Comparison("d", "=", (4,))))),
                        )
                    ),
                )
            )
        ),
    ),
    ("by route", Query(calculations=(Calculation("count"),), by=("route",))),
    (
        """from logs where `odd ``key` < -1.5e3 | count by `limit` every 1m
        order by count asc, `limit` limit 5
        since 15m until 2026-11-29T12:00:00.25+01:00 with background""",
        Query(
            dataset="logs",
            where=Comparison("odd `key", "<", (-1500.0,)),
            calculations=(Calculation("count"),),
            by=("limit",),
            every=MINUTE,
            order=(Order(Calculation("count"), descending=False), Order("limit")),
            limit=5,
            since=Duration(15 * 60_000 * MS),
            until=Instant(1_795_950_000_250_000_000),
            background=True,
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), MEANINGS, ids=[text for text, _ in MEANINGS])
def test_a_text_means_a_query_and_is_printed_in_one_way(text: str, meaning: Query) -> None:
    assert parse(text) == meaning
    printed = print_query(meaning)
    assert parse(printed) == meaning
    assert print_query(parse(printed)) == printed


MISTAKES = [
    ("where", 5, "expected a key, found the end"),
    ("where a =", 9, "expected a value, found the end"),
    ("where a = 1 b", 12, "unexpected b"),
    ("where (a = 1", 12, "expected ), found the end"),
    ("where a not = 1", 12, "expected exists, in or contains after `not`, found ="),
    ("where in = 1", 6, "expected a key, found in"),
    ("where a = 'x", 10, "the closing ' is missing"),
    ("where a = \"\\x\"", 10, "unknown escape"),
    ("where a = \"\\ud800\"", 10, "half of a surrogate pair"),
    ("where `` = 1", 6, "a key has 1 to 200 characters"),
    ("where a ; 1", 8, "';' is not part of the language"),
    ("where duration > 200", 17, "needs a unit, such as 200ms"),
    ("where duration > 200min", 17, "'min' is not a unit"),
    ("where duration > -5ms", 17, "negative or out of range"),
    ("where duration > 0.1ns", 17, "whole nanoseconds"),
    ("where duration contains '1'", 24, "contains does not apply to duration"),
    ("where a = 5ms", 10, "an attribute without a unit of time"),
    ("where status_code = '500'", 20, "status_code is a number"),
    ("where error > 1", 14, "> does not apply to error"),
    ("where trace_id = 'abc'", 17, "an id of 32 hexadecimal digits"),
    ("where time > 5m", 13, "time is a time"),
    ("where time > 2026-13-01T00:00:00Z", 13, "not a time"),
    ("where a = 1e999", 10, "out of range"),
    ("where a = 9223372036854775808", 10, "out of range"),
    ("from spanz", 5, "expected a dataset (spans, roots, logs, metrics, exemplars), found spanz"),
    ("| median(duration)", 2, "expected a calculation (count, rate"),
    ("| p95", 5, "expected (, found the end"),
    ("| avg(name)", 6, "avg needs a number, and name is none"),
    ("| count(x)", 7, "unexpected ("),
    ("from metrics | errors", 15, "metrics have no errors"),
    ("| count, count", 0, "a calculation occurs twice"),
    ("| count by a, b, c, d", 0, "up to 3 different keys"),
    ("| count by a, a", 0, "up to 3 different keys"),
    ("| count order by p95(duration)", 17, "order by a calculation that the query has"),
    ("| count by a order by b", 22, "order by a key that the query groups by"),
    ("| heatmap(duration) by a", 0, "a heat map is the only calculation"),
    ("every 1m", 0, "needs a calculation"),
    ("limit 0", 0, "from 1 to 10000"),
    ("limit many", 6, "expected a whole number, found many"),
    ("since yesterday", 6, "expected a time such as 15m"),
    ("where " + "not " * 50 + "a", 166, "nested at most 40 times"),
    ("x" * 10_001, 10_000, "at most 10000 characters"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "position", "reason"), MISTAKES, ids=[m[0][:40] for m in MISTAKES]
)
def test_a_mistake_is_reported_with_its_position(text: str, position: int, reason: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse(text)
    assert reason in str(raised.value)
    assert raised.value.position == position


def test_a_time_of_the_range_is_parsed_alone() -> None:
    assert parse_time("1.5h") == Duration(5_400_000 * MS)
    assert parse_time("2026-11-29T12:00:00") == parse_time("2026-11-29T13:00:00+01:00")
    with pytest.raises(QueryError, match="unexpected 5"):
        parse_time("5m 5")


@given(queries())
def test_every_query_round_trips_through_its_text(query: Query) -> None:
    text = print_query(query)
    assert parse(text) == query
    assert print_query(parse(text)) == text


@given(st.text(max_size=60) | st.text("where |()by<>=!'\"`5ms.,not and or in", max_size=60))
def test_every_other_text_is_parsed_or_rejected_with_a_position(text: str) -> None:
    query, position = _attempt(text)
    if query is None:
        assert position is not None
        assert 0 <= position <= len(text)
    else:
        assert parse(print_query(query)) == query


def _attempt(text: str) -> tuple[Query | None, int | None]:
    try:
        return parse(text), None
    except QueryError as error:
        return None, error.position
