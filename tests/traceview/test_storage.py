"""The file of traces: restarts, kills, bounds of size and age, and work without it."""

import asyncio
import random
import time
from pathlib import Path
from typing import Any

import pytest
from google.rpc import (  # type: ignore[import-untyped]  # its stubs lack the marker
    status_pb2,
)
from samples import JSON, PROTOBUF, START, Viewer, client, line, pack, request, span

from patience import PATIENCE
from traceview import receiver
from traceview.storage import recorder
from traceview.storage.database import Database
from traceview.storage.file import TraceFile, open_file
from traceview.storage.retention import FACTOR, FileBounds, sweep, used_bytes
from traceview.store import Bounds

HOUR = 3600.0


def _open(path: Path, **bounds: Any) -> TraceFile:
    return TraceFile(path / "traces.duckdb", FileBounds(**bounds))


def _end(file: TraceFile) -> None:
    file.close(PATIENCE)
    file.database.close()


async def test_a_restart_shows_the_same_traces(tmp_path: Path) -> None:
    values = {
        "text": "Grüße \x00 \"'",
        "int": 7,
        "large": 2**60,
        "float": 0.5,
        "infinite": float("inf"),
        "flag": True,
        "list": ["a", 1, None, {"b": [2.5]}],
        "nothing": None,
        "": "no name",
        "http.route": "/a",
        "http.response.status_code": "200",
        "url.path": 5,
    }
    sent = span(2, "child", parent=1, start=1, kind=3, error=True, **values)
    sent.events.add(name="exception", time_unix_nano=START).attributes.extend(
        span(1, **{"exception.type": "Boom", "exception.message": "it broke"}).attributes
    )
    sent.links.add(trace_id=bytes.fromhex("cd" * 16), span_id=b"12345678")
    sent.dropped_attributes_count = 3
    backwards = span(3, "backwards", parent=1)
    backwards.end_time_unix_nano = START - 5
    lines = (line("said", of=2, attempt=1), line({"a": [1, None]}, at=2, severity=17))

    file = _open(tmp_path)
    async with client(file=file) as http:
        viewer = Viewer(http)
        await viewer.send(span(1, "GET /a", kind=2, ms=9), sent, backwards)
        await viewer.log(*lines)
        before, listed = await viewer.trace(), await viewer.search()
    _end(file)

    file = _open(tmp_path)
    async with client(file=file) as http:
        viewer = Viewer(http)
        assert await viewer.trace() == before
        assert await viewer.search() == listed
        assert await viewer.rows("where exception.type = Boom | count") == [[1]]
        assert await viewer.rows("where status_code = 200 and url.path = '5' | count") == [[1]]
        assert await viewer.rows("where int = 7 and large > 1e18 and flag | count") == [[1]]
    _end(file)


async def test_a_trace_that_left_the_memory_is_read_from_the_file(tmp_path: Path) -> None:
    file = _open(tmp_path)
    async with client(Bounds(traces=2), file) as http:
        viewer = Viewer(http)
        for number in range(1, 6):
            await viewer.send(
                request(number, f"/{number}"),
                span(9, "SELECT", trace=f"{number:032x}", parent=number, kind=3),
            )
        assert len(await viewer.search()) == 2
        assert [one["name"] for one in (await viewer.trace(f"{1:032x}"))["spans"]] == [
            "GET /1",
            "SELECT",
        ]
        # A late span alone does not hide the rest.
        await viewer.send(span(10, "late", trace=f"{1:032x}", parent=1, start=5))
        shown = await viewer.trace(f"{1:032x}")
        assert {one["name"] for one in shown["spans"]} == {"GET /1", "SELECT", "late"}
        missing = await http.get(f"/api/traces/{77:032x}")
        assert missing.status_code == 404
    _end(file)


async def test_deleting_all_traces_empties_the_file(tmp_path: Path) -> None:
    file = _open(tmp_path)
    async with client(file=file) as http:
        viewer = Viewer(http)
        await viewer.send(request(1, "/1"))
        await viewer.log(line("said", trace="00" * 16))
        await http.delete("/api/traces")
        assert await viewer.rows("| count") == [[0]]
        assert await viewer.rows("from logs | count") == [[0]]
        await viewer.send(request(2, "/2"))
        assert await viewer.rows("where resource.service.name = cruddur by name") == [["GET /2", 1]]
    _end(file)


async def test_a_cancelled_flush_does_not_stop_the_recorder(tmp_path: Path) -> None:
    file = _open(tmp_path)
    waiting = asyncio.ensure_future(file.flush())
    await asyncio.sleep(0)  # it waits for the thread
    waiting.cancel()
    async with client(file=file) as http:
        await Viewer(http).send(request(1, "/1"))
        assert await Viewer(http).rows("| count") == [[1]]
    _end(file)


async def test_a_batch_that_needs_too_much_memory_is_written_in_parts(tmp_path: Path) -> None:
    file = _open(tmp_path)
    text = "SELECT " + ", ".join(f"crud_{number}" for number in range(1000))
    async with client(file=file) as http:
        viewer = Viewer(http)
        spans = [request(number, "/a", statement=f"{text} {number}") for number in range(1, 2001)]
        for first in range(0, len(spans), 500):  # a request has at most 16 MiB
            await viewer.send(*spans[first : first + 500])
        await file.flush()
        assert await viewer.rows("| count") == [[2000]]
    assert file.status().failed == 0
    _end(file)


