"""What docs/course.md names exists: files, targets, commands, settings."""

import re
from pathlib import Path

import pytest

from cruddur.settings import declared_variables
from cruddur.settings.diagnosis import CREDENTIALS
from readme.readme_check import blocks

ROOT = Path(__file__).parents[2]
COURSE = (ROOT / "docs" / "course.md").read_text("utf-8")
PLACES = (ROOT, ROOT / "backend" / "cruddur")
COMMANDS = [command for block in blocks(COURSE) for command in block]
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.M))


def named_files() -> list[str]:
    """Return the paths of the second column of the first table, and of the text below it."""
    rows = [row.split("|")[2] for row in COURSE.splitlines() if row.startswith("| ")]
    text = "\n".join([*rows, COURSE.partition("\n## First")[2]])
    return sorted(set(re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:yaml|toml))`", text)))


@pytest.mark.parametrize("name", [name for name in named_files() if "*" not in name])
def test_a_named_file_exists(name: str) -> None:
    assert any((place / name).exists() for place in PLACES)


def test_every_command_is_complete_and_every_target_exists() -> None:
    made = re.findall(r"\bmake ([a-z-]+)", "\n".join(COMMANDS))
    assert {"run", "doctor"} <= set(made) <= TARGETS


def test_every_variable_is_a_setting() -> None:
    assigned = re.findall(
        r"\b([A-Z][A-Z0-9_]+)=", "\n".join([*COMMANDS, COURSE.partition("```text")[2]])
    )
    others = {
        "EPOCH",
        "COMPOSE_PROFILES",
        "EXTRAS",
        "AWS_REGION",
        "CRUDDUR_ENVIRONMENT",
        *CREDENTIALS,
    }
    page = {name for name in assigned if name.startswith("REACT_APP_")}
    assert set(assigned) - page - others - declared_variables().keys() == set()
