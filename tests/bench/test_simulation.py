"""The simulator of shards agrees with queueing theory, and the plan with its own arithmetic."""

import json
from pathlib import Path

import pytest

from benchmarks.capacity import ACCOUNTS, FIGURES, Workload, need, read_figures
from benchmarks.growth import trend
from benchmarks.partitions import LIFETIMES, ROWS, plan, segments
from benchmarks.scale import merge
from benchmarks.simulation import Kind, Simulation, System, bound, erlang_c

ONE = {"one": Kind(1.0, 0.010)}
"""One kind of request, of 10 ms."""


@pytest.mark.parametrize(("processors", "rate"), [(1, 50), (1, 80), (2, 150), (4, 320)])
def test_the_simulation_waits_as_long_as_an_m_m_c_queue(processors: int, rate: float) -> None:
    outcome = Simulation(System(processors=processors, spread=1.0), ONE).open(rate, 80_000 / rate)
    load = rate * 0.010
    waiting = erlang_c(processors, load) * 0.010 / (processors - load)
    assert outcome.waiting == pytest.approx(waiting, rel=0.07)
    assert outcome.mean == pytest.approx(waiting + 0.010, rel=0.05)


def test_erlang_c_agrees_with_its_known_values() -> None:
    assert erlang_c(1, 0.5) == pytest.approx(0.5)  # M/M/1: the utilization
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)


def test_fixed_times_wait_half_as_long_as_exponential_ones() -> None:
    # Pollaczek and Khinchine: M/D/1 waits half as long as M/M/1.
    outcome = Simulation(System(spread=0.0), ONE).open(80, 1000)
    assert outcome.waiting == pytest.approx(0.8 * 0.010 / 0.2 / 2, rel=0.05)


def test_no_request_is_lost_and_the_laws_of_little_and_utilization_hold() -> None:
    kinds = {"one": Kind(0.5, 0.004), "all": Kind(0.5, 0.006, visits_all=True)}
    outcome = Simulation(System(shards=4), kinds).open(60, 500)
    assert outcome.completed + outcome.pending == outcome.arrived
    demand = 0.5 * 0.004 / 4 + 0.5 * 0.006
    for busy in outcome.busy:
        assert busy == pytest.approx(60 * demand, rel=0.05)
    closed = Simulation(System(shards=4), kinds).closed(16, 200)
    assert closed.rate * closed.mean == pytest.approx(16, rel=0.02)


@pytest.mark.parametrize("shards", [1, 2, 4])
def test_a_quota_bounds_the_rate(shards: int) -> None:
    kinds = {"one": Kind(1.0, 0.004)}
    system = System(shards, quota=0.25)
    outcome = Simulation(system, kinds).closed(16 * shards, 100)
    # Several shards are not always busy, because requests are spread at random.
    assert outcome.rate == pytest.approx(bound(system, kinds), rel=0.05)
    for busy in outcome.busy:
        assert busy == pytest.approx(0.25, rel=0.05)


def test_a_fan_in_gains_nothing_from_further_shards() -> None:
    kinds = {"all": Kind(1.0, 0.004, visits_all=True)}
    rates = [
        Simulation(System(shards, quota=0.25), kinds).closed(16, 100).rate for shards in (1, 4)
    ]
    assert rates[1] <= rates[0] * 1.02


def test_the_same_seed_gives_the_same_outcome() -> None:
    def run(seed: int) -> object:
        return Simulation(System(2), ONE, seed=seed).open(90, 20)

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_pages_of_shards_are_merged_by_time_and_cut() -> None:
    def crud(time: int, uuid: str) -> dict[str, str]:
        return {"created_at": f"2026-12-01T00:00:{time:02}+00:00", "uuid": uuid}

    pages = [
        [crud(9, "b"), crud(7, "d"), crud(1, "e")],
        [crud(9, "c"), crud(8, "a"), *(crud(0, str(n)) for n in range(50))],
    ]
    merged = merge(pages)
    assert [one["uuid"] for one in merged[:5]] == ["c", "b", "a", "d", "e"]
    assert len(merged) == 40


def test_the_figures_of_the_plan_are_complete(tmp_path: Path) -> None:
    read_figures()
    figures = json.loads(FIGURES.read_text())
    figures["cpu_ms"]["write"]["worker"] = 0
    changed = tmp_path / "figures.json"
    changed.write_text(json.dumps(figures))
    with pytest.raises(ValueError, match="cpu_ms / write / worker"):
        read_figures(changed)
    del figures["cpu_ms"]
    changed.write_text(json.dumps(figures))
    with pytest.raises(ValueError, match="cpu_ms / home / worker"):
        read_figures(changed)


def test_the_needs_of_the_plan_grow_with_the_accounts() -> None:
    figures = read_figures()
    small, large = (need(Workload(accounts), figures) for accounts in (ACCOUNTS[0], ACCOUNTS[-1]))
    factor = ACCOUNTS[-1] / ACCOUNTS[0]
    for name in ("reads", "writes", "worker_cores", "live_cruds", "account_bytes", "streams"):
        assert getattr(large, name) == pytest.approx(factor * getattr(small, name))
    # Every stream gets every crud: the square.
    assert large.public_deliveries == pytest.approx(factor**2 * small.public_deliveries)


def test_the_live_cruds_of_the_plan_are_written_in_a_lifetime() -> None:
    load = Workload(1_000_000, active=0.1, cruds=2.0, lifetime=3.0)
    assert load.live_cruds == pytest.approx(load.per_second(2.0) / load.peak * 3.0 * 86_400)


def test_the_rows_of_the_partitions_are_those_of_a_steady_state() -> None:
    assert sum(LIFETIMES.values()) == pytest.approx(1.0)
    assert sum(segment.share for segment in segments()) == pytest.approx(1.0)
    inserted = sum(values[1] - values[0] + 1 for _, values in plan(ROWS))
    assert inserted == pytest.approx(ROWS, rel=1e-6)


def test_a_trend_reports_growth_and_the_slope_of_each_part() -> None:
    hours = list(range(49))
    flat = trend(hours, [1e6] * 49)
    assert (flat.growth, flat.is_flat, set(flat.slopes)) == (0.0, True, {0.0})
    growing = trend(hours, [1e6 + 1000 * hour for hour in hours])
    assert growing.growth == pytest.approx(0.048)
    assert growing.slopes == pytest.approx([1000.0] * 6)
    assert not growing.is_flat
