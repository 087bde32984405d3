"""The log of a real process is JSON to the last line, and all sinks show the same trace."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from serving import Line, Served, served, span_id, trace_id

from cruddur.version import __version__
from fakes.honeycomb import FakeHoneycomb
from fakes.otlp import LogLine, Span
from fakes.rollbar import FakeRollbar
from fakes.xray_daemon import FakeXRayDaemon
from patience import PATIENCE

KEY = "an-ingest-key"
HOME = "/api/activities/home"
REQUEST = "cruddur.request"
ACCOUNT = {
    "email": "odo@example.com",
    "password": "the wormhole is open",
    "handle": "odo",
    "display_name": "Odo",
}


@dataclass(frozen=True)
class Observed:
    """A service and its sinks."""

    service: Served
    honeycomb: FakeHoneycomb
    rollbar: FakeRollbar
    daemon: FakeXRayDaemon

    def line(self, response: httpx.Response) -> Line:
        """Return the only canonical line of a request."""

        def found() -> list[Line]:
            return self.service.logged(REQUEST, trace_id=trace_id(response))

        [line] = self.service.until(found)
        return line

    def server_span(self, response: httpx.Response) -> Span:
        """Return the only exported server span of a request."""

        def found() -> list[Span]:
            return [
                span
                for span in self.honeycomb.spans
                if span.trace_id == trace_id(response) and span.kind == "SERVER"
            ]

        [span] = self.honeycomb.wait_for(found)
        return span


@pytest.fixture(scope="module")
async def lines_dsn(make_database: Callable[..., Any]) -> str:
    """A separate database, whose tables can be renamed without affecting other tests."""
    dsn: str = await make_database()
    return dsn


@pytest.fixture(scope="module")
def observed(lines_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """A service with Honeycomb (log lines too), Rollbar and an X-Ray daemon."""
    with (
        FakeHoneycomb(KEY) as honeycomb,
        FakeRollbar("a-token") as rollbar,
        FakeXRayDaemon() as daemon,
        served(
            lines_dsn,
            tmp_path_factory.mktemp("lines"),
            OTEL_EXPORTER_OTLP_ENDPOINT=honeycomb.url,
            HONEYCOMB_API_KEY=KEY,
            OTEL_LOGS_EXPORTER="otlp",
            ROLLBAR_ACCESS_TOKEN="a-token",
            ROLLBAR_ENDPOINT=rollbar.endpoint,
            AWS_XRAY_DAEMON_ADDRESS=daemon.address,
            OTEL_BSP_SCHEDULE_DELAY="20",
            CRUDDUR_ENVIRONMENT="staging",
        ) as service,
    ):
        yield Observed(service, honeycomb, rollbar, daemon)


@pytest.fixture
async def without_activities(lines_dsn: str) -> AsyncIterator[None]:
    """Rename a table, so that statements that are prepared meanwhile fail."""
    conn = await asyncpg.connect(lines_dsn)
    try:
        await conn.execute("ALTER TABLE activities RENAME TO away")
        try:
            yield
        finally:
            await conn.execute("ALTER TABLE away RENAME TO activities")
    finally:
        await conn.close()


# --- L1 -------------------------------------------------------------------------------------


def test_L1_lines_of_a_request_have_the_ids_of_its_exported_server_span(
    observed: Observed,
) -> None:
    response = observed.service.http.get(HOME)
    line, span = observed.line(response), observed.server_span(response)
    assert (line["trace_id"], line["span_id"]) == (span.trace_id, span.span_id)
    assert (trace_id(response), span_id(response)) == (span.trace_id, span.span_id)
    exported = _exported(observed, response)
    assert [(one.trace_id, one.span_id) for one in exported] == [(span.trace_id, span.span_id)]


def test_L1_the_exported_line_is_the_printed_one(observed: Observed) -> None:
    response = observed.service.http.get(HOME)
    line = observed.line(response)
    [exported] = _exported(observed, response)
    assert exported.body == line["message"]
    assert exported.severity == line["level"]
    assert exported.attributes["logger"] == line["logger"]
    for name, value in exported.attributes.items():
        assert line[name] == value
    assert exported.resource["deployment.environment.name"] == "staging"


def _exported(observed: Observed, response: httpx.Response) -> list[LogLine]:
    def found() -> list[LogLine]:
        return [one for one in observed.honeycomb.logs if one.trace_id == trace_id(response)]

    return observed.honeycomb.wait_for(found)


def test_L1_lines_are_json_from_the_start_to_the_end(
    lines_dsn: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With several workers, a malformed request, debugging on and a signal."""
    with served(
        lines_dsn, tmp_path_factory.mktemp("json"), workers=2, LOG_LEVEL="DEBUG"
    ) as service:
        service.http.get(HOME)
        service.http.get("/api/health-check")
        for nonsense in (b"this is no HTTP", b"GET /\xff HTTP/1.1\r\nHost: \xff"):
            asyncio.run(_say(service.port, nonsense + b"\r\nConnection: close\r\n\r\n"))
        stopped = service.stop()
        lines = service.lines
        assert service.err.read_text() == ""
    assert stopped.code == 0
    for line in lines:
        assert {"timestamp", "level", "logger", "message"} <= line.keys()
        assert line["service.name"] == "cruddur"
        assert line["service.version"] == __version__
    assert {line["logger"] for line in lines} >= {"cruddur", "hypercorn.error", REQUEST}
    probes = [line for line in lines if line.get("http.route") == "/api/health-check"]
    assert [line["level"] for line in probes] == ["DEBUG"]


