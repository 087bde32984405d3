"""The report of `make bench`: the ranking, the ratios, and the goals."""

import pytest

from benchmarks.__main__ import DisagreementError, compare
from benchmarks.clients import Request
from benchmarks.report import GOALS, Measurement, Spread, ratio, steady, tables, verdicts
from benchmarks.routes import ROUTES


def measurement(
    peer: str, rate: float, *, route: str = "home", workers: int = 1, p99: float = 0.01
) -> Measurement:
    return Measurement(route, workers, peer, rate, cpu=1 / rate, p50=p99 / 2, p99=p99)


ROUNDS = [
    measurement("flask", 100),
    measurement("cruddur", 450),
    measurement("flask", 50),  # a slow round slows both
    measurement("cruddur", 215),
    measurement("flask", 110),
    measurement("cruddur", 440),
]


def test_ratios_are_computed_per_round() -> None:
    assert ratio(ROUNDS, "home", 1, "flask") == Spread(4.3, 4.0, 4.5)


def test_missing_measurements_have_no_ratio() -> None:
    assert ratio(ROUNDS, "home", 1, "fastapi") is None
    assert ratio(ROUNDS, "home", 2, "flask") is None
    assert ratio(ROUNDS, "profile", 1, "flask") is None


def test_the_fastest_peer_comes_first() -> None:
    [table] = tables([*ROUNDS, *(measurement("fastapi", 600) for _ in range(3))])
    head, *lines = table.splitlines()
    assert head.startswith("home, 1 worker ")
    assert [line.split()[0] for line in lines] == ["fastapi", "cruddur", "flask"]
    assert lines[0].endswith("0.73 (0.36 to 0.75) x")
    assert "440 (215 to 450)" in lines[1]
    assert not lines[1].endswith("x")


def test_at_a_constant_rate_the_shortest_tail_comes_first() -> None:
    found = [
        measurement("cruddur", 300, route=steady("home"), p99=0.02),
        measurement("flask", 70, route=steady("home"), p99=0.05),
    ]
    [table] = tables(found)
    _, first, second = table.splitlines()
    assert first.split()[0] == "cruddur"
    assert second.endswith("0.40 (0.40 to 0.40) x")


def test_each_route_has_a_table_for_each_number_of_workers_and_members_come_first() -> None:
    found = [
        measurement("cruddur", 1, route=route, workers=workers)
        for workers in (1, 2)
        for route in ("home", "mix")
    ]
    heads = [table.partition("  ")[0] for table in tables(found)]
    assert heads == ["mix, 1 worker", "home, 1 worker", "mix, 2 workers", "home, 2 workers"]


def test_goals_are_judged_by_the_median_where_both_were_measured() -> None:
    [line] = verdicts(ROUNDS, {})
    assert line.startswith("  home: requests/s at least 4 x flask  ")
    assert line.endswith("  4.30 (4.00 to 4.50)   met")
    slower = [measurement("cruddur", 399), measurement("flask", 100)]
    [line] = verdicts(slower, {})
    assert line.endswith("3.99 (3.99 to 3.99)   NOT MET")


def test_goals_apply_to_one_worker() -> None:
    found = [measurement(peer, 1, workers=2) for peer in ("cruddur", "flask")]
    assert list(verdicts(found, {})) == []


@pytest.mark.parametrize("goal", GOALS, ids=str)
def test_a_goal_that_is_just_reached_is_met(goal) -> None:
    assert goal.is_met(goal.bound)
    assert not goal.is_met(goal.bound * (1.01 if goal.is_most else 0.99))


def test_the_memory_of_an_idle_worker_has_a_goal() -> None:
    [line] = verdicts([], {"cruddur": 85_000_000, "flask": 70_000_000})
    assert line.split()[-2:] == ["85.0", "met"]
    [line] = verdicts([], {"cruddur": 85_100_000})
    assert line.endswith("85.1   NOT MET")


def check(peer: str, route: str, theirs: str, ours: str) -> None:
    [found] = [one for one in ROUTES if one.name == route]
    compare(peer, found, Request("GET", "/"), theirs, ours)


def test_a_peer_with_a_different_response_is_not_measured() -> None:
    check("flask", "home", '[{"a": 1, "b": 2}]', '[{"b":2,"a":1}]')
    with pytest.raises(DisagreementError, match="flask, home"):
        check("flask", "home", "[]", '[{"b":2,"a":1}]')


def test_generated_fields_can_differ_where_requests_write() -> None:
    ours = '{"uuid": "1", "replies": [{"created_at": "now", "message": "A"}]}'
    theirs = ours.replace("1", "2").replace("now", "then")
    check("quart", "create", theirs, ours)
    with pytest.raises(DisagreementError, match="quart, create"):
        check("quart", "create", ours.replace("A", "B"), ours)
    with pytest.raises(DisagreementError, match="quart, home"):
        check("quart", "home", theirs, ours)
