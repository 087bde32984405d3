"""Each benchmark of a moving part runs and reports its figures. `make bench-…` measures them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import patroni
from benchmarks.scale import MIXES
from benchmarks.telemetry import MODES

ROOT = Path(__file__).parents[2]


def _output(
    module: str, *arguments: str, timeout: float = 110, accepted: tuple[int, ...] = (0,)
) -> str:
    """Run a benchmark in its short form, and return what it prints."""
    command = [sys.executable, "-m", module, "--short", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tests"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode in accepted, done.stdout + done.stderr
    return done.stdout


def test_the_benchmark_of_streams_reports_costs_and_complete_delivery() -> None:
    output = _output("benchmarks.streams")
    one_worker, steady, shared, over_a_bus = output.split("\n\n")
    for figure in ("memory per stream, kB", "delivery, p50, ms", "delivery, p99, ms"):
        assert re.search(rf"^  {figure} +\d", one_worker, re.MULTILINE)
    assert re.search(r"^  memory after 0.5 s, MB +\d", steady, re.MULTILINE)
    assert re.search(r"^  streams of each worker +[1-9]\d*(, [1-9]\d*)$", shared, re.MULTILINE)
    assert over_a_bus.startswith("over ")
    for delivered, part in ((200, one_worker), (200, steady), (200, shared)):
        assert re.search(rf"^  delivered +{delivered} of {delivered}$", part, re.MULTILINE)
        for fault in ("lost", "doubled", "disordered", "broken"):
            assert re.search(rf"^  {fault} +0 +none +met$", part, re.MULTILINE)


def test_the_benchmark_of_commits_compares_posts_with_and_without_events() -> None:
    output = _output("benchmarks.commits")
    ratio = r" +[\d,]+ +\d+\.\d\d x"
    rows = re.findall(rf"^ +2 +[\d,]+{ratio}{ratio}$", output, re.MULTILINE)
    assert len(rows) == (2 if shutil.which("cc") else 1)


def test_the_benchmark_of_the_following_feed_compares_it_with_home_and_a_timeline() -> None:
    output = _output("benchmarks.following")
    assert len(re.findall(r"^  ratio +\d+\.\d\d x  at most 1.3 (?:met|missed)$", output, re.M)) == 2
    assert len(re.findall(r"^  ratio +\d+\.\d\d x  at most 1.1 (?:met|missed)$", output, re.M)) == 2
    assert len(re.findall(r"^  (?:timeline|a post).* +\d+\.\d\d$", output, re.M)) == 4


def test_the_benchmark_of_replicas_compares_a_service_with_and_without_one() -> None:
    output = _output("benchmarks.replicas")
    figures = r"(?: +\d+(?:\.\d+)?){5}$"
    assert len(re.findall(rf"^primary alone{figures}", output, re.M)) == 6
    assert len(re.findall(rf"^with a replica{figures}", output, re.M)) == 6


def test_the_benchmark_of_http2_compares_one_connection_with_separate_ones() -> None:
    output = _output("benchmarks.http2")
    assert re.search(r"^  ratio .* +\d+\.\d\d x  at most 1.5 (?:met|missed)$", output, re.M)


@pytest.mark.skipif(not shutil.which("cc"), reason="the clock of the database needs cc")
def test_the_benchmark_of_growth_reports_the_trend_of_each_table() -> None:
    # 1: so few rows are written in so short a time that their number is not steady.
    output = _output("benchmarks.growth", accepted=(0, 1))
    figures = r" +\d+\.\d\d +-?[\d.]+% +-?\d+\.\d\d \(-?\d+\.\d\d to -?\d+\.\d\d\)"
    assert re.search(rf"^  all tables and indexes{figures}", output, re.M), output
    assert re.search(r"^responses: {.*200: \d{2,}", output, re.M), output
    assert re.search(r"^no table or index .* (?:met|NOT MET)$", output, re.M), output


def test_the_benchmark_of_partitions_removes_an_hour_of_each_design() -> None:
    output = _output("benchmarks.partitions", timeout=300)
    table, partitioned = output.split("\n\n")[:2]
    for title in ("deleted by the sweep", "deleted without triggers"):
        assert re.search(rf"^  {title} +[\d,]+ rows, [\d.]+ s, CPU [\d.]+ s, ", table, re.M), output
    assert re.search(r"^  dropped as a partition +[\d,]+ rows, [\d.]+ s", partitioned, re.M), output
    statements = ("home", "profile", "page", "is_live", "following", "search")
    for name in statements:
        assert len(re.findall(rf"^  {name} +[\d.]+ +[\d.]+ +[\d,]+$", output, re.M)) == 2, output


def test_the_benchmark_of_scale_compares_predictions_with_shards() -> None:
    # 1: a prediction is off by more than the goal, which a busy machine may cause.
    output = _output("benchmarks.scale", timeout=300, accepted=(0, 1))
    if output.startswith("skipped"):
        pytest.skip(output)
    found = re.findall(r"^  (\w+) +([124]) +[\d.]+ +[\d.]+ \(", output, re.M)
    assert {name for name, _ in found} == set(MIXES)
    assert len(found) == 3 * len(MIXES)


@pytest.mark.skipif(
    bool(patroni.missing_programs()), reason="patroni or etcd is not installed: make drill"
)
def test_the_failover_drill_loses_nothing() -> None:
    # 1: a goal of time is missed, which a busy machine may cause.
    output = _output("benchmarks.failover", timeout=400, accepted=(0, 1))
    steps = "the primary disappears|the old primary returns|planned switch-over"
    assert len(re.findall(rf"^(?:{steps}), \d+ s$", output, re.M)) == 3
    assert re.search(r"^  acknowledged writes +[1-9]", output, re.M)
    for fault in (
        "of these missing in the database",
        "cruds that a stream missed",
        "cruds that a stream got twice",
    ):
        assert re.search(rf"^  {fault} +0 +none +met$", output, re.M), output
    assert re.search(r"^  that name a server and the reason .* met$", output, re.M), output


def test_P9_the_benchmark_of_telemetry_reports_the_cost_of_each_configuration() -> None:
    for server in ("cruddur", "stock"):
        assert MODES.keys() >= {f"{server}, off", f"{server}, 100 %", f"{server}, 10 %"}
    part = "^cruddur, off|^cruddur.* metrics$|^stock, 10 %|wiring, 100 %$"
    measured = {name for name in MODES if re.search(part, name)}
    assert {MODES[name][0] for name in measured} == {peer for peer, _ in MODES.values()}
    output = _output("benchmarks.telemetry", part)
    ratios = dict(re.findall(r"^(\S.*?)  .* (\d+\.\d\d) \(", output, re.M))
    assert ratios.keys() == measured
    assert re.search(r"^our wiring against the stock one, 100 %: \d\.\d\d", output, re.M)
