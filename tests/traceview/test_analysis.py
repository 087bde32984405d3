"""Where the time of a trace goes: self time, gaps, critical path, repeated statements, failure."""

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from samples import START, Viewer, client, span

from traceview.statement_text import indent_statement, tokens_of

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5


async def _shown(viewer: Viewer) -> dict[str, dict[str, Any]]:
    """Return the spans by name."""
    return {one["name"]: one for one in (await viewer.trace())["spans"]}


def _path(spans: dict[str, dict[str, Any]]) -> list[tuple[str, float, float]]:
    """Return the critical path as names and times, in milliseconds from START."""
    parts = [
        (name, (int(one["start_ns"]) - START) / 1e6 + start, length)
        for name, one in spans.items()
        for start, length in one["critical"]
    ]
    return [
        (name, start, start + length) for name, start, length in sorted(parts, key=lambda p: p[1])
    ]


async def test_the_path_of_a_single_span_is_the_span(viewer: Viewer) -> None:
    await viewer.send(span(1, "root", ms=10))
    spans = await _shown(viewer)
    assert _path(spans) == [("root", 0, 10)]
    assert (spans["root"]["self_ms"], spans["root"]["gaps"]) == (10, [])


async def test_the_path_goes_through_children_that_run_one_after_another(viewer: Viewer) -> None:
    await viewer.send(
        span(1, "root", ms=20),
        span(2, "a", parent=1, start=2, ms=6),
        span(3, "in a", parent=2, start=3, ms=2),
        span(4, "b", parent=1, start=10, ms=9.5),
    )
    spans = await _shown(viewer)
    assert _path(spans) == [
        ("root", 0, 2),
        ("a", 2, 3),
        ("in a", 3, 5),
        ("a", 5, 8),
        ("root", 8, 10),
        ("b", 10, 19.5),
        ("root", 19.5, 20),
    ]
    assert [spans[name]["self_ms"] for name in ("root", "a", "b")] == [4.5, 4, 9.5]
    # Longer than a twentieth of the trace, and than a millisecond.
    assert spans["root"]["gaps"] == [[0, 2], [8, 2]]
    assert spans["a"]["gaps"] == [[0, 1], [3, 3]]
    assert spans["b"]["gaps"] == []


async def test_the_steps_of_the_path_are_ordered_by_their_time(viewer: Viewer) -> None:
    await viewer.send(
        span(1, "root", ms=20),
        *(span(number, "query", parent=1, start=number * 2, ms=number / 2) for number in (2, 3, 4)),
        span(5, "part", parent=1, start=11, ms=5),
    )
    steps = (await viewer.trace())["path"]
    assert [(one["name"], one["count"], one["critical_ms"]) for one in steps] == [
        ("root", 1, 10.5),
        ("part", 1, 5),
        ("query", 3, 4.5),
    ]
    assert (steps[2]["span_id"], steps[2]["service"]) == (f"{4:016x}", "cruddur")


async def test_of_parallel_children_the_path_has_only_the_one_that_ends_last(
    viewer: Viewer,
) -> None:
    await viewer.send(
        span(1, "root", ms=20),
        span(2, "early", parent=1, start=1, ms=3),
        span(3, "short", parent=1, start=5, ms=6),
        span(4, "long", parent=1, start=6, ms=12),
        span(5, "nested", parent=3, start=6, ms=5),
    )
    spans = await _shown(viewer)
    assert _path(spans) == [
        ("root", 0, 1),
        ("early", 1, 4),
        ("root", 4, 6),
        ("long", 6, 18),
        ("root", 18, 20),
    ]
    assert spans["root"]["self_ms"] == 4
    assert spans["short"]["critical"] == spans["nested"]["critical"] == []


