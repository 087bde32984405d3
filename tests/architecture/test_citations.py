"""Every rule of docs/api.md and every requirement of docs/telemetry.md has a test that cites it.

A test cites a rule by `@pytest.mark.rule("C7")` and a requirement by its id in the name,
`test_S4_…`. The tests are parsed and not imported, so that a skipped test counts too.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from source import ROOT

TESTS = ROOT / "tests"
RULE = re.compile(r"^\| (C\d+) \| \S", re.MULTILINE)
REQUIREMENT = re.compile(r"^\| ([SDPXRLHW]\d+) \| \S", re.MULTILINE)
IN_A_NAME = re.compile(r"(?<=_)[SDPXRLHW]\d+(?=_)")

# The tests of the published front ends must not change, so they have no rule marker.
FRONT_ENDS = {"C1": "contract"}


def _ids(document: str, pattern: re.Pattern[str]) -> list[str]:
    """Return the ids that the tables of a document define."""
    return pattern.findall((ROOT / "docs" / document).read_text("utf-8"))


def _cited() -> Iterator[tuple[str, str]]:
    """Yield each rule that a test cites, and the test."""
    for path, test in _tests():
        for decorator in test.decorator_list:
            if (
                isinstance(decorator, ast.Call)
                and ast.unparse(decorator.func) == "pytest.mark.rule"
            ):
                for argument in decorator.args:
                    yield ast.literal_eval(argument), f"{path.name}::{test.name}"
    for rule, folder in FRONT_ENDS.items():
        for path, test in _tests():
            if path.parent.name == folder:
                yield rule, f"{path.name}::{test.name}"


@cache
def _tests() -> list[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Return the file and the definition of each test."""
    return [
        (path, node)
        for path in sorted(TESTS.rglob("test_*.py"))
        for scope in _scopes(ast.parse(path.read_text("utf-8")))
        for node in scope.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]


def _scopes(module: ast.Module) -> list[ast.Module | ast.ClassDef]:
    """Return where pytest looks for tests: the module and its classes."""
    return [module, *(node for node in module.body if isinstance(node, ast.ClassDef))]


@pytest.mark.parametrize(("document", "pattern"), [("api.md", RULE), ("telemetry.md", REQUIREMENT)])
def test_every_id_is_defined_once(document: str, pattern: re.Pattern[str]) -> None:
    found = _ids(document, pattern)
    assert found
    assert len(found) == len(set(found))


def test_every_rule_is_cited_by_a_test_and_every_citation_is_of_a_rule() -> None:
    rules = {rule for rule, _ in _cited()}
    assert set(_ids("api.md", RULE)) - rules == set(), "no test cites these"
    assert rules - set(_ids("api.md", RULE)) == set(), "docs/api.md does not define these"


def test_every_requirement_is_in_the_name_of_a_test_and_every_name_is_of_a_requirement() -> None:
    named = {each for _, test in _tests() for each in IN_A_NAME.findall(test.name)}
    assert set(_ids("telemetry.md", REQUIREMENT)) - named == set(), "no test is named after these"
    assert named - set(_ids("telemetry.md", REQUIREMENT)) == set(), "telemetry.md lacks these"
