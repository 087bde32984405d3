"""`GET /api/query` on a real file: conditions, calculations, groups, series, heat maps, notes."""

from typing import Any

import pytest
from hypothesis import given
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from query_strategies import queries
from samples import START, Viewer, attributes, line, pack, request, span

from traceview.query.fields import FIELDS
from traceview.query.model import (
    AllOf,
    AnyOf,
    Calculation,
    Comparison,
    Condition,
    Duration,
    Not,
    Query,
)
from traceview.query.printer import print_query
from traceview.query.sql import compile_query, range_of

NOW = 1_795_950_000_000_000_000


@pytest.fixture(scope="module")
async def busy(shared_explorer: Viewer) -> Viewer:
    """Twenty requests of three routes with a statement each, a sweep, log lines and metrics."""
    for number in range(1, 21):
        await shared_explorer.send(
            request(
                number,
                f"/api/{'abc'[number % 3]}",
                500 if number % 10 == 0 else 200,
                start=number * 1000,
                ms=number * 10,
                error=number % 10 == 0,
                **{
                    "enduser.pseudo.id": f"user {number % 4}",
                    "app.db.statements": number,
                    "app.db.duration_ms": number / 2,
                    "app.flag": number > 15,
                    "odd key ` \"'": "x" if number == 7 else 7,
                },
            ),
            span(
                99,
                "SELECT things",
                trace=f"{number:032x}",
                parent=number,
                kind=3,
                start=number * 1000 + 1,
                ms=number,
                **{"db.query.summary": "SELECT things", "db.system.name": "postgresql"},
            ),
        )
    await shared_explorer.send(
        span(1, "sweep", trace="ab" * 16, error=True),
        span(2, "DELETE things", trace="ab" * 16, parent=1, kind=3),
    )
    await shared_explorer.log(
        line("slow down", trace=f"{1:032x}", severity=13, attempt=3),
        line("it failed", trace=f"{10:032x}", severity=17),
        line("in no trace", trace="00" * 16),
        line("swept", trace="ab" * 16),
    )
    metrics = []
    for name, unit in (("pool.used", "{connection}"), ("lag", "s")):
        metric = Metric(name=name, unit=unit)
        for number in range(4):
            metric.gauge.data_points.add(
                time_unix_nano=START + number * 10**9,
                as_double=number * 1.5,
                attributes=attributes({"pool": number % 2}),
            )
        metrics.append(metric)
    await shared_explorer.measure(*metrics)
    return shared_explorer


COUNTS = [
    ("", 40),
    ("from roots", 20),
    ("from roots with background", 21),
    ("with background", 42),
    ("where kind = server", 20),
    ("where kind = Server and status = error", 2),
    ("where error", 2),
    ("where not error", 38),
    ("where name = sweep", 0),
    ("where name = sweep with background", 1),
    ("where route = '/api/a'", 6),
    ("where http.route = '/api/a'", 6),
    ("where attribute.http.route = '/api/a'", 6),
    ("where http.route != '/api/a'", 34),
    ("where route exists", 20),
    ("where route not exists", 20),
    ("where route in ('/api/a', '/api/b', 'nowhere')", 13),
    ("where name contains 'select'", 20),
    ("where name contains 'S%'", 0),
    ("where duration > 100ms", 10),
    ("where duration >= 0.1s and duration < 120ms", 2),
    ("where status_code = 500 or status_code = 200", 20),
    ("where status_code not in (200)", 22),
    ("where app.db.statements > 18", 2),
    ("where app.db.statements = '18'", 1),
    ("where app.db.statements = 18.0", 1),
    ("where app.db.duration_ms >= 9500us", 2),
    ("where app.flag", 5),
    ("where app.flag = false", 15),
    ("where user = 'user 3' and root", 5),
    ("where enduser.pseudo.id = 'user 3'", 5),
    ("where `odd key `` \"'` = x", 1),
    ("where `odd key `` \"'` = 7", 19),
    ("where resource.service.name = cruddur and service = cruddur", 40),
    ("where resource.missing exists", 0),
    ("where trace_id = '0000000000000000000000000000000a'", 2),
    ("where span_id in ('0000000000000063')", 20),
    ("where parent_span_id = '0000000000000001'", 1),
    ("where time >= 2025-11-03T10:00:20Z", 2),
    ("where error.type = nothing or not (route exists or statement exists)", 0),
    ("from logs", 3),
    ("from logs with background", 4),
    ("from logs where trace_id not exists", 1),
    ("from logs where severity in (warn, error)", 2),
    ("from logs where error and body contains FAILED", 1),
    ("from logs where attempt >= 3", 1),
    ("from metrics where name = lag and pool = 1", 2),
    ("from metrics where value > 1", 6),
]


