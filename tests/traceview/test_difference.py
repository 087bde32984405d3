"""`GET /api/difference`: what differs between selected rows and the rest, or two periods."""

import math
import random
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import Viewer, client, request, span

from traceview.__main__ import main
from traceview.difference.measure import common, divergence, score
from traceview.difference.ranking import rank
from traceview.difference.sample import Sample, Side
from traceview.difference.tally import Fact, Tally, Total
from traceview.storage.file import TraceFile
from traceview.storage.retention import FileBounds

SECOND = 1000
REQUESTS = 200
RANGE = {"since": "2025-11-03T09:55:00Z", "until": "2025-11-03T10:05:00Z"}


async def ask(viewer: Viewer, text: str, **arguments: str) -> dict[str, Any]:
    response = await viewer.http.get("/api/difference", params={"q": text, **RANGE, **arguments})
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()
    return result


@pytest.fixture(scope="module")
async def traffic(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Requests of ten users with two clients, in a file.

    Every third request is from client 2, which fails in four of five cases. Every tenth one repeats
    a statement and is slow. The second half of them runs on another host.
    """
    chance = random.Random(2)
    path = tmp_path_factory.mktemp("difference") / "traces.duckdb"
    file = TraceFile(path, FileBounds())
    async with client(file=file) as http:
        viewer = Viewer(http)
        for number in range(1, REQUESTS + 1):
            is_second, is_slow = number % 3 == 0, number % 10 == 0
            failed = is_second and chance.random() < 0.8
            statements = 12 if is_slow else 2
            trace = f"{number:032x}"
            more = {"app.tries": 2.5} if is_second else {}
            root = request(
                number,
                f"/api/{'abcd'[chance.randrange(4)]}",
                500 if failed else 200,
                start=number * SECOND,
                ms=chance.uniform(500, 900) if is_slow else chance.uniform(5, 50),
                error=failed,
                **{
                    "user_agent.original": f"app/{2 if is_second else 1}",
                    "client.port": 50_002 if is_second else 50_001,
                    "enduser.pseudo.id": f"user {chance.randrange(10)}",
                    "app.request.id": chance.randbytes(8).hex(),
                    "app.row": chance.randrange(10**9),
                    "app.list": ["a", "b"],
                    "scope": f"{'xy'[chance.randrange(2)]}",
                    **more,
                },
            )
            children = [
                span(
                    1000 + place,
                    "SELECT",
                    trace=trace,
                    parent=number,
                    kind=3,
                    start=number * SECOND + place,
                    ms=0.4,
                    **{
                        "db.system.name": "postgresql",
                        "db.query.summary": f"SELECT {'things' if is_slow else place}",
                        "db.query.text": "SELECT 1",
                    },
                )
                for place in range(statements)
            ]
            half = 1 if number <= REQUESTS // 2 else 2
            resource = {"service.version": f"0.{half}", "process.pid": half}
            service = "one" if half == 1 else "two"
            await viewer.send(root, *children, service=service, **resource)
        yield viewer
    file.close()
    file.database.close()


def keys(result: dict[str, Any]) -> list[str]:
    return [one["key"] for one in result["ranking"]]


async def test_the_cause_of_errors_is_first(traffic: Viewer) -> None:
    result = await ask(traffic, "from roots", selection="error")
    assert keys(result)[0] == "app.tries" or keys(result)[0] == "user_agent.original"
    first = result["ranking"][0]
    # Both say the same; so only one of them is ranked.
    assert {one["key"] for one in result["same"] if one["same_as"] == first["key"]} == {
        "app.tries",
        "user_agent.original",
    } - {first["key"]}
    assert first["score"] > 0.3
    assert "user" not in keys(result)
    assert {"app.request.id", "app.row", "trace_id"}.isdisjoint(keys(result))
    implied = {one["key"] for one in result["implied"]}
    assert {"error", "status", "status_code"} <= implied
    rows = (await traffic.rows("from roots where error | count"))[0][0]
    assert (result["selection_rows"], result["rest_rows"]) == (rows, REQUESTS - rows)
    assert (result["margin"], result["notes"]) == (0, [])


async def test_the_port_of_a_connection_is_not_compared(traffic: Viewer) -> None:
    result = await ask(traffic, "from roots", selection="error")
    shown = {one["key"] for one in (*result["ranking"], *result["same"])}
    assert "user_agent.original" in shown
    assert "client.port" not in shown


async def test_causes_in_the_children_are_found(traffic: Viewer) -> None:
    result = await ask(traffic, "from roots", selection="duration > 200ms")
    # The number of spans, of statements and of repetitions: of one origin.
    first = result["ranking"][0]
    related = {first["key"], *(one["key"] for one in result["same"])}
    assert {"trace.statements", "trace.repetitions", "trace.repeated_statement"} <= related
    assert first["score"] > 0.8
    assert "duration" in {one["key"] for one in result["implied"]}


async def test_spans_are_compared_by_attributes_of_their_roots(traffic: Viewer) -> None:
    result = await ask(traffic, "where statement exists", selection="root.error")
    assert keys(result)[0] in {"root.user_agent.original", "root.app.tries"}
    assert {"root.status", "root.status_code"} <= {one["key"] for one in result["implied"]}


async def test_two_periods_are_compared(traffic: Viewer) -> None:
    middle = "2025-11-03T10:01:40.500Z"
    result = await ask(
        traffic,
        "from roots",
        before=f"2025-11-03T10:00:00Z..{middle}",
        after=f"{middle}..2025-11-03T10:05:00Z",
    )
    # The version says more than the process id and the name of the service, which differ alike.
    assert keys(result) == ["resource.service.version"]
    assert [one["value"] for one in result["ranking"][0]["values"]] == ["0.2", "0.1"]
    same = {one["key"] for one in result["same"]}
    assert same == {"resource.process.pid", "service"}
    assert (result["selection_rows"], result["rest_rows"]) == (100, 100)
    assert result["selection"] == (
        "2025-11-03T10:01:40.5Z..2025-11-03T10:05:00Z after "
        "2025-11-03T10:00:00Z..2025-11-03T10:01:40.5Z"
    )


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("from roots", "error"),
        ("from roots", "duration > 200ms"),
        ("where statement exists", "root.error"),
        ("", "root and service = two"),
    ],
)
async def test_each_condition_selects_the_share_that_is_shown(
    traffic: Viewer, text: str, selection: str
) -> None:
    result = await ask(traffic, text, selection=selection)
    parts = [
        part
        for one in [*result["ranking"], *result["same"], *result["implied"]]
        for part in [*one["values"], *one["bins"]]
        if part["condition"]
    ]
    assert len(parts) > 5
    for part in parts[:: 1 + len(parts) // 20]:
        both = f"({selection}) and ({part['condition']})"
        where = f"{text} and {both}" if "where" in text else f"{text} where {both}"
        [[count]] = await traffic.rows(f"{where} | count")
        assert count == round(part["selection"] * result["selection_rows"]), part


async def test_shares_of_each_side_are_whole(traffic: Viewer) -> None:
    result = await ask(traffic, "", selection="root")
    assert result["ranking"]
    for one in [*result["ranking"], *result["same"], *result["implied"]]:
        parts = [*one["values"], *one["bins"]]
        for side in ("selection", "rest"):
            assert sum(part[side] for part in parts) == pytest.approx(1, abs=1e-3)
        kinds = [value["kind"] for value in one["values"]]
        assert kinds.count("missing") <= 1
        assert kinds.count("other") <= 1


async def test_nothing_differs_by_chance_alone(traffic: Viewer) -> None:
    result = await ask(traffic, "from roots", selection="name = nothing or attribute.scope = x")
    assert keys(result) == []
    assert result["notes"] == ["nothing differs by more than chance explains"]
    few = await ask(traffic, "from roots", selection=f"trace_id = '{3:032x}'")
    assert (keys(few), few["selection_rows"]) == ([], 1)
    assert few["notes"] == ["the selection is in 1 of the traces, too few to compare"]
    none = await ask(traffic, "from roots", selection="name = nothing")
    assert (none["selection_rows"], none["rest_rows"], none["ranking"]) == (0, REQUESTS, [])


async def test_logs_and_metrics_are_compared_too(traffic: Viewer) -> None:
    for dataset in ("logs", "metrics"):
        result = await ask(traffic, f"from {dataset}", selection="service = one")
        assert (result["selection_rows"], result["ranking"]) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "compare a selection with the rest, or the periods `before` and `after`"),
        ({"before": "2h..1h"}, "compare a selection"),
        ({"before": "2h..1h", "after": "1h..", "selection": "error"}, "compare a selection"),
        ({"before": "2h", "after": "1h.."}, "a period has a start and an end"),
        ({"before": "2h..1h", "after": "90m.."}, "the two periods overlap"),
        ({"before": "1h..2h", "after": "1h.."}, "the time range is empty"),
        ({"selection": "duration > 5"}, "in the selection, column 12: duration is a duration"),
        ({"selection": "error", "side": "left"}, "unknown parameter side"),
        ({"selection": "error", "background": "x"}, "background is 0 or 1"),
    ],
)
async def test_an_invalid_comparison_is_rejected(
    traffic: Viewer, arguments: dict[str, str], message: str
) -> None:
    response = await traffic.http.get("/api/difference", params=arguments)
    assert response.status_code == 400
    assert response.json()["error"].startswith(message)


async def test_without_a_file_there_is_no_comparison(viewer: Viewer) -> None:
    response = await viewer.http.get("/api/difference", params={"selection": "error"})
    assert response.status_code == 409


TRACE_KEYS = [
    ("from roots where trace.statements > 2 | count", 20),
    ("from roots where trace.repetitions >= 12 and trace.spans = 13 | count", 20),
    ("from roots where trace.repeated_statement = 'SELECT things' | count", 20),
    ("from roots where trace.slowest_statement = 'SELECT things' | count", 20),
    ("from roots where trace.longest_part = '(root)' | count", REQUESTS),
    ("where statement exists and root.http.route exists | count", 12 * 20 + 2 * 180),
    (
        "where statement exists and root.user_agent.original = 'app/2' | count_distinct(trace_id)",
        66,
    ),
    ("where root.root | count", 13 * 20 + 3 * 180),
    ("where trace.calls = 0 and trace.errors = 0 and trace.error.type exists | count", 0),
]


async def test_queries_use_facts_about_traces(traffic: Viewer) -> None:
    counted = [(text, (await traffic.rows(text))[0][0]) for text, _ in TRACE_KEYS]
    assert counted == TRACE_KEYS
    rows = await traffic.rows("from roots | max(trace.statements) by trace.repeated_statement")
    assert rows[0] == ["SELECT things", 12]
    keys = (await traffic.http.get("/api/keys", params={"dataset": "roots"})).json()
    assert {"trace.statements", "trace.repetitions"} <= {one["name"] for one in keys}
    for key, most in (("trace.repeated_statement", "SELECT things"), ("root.service", "one")):
        values = (await traffic.http.get("/api/values", params={"key": key})).json()
        assert values[0]["value"] == most


def test_the_command_prints_the_ranking(tmp_path: Any) -> None:
    # The file of the fixture is open, so this one is another.
    path = tmp_path / "few.duckdb"
    file = TraceFile(path, FileBounds())
    file.close()
    file.database.close()
    run = CliRunner().invoke(
        main, ["difference", "--selection", "error", "--file", str(path), "--json"]
    )
    assert run.exit_code == 0, run.output
    assert '"ranking":[]' in run.stdout
    run = CliRunner().invoke(main, ["difference", "--file", str(path), "--after", "1h.."])
    assert (run.exit_code, run.stderr[:32]) == (2, "traceview: compare a selection w")


# --- statistics ----------------------------------------------------------------------------------

SHARES = st.lists(st.integers(0, 50), min_size=1, max_size=12).filter(any)


@given(SHARES, SHARES)
def test_the_divergence_is_symmetric_and_from_0_to_1(one: list[int], other: list[int]) -> None:
    size = max(len(one), len(other))
    left = [count / sum(one) for count in one] + [0.0] * (size - len(one))
    right = [count / sum(other) for count in other] + [0.0] * (size - len(other))
    found = divergence(left, right)
    assert 0 <= found <= 1 + 1e-9
    assert found == pytest.approx(divergence(right, left))
    assert divergence(left, left) == pytest.approx(0)
    disjoint = divergence([*left, *[0.0] * size], [*[0.0] * size, *right])
    assert disjoint == pytest.approx(1)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=60))
def test_a_renamed_attribute_has_the_same_information(values: list[int]) -> None:
    assert common(values, [f"number {value}" for value in values]) == pytest.approx(1)
    if len(set(values)) > 1:
        assert common(values, [0] * len(values)) == pytest.approx(0)


def test_a_score_rises_with_the_sample() -> None:
    scores = [score(0.2, 5, size, size) for size in (5, 20, 100, 10_000)]
    assert scores == sorted(scores)
    assert scores[0] == 0
    assert math.isclose(scores[-1], 0.2, abs_tol=0.001)


def ranked(rows: list[tuple[bool, dict[str, Fact]]]) -> list[tuple[str, float]]:
    """Return the ranking of rows that are each a trace."""
    selection = Side(0, [])
    rest = Side(0, [])
    tally = Tally()
    for number, (is_selected, facts) in enumerate(rows):
        side = selection if is_selected else rest
        side.rows += 1
        side.ids.append(number)
        tally.add(facts, int(is_selected), int(not is_selected), number)
    total = Total(selection.rows, rest.rows, selection.rows, rest.rows)
    sample = Sample(selection, rest, total, tally, [facts for _, facts in rows])
    return [(one.key, one.score) for one in rank(sample, "spans", frozenset()).ranked]


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    selected=st.integers(20, 200),
    others=st.integers(50, 500),
    kind=st.sampled_from(["value", "missing", "number", "one of many"]),
)
def test_a_planted_difference_is_first(seed: int, selected: int, others: int, kind: str) -> None:
    chance = random.Random(seed)
    rows: list[tuple[bool, dict[str, Fact]]] = []
    for number in range(selected + others):
        is_selected = number < selected
        facts = _noise(chance)
        if kind == "value":
            facts["planted"] = "odd" if is_selected or chance.random() < 0.05 else "usual"
        elif kind == "missing":
            if not is_selected or chance.random() < 0.1:
                facts["planted"] = "here"
        elif kind == "number":
            facts["planted"] = chance.gauss(9 if is_selected else 1, 2)
        else:
            facts["planted"] = "user 7" if is_selected else f"user {chance.randrange(100)}"
        rows.append((is_selected, facts))
    found = ranked(rows)
    assert found[0][0] == "planted"
    assert found[0][1] > 0.25
    assert all(key != "id" and value < 0.12 for key, value in found[1:])


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), selected=st.integers(1, 300), others=st.integers(1, 300))
def test_no_difference_ranks_low(seed: int, selected: int, others: int) -> None:
    chance = random.Random(seed)
    rows = [(number < selected, _noise(chance)) for number in range(selected + others)]
    chance.shuffle(rows)
    assert all(value < 0.25 for _, value in ranked(rows))


def _noise(chance: random.Random) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "id": chance.randbytes(8).hex(),
        "serial": chance.randrange(10**12),
        "route": f"/{chance.randrange(20)}",
        "user": f"user {int(chance.paretovariate(0.5)) % 1000}",
        "size": chance.lognormvariate(3, 2),
    }
    if chance.random() < 0.3:
        facts["optional"] = (chance.random() < 0.5 and "a") or "b"
    return facts