async def test_the_path_has_no_child_that_outlives_its_parent(viewer: Viewer) -> None:
    await viewer.send(
        span(1, "root", ms=10),
        span(2, "awaited", parent=1, start=1, ms=2),
        span(3, "background", parent=1, start=4, ms=30),
        span(4, "in background", parent=3, start=5, ms=2),
        span(5, "later", parent=1, start=12, ms=5),
    )
    spans = await _shown(viewer)
    assert _path(spans) == [("root", 0, 1), ("awaited", 1, 3), ("root", 3, 10)]
    assert spans["root"]["self_ms"] == 2
    assert spans["background"]["self_ms"] == 28


async def test_a_message_that_is_handled_later_is_not_on_the_path(viewer: Viewer) -> None:
    await viewer.send(span(1, "root", ms=10), span(2, "send", parent=1, kind=PRODUCER, start=2))
    await viewer.send(span(3, "handle", parent=2, kind=CONSUMER, start=4, ms=5), service="worker")
    assert _path(await _shown(viewer)) == [("root", 0, 2), ("send", 2, 3), ("root", 3, 10)]


@pytest.mark.parametrize("skew", [-500, -7, 0, 3, 4000])
async def test_a_skewed_clock_does_not_change_the_path(viewer: Viewer, skew: float) -> None:
    await viewer.send(span(1, "root", ms=20), span(2, "call", parent=1, kind=CLIENT, start=4, ms=8))
    await viewer.send(
        span(3, "serve", parent=2, kind=SERVER, start=6 + skew, ms=4),
        span(4, "query", parent=3, kind=CLIENT, start=7 + skew, ms=2),
        service="api",
    )
    spans = await _shown(viewer)
    assert [spans[name]["critical"] for name in ("root", "call", "serve", "query")] == [
        [[0, 4], [12, 8]],
        [[0, 2], [6, 2]],
        [[0, 1], [3, 1]],
        [[0, 2]],
    ]
    assert [spans[name]["self_ms"] for name in ("root", "call", "serve", "query")] == [12, 4, 2, 2]


async def test_a_client_waits_for_a_server_only_until_its_own_end(viewer: Viewer) -> None:
    await viewer.send(span(1, "root", ms=20), span(2, "call", parent=1, kind=CLIENT, start=4, ms=8))
    await viewer.send(
        span(3, "serve", parent=2, kind=SERVER, start=5, ms=60),
        span(4, "early", parent=3, start=7, ms=2),
        span(5, "late", parent=3, start=8, ms=50),
        service="api",
    )
    spans = await _shown(viewer)
    # The server's clock is moved, so that both start together.
    assert spans["call"]["critical"] == []
    assert spans["serve"]["critical"] == [[0, 3]]
    assert spans["late"]["critical"] == [[0, 5]]
    assert spans["root"]["critical"] == [[0, 4], [12, 8]]


async def test_the_path_begins_at_the_span_that_represents_the_trace(viewer: Viewer) -> None:
    await viewer.send(
        span(1, "serve", parent=99, kind=SERVER, ms=8),
        span(2, "query", parent=1, start=2, ms=3),
        span(3, "late orphan", parent=98, start=9, ms=9),
    )
    assert _path(await _shown(viewer)) == [("serve", 0, 2), ("query", 2, 5), ("serve", 5, 8)]


async def test_odd_clocks_and_parents_are_no_error(viewer: Viewer) -> None:
    backwards = span(1, "backwards")
    backwards.end_time_unix_nano = START - 1
    await viewer.send(
        backwards,
        span(2, "circle a", parent=3),
        span(3, "circle b", parent=2),
        span(4, "before its parent", parent=1, start=-5, ms=0),
    )
    assert {one["self_ms"] for one in (await viewer.trace())["spans"]} == {0, 1}