def _counting(text: str) -> str:
    query, mark, rest = text.partition("with background")
    return f"{query} | count {mark}{rest}"


async def test_conditions_select_rows(busy: Viewer) -> None:
    counted = [(text, (await busy.rows(_counting(text)))[0][0]) for text, _ in COUNTS]
    assert counted == COUNTS


async def test_calculations_have_values_and_units(busy: Viewer) -> None:
    result = await busy.query(
        "from roots | count, rate, errors, sum(duration), avg(duration), min(duration), "
        "max(duration), p50(duration), p95(duration), count_distinct(user), "
        "since 2025-11-03T10:00:00Z".replace(", since", " since")
    )
    assert [(one["name"], one["unit"]) for one in result["columns"]] == [
        ("count", ""),
        ("rate", "/s"),
        ("errors", ""),
        *((f"{name}(duration)", "ms") for name in ("sum", "avg", "min", "max", "p50", "p95")),
        ("count_distinct(user)", ""),
    ]
    [row] = result["rows"]
    assert row == [20, pytest.approx(20 / 600), 2, 2100, 105, 10, 200, 105, 190.5, 4]
    [[total, half]] = await busy.rows("| sum(app.db.duration_ms), p50(app.db.statements)")
    assert (total, half) == (105, 10.5)
    [sum_column, half_column] = (
        await busy.query("| sum(app.db.duration_ms), p50(app.db.statements)")
    )["columns"]
    assert (sum_column["unit"], half_column["unit"]) == ("ms", "")


async def test_groups_are_ordered_and_limited(busy: Viewer) -> None:
    text = "from roots | max(duration), count by route"
    assert await busy.rows(text) == [["/api/c", 200, 7], ["/api/b", 190, 7], ["/api/a", 180, 6]]
    assert await busy.rows(f"{text} order by count, route asc") == [
        ["/api/b", 190, 7],
        ["/api/c", 200, 7],
        ["/api/a", 180, 6],
    ]
    limited = await busy.query(f"{text} limit 2")
    assert (len(limited["rows"]), limited["truncated"]) == (2, True)
    assert not (await busy.query(f"{text} limit 3"))["truncated"]
    three = await busy.rows("| count by route, user, status_code limit 1000")
    assert len(three) == 14  # also the spans without any of the three
    assert [None, None, None, 20] in three
    by_number = await busy.rows("from roots by app.db.statements order by app.db.statements desc")
    assert [row[0] for row in by_number] == [str(number) for number in range(20, 0, -1)]


async def test_rows_are_listed_with_the_newest_first(busy: Viewer) -> None:
    result = await busy.query("from roots limit 2")
    names = [column["name"] for column in result["columns"]]
    listed = [dict(zip(names, row, strict=True)) for row in result["rows"]]
    assert [one["trace_id"] for one in listed] == [f"{20:032x}", f"{19:032x}"]
    assert listed[0]["time"] == str(START + 20 * 10**9)
    assert (listed[0]["duration"], listed[0]["status"], listed[0]["user"]) == (
        200,
        "ERROR",
        "user 0",
    )
    by_attribute = await busy.rows("from roots order by app.db.statements asc limit 3")
    assert [row[-1] for row in by_attribute] == ["1", "2", "3"]


