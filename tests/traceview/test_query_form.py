"""The form of a query: what its fields mean, where a mistake is, and that it round-trips."""

from typing import Any

import pytest
from hypothesis import given, settings
from query_strategies import queries
from samples import Viewer

from traceview.query.form import form_of, query_of
from traceview.query.model import Query


@settings(max_examples=50)
@given(queries())
def test_every_query_round_trips_through_its_form(query: Query) -> None:
    made = query_of(form_of(query))
    assert made == query
    assert repr(made) == repr(query)  # 1, 1.0 and true are equal in Python only


ROWS: list[tuple[dict[str, Any], str]] = [
    ({"key": "name", "value": "two words"}, 'name = "two words"'),
    ({"key": "name", "value": "404"}, 'name = "404"'),
    ({"key": "status_code", "operator": ">=", "value": "500"}, "status_code >= 500"),
    ({"key": "duration", "operator": ">", "value": "0.2s"}, "duration > 200ms"),
    ({"key": "error", "value": "true"}, "error = true"),
    ({"key": "app.count", "value": "7"}, "app.count = 7"),
    ({"key": "app.count", "value": '"7"'}, 'app.count = "7"'),
    ({"key": "app.note", "value": "it's a, b"}, 'app.note = "it\'s a, b"'),
    ({"key": "name", "operator": "in", "value": 'a b, "c, d"'}, 'name in ("a b", "c, d")'),
    ({"key": "a", "operator": "not in", "value": "1, x"}, 'not a in (1, "x")'),
    ({"key": "name", "operator": "contains", "value": "5"}, 'name contains "5"'),
    ({"key": "route", "operator": "not exists"}, "not route exists"),
    ({"text": "error or duration > 1s"}, "error = true or duration > 1s"),
]


@pytest.mark.parametrize(("row", "condition"), ROWS)
async def test_a_value_of_a_form_needs_no_quotes(
    viewer: Viewer, row: dict[str, Any], condition: str
) -> None:
    response = await viewer.http.post("/api/query/form", json={"conditions": [row]})
    assert response.status_code == 200, response.text
    assert response.json()["query"] == f"where {condition}"


async def test_the_form_of_a_text_has_all_its_parts(viewer: Viewer) -> None:
    text = (
        'from roots where route = "/api/home" and (error = true or duration > 1s) '
        "| p95(duration), count by route, `odd key` every 1m order by count asc limit 5 "
        "since 15m with background"
    )
    response = await viewer.http.get("/api/query/form", params={"q": text})
    answer = response.json()
    form = answer["form"]
    assert answer["query"] == text
    assert answer["terms"] == ["p95(duration)", "count", "route", "`odd key`"]
    assert form == {
        "dataset": "roots",
        "conditions": [
            {"key": "route", "operator": "=", "value": "/api/home", "text": ""},
            {"key": "", "operator": "=", "value": "", "text": "error = true or duration > 1s"},
        ],
        "calculations": [
            {"function": "p95", "key": "duration"},
            {"function": "count", "key": ""},
        ],
        "by": ["route", "odd key"],
        "every": "1m",
        "order": [{"term": "count", "descending": False}],
        "limit": 5,
        "since": "15m",
        "until": "",
        "background": True,
    }
    assert (await viewer.http.post("/api/query/form", json=form)).json() == answer
    assert answer["parts"]["range"] == "since 15m"
    listing = (await viewer.http.get("/api/query/form", params={"q": 'where name = ""'})).json()
    assert listing["form"]["conditions"][0]["value"] == '""'
    assert listing["terms"][:2] == ["time", "duration"]


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"conditions": [{"key": "a"}, {"key": "duration", "value": "5"}]}, "conditions.1", "unit"),
    ({"conditions": [{"key": ""}]}, "conditions.0", "1 to 200 characters"),
    ({"conditions": [{"key": "a", "operator": "~"}]}, "conditions.0", "is not an operator"),
    ({"conditions": [{"text": "a ="}]}, "conditions.0", "expected a value"),
    ({"calculations": [{"function": "p95", "key": "name"}]}, "calculations.0", "needs a number"),
    ({"by": ["a", ""]}, "by.1", "1 to 200 characters"),
    ({"every": "2026-11-29T12:00:00Z"}, "every", "expected a duration"),
    ({"since": "soon"}, "since", "expected a time"),
    ({"order": [{"term": "count"}]}, "order.0", "that the query has"),
    ({"limit": 0}, "", "from 1 to"),
    ({"dataset": "things"}, "", "dataset"),
    ({"unknown": 1}, "", "unknown"),
]


@pytest.mark.parametrize(("form", "place", "reason"), BAD)
async def test_a_mistake_in_a_form_has_a_place(
    viewer: Viewer, form: dict[str, Any], place: str, reason: str
) -> None:
    response = await viewer.http.post("/api/query/form", json=form)
    assert response.status_code == 400
    answer = response.json()
    assert answer["place"] == place
    assert reason in answer["error"]


async def test_a_form_must_be_json(viewer: Viewer) -> None:
    assert (await viewer.http.post("/api/query/form", content=b"{")).status_code == 400
    response = await viewer.http.get("/api/query/form", params={"q": "where"})
    assert (response.status_code, response.json()["position"]) == (400, 5)