@st.composite
def _trees(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Parents, starts and durations in any relation; the first is the root."""
    count = draw(st.integers(1, 12))
    return [
        (draw(st.integers(1, place)) if place else 0, draw(times), draw(times))
        for place in range(count)
    ]


times = st.integers(0, 30)


def test_the_parts_of_the_path_add_up_to_the_root() -> None:
    with asyncio.Runner() as runner:
        http = client()
        ids = itertools.count(1)

        @settings(max_examples=60, deadline=None)
        @given(_trees())
        def check(tree: list[tuple[int, int, int]]) -> None:
            trace = f"{next(ids):032x}"
            sent = [
                span(place + 1, f"{place + 1}", trace=trace, parent=parent, start=start, ms=ms)
                for place, (parent, start, ms) in enumerate(tree)
            ]
            _check_path(runner.run(_exchange(Viewer(http), sent, trace)))

        check()
        runner.run(http.aclose())


async def _exchange(viewer: Viewer, sent: list[Any], trace: str) -> dict[str, dict[str, Any]]:
    await viewer.send(*sent)
    return {one["name"]: one for one in (await viewer.trace(trace))["spans"]}


def _check_path(spans: dict[str, dict[str, Any]]) -> None:
    path = _path(spans)
    root = spans["1"]
    at = (int(root["start_ns"]) - START) / 1e6
    for _, start, end in path:
        assert start == pytest.approx(at)
        at = end
    assert sum(end - start for _, start, end in path) == pytest.approx(root["duration_ms"])
    for one in spans.values():
        assert 0 <= one["self_ms"] <= one["duration_ms"]
        for start, length in [*one["critical"], *one["gaps"]]:
            assert start >= 0
            assert start + length <= one["duration_ms"] + 1e-6


async def test_repeated_statements_are_one_group_below_the_first(viewer: Viewer) -> None:
    def statement(number: int, summary: str, parent: int = 1, **more: Any) -> Any:
        facts = {"db.query.summary": summary, "db.system.name": "postgresql"}
        start = float(number)
        return span(number, "SELECT", parent=parent, kind=CLIENT, start=start, **{**facts, **more})

    await viewer.send(
        span(1, "root", ms=100),
        *(statement(number, "SELECT users.show", ms=2) for number in (2, 4, 6, 8)),
        *(statement(number, "SELECT avatars.show") for number in (3, 5)),
        statement(7, "SELECT users.show", error=True),
        span(9, "part", parent=1, start=9, ms=20),
        *(statement(number, "SELECT users.show", parent=9) for number in (10, 11, 12)),
        *(span(number, "GET", parent=1, kind=CLIENT, start=number) for number in (20, 21, 22)),
    )
    trace = await viewer.trace()
    assert trace["repeats"] == [
        {"name": "SELECT users.show", "count": 4, "total_ms": 8},
        {"name": "SELECT users.show", "count": 3, "total_ms": 3},
    ]
    order = [(int(one["span_id"], 16), one["depth"], one["repeat"]) for one in trace["spans"]]
    assert order == [
        (1, 0, None),
        *((number, 1, 0) for number in (2, 4, 6, 8)),
        *((number, 1, None) for number in (3, 5, 7, 9)),
        *((number, 2, 1) for number in (10, 11, 12)),
        *((number, 1, None) for number in (20, 21, 22)),
    ]


async def test_the_failure_is_that_of_the_span_that_failed_first(viewer: Viewer) -> None:
    root = span(1, "POST /api/x", kind=SERVER, ms=20, error=True)
    event = root.events.add(name="exception", time_unix_nano=START)
    event.attributes.extend(
        span(9, **{"exception.type": "UniqueViolation", "exception.message": "taken"}).attributes
    )
    root.status.message = "failed"
    statement = span(3, "INSERT", parent=2, kind=CLIENT, start=2, **{"error.type": "23505"})
    statement.status.code = 2
    service = span(2, "create", parent=1, start=1, ms=9)
    service.status.code = 2
    await viewer.send(
        root,
        service,
        statement,
        span(4, "handled", parent=5, start=0.1, ms=0.1, error=True),
        span(5, "retry", parent=1, start=0.1, ms=0.5),
    )
    assert (await viewer.trace())["failure"] == {
        "span_id": f"{3:016x}",
        "kind": "CLIENT",
        "name": "INSERT",
        "type": "23505",
        "message": "taken",
    }


async def test_a_trace_without_failed_spans_has_no_failure(viewer: Viewer) -> None:
    await viewer.send(span(1, "root"))
    assert (await viewer.trace())["failure"] is None


async def test_long_statements_are_indented(viewer: Viewer) -> None:
    long = (
        "SELECT a.uuid, (SELECT count(*) FROM likes WHERE crud = a.uuid) FROM activities a "
        "LEFT JOIN users u ON u.id = a.user_id AND u.live WHERE a.at BETWEEN $1 AND $2 OR a.kept"
    )
    await viewer.send(
        span(1, kind=CLIENT, **{"db.query.text": long}),
        span(2, kind=CLIENT, **{"db.statement": "SELECT 1"}),
        span(3, kind=CLIENT, **{"db.query.text": 7}),
    )
    shown = """\
SELECT a.uuid,
  (
    SELECT count(*)
    FROM likes
    WHERE crud = a.uuid
  )
FROM activities a
LEFT JOIN users u ON u.id = a.user_id
  AND u.live
WHERE a.at BETWEEN $1 AND $2
  OR a.kept"""
    assert (await viewer.trace())["statements"] == {long: shown}


_WORDS = (
    "SELECT FROM WHERE AND OR BETWEEN JOIN LEFT ON UPDATE SET VALUES WITH FOR GROUP BY ( ( ) ) , , "
    ". = a b $1 :x %s 1.5 :: ->> $$it$$ $x$a'b$x$ 'it''s' -- /* */ ' \" ` $ [ ] é E'a' ;"
)


def _continued(statement: str) -> list[str]:
    """Return the texts that continue one of the line above, which makes them one text."""
    tokens = list(tokens_of(statement.strip()))
    return [
        after
        for (kind, _), (_, space), (kind_after, after) in zip(
            tokens, tokens[1:], tokens[2:], strict=False
        )
        if kind == kind_after == "text" and space.isspace() and "\n" in space
    ]


_GAPS = ("'te  xt'", '"na  me"', "`n  m`", "[n  m]", "/*  c  */", "$q$  $q$", "-- c  d")
_words = st.sampled_from([*_WORDS.split(), *_GAPS])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_words, st.sampled_from(["", " ", "   ", "\t", "\n"])), max_size=40))
def test_indenting_changes_only_white_space_between_tokens(parts: list[tuple[str, str]]) -> None:
    text = "SELECT a, b FROM something WHERE c = d AND e = f ORDER BY a, b " + "".join(
        word + space for word, space in parts
    )
    assume(not any(line[:1].isspace() for line in text.strip().splitlines()))
    shown = indent_statement(text)

    def solid(statement: str) -> list[str]:
        return [token for kind, token in tokens_of(statement) if kind != "space"]

    assert "".join(token for _, token in tokens_of(text)) == text
    assert shown.startswith("SELECT a,\n  b\nFROM something\nWHERE c = d\n  AND e = f\nORDER BY")
    assert solid(shown) == solid(text.rstrip())
    assert _continued(shown) == _continued(text)


@pytest.mark.parametrize(
    "text",
    [
        *("SELECT 1", "a" * 70 + "\n  FROM b", f"SELECT 'a\\', 'b  c FROM d' {'x' * 60}", " " * 99),
        f"SELECT {'a' * 60} # a comment of MySQL\nFROM b",
    ],
)
def test_short_indented_and_ambiguous_statements_stay_as_they_are(text: str) -> None:
    assert indent_statement(text) == text


def test_a_statement_that_lost_its_indentation_gets_one() -> None:
    shown = """\
WITH page AS (
    SELECT uuid -- the newest
    FROM a
    WHERE b > now()
      AND c = ($1)
  )
SELECT 1"""
    lost = "\n".join(line.strip() for line in shown.splitlines())
    assert indent_statement(lost) == shown
