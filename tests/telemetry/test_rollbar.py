"""Which data of a failure reaches Rollbar, which does not, and that requests never wait for it."""

import gc
import logging
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest
from opentelemetry.sdk.trace import TracerProvider

from cruddur.telemetry import rollbar as rollbar_sink
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.export_queue import ExportStatus
from cruddur.telemetry.operation import Instruments, Operation, operation_scope
from cruddur.telemetry.redaction import scrub
from cruddur.telemetry.rollbar import RollbarReporter
from fakes.rollbar import FakeRollbar
from fakes.sink import Mode, Received, Response, Sink
from patience import PATIENCE

TOKEN = "post-server-item-token"
ROUTE = "/api/activities/<uuid:uuid>/reply"
PATH = "/api/activities/5c1ad0b3-6f6e-4d29-a0a6-7d0b80f0a5d7/reply"

# Never part of a source line, because frames send source lines.
WRITTEN = "meet me at ten"
EMAIL = "worf@enterprise.example"
CREDENTIAL = "t0ken-canary"
COOKIE = "c00kie-canary"
KEY = "k3y-canary"
QUERY = "hunter2"
LOCAL = "l0cal-canary"

PERSON = UUID("a2c0cf0e-4a39-4bd8-9f3d-6f30d1b1c001")


class Reply(msgspec.Struct):
    """A request's body."""

    message: str
    ttl: str


@pytest.fixture
def rollbar() -> Iterator[FakeRollbar]:
    with FakeRollbar(TOKEN) as fake:
        yield fake


def reporter_to(endpoint: str, **options: Any) -> RollbarReporter:
    settings = {
        "access_token": TOKEN,
        "environment": "test",
        "code_version": "3f786850",
        "service_name": "cruddur-backend",
        "trace_url": "https://ui.example.com/trace?trace_id={trace_id}",
    }
    return RollbarReporter(endpoint=endpoint, **settings | options)


@pytest.fixture
def reporter(rollbar: FakeRollbar) -> Iterator[RollbarReporter]:
    reporter = reporter_to(rollbar.endpoint)
    reporter.export_queue.start()
    yield reporter
    reporter.export_queue.close(0)


def scope(**other: Any) -> dict[str, Any]:
    """The scope that an ASGI server passes for a request."""
    return {
        "type": "http",
        "method": "POST",
        "scheme": "https",
        "path": PATH,
        "query_string": f"limit=5&q={QUERY}".encode(),
        "headers": [
            (b"host", b"api.cruddur.example"),
            (b"user-agent", b"curl/8"),
            (b"cookie", f"refresh={COOKIE}".encode()),
            (b"authorization", f"Bearer {CREDENTIAL}".encode()),
            (b"x-api-key", KEY.encode()),
        ],
        "client": ("203.0.113.77", 50123),
        "server": ("127.0.0.1", 4567),
    } | other


def fail(error: BaseException) -> None:
    """Raise the error, with a local variable that must not be sent."""
    password = LOCAL
    assert password
    raise error


