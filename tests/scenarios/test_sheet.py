"""docs/scenarios.md has every scenario, with queries that the explorer understands."""

import re
import shlex
from pathlib import Path

from scenarios import NAMES
from traceview.difference.compare import read_request
from traceview.explorer import read_query

SHEET = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text("utf-8")
COMMAND = re.compile(r"^ *python -m traceview ((?:.*\\\n)*.*)$", re.MULTILINE)


def test_every_scenario_is_in_the_table_and_has_a_section_with_a_hidden_answer() -> None:
    assert sorted(re.findall(r"^\| \[([\w-]+)\]\(#\1\) \|", SHEET, re.MULTILINE)) == sorted(NAMES)
    for name in NAMES:
        section = re.split(r"^## ", SHEET.partition(f"\n## {name}\n")[2], flags=re.MULTILINE)[0]
        folded = re.findall(r"^<details><summary>(\w+)</summary>$", section, re.MULTILINE)
        assert folded == ["Hint", "Answer"], name
        assert section.count("</details>") == 2, name


def test_every_query_is_valid() -> None:
    commands = [shlex.split(found.replace("\\\n", " ")) for found in COMMAND.findall(SHEET)]
    assert len(commands) > 10
    for name, text, *options in commands:
        flags = {option for option in options if option == "--background"}
        values = [option for option in options if option not in flags]
        query = read_query(text, background=bool(flags))
        if name == "difference":
            sides = dict(zip(values[::2], values[1::2], strict=True))
            read_request(query, **{key.removeprefix("--"): value for key, value in sides.items()})
        else:
            assert (name, values) == ("query", [])