async def _say(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    response = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    await writer.wait_closed()
    return response


# --- L2 -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", f"{HOME}?limit=3", HOME, 200),
        ("GET", "/api/activities/@nobody", "/api/activities/@<handle>", 404),
        ("GET", "/api/auth/me", "/api/auth/me", 401),
        ("PATCH", HOME, "", 405),
        ("GET", "/no/such/path", "", 404),
        ("BREW", "/no/such/path", "", 404),
        ("POST", "/api/auth/signin", "/api/auth/signin", 415),
    ],
)
def test_L2_one_canonical_line_a_request(
    observed: Observed, method: str, path: str, route: str, status: int
) -> None:
    response = observed.service.http.request(method, path)
    line = observed.line(response)
    expected = "_OTHER" if method == "BREW" else method
    assert response.status_code == status
    assert line["level"] == "INFO"
    assert line["message"] == f"{expected} {route or path} {status}"
    assert line["http.request.method"] == expected
    assert line["http.route"] == route
    assert line["url.path"] == path.partition("?")[0]
    assert line["http.response.status_code"] == status
    assert line["http.response.body.size"] == len(response.content)
    assert line["client.address"] == "127.0.0.1"
    assert 0 < line["app.duration_ms"] < 10_000
    assert 0 <= line["app.db.duration_ms"] <= line["app.duration_ms"]
    assert line["app.db.statements"] >= (1 if status == 200 else 0)
    assert "error.type" not in line
    assert "enduser.pseudo.id" not in line
    if route:  # the span has the same values
        attributes = observed.server_span(response).attributes
        for name in ("http.response.status_code", "app.db.statements", "http.response.body.size"):
            assert attributes[name] == line[name]


async def test_L2_the_line_identifies_the_user_by_a_pseudonym(
    observed: Observed, lines_dsn: str
) -> None:
    http = observed.service.http
    assert http.post("/api/auth/signup", json=ACCOUNT).status_code == 200
    [told] = observed.service.until(lambda: observed.service.logged("cruddur.identity.mail"))
    code = told["message"].rpartition(" ")[2]
    email = ACCOUNT["email"]
    assert http.post("/api/auth/confirm", json={"email": email, "code": code}).status_code == 200
    signed_in = http.post(
        "/api/auth/signin", json={"email": email, "password": ACCOUNT["password"]}
    ).json()
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
    me = http.get("/api/auth/me", headers=headers)
    assert me.status_code == 200
    assert observed.line(me)["enduser.pseudo.id"] == me.json()["uuid"]