def report_to(
    reporter: RollbarReporter, action: Callable[[], object], **operation: Any
) -> tuple[str, str]:
    """Do something that fails in a request; returns its trace and span id."""
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    operation = {
        "scope": scope(),
        "route": ROUTE,
        "redacted_path": PATH,
        "user_uuid": PERSON,
    } | operation
    with tracer.start_as_current_span("POST") as span:
        with operation_scope(Operation(Instruments(reporters=(reporter,)), **operation)):
            try:
                action()
            except Exception as error:
                report(error, "POST /reply")
        assert span.attributes is not None
        ids = span.get_span_context()
    return f"{ids.trace_id:032x}", f"{ids.span_id:016x}"


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a delivery take as long as a busy machine needs."""
    monkeypatch.setattr(rollbar_sink, "TIMEOUT_SECONDS", PATIENCE)


def until(reporter: RollbarReporter, reached: Callable[[ExportStatus], bool]) -> ExportStatus:
    """Wait for its counts."""
    deadline = time.monotonic() + PATIENCE
    while not reached(status := reporter.export_queue.status()):
        assert time.monotonic() < deadline, status
        time.sleep(0.005)
    return status


def arrived(rollbar: FakeRollbar, count: int = 1) -> list[Any]:
    """The items, once there are as many."""
    rollbar.wait_for(lambda: len(rollbar.items) >= count)
    return rollbar.items


def test_R1_an_item_has_the_error_its_place_and_its_trace(
    rollbar: FakeRollbar, reporter: RollbarReporter
) -> None:
    def action() -> None:
        try:
            scrub(7)  # it fails within the package
        except Exception as error:
            raise LookupError("no such crud") from error

    trace_id, span_id = report_to(reporter, action)
    [item] = arrived(rollbar)
    assert item["level"] == "error"
    assert item["framework"] == "quart"
    assert item["environment"] == "test"
    assert item["code_version"] == "3f786850"
    assert item["context"] == ROUTE
    assert item["notifier"]["name"] == "pyrollbar"
    assert item["person"] == {"id": str(PERSON)}
    assert set(item["server"]) == {"host", "pid"}
    assert abs(item["timestamp"] - time.time()) < 5
    assert item["custom"] == {
        "service": "cruddur-backend",
        "what": "POST /reply",
        "http_route": ROUTE,
        "trace_id": trace_id,
        "span_id": span_id,
        "trace_url": f"https://ui.example.com/trace?trace_id={trace_id}",
    }
    request = item["request"]
    assert request["method"] == "POST"
    assert request["url"].startswith(f"https://api.cruddur.example{PATH}?limit=5&q=")
    assert request["headers"]["user-agent"] == "curl/8"
    assert request["GET"]["limit"] == "5"
    assert request["user_ip"] == "203.0.113.0"

    error, cause = item["body"]["trace_chain"]
    assert error["exception"] == {"class": "LookupError", "message": "no such crud"}
    assert error["frames"][-1]["filename"] == __file__
    assert error["frames"][-1]["method"] == "action"
    assert error["frames"][-1]["code"] == 'raise LookupError("no such crud") from error'
    assert cause["exception"]["class"] == "TypeError"
    [ours] = [f for f in cause["frames"] if f["filename"].endswith("telemetry/redaction.py")]
    assert ours["method"] == "scrub"
    assert ours["lineno"] > 0
    assert rollbar.problems == []


def test_R1_the_uuid_is_known_before_the_item_is_sent(rollbar: FakeRollbar) -> None:
    reporter = reporter_to(rollbar.endpoint)
    uuids = []

    class Noting:
        def report(self, failure: Any) -> str:
            uuids.append(reporter.report(failure))
            return uuids[-1]

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    with (
        tracer.start_as_current_span("sweep") as span,
        operation_scope(Operation(Instruments(reporters=(Noting(),)))),
    ):
        report(ValueError(), "the sweep")
        attributes: Any = dict(span.attributes)
    reporter.export_queue.start()
    assert reporter.export_queue.close(PATIENCE)
    [item] = rollbar.items
    assert [item["uuid"]] == uuids == [attributes["rollbar.uuid"]]
    # Background work is no request, and an error that is not raised has no frames.
    assert "request" not in item
    assert "person" not in item
    assert item["context"] == "the sweep"
    assert item["body"]["trace"]["frames"] == []
    assert item["body"]["trace"]["exception"] == {"class": "ValueError", "message": "ValueError"}


def test_R1_a_chain_is_as_python_prints_it_and_ends(
    rollbar: FakeRollbar, reporter: RollbarReporter
) -> None:
    def hidden() -> None:
        try:
            fail(KeyError("hidden"))
        except KeyError:
            raise ValueError("shown") from None

    def circular() -> None:
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        fail(first)

    def endless(depth: int = 0) -> None:
        try:
            fail(ValueError(str(depth)))
        finally:
            if depth < 50:
                endless(depth + 1)

    for action in (hidden, circular, endless):
        report_to(reporter, action)
    bodies = [item["body"] for item in arrived(rollbar, 3)]
    assert bodies[0]["trace"]["exception"]["message"] == "shown"
    assert [t["exception"]["message"] for t in bodies[1]["trace_chain"]] == ["first", "second"]
    assert len(bodies[2]["trace_chain"]) == 20


def test_R1_two_projects_in_one_process_get_their_own_items(rollbar: FakeRollbar) -> None:
    with FakeRollbar("other") as other:
        reporters = [
            reporter_to(rollbar.endpoint),
            reporter_to(other.endpoint, access_token="other", environment="staging"),
        ]
        for reporter in reporters:
            reporter.export_queue.start()
            report_to(reporter, lambda: fail(ValueError("x")))
        assert all(reporter.export_queue.close(PATIENCE) for reporter in reporters)
        assert [item["environment"] for item in rollbar.items] == ["test"]
        assert [item["environment"] for item in other.items] == ["staging"]
        assert other.requests[0].headers["X-Rollbar-Access-Token"] == "other"


def test_R3_nothing_private_leaves_the_process(
    rollbar: FakeRollbar, reporter: RollbarReporter
) -> None:
    def cause() -> None:
        fail(KeyError(f"cannot read {WRITTEN!r} of {EMAIL}"))

    def action() -> None:
        try:
            cause()
        except KeyError as error:
            raise RuntimeError(f"{QUERY} is no {WRITTEN}, Bearer {CREDENTIAL}") from error

    report_to(reporter, cause, bodies=[Reply(WRITTEN, "1-hour")])
    report_to(reporter, action, bodies=[Reply(WRITTEN, "1-hour")])
    one, chain = arrived(rollbar, 2)
    assert "[redacted]" in one["body"]["trace"]["exception"]["message"]
    told = [trace["exception"]["message"] for trace in chain["body"]["trace_chain"]]
    assert told[0].startswith("[redacted] is no [redacted]")
    assert "[redacted]" in told[1]
    for trace in [one["body"]["trace"], *chain["body"]["trace_chain"]]:
        for frame in trace["frames"]:
            assert set(frame) == {"filename", "lineno", "method", "code"}
    sent = rollbar.raw_bytes.decode()
    for private in (WRITTEN, CREDENTIAL, COOKIE, KEY, QUERY, LOCAL, EMAIL, "203.0.113.77", TOKEN):
        assert private not in sent
    # What the API needs it for, and our trace is not Rollbar's to continue.
    assert rollbar.requests[0].headers["X-Rollbar-Access-Token"] == TOKEN
    assert "traceparent" not in rollbar.requests[0].headers


def test_R3_an_unredacted_path_is_not_sent(rollbar: FakeRollbar, reporter: RollbarReporter) -> None:
    plain = scope(path="/api/avatars/uploads/s1gned", query_string=b"")
    unmatched = Operation()
    report_to(
        reporter,
        lambda: fail(ValueError("x")),
        route=unmatched.route,
        redacted_path=unmatched.redacted_path,
        scope=plain,
    )
    [item] = arrived(rollbar)
    assert item["request"]["url"] == "https://api.cruddur.example/[redacted]"
    assert b"s1gned" not in rollbar.raw_bytes


@pytest.mark.parametrize(
    ("client", "told"),
    [
        (("203.0.113.77", 1), "203.0.113.0"),
        (("2001:db8:85a3:8d3:1319:8a2e:370:7348", 1), "2001:db8:85a3::"),
        (("::ffff:203.0.113.77", 1), "203.0.113.0"),
        (("/run/proxy.sock", 1), None),
        (None, None),
    ],
)
def test_R3_only_the_network_of_an_address_is_sent(
    rollbar: FakeRollbar, reporter: RollbarReporter, client: Any, told: str | None
) -> None:
    report_to(reporter, lambda: fail(ValueError("x")), scope=scope(client=client))
    [item] = arrived(rollbar)
    assert item["request"].get("user_ip") == told


def test_R3_a_failure_that_waits_keeps_nothing_of_its_request_alive(
    rollbar: FakeRollbar, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)  # what is caught holds the exception

    class Upload:
        """Megabytes."""

    reporter = reporter_to(rollbar.endpoint)
    alive = []

    def action() -> None:
        upload = Upload()
        alive.append(weakref.ref(upload))
        fail(ValueError("x"))

    report_to(reporter, action)
    gc.collect()
    assert reporter.export_queue.status().queued == 1
    assert alive[0]() is None


class Elsewhere(Sink):
    """A server that is not Rollbar and always sends the same response."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self._response = response

    def respond(self, request: Received) -> Response:  # noqa: ARG002  # the base class passes it
        return self._response


