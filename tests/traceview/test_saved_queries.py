"""The board: useful queries, and queries saved by name."""

from pathlib import Path

import pytest
from samples import Viewer, client, span

from traceview.query.parser import parse
from traceview.query.printer import print_query
from traceview.storage import saved_queries, schema
from traceview.storage.file import TraceFile
from traceview.storage.retention import FileBounds
from traceview.useful_queries import USEFUL

PATH = "/api/queries"


async def saved(viewer: Viewer) -> dict[str, str]:
    return {one["name"]: one["query"] for one in (await viewer.http.get(PATH)).json()["saved"]}


async def test_every_useful_query_runs(explorer: Viewer) -> None:
    await explorer.send(span(1))
    board = (await explorer.http.get(PATH)).json()["useful"]
    assert [one["name"] for one in board] == [one.name for one in USEFUL]
    assert len({one["name"] for one in board}) == len(board)
    for one in board:
        await explorer.query(one["query"])
        assert one["question"].endswith("?")


@pytest.mark.parametrize("useful", USEFUL, ids=lambda one: one.name)
def test_a_useful_query_is_written_as_it_is_printed(useful: saved_queries.SavedQuery) -> None:
    # Otherwise the text changes as soon as a control is used.
    printed = print_query(parse(useful.query))
    assert printed.replace('"', "").replace(" = true", "") == useful.query.replace(
        "parent_span_id not exists", "not parent_span_id exists"
    ).replace("statement not exists", "not statement exists")


async def test_queries_are_saved_replaced_and_deleted(tmp_path: Path) -> None:
    file = TraceFile(tmp_path / "traces.duckdb", FileBounds())
    async with client(file=file) as http:
        viewer = Viewer(http)
        for name, query in (
            ("slow/β?", "where duration > 1s"),
            ("All", ""),
            ("slow/β?", "| count"),
        ):
            response = await http.post(PATH, json={"name": f" {name} ", "query": query})
            assert response.json() == {"name": name, "query": query}
        assert list((await saved(viewer)).items()) == [("All", ""), ("slow/β?", "| count")]
        await http.delete("/api/traces")
    file.close()
    file = TraceFile(tmp_path / "traces.duckdb", FileBounds())
    async with client(file=file) as http:
        viewer = Viewer(http)
        assert len(await saved(viewer)) == 2
        assert (await http.delete(f"{PATH}/slow%2F%CE%B2%3F")).status_code == 200
        assert (await http.delete(f"{PATH}/slow%2F%CE%B2%3F")).status_code == 404
        assert await saved(viewer) == {"All": ""}
    file.close()


async def test_saved_queries_survive_another_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TraceFile(tmp_path / "traces.duckdb", FileBounds())
    file.saved.save(saved_queries.SavedQuery("mine", "| count"))
    file.close()
    monkeypatch.setattr("traceview.storage.database.VERSION", schema.VERSION + 1)
    file = TraceFile(tmp_path / "traces.duckdb", FileBounds())
    assert [one.name for one in file.saved.all()] == ["mine"]
    file.close()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"name": "", "query": ""}', "a name has 1 to 100"),
        ('{"name": "a\\u0000", "query": ""}', "a name has 1 to 100"),
        ('{"name": "a", "query": "where"}', "not a query: expected a key"),
        ('{"name": 1}', "Expected"),
        ("{", "truncated"),
    ],
)
async def test_an_invalid_query_is_not_saved(explorer: Viewer, content: str, reason: str) -> None:
    response = await explorer.http.post(PATH, content=content)
    assert response.status_code == 400
    assert reason in response.json()["error"]
    assert await saved(explorer) == {}


async def test_saving_has_a_limit(explorer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_queries, "MAX_SAVED", 1)
    for name, status in (("a", 200), ("b", 409), ("a", 200)):
        response = await explorer.http.post(PATH, json={"name": name, "query": ""})
        assert response.status_code == status


async def test_a_foreign_page_cannot_save_or_delete(explorer: Viewer) -> None:
    foreign = {"origin": "https://evil.example"}
    content = {"name": "a", "query": ""}
    assert (await explorer.http.post(PATH, json=content, headers=foreign)).status_code == 403
    await explorer.http.post(PATH, json=content)
    assert (await explorer.http.delete(f"{PATH}/a", headers=foreign)).status_code == 403
    assert await saved(explorer) == {"a": ""}


async def test_without_a_file_nothing_is_saved(viewer: Viewer) -> None:
    response = await viewer.http.post(PATH, json={"name": "a", "query": ""})
    assert response.status_code == 409
    assert (await viewer.http.delete(f"{PATH}/a")).status_code == 404
    assert (await viewer.http.get(PATH)).json()["saved"] == []
