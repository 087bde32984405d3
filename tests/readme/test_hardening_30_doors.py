"""CI runs what users run: the README's commands and the production image."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from readme.readme_check import RUN_BY_CI, CheckError, bare, blocks, commands

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CI = (ROOT / ".ci" / "run").read_text("utf-8")
COMMANDS = [bare(command) for block in blocks(README) for command in block]
TARGETS = {
    match[0] for match in re.findall(r"^([a-z-]+):(.*)## ", (ROOT / "Makefile").read_text(), re.M)
}


def test_hardening_30_ci_builds_and_runs_the_image_and_follows_the_readme() -> None:
    lines = [line.strip() for line in CI.splitlines()]
    assert {"make check", "make test || {", "make test-bench"} <= set(lines)
    assert "timeout 900 make image-check" in lines
    assert "timeout 2400 make readme-check" in lines
    assert {f"make {name}" for name in ("check", "test")} == RUN_BY_CI
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True)


def test_hardening_30_every_block_of_the_readme_is_run() -> None:
    assert {"make run", "docker compose up", "docker build -f Dockerfile.prod -t cruddur ."} <= set(
        COMMANDS
    )
    # Blocks of other kinds hold no commands.
    kinds = set(re.findall(r"^```(\w+)$", README, re.MULTILINE))
    assert kinds <= {"console", "sh", "text"}


@pytest.mark.parametrize("name", sorted({c for c in COMMANDS if c.startswith("make ")}))
def test_hardening_30_every_target_that_the_readme_names_exists(name: str) -> None:
    assert name.split()[1] in TARGETS


def test_hardening_30_a_command_over_several_lines_is_one() -> None:
    lines = ["a=$(curl x \\", "  -d '{", "}' |", "  cat)", 'echo "$a"']
    assert commands(lines) == ["a=$(curl x \\\n  -d '{\n}' |\n  cat)", 'echo "$a"']
    with pytest.raises(CheckError):
        commands(["echo 'never closed"])


def test_hardening_30_a_failing_command_fails_the_check(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from readme.readme_check import Shell\n"
        f"folder = Path({str(tmp_path)!r}, 'clone'); folder.mkdir()\n"
        "shell = Shell(folder)\n"
        "assert shell.run('x=1') == '\\n' and shell.run('echo $x').strip() == '1'\n"
        "shell.run('echo seen; false')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "tests", capture_output=True, text=True,
        check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 1
    assert "CheckError: echo seen; false\nseen" in done.stderr