def test_R3_the_token_does_not_follow_a_redirect(rollbar: FakeRollbar) -> None:
    redirect = Response(307, headers={"Location": f"{rollbar.endpoint}item/"})
    with Elsewhere(redirect) as elsewhere:
        reporter = reporter_to(f"{elsewhere.url}/api/1/")
        reporter.export_queue.start()
        report_to(reporter, lambda: fail(ValueError("x")))
        assert until(reporter, lambda d: d.failed == 1).last_error == "HTTP 307: Temporary Redirect"
        reporter.export_queue.close(1)
    assert rollbar.requests == []


@pytest.mark.parametrize("body", [b"<html>Sign in", b"[]", b"{}", b'{"err": 1}'])
def test_R5_a_response_that_is_not_rollbars_counts_as_a_failure(body: bytes) -> None:
    with Elsewhere(Response(200, body)) as portal:
        reporter = reporter_to(portal.url)
        reporter.export_queue.start()
        report_to(reporter, lambda: fail(ValueError("x")))
        failed = until(reporter, lambda d: d.failed == 1)
        assert failed.last_error == f"{portal.url}/item/ did not respond like Rollbar"
        reporter.export_queue.close(1)


def test_R5_an_item_that_cannot_be_built_is_counted(
    rollbar: FakeRollbar, reporter: RollbarReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbar._build_base_data", lambda *_, **__: None)
    report_to(reporter, lambda: fail(ValueError("x")))
    failed = until(reporter, lambda d: d.failed == 1)
    assert failed.last_error == "pyrollbar could not build the item"
    assert rollbar.requests == []


def test_R4_without_a_token_the_library_is_not_imported() -> None:
    program = """
import sys
import cruddur.app, cruddur.telemetry.cloudwatch
from cruddur.telemetry.rollbar import RollbarReporter
RollbarReporter(access_token="t", endpoint="http://127.0.0.1:1/", environment="", code_version="",
                service_name="", trace_url="")
print(sorted({"rollbar", "boto3", "botocore", "watchtower"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("401", "HTTP 401: as the test asked for"),
        ("429", "HTTP 429: as the test asked for"),
        ("500", "HTTP 500: as the test asked for"),
        ("refuse", "ConnectionError at http://127.0.0.1:"),
        ("hang", "no answer in 0.2 s"),
    ],
)
def test_R5_a_request_never_waits_and_a_lost_item_is_counted(
    rollbar: FakeRollbar,
    reporter: RollbarReporter,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    mode: Mode,
    reason: str,
) -> None:
    if mode == "hang":
        monkeypatch.setattr(rollbar_sink, "TIMEOUT_SECONDS", 0.2)
    rollbar.mode = mode
    reported = threading.Event()
    deliver = reporter.export_queue._deliver

    def deliver_later(items: Sequence[Any]) -> None:
        assert reported.wait(PATIENCE), "the request waited for the delivery"
        deliver(items)

    monkeypatch.setattr(reporter.export_queue, "_deliver", deliver_later)
    report_to(reporter, lambda: fail(ValueError("x")))
    reported.set()
    failed = until(reporter, lambda d: d.failed == 1)
    assert failed.last_error is not None
    assert failed.last_error.startswith(reason)
    monkeypatch.setattr(rollbar_sink, "TIMEOUT_SECONDS", PATIENCE)
    rollbar.mode = "ok"
    report_to(reporter, lambda: fail(ValueError("y")))
    assert until(reporter, lambda d: d.sent == 1).failed == 1
    assert len(rollbar.items) == 1
    assert {r.name for r in caplog.records} <= {
        "cruddur.telemetry.error_reporting",
        "cruddur.telemetry.export_queue",
    }
    assert TOKEN not in caplog.text


def test_R5_the_end_does_not_wait_for_a_silent_rollbar(
    rollbar: FakeRollbar, reporter: RollbarReporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollbar_sink, "TIMEOUT_SECONDS", 3600)
    rollbar.mode = "hang"
    for _ in range(3):
        report_to(reporter, lambda: fail(ValueError("x")))
    rollbar.wait_for(lambda: rollbar.requests)
    assert not reporter.export_queue.close(0.1)
    assert reporter.export_queue.status().dropped == 3


def test_R5_a_storm_of_failures_is_bounded(
    rollbar: FakeRollbar, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    reporter = reporter_to(rollbar.endpoint)
    for _ in range(300):
        report_to(reporter, lambda: fail(ValueError("x")))
    status = reporter.export_queue.status()
    assert (status.queued, status.capacity, status.dropped) == (256, 256, 44)