# --- L5 -------------------------------------------------------------------------------------


def test_L5_an_unhandled_exception_is_logged_once_and_its_response_leads_to_it(
    observed: Observed, without_activities: None
) -> None:
    # A statement that no connection has prepared before; others would still find the table.
    response = observed.service.http.get("/api/activities/search", params={"term": "tea"})
    assert response.status_code == 500
    line, span = observed.line(response), observed.server_span(response)
    assert line["error.type"] == "UndefinedTableError"
    assert line["http.response.status_code"] == 500

    told = [one for one in observed.service.lines if one.get("trace_id") == trace_id(response)]
    assert Counter(one["level"] for one in told) == {"ERROR": 1, "INFO": 1}
    assert sum("UndefinedTableError" in str(one.get("exception.stacktrace")) for one in told) == 1
    [failure] = [one for one in told if one["level"] == "ERROR"]
    assert failure["span_id"] == span.span_id
    assert "GET /api/activities/search failed" in failure["message"]
    assert "activities.py" in failure["exception.stacktrace"]

    assert span.attributes["error.type"] == "UndefinedTableError"
    assert span.status == "ERROR"
    assert 'relation "activities" does not exist' in span.status_message
    assert [event.name for event in span.events] == ["exception"]
    # The statement's span has failed as well, but only one span records the exception.
    [statement] = [
        one
        for one in observed.honeycomb.spans
        if one.trace_id == span.trace_id and one.name == "SELECT activities.search"
    ]
    assert statement.status == "ERROR"
    assert statement.attributes["error.type"] == "UndefinedTableError"
    assert statement.attributes["db.response.status_code"] == "42P01"
    assert 'relation "activities" does not exist' in statement.status_message
    assert statement.events == []

    observed.rollbar.wait_for(lambda: _items(observed, response))
    [item] = _items(observed, response)
    assert item["uuid"] == span.attributes["rollbar.uuid"]
    assert item["custom"]["span_id"] == span.span_id


def _items(observed: Observed, response: httpx.Response) -> list[dict[str, Any]]:
    return [
        item for item in observed.rollbar.items if item["custom"]["trace_id"] == trace_id(response)
    ]


# --- X5 -------------------------------------------------------------------------------------


def test_X5_honeycomb_xray_log_and_response_show_the_same_trace(observed: Observed) -> None:
    response = observed.service.http.get(HOME)
    trace = trace_id(response)
    xray = f"1-{trace[:8]}-{trace[8:]}"
    span = observed.server_span(response)

    def documents() -> list[dict[str, Any]]:
        found = [one for one in observed.daemon.documents if one["trace_id"] == xray]
        return found if len(found) == len(_spans(observed, trace)) else []

    found = observed.daemon.wait_for(documents)
    assert {one["id"] for one in found} == {one.span_id for one in _spans(observed, trace)}
    [segment] = [one for one in found if one["id"] == span.span_id]
    assert segment["http"]["response"]["status"] == 200
    assert observed.daemon.malformed == []
    assert observed.line(response)["trace_id"] == span.trace_id == trace


def test_X5_with_xray_lines_bear_its_form_of_the_trace_too(observed: Observed) -> None:
    """X-Ray's console searches the log for it, and an agent may forward standard output."""
    response = observed.service.http.get(HOME)
    trace = trace_id(response)
    assert observed.line(response)["xray_trace_id"] == f"1-{trace[:8]}-{trace[8:]}"


def _spans(observed: Observed, trace: str) -> list[Span]:
    return [span for span in observed.honeycomb.spans if span.trace_id == trace]
