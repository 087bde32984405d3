"""Realistic spans for the benchmark of the trace explorer, as OTLP export requests.

A trace is a request to one of twenty routes with its statements, sometimes with a call of another
service or a failure; one trace in fifty is a sweep. Clients with version 4.2.0 fail more often.
"""

import random
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_INFO
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

AREAS = ("activities", "users", "messages", "notifications", "trending")
ACTIONS = ("home", "search", "show", "counter")
VERSIONS = ("4.0.1", "4.1.0", "4.1.1", "4.2.0")
USERS = 1_000
FAILING_VERSION = "4.2.0"
SLOW_ROUTE = "/api/activities/search"
REPEATING_ROUTE = "/api/users/show"

ROUTES = [f"/api/{area}/{action}" for area in AREAS for action in ACTIONS]
STATEMENTS = {
    route: [f"SELECT {route.split('/')[2]}.{part}" for part in ("session", "page", "counts")]
    for route in ROUTES
}

MS = 1_000_000
SERVER, CLIENT, INTERNAL = Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_INTERNAL


def export_requests(
    count: int, since_ns: int, until_ns: int, batch: int = 2_000
) -> Iterator[bytes]:
    """Yield export requests of about `batch` spans each.

    There are at least `count` spans, evenly between two times.
    """
    chance = random.Random(since_ns)
    made = 0
    while made < count:
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        group.resource.attributes.extend(
            _pairs({"service.name": "cruddur", "service.version": "1.0", "host.name": "one"})
        )
        scoped = group.scope_spans.add()
        scoped.scope.name = "cruddur"
        while len(scoped.spans) < batch:
            share = (made + len(scoped.spans)) / count
            _add_trace(scoped, chance, since_ns + int(min(1.0, share) * (until_ns - since_ns)))
        made += len(scoped.spans)
        yield request.SerializeToString()


def log_requests(count: int, since_ns: int, until_ns: int, batch: int = 2_000) -> Iterator[bytes]:
    """Yield export requests of log lines outside of traces, evenly between two times."""
    for start in range(0, count, batch):
        request = ExportLogsServiceRequest()
        group = request.resource_logs.add()
        group.resource.attributes.extend(_pairs({"service.name": "cruddur"}))
        scoped = group.scope_logs.add()
        for number in range(start, min(start + batch, count)):
            record = scoped.log_records.add(
                time_unix_nano=since_ns + number * (until_ns - since_ns) // count,
                severity_number=SEVERITY_NUMBER_INFO,
                attributes=_pairs({"http.route": ROUTES[number % len(ROUTES)], "line": number}),
            )
            record.body.string_value = f"GET {ROUTES[number % len(ROUTES)]} 200"
        yield request.SerializeToString()


def _add_trace(scoped: ScopeSpans, chance: random.Random, start_ns: int) -> None:
    trace = chance.randbytes(16)
    if chance.random() < 0.02:
        sweep = _add(scoped, chance, trace, b"", "sweep", INTERNAL, start_ns, 5.0, {})
        statement = _statement("DELETE activities.expired", 3)
        _add(scoped, chance, trace, sweep.span_id, "DELETE", CLIENT, start_ns, 4.0, statement)
        return
    route = ROUTES[min(int(chance.expovariate(0.25)), len(ROUTES) - 1)]
    version = VERSIONS[int(chance.random() ** 2 * len(VERSIONS))]
    failed = chance.random() < (0.2 if version == FAILING_VERSION else 0.005)
    statements = STATEMENTS[route]
    if route == REPEATING_ROUTE:
        statements = [statements[0], *[statements[1]] * 12]
    user = int(chance.random() ** 2 * USERS)
    slowness = 20.0 if route == SLOW_ROUTE and chance.random() < 0.3 else 1.0
    root = _add(
        scoped, chance, trace, b"", f"GET {route}", SERVER, start_ns, 0.0,
        {
            "http.request.method": "GET",
            "http.route": route,
            "url.path": f"{route}/{user}" if "show" in route else route,
            "url.scheme": "http",
            "http.response.status_code": 500 if failed else 200,
            "http.response.body.size": int(chance.lognormvariate(8, 1)),
            "client.address": f"10.0.{user % 7}.{user % 251}",
            "user_agent.original": f"cruddur-app/{version}",
            "enduser.pseudo.id": f"user-{user}",
            "app.request.id": trace.hex()[:12],
        },
    )  # fmt: skip
    at = start_ns + int(chance.lognormvariate(-1, 0.5) * MS)
    for statement in statements:
        length = chance.lognormvariate(0, 0.7) * (slowness if statement.endswith("page") else 1)
        facts = _statement(statement, int(chance.expovariate(0.1)))
        added = _add(scoped, chance, trace, root.span_id, statement, CLIENT, at, length, facts)
        at = added.end_time_unix_nano + int(chance.expovariate(10) * MS)
    if chance.random() < 0.2:
        facts = {
            "http.request.method": "POST",
            "server.address": "cognito.example",
            "server.port": 443,
            "url.full": "https://cognito.example/",
            "http.response.status_code": 200,
            "network.protocol.version": "1.1",
        }
        length = chance.lognormvariate(3, 0.4)
        added = _add(scoped, chance, trace, root.span_id, "POST", CLIENT, at, length, facts)
        at = added.end_time_unix_nano
    root.end_time_unix_nano = at + int(chance.lognormvariate(-1, 0.5) * MS)
    if failed:
        root.status.code = 2
        root.attributes.extend(_pairs({"error.type": "DecodeError"}))
        event = root.events.add(name="exception", time_unix_nano=at)
        facts = {"exception.type": "DecodeError", "exception.message": f"cannot read {user}"}
        event.attributes.extend(_pairs(facts))


def _statement(summary: str, rows: int) -> dict[str, Any]:
    return {
        "db.system.name": "postgresql",
        "db.namespace": "cruddur",
        "db.query.summary": summary,
        "db.query.text": f"{summary} FROM live_activities WHERE uuid = $1 LIMIT $2",
        "db.operation.name": summary.split()[0],
        "db.response.returned_rows": rows,
        "server.address": "127.0.0.1",
        "server.port": 5432,
    }


def _add(
    scoped: ScopeSpans,
    chance: random.Random,
    trace: bytes,
    parent: bytes,
    name: str,
    kind: "Span.SpanKind.ValueType",
    start_ns: int,
    ms: float,
    facts: dict[str, Any],
) -> Span:
    return scoped.spans.add(
        trace_id=trace,
        span_id=chance.randbytes(8),
        parent_span_id=parent,
        name=name,
        kind=kind,
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + int(ms * MS),
        attributes=_pairs(facts),
    )


def _pairs(facts: dict[str, Any]) -> list[KeyValue]:
    return [
        KeyValue(
            key=key,
            value=AnyValue(int_value=value)
            if isinstance(value, int)
            else AnyValue(string_value=value),
        )
        for key, value in facts.items()
    ]