async def test_a_series_has_every_bucket_of_the_first_groups(busy: Viewer) -> None:
    result = await busy.query("from roots | count, max(duration) by route every 10s limit 2")
    assert (result["step_ms"], result["columns"][0]["type"]) == (10_000, "time")
    ten = START // 10**10 * 10**10
    rows = [[(int(row[0]) - ten) // 10**9, *row[1:]] for row in result["rows"]]
    assert rows == [
        [0, "/api/b", 3, 70],
        [0, "/api/c", 3, 80],
        [10, "/api/b", 4, 190],
        [10, "/api/c", 3, 170],
        [20, "/api/c", 1, 200],
    ]
    response = await busy.http.get("/api/query", params={"q": "| count every 1ms since 1h"})
    assert response.status_code == 400
    assert "larger `every`" in response.json()["error"]


async def test_a_heat_map_counts_by_time_and_value(busy: Viewer) -> None:
    result = await busy.query("from roots | heatmap(duration) every 10s")
    assert result["is_heat_map"]
    assert (await busy.query("| heatmap(duration)", since="1h", until=""))["step_ms"] == 60_000
    assert [one["unit"] for one in result["columns"]] == ["", "ms", "ms", ""]
    assert sum(row[3] for row in result["rows"]) == 20
    for _, low, high, _ in result["rows"]:
        assert high == pytest.approx(low * 2**0.25)
    [[_, low, high, count]] = (await busy.query("where duration = 10ms | heatmap(duration)"))[
        "rows"
    ][1:] or [[0, 0, 0, 0]]
    assert low <= 10 < high
    assert count == 1


async def test_values_of_metrics_have_the_unit_of_the_metric(busy: Viewer) -> None:
    result = await busy.query("from metrics where name = lag | max(value), count by pool")
    assert [one["unit"] for one in result["columns"]] == ["", "s", ""]
    assert result["rows"] == [["1", 4.5, 2], ["0", 3, 2]]
    mixed = await busy.query("from metrics | max(value) by name")
    assert [one["unit"] for one in mixed["columns"]] == ["", ""]


async def test_a_result_without_rows_mentions_background_work(busy: Viewer) -> None:
    for text in ("where name = sweep", "where name = sweep | count"):
        assert (await busy.query(text))["notes"] == [
            "1 row of background work left out; `with background` includes them"
        ]
    assert (await busy.query("where name = nothing"))["notes"] == []
    assert len(await busy.rows("where name = sweep", background="1")) == 1


async def test_what_begins_in_a_browser_is_no_background_work(explorer: Viewer) -> None:
    resource = {"telemetry.sdk.language": "webjs"}
    await explorer.post("traces", pack(span(1, "click button"), **resource))
    assert [row[0] for row in await explorer.rows("from roots | count by name")] == ["click button"]


async def test_a_result_describes_its_query(busy: Viewer) -> None:
    result = await busy.query("where  error|count", since="2025-11-03T09:00:00Z")
    assert result["query"] == (
        "where error = true | count since 2025-11-03T09:00:00Z until 2025-11-03T10:05:00Z"
    )
    assert (int(result["until_ns"]) - int(result["since_ns"])) == 65 * 60 * 10**9
    assert result["dataset"] == "spans"
    assert result["took_ms"] > 0


BAD: list[tuple[dict[str, str], str, int | None]] = [
    ({"q": "where duration > 5"}, "needs a unit", 17),
    ({"q": "", "since": "soon"}, "expected a time", 0),
    ({"q": "", "since": "5m", "until": "6m"}, "the time range is empty", None),
    ({"q": "", "background": "yes"}, "background is 0 or 1", None),
    ({"q": "", "query": "x"}, "unknown parameter query", None),
]


@pytest.mark.parametrize(("arguments", "reason", "position"), BAD)
async def test_an_invalid_query_is_rejected(
    busy: Viewer, arguments: dict[str, str], reason: str, position: int | None
) -> None:
    response = await busy.http.get("/api/query", params=arguments)
    assert response.status_code == 400
    assert reason in response.json()["error"]
    assert response.json().get("position") == position


ATTACKS = [
    "x' OR 1=1 --",
    "'; DROP TABLE spans; --",
    "$p0",
    "{}",
    "\"); ATTACH '/etc/passwd' AS a; SELECT (\"",
    "read_text('/etc/passwd')",
    "\\",
    "%s",
    "?",
    "\x00",
    "*",
]


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_query_cannot_inject_sql(busy: Viewer, attack: str) -> None:
    key = "`" + attack.replace("`", "``") + "`"
    text = '"' + attack.replace("\\", "\\\\").replace('"', '\\"') + '"'
    for query in (
        f"where name = {text} | count",
        f"where name contains {text} | count",
        f"where {key} in ({text}, 1) | count",
        f"where resource.x = {text} | count",
        f"where {key} = {text} | count, sum({key}), count_distinct({key})",
    ):
        assert (await busy.rows(query))[0][0] == 0
    assert await busy.rows(f"| count by {key}") == [[None, 40]]
    assert len(await busy.rows(f"order by {key}")) == 40
    assert await busy.rows(f"| heatmap({key})") == []


def _replaced(query: Query) -> Query:
    """Return the query with other texts and names of attributes, of the same types."""
    known = FIELDS[query.dataset]

    def key_of(key: str) -> str:
        return key if key in known or "." in key else f"z{abs(hash(key))}"

    def condition(one: Condition) -> Condition:
        match one:
            case Comparison(key, operator, values):
                kind = known.get(key)
                changed = [
                    f"{value} changed"
                    if isinstance(value, str) and (kind is None or kind.kind in {"text", "word"})
                    else value
                    for value in values
                ]
                return Comparison(key_of(key), operator, tuple(changed))
            case Not(inner):
                return Not(condition(inner))
            case AllOf(conditions):
                return AllOf(tuple(map(condition, conditions)))
            case AnyOf(conditions):
                return AnyOf(tuple(map(condition, conditions)))

    return Query(where=condition(query.where) if query.where else None, dataset=query.dataset)


@given(queries())
def test_the_text_of_a_statement_does_not_depend_on_names_and_values(query: Query) -> None:
    query = Query(where=query.where, dataset=query.dataset)
    spans = range_of(query, NOW)
    first, second = compile_query(query, spans), compile_query(_replaced(query), spans)

    def shape(sql: str) -> str:
        # Equal values share a parameter, so only the numbers of parameters may differ.
        return "".join(one for one in sql if not one.isdigit())

    assert shape(first.sql) == shape(second.sql)
    assert first.sql.isascii()
    for value in first.parameters.values():
        if isinstance(value, str) and len(value) > 12:
            assert value not in first.sql


async def test_the_generated_sql_of_any_query_is_valid(busy: Viewer) -> None:
    calculations: list[Any] = [
        Calculation(name, key)
        for name in ("sum", "avg", "min", "max", "p50", "p99", "count_distinct")
        for key in ("duration", "status_code", "any.attribute", "resource.any")
    ]
    for start in range(0, len(calculations), 7):
        for by in ((), ("route",), ("time", "duration", "trace_id"), ("resource.any", "x y")):
            for every in (None, Duration(10**9)):
                query = Query(
                    calculations=tuple(calculations[start : start + 7]), by=by, every=every
                )
                await busy.query(print_query(query))
    series = [Calculation(name, "value") for name in ("rate", "increase", "last")]
    series += [Calculation(name, "histogram") for name in ("avg", "p50", "p99")]
    for by in ((), ("name", "pool", "resource.any")):
        for every in (None, Duration(10**9)):
            query = Query(dataset="metrics", calculations=tuple(series), by=by, every=every)
            await busy.query(print_query(query))
    for dataset, fields in FIELDS.items():
        for key, field in fields.items():
            grouped = f"by `{key}`" if field.kind != "histogram" else ""
            assert await busy.query(f"from {dataset} where `{key}` exists | count {grouped}")