async def test_the_size_of_the_file_is_bounded_and_errors_stay(tmp_path: Path) -> None:
    chance = random.Random(15)
    limit = 20_000_000
    file = _open(tmp_path, bytes=limit)
    sizes, sent, errors, count = [], 0, 0, 0
    async with client(Bounds(traces=5), file) as http:
        viewer = Viewer(http)
        # How many spans fit depends on when the file is compressed.
        while count == sent and sent < 100_000:
            spans = [
                request(
                    sent + number + 1,
                    "/busy",
                    error=number == 0,
                    text=chance.randbytes(4_000).hex(),
                )
                for number in range(100)
            ]
            await viewer.send(*spans)
            await file.flush()
            sent += len(spans)
            sizes.append((await http.get("/api/storage")).json()["bytes"])
            [[count, errors]] = await viewer.rows("| count, errors")
    assert max(sizes) <= limit
    assert 500 < count < sent, "the oldest spans are deleted, the newest stay"
    assert errors == sent // 100, "errors are kept longer"
    _end(file)


async def test_old_rows_are_deleted_and_notable_traces_later(tmp_path: Path) -> None:
    file = _open(tmp_path)
    async with client(file=file) as http:
        viewer = Viewer(http)
        child = {"kind": 3, "parent": 1}
        await viewer.send(request(1, "/ordinary"), span(9, "SELECT", trace=f"{1:032x}", **child))
        await viewer.send(
            request(2, "/failed", error=True), span(9, "INSERT", trace=f"{2:032x}", **child)
        )
        await viewer.send(
            request(3, "/slow", ms=1500), span(9, "UPDATE", trace=f"{3:032x}", **child)
        )
        await viewer.log(
            line("of the failed", trace=f"{2:032x}"),
            line("of the ordinary", trace=f"{1:032x}"),
            line("alone", trace="00" * 16),
            line("an error alone", trace="00" * 16, severity=17),
        )
        await file.flush()

        def left_after(hours: float) -> None:
            bounds = FileBounds(age_s=24 * HOUR, slow_ms=1000)
            with file.database.cursor() as cursor:
                sweep(cursor, bounds, time.time() + hours * HOUR)

        left_after(23)
        assert len(await viewer.rows("")) == 6
        left_after(25)
        names = {row[3] for row in await viewer.rows("")}
        assert names == {"GET /failed", "INSERT", "GET /slow", "UPDATE"}
        bodies = {row[2] for row in await viewer.rows("from logs")}
        assert bodies == {"of the failed", "an error alone"}
        left_after(24 * FACTOR + 1)
        assert await viewer.rows("") == await viewer.rows("from logs") == []
        [[origins]] = file.database.select("SELECT count(*) FROM origins")
        assert origins == 0
        with file.database.cursor() as cursor:
            assert used_bytes(cursor) >= 0
    _end(file)


def test_a_file_that_cannot_be_used_leaves_the_memory(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"this is no database" * 1000)
    none, status = open_file(damaged, FileBounds())
    assert none is None
    assert "damaged cannot be opened" in status.reason
    assert damaged.read_bytes().startswith(b"this is no database"), "it is not ours to delete"
    none, status = open_file(tmp_path / "damaged" / "below", FileBounds())
    assert none is None
    assert not status.stored


def test_a_file_of_another_version_is_emptied(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    database = Database(path)
    with database.cursor() as cursor:
        cursor.execute("UPDATE version SET number = 0")
        cursor.execute("ALTER TABLE spans DROP COLUMN name")
    database.close()
    database = Database(path)
    assert database.select("SELECT name FROM spans") == []
    database.close()


async def test_without_a_file_queries_say_why(viewer: Viewer) -> None:
    await viewer.send(request(1, "/1"))
    assert await viewer.names() == ["GET /1"]
    response = await viewer.http.get("/api/query", params={"q": "| count"})
    assert response.status_code == 409
    assert response.json() == {"error": "queries need a file: traceview was started without a file"}
    assert (await viewer.http.get("/api/storage")).json()["stored"] is False


async def test_a_sender_waits_while_the_file_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "WAITING_ITEMS", -1)
    file = _open(tmp_path)
    async with client(file=file) as http:
        viewer = Viewer(http)
        await viewer.send(request(1, "/waits for its turn"))
        monkeypatch.setattr(receiver, "WAIT_SECONDS", 0)
        for body, form in ((pack(request(2, "/2")), PROTOBUF), (b'{"resourceSpans":[]}', JSON)):
            refused = await viewer.post("traces", body, form)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert refused.headers["content-type"] == form
            code = (
                refused.json()["code"]
                if form == JSON
                else status_pb2.Status.FromString(refused.content).code
            )
            assert code == 14
        monkeypatch.setattr(recorder, "WAITING_ITEMS", 10)
        await viewer.send(request(2, "/2"))
        assert await viewer.rows("| count") == [[2]]
    _end(file)


async def test_a_repeated_request_is_stored_once(tmp_path: Path) -> None:
    file = _open(tmp_path)
    async with client(file=file) as http:
        viewer = Viewer(http)
        spans = [request(1, "/1"), request(2, "/2")]
        for _ in range(3):
            await viewer.send(*spans)
        assert await viewer.rows("| count") == [[2]]
        bad = span(3)
        bad.trace_id = b"short"
        body = pack(bad, request(4, "/4"))
        first, second = [await viewer.post("traces", body) for _ in range(2)]
        assert first.content == second.content
        assert b"an id" in first.content
        assert await viewer.rows("| count") == [[3]]
        await http.delete("/api/traces")
        await viewer.send(*spans)
        assert await viewer.rows("| count") == [[2]]
    _end(file)
