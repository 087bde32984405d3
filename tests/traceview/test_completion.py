"""Completion of the text of a query: words, keys and values at a position."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from query_strategies import queries
from samples import Viewer, attributes, line, pack, request, span

from traceview.query.completion import complete
from traceview.query.model import Query
from traceview.query.parser import parse
from traceview.query.printer import print_query


@pytest.fixture
async def busy(explorer: Viewer) -> Viewer:
    """Six requests, one of them with an attribute that needs backticks, and a log line."""
    for number in range(1, 7):
        more = {"odd key": number, "scope": "own"} if number == 6 else {}
        await explorer.send(request(number, f"/api/{'ab'[number % 2]}", ms=number, **more))
    sent = ExportTraceServiceRequest.FromString(pack(span(9, "sweep", trace="ab" * 16)))
    sent.resource_spans[0].resource.attributes.extend(attributes({"host.name": "h"}))
    await explorer.post("traces", sent.SerializeToString())
    await explorer.log(line("hello", attempt=3))
    return explorer


async def options(viewer: Viewer, text: str, at: int | None = None) -> list[str]:
    found = await completions(viewer, text, at)
    return [one["text"] for one in found["options"]]


async def test_a_condition_is_completed_without_the_clauses_of_a_query(busy: Viewer) -> None:
    async def found(text: str, dataset: str) -> list[str]:
        params = {"q": text, "condition_of": dataset}
        response = await busy.http.get("/api/query/complete", params=params)
        return [one["text"] for one in response.json()["options"]]

    assert await found("att", "logs") == ["attempt"]
    assert await found("attempt", "spans") == []
    assert await found("attempt = ", "logs") == ['"3"']
    assert await found("attempt = 3 ", "logs") == ["and", "or"]
    response = await busy.http.get("/api/query/complete", params={"condition_of": "lines"})
    assert response.status_code == 400
    assert response.json()["error"].startswith("there is no dataset 'lines'")


async def completions(viewer: Viewer, text: str, at: int | None = None) -> dict[str, Any]:
    place = {} if at is None else {"at": str(at)}
    response = await viewer.http.get("/api/query/complete", params={"q": text, **place})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


WORDS: list[tuple[str, list[str]]] = [
    ("fr", ["from"]),
    ("from ro", ["roots"]),
    ("where route ", ["not", "exists", "in", "contains", "=", "!=", "<", "<=", ">", ">="]),
    ("where status_code ", ["not", "exists", "in", "=", "!=", "<", "<=", ">", ">="]),
    ("where error a", ["and"]),
    ("where route not ", ["exists", "in", "contains"]),
    ("| p9", ["p90(", "p95(", "p99("]),
    ("| count by route order by ", ["count", "route"]),
    ("since ", ["5m", "15m", "1h", "6h", "24h", "3d"]),
    ("with ", ["background"]),
    ("where duration > 5 | ", []),
    ("where ~ ", []),
    ("where (", ["not"]),
    ("limit ", []),
]


@pytest.mark.parametrize(("text", "expected"), WORDS)
async def test_words_follow_the_grammar(viewer: Viewer, text: str, expected: list[str]) -> None:
    assert await options(viewer, text) == expected


async def test_keys_and_values_come_from_the_newest_rows(busy: Viewer) -> None:
    assert await options(busy, "where rou") == ["route"]
    assert await options(busy, "where odd") == ["`odd key`"]
    assert await options(busy, "where attribute.s") == ["attribute.scope"]
    assert await options(busy, "from logs | max(att") == ["attempt"]
    assert "name" not in await options(busy, "| p95(")
    assert await options(busy, "where error = ") == ["true", "false"]
    assert await options(busy, "where odd key = ") == []
    assert await options(busy, "where `odd key` = ") == ['"6"']
    assert await options(busy, "where duration < ") == [f"{number}ms" for number in range(1, 7)]
    found = await completions(busy, 'where route = "/api and error', at=18)
    assert (found["start"], found["end"]) == (14, 19)
    assert found["options"] == [
        {"text": '"/api/a"', "kind": "value", "detail": "", "count": 3},
        {"text": '"/api/b"', "kind": "value", "detail": "", "count": 3},
    ]
    assert (await completions(busy, 'where route = "/api/x"', at=18))["end"] == 22
    found = await completions(busy, "| p95(dura, count", at=8)
    assert (found["start"], found["end"], found["options"][0]["text"]) == (6, 10, "duration")


async def test_keys_have_counts_and_types(busy: Viewer) -> None:
    response = await busy.http.get("/api/keys", params={"dataset": "roots"})
    keys = {one["name"]: one for one in response.json()}
    assert keys["route"] == {
        "name": "route", "text": "route", "kind": "text", "unit": "", "count": 6,
    }  # fmt: skip
    assert (keys["duration"]["kind"], keys["duration"]["unit"]) == ("duration", "ms")
    assert (keys["service"]["count"], keys["resource.host.name"]["count"]) == (7, 1)
    assert "resource.service.name" not in keys  # this is `service`
    assert (keys["odd key"]["text"], keys["odd key"]["kind"]) == ("`odd key`", "attribute")
    assert "exception.type" not in keys
    response = await busy.http.get("/api/values", params={"key": "route", "part": "/A"})
    assert response.json()[0] == {"value": "/api/a", "text": '"/api/a"', "count": 3}
    for path, reason in (
        ("/api/keys?dataset=things", "there is no dataset"),
        ("/api/values?key=", "1 to 200 characters"),
        ("/api/keys?since=1h", "unknown parameter"),
    ):
        response = await busy.http.get(path)
        assert response.status_code == 400
        assert reason in response.json()["error"]


async def test_without_a_file_only_words_are_offered(viewer: Viewer) -> None:
    assert await options(viewer, "where ") == ["not"]
    for path in ("/api/keys", "/api/values?key=name"):
        assert (await viewer.http.get(path)).status_code == 409


@settings(max_examples=50)
@given(queries(), st.data())
def test_the_words_of_every_query_are_offered(query: Query, data: st.DataObject) -> None:
    text = print_query(query)
    at = data.draw(st.integers(0, len(text)))
    found = complete(text, at)
    if found is not None:
        assert 0 <= found.start <= at <= found.end <= len(text)
    words = text.split(" ")
    if len(words) > 1 and "`" not in text and '"' not in text:
        place = data.draw(st.integers(1, len(words) - 1))
        offered = complete(" ".join(words[:place]) + " ", len(" ".join(words[:place])) + 1)
        assert offered is not None
        word = words[place].rstrip(",")
        meant = {word, word.rstrip(")"), f"{word.partition('(')[0]}("}
        is_open = offered.has_keys or offered.value_of or words[place][0] in "(0123456789"
        assert is_open or meant & set(offered.words)
    assert parse(text) == query
