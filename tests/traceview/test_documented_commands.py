"""The commands in the documentation of the explorer are valid."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import msgspec
from click.testing import CliRunner
from samples import Viewer, request

from traceview.difference.model import Difference
from traceview.difference.table import format_difference
from traceview.difference_command import difference_command
from traceview.query_command import query_command
from traceview.storage.file import TraceFile
from traceview.storage.retention import FileBounds

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = {"query": query_command, "difference": difference_command}


def commands(start: str) -> Iterator[list[str]]:
    """Yield the words of the documented commands that start with a text."""
    for name in ("telemetry.md", "scenarios.md", "course.md"):
        text = (DOCS / name).read_text("utf-8").replace("\\\n", " ")
        for line in re.findall(rf"^(?:\$ )?({re.escape(start)} .*)$", text, re.MULTILINE):
            yield shlex.split(line, comments=True)


async def test_documented_queries_are_valid(tmp_path: Path) -> None:
    path = tmp_path / "traces.duckdb"
    TraceFile(path, FileBounds()).close()
    documented = [words[3:] for words in commands("python -m traceview") if words[3] in COMMANDS]
    assert {name for name, *_ in documented} == set(COMMANDS)
    for name, *arguments in documented:
        if any("2026-" in one for one in arguments):
            continue  # a moment whose data are shown
        result = CliRunner().invoke(COMMANDS[name], [*arguments, "--file", str(path)])
        assert result.exit_code == 0, (arguments, result.output)


async def test_documented_requests_are_valid(explorer: Viewer) -> None:
    requests = [words for words in commands("curl --get") if "/api/" in words[2]]
    assert requests
    for _, _, address, *options in requests:
        parameters: list[tuple[str, str]] = []
        for option, value in zip(options[::2], options[1::2], strict=True):
            if option == "-d":
                assert " " not in value, f"curl does not encode {value}"
                parameters += parse_qsl(value)
            else:
                assert option == "--data-urlencode"
                key, _, text = value.partition("=")
                parameters.append((key, text))
        path = address.removeprefix("localhost:4318")
        response = await explorer.http.get(path, params=parameters)
        assert response.status_code == 200, (address, response.text)


async def test_times_of_a_difference_are_printed_as_times(explorer: Viewer) -> None:
    await explorer.send(
        *(
            request(number, "/a", start=number * 1000, ms=100 if number > 30 else 1)
            for number in range(1, 61)
        )
    )
    response = await explorer.http.get(
        "/api/difference",
        params={
            "q": "from roots since 2025-11-03T09:55:00Z until 2025-11-03T10:05:00Z",
            "selection": "duration > 50ms",
        },
    )
    printed = format_difference(msgspec.json.decode(response.content, type=Difference))
    assert re.search(r" time +2025-11-03T10:\S+Z to 2025-11-03T10:\S+Z ", printed), printed
