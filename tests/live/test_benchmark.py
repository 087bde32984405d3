"""The stream benchmark must run; `make bench-streams` measures the cost."""

import re
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
    assert re.search(r"^  streams of each worker +[1-9]\d*(, [1-9]\d*){2}$", shared, re.MULTILINE)
    assert over_a_bus.startswith("over ")
    for delivered, part in ((200, one_worker), (200, steady), (300, shared)):
        assert re.search(rf"^  delivered +{delivered} of {delivered}$", part, re.MULTILINE)
        for fault in ("lost", "doubled", "disordered", "broken"):
            assert re.search(rf"^  {fault} +0 +none +met$", part, re.MULTILINE)
