"""The benchmarks must run; `make bench-streams` and `make bench-commits` measure."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmark_reports_costs_and_complete_delivery() -> None:
    command = [sys.executable, "-m", "benchmarks.streams", "--short"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    one_worker, steady, shared, over_a_bus = done.stdout.split("\n\n")
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
    command = [sys.executable, "-m", "benchmarks.commits", "--short"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ratio = r" +[\d,]+ +\d+\.\d\d x"
    rows = re.findall(rf"^ +2 +[\d,]+{ratio}{ratio}$", done.stdout, re.MULTILINE)
    assert len(rows) == (2 if shutil.which("cc") else 1)
