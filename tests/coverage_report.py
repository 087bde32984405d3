"""Print the line and branch coverage of each package of backend/, and of all of it.

`make coverage` runs this after it has combined the data of all processes.
"""

import json
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from coverage import Coverage

ROOT = Path(__file__).parents[1]
COLUMNS = "{:24}{:>8}{:>8}{:>8}{:>10}{:>8}{:>8}"


def main() -> None:
    """Print a table with one line for each package, and the directory of the details."""
    coverage = Coverage(config_file=str(ROOT / "pyproject.toml"))
    coverage.load()
    packages: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for file, summary in _summaries(coverage).items():
        package = ".".join(Path(file).parent.parts[1:3])  # below backend/
        for name in (package, "total"):
            for key, count in summary.items():
                packages[name][key] += count
    print(COLUMNS.format("package", "lines", "missed", "covered", "branches", "missed", "covered"))
    for name, of in sorted(packages.items(), key=lambda item: (item[0] == "total", item[0])):
        lines, branches = of["num_statements"], of["num_branches"]
        print(
            COLUMNS.format(
                name,
                lines,
                of["missing_lines"],
                _percent(lines - of["missing_lines"], lines),
                branches,
                of["missing_branches"],
                _percent(branches - of["missing_branches"], branches),
            )
        )


def _summaries(coverage: Coverage) -> dict[str, dict[str, int]]:
    """Return the counts of each file, by its path below the project."""
    with tempfile.NamedTemporaryFile() as output:
        coverage.json_report(outfile=output.name)
        report: dict[str, Any] = json.loads(Path(output.name).read_text())
    names = ("num_statements", "missing_lines", "num_branches", "missing_branches")
    return {
        file: {name: data["summary"][name] for name in names}
        for file, data in report["files"].items()
    }


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}%" if whole else ""


if __name__ == "__main__":
    main()
