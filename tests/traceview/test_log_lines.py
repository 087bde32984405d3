"""`GET /api/logs`: all log lines, from the file and from memory."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from samples import START, TRACE, Viewer, client, line, span

from traceview.storage.file import TraceFile
from traceview.storage.retention import FileBounds

S = 10**9
NO_TRACE = "00" * 16


@pytest.fixture(params=["file", "memory"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Viewer]:
    """An explorer with a file, and one without."""
    file = None
    if request.param == "file":
        file = TraceFile(tmp_path / "traces.duckdb", FileBounds())
    async with client(file=file) as http:
        yield Viewer(http)
    if file is not None:
        file.close()


async def page(viewer: Viewer, **wanted: Any) -> dict[str, Any]:
    response = await viewer.http.get("/api/logs", params=wanted)
    assert response.status_code == 200, response.text
    shown: dict[str, Any] = response.json()
    return shown


async def bodies(viewer: Viewer, **wanted: Any) -> list[Any]:
    return [one["body"] for one in (await page(viewer, **wanted))["lines"]]


def outside(body: Any, at: float = 0, **more: Any) -> LogRecord:
    """A log line outside of any trace."""
    return line(body, trace=NO_TRACE, of=0, at=at, **more)


async def test_all_lines_are_listed_with_the_newest_first(either: Viewer) -> None:
    await either.log(
        line("in a trace", at=1, severity=17, attempt=3),
        outside("in none", at=3, severity=9),
        outside({"text": "structured"}, at=2, severity=5),
    )
    shown = await page(either)
    assert [one["body"] for one in shown["lines"]] == [
        "in none",
        {"text": "structured"},
        "in a trace",
    ]
    first = shown["lines"][2]
    assert (first["trace_id"], first["span_id"], first["severity"]) == (TRACE, f"{1:016x}", "ERROR")
    assert (first["attributes"], first["time_ns"]) == ({"attempt": 3}, str(START + 1_000_000))
    assert shown["lines"][0]["trace_id"] is None
    source = shown["origins"][first["origin"]]
    assert (source["service"], source["resource"]) == ("cruddur", {"service.name": "cruddur"})
    assert (shown["has_older"], shown["has_newer"], shown["notes"]) == (False, False, [])


async def test_lines_are_selected_by_text_severity_and_time(either: Viewer) -> None:
    await either.log(
        *(outside(f"line {n}", at=1000 * n, severity=n) for n in range(1, 22)),
        outside({"Reason": "LINE is busy"}, at=0, severity=1),
    )
    assert await bodies(either, text="LINE 1", severity="error") == [
        *("line 19", "line 18", "line 17")
    ]
    assert await bodies(either, severity="fatal") == ["line 21"]
    assert await bodies(either, text="is BUSY") == [{"Reason": "LINE is busy"}]
    until = {"since": "2025-11-03T10:00:02Z", "until": "2025-11-03T10:00:04Z"}
    assert await bodies(either, **until) == ["line 3", "line 2"]
    await either.http.delete("/api/traces")
    assert await bodies(either) == []


@pytest.mark.parametrize("direction", ["before", "after"])
async def test_pages_have_no_gaps_and_no_line_twice(either: Viewer, direction: str) -> None:
    # Many lines have the same time.
    await either.log(*(outside(n, at=n // 5) for n in range(40)))
    everything = await bodies(either)
    assert sorted(everything) == list(range(40))
    at = everything.index(20)
    start = (await page(either))["lines"][at]["cursor"]
    shown = await page(either, **{direction: start}, limit=7)
    found: list[int] = []
    while True:
        numbers = [one["body"] for one in shown["lines"]]
        found = [*found, *numbers] if direction == "before" else [*numbers, *found]
        if not shown["has_older" if direction == "before" else "has_newer"]:
            break
        # What arrives meanwhile with another time does not change the pages.
        await either.log(outside(-1, at=999 if direction == "before" else -999))
        edge = shown["lines"][-1 if direction == "before" else 0]
        shown = await page(either, **{direction: edge["cursor"]}, limit=7)
    assert found == (everything[at + 1 :] if direction == "before" else everything[:at])


async def test_new_lines_are_found_by_their_arrival(either: Viewer) -> None:
    await either.log(outside("first", at=10))
    tail = (await page(either))["tail"]
    assert await bodies(either, tail=tail) == []
    await either.log(outside("late", at=5), outside("new", at=20), outside("other", at=21))
    shown = await page(either, tail=tail)
    assert [one["body"] for one in shown["lines"]] == ["other", "new", "late"]
    assert await bodies(either, tail=shown["tail"]) == []
    assert await bodies(either, tail=tail, text="new") == ["new"]
    # More than the limit are returned by several requests.
    first = await page(either, tail=tail, limit=2)
    assert [one["body"] for one in first["lines"]] == ["new", "late"]
    assert await bodies(either, tail=first["tail"], limit=2) == ["other"]
    # Another process with another file: numbers that are too high find nothing, and are replaced.
    shown = await page(either, tail=2**60)
    assert (shown["lines"], shown["tail"]) == ([], (await page(either))["tail"])


async def test_lines_around_a_moment(either: Viewer) -> None:
    await either.log(*(outside(n, at=n * 1000) for n in range(9)))
    shown = await page(either, around=str(START + 4 * S), limit=2)
    assert [one["body"] for one in shown["lines"]] == [5, 4, 3, 2]
    assert (shown["has_older"], shown["has_newer"]) == (True, True)
    shown = await page(either, around=str(START + 100 * S))
    assert [one["body"] for one in shown["lines"]] == list(range(8, -1, -1))
    assert (shown["has_older"], shown["has_newer"]) == (False, False)


async def test_conditions_are_those_of_queries(explorer: Viewer) -> None:
    await explorer.send(span(1, "sweep", trace="ab" * 16))
    await explorer.log(
        line("in a trace", attempt=3),
        outside("in none", attempt=1),
        line("swept", trace="ab" * 16),
    )
    for text in ("attempt = 3", "where attempt > 2", "from logs where trace_id exists"):
        assert await bodies(explorer, q=text) == ["in a trace"]
    assert await bodies(explorer, q="logger = '' and service = cruddur", text="none") == ["in none"]
    assert await bodies(explorer, q="since 2025-11-03T10:00:01Z") == []
    assert await bodies(explorer, q="resource.service.name = cruddur") == ["in none", "in a trace"]
    shown = await page(explorer, q="body = swept")
    assert (shown["lines"], shown["notes"]) == (
        [],
        ["1 row of background work left out; `with background` includes them"],
    )
    for wanted in ({"q": "with background"}, {"background": "1"}):
        assert "swept" in await bodies(explorer, **wanted)
    shown = await page(explorer, q="error or attempt = 1", text="x", severity="warn")
    assert shown["parts"]["where"] == (
        '(error = true or attempt = 1) and body contains "x" and severity_number >= 13'
    )


@pytest.mark.parametrize(
    ("wanted", "reason", "position"),
    [
        ({"q": "severty = = 1"}, "expected a value", 10),
        ({"q": "where body = "}, "expected a value", 12),
        ({"q": "from spans"}, "only `from logs`", 0),
        ({"q": "from logs | count"}, "only `from logs`", 0),
        ({"since": "soon"}, "expected a time", 0),
        ({"since": "5m", "until": "6m"}, "the time range is empty", None),
        ({"before": "x-1"}, "'x' is not a cursor", None),
        ({"around": "-1"}, "'-1' is not a cursor", None),
        ({"before": "1-1", "after": "1-1"}, "only one of", None),
        ({"limit": "1001"}, "from 1 to 1000", None),
        ({"severity": "bad"}, "Invalid enum value", None),
        ({"limit": "many"}, "Expected `int`", None),
        ({"page": "1"}, "unknown field `page`", None),
    ],
)
async def test_invalid_requests(
    explorer: Viewer, wanted: dict[str, str], reason: str, position: int | None
) -> None:
    response = await explorer.http.get("/api/logs", params=wanted)
    assert response.status_code == 400
    assert reason in response.json()["error"]
    assert response.json().get("position") == position


async def test_memory_has_the_newest_lines_and_no_conditions(viewer: Viewer) -> None:
    response = await viewer.http.get("/api/logs", params={"q": "attempt = 3"})
    assert response.status_code == 400
    assert "conditions need a file" in response.json()["error"]
    for start in (0, 200):
        await viewer.log(*(outside("x" * 60_000, at=start + n) for n in range(200)))
    kept = (await page(viewer, limit=1000))["lines"]
    assert 200 < len(kept) < 300  # 16 MB
    assert kept[0]["time_ns"] == str(START + 399 * 10**6)
