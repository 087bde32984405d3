"""Export of log lines to CloudWatch, also when it cannot be reached."""

import json
import logging
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from opentelemetry.sdk.trace import TracerProvider

from cruddur.telemetry.cloudwatch import CloudWatchLogs
from cruddur.telemetry.export_queue import ExportStatus
from cruddur.telemetry.logs import ExportHandler, Line, line_of
from fakes.aws import FakeAws, environment
from fakes.sink import Mode, Received, Response, Sink
from patience import PATIENCE

GROUP = "/cruddur/test"
STREAM = f"{platform.node()}/{os.getpid()}"
TRACE_ID = "0123456789abcdef0123456789abcdef"
SPAN_ID = "0123456789abcdef"
FOREVER = 3600.0
BATCH = 512  # lines that start a delivery at once


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    with FakeAws() as fake:
        use(fake.environment, monkeypatch)
        yield fake


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """A fake AWS that accepts everything unless it is configured otherwise."""
    with Sink() as sink:
        use(environment(sink.url), monkeypatch)
        yield sink


def use(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def logs(**options: Any) -> CloudWatchLogs:
    settings: dict[str, Any] = {
        "log_group": GROUP,
        "retention_days": 30,
        "constants": {"service.name": "cruddur"},
        "with_xray_ids": True,
    }
    return CloudWatchLogs(**settings | options)


def line(message: str = "home was read", **other: Any) -> Line:
    parts: dict[str, Any] = {
        "created": time.time(),
        "level": "INFO",
        "severity": logging.INFO,
        "logger": "cruddur.test",
        "message": message,
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "trace_flags": 1,
        "stacktrace": "",
        "fields": {"http.route": "/api/activities/home"},
        "is_private": False,
    }
    return Line(**parts | other)


def deliver(cloudwatch: CloudWatchLogs, *lines: Line) -> ExportStatus:
    """Put the lines into the queue, deliver them and close it."""
    for one in lines:
        cloudwatch.export_queue.put(one)
    cloudwatch.export_queue.start()
    assert cloudwatch.export_queue.close(PATIENCE)
    return cloudwatch.export_queue.status()


def put_calls(sink: Sink) -> list[Any]:
    """The PutLogEvents that arrived."""
    return [r.json() for r in sink.requests if action(r) == "PutLogEvents"]


def action(request: Received) -> str:
    return str(request.headers["X-Amz-Target"]).rpartition(".")[2]


def until(cloudwatch: CloudWatchLogs, reached: Callable[[ExportStatus], bool]) -> ExportStatus:
    """Wait for its counts."""
    deadline = time.monotonic() + PATIENCE
    while not reached(status := cloudwatch.export_queue.status()):
        assert time.monotonic() < deadline, status
        time.sleep(0.005)
    return status


def test_L3_lines_arrive_with_their_trace_ids_in_a_group_with_retention(aws: FakeAws) -> None:
    cloudwatch = logs()
    cloudwatch.export_queue.start()
    handler = ExportHandler(cloudwatch.export_queue)
    logger = logging.getLogger("cruddur.test_cloudwatch")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    try:
        with tracer.start_as_current_span("GET") as span:
            logger.info("home was read", extra={"fields": {"app.db.statements": 2}})
            logger.info("of worf@enterprise.example")
            logger.info("for standard output alone", extra={"private": True})
        logger.info("swept")
    finally:
        logger.removeHandler(handler)
    assert cloudwatch.export_queue.close(PATIENCE)
    assert cloudwatch.export_queue.status().sent == 3
    assert aws.log_groups() == {GROUP: 30}
    [(stream, messages)] = aws.log_events(GROUP).items()
    assert stream == STREAM
    first, second, third = map(json.loads, messages)
    ids = span.get_span_context()
    trace_id = f"{ids.trace_id:032x}"
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "level": "INFO",
        "logger": "cruddur.test_cloudwatch",
        "message": "home was read",
        "trace_id": trace_id,
        "span_id": f"{ids.span_id:016x}",
        "xray_trace_id": f"1-{trace_id[:8]}-{trace_id[8:]}",
        "app.db.statements": 2,
        "service.name": "cruddur",
    }
    assert second["message"] == "of [redacted]"
    assert not {"trace_id", "span_id", "xray_trace_id"} & set(third)


def test_L3_the_stream_is_named_and_xray_ids_are_included_on_request(aws: FakeAws) -> None:
    cloudwatch = logs(stream="backend-{pid}", with_xray_ids=False, retention_days=0)
    assert deliver(cloudwatch, line()).sent == 1
    [(stream, [message])] = aws.log_events(GROUP).items()
    assert stream == f"backend-{os.getpid()}"
    assert json.loads(message)["trace_id"] == TRACE_ID
    assert "xray_trace_id" not in json.loads(message)
    assert aws.log_groups() == {GROUP: None}


def test_L3_several_lines_are_one_call_in_the_order_of_time(sink: Sink) -> None:
    now = time.time()
    status = deliver(logs(), *(line(str(n), created=now - n) for n in range(300)))
    assert (status.sent, status.failed, status.dropped) == (300, 0, 0)
    [call] = put_calls(sink)
    assert (call["logGroupName"], call["logStreamName"]) == (GROUP, STREAM)
    told = [json.loads(event["message"])["message"] for event in call["logEvents"]]
    assert told == [str(n) for n in reversed(range(300))]
    assert [event["timestamp"] for event in call["logEvents"]] == sorted(
        int((now - n) * 1000) for n in range(300)
    )


def test_L3_a_call_never_exceeds_the_limits_of_aws(sink: Sink) -> None:
    assert deliver(logs(), *(line("x" * 200_000) for _ in range(11))).sent == 11
    calls = put_calls(sink)
    assert [len(call["logEvents"]) for call in calls] == [5, 5, 1]
    for call in calls:
        sizes = [len(event["message"].encode()) + 26 for event in call["logEvents"]]
        assert sum(sizes) <= 1024 * 1024


def test_L3_a_line_that_is_too_long_or_no_text_arrives_without_what_is_wrong(sink: Sink) -> None:
    odd = b"caf\xe9".decode(errors="surrogateescape")
    long = line("begins\x00" + "\x00" * 300_000, stacktrace="ä" * 300_000 + "ends")
    broken = line_of(logging.makeLogRecord({"msg": odd, "created": time.time()}))
    assert deliver(logs(), long, broken, line("good")).sent == 3
    [call] = put_calls(sink)
    assert all(len(event["message"].encode()) + 26 <= 256 * 1024 for event in call["logEvents"])
    told = [json.loads(event["message"]) for event in call["logEvents"]]
    assert told[0]["message"].startswith("begins")
    assert told[0]["exception.stacktrace"].endswith("ends")
    assert told[0]["trace_id"] == TRACE_ID
    assert told[1]["message"] == "caf\\udce9"
    assert told[2]["message"] == "good"


def test_L3_a_group_that_is_deleted_meanwhile_is_made_again(
    aws: FakeAws, caplog: pytest.LogCaptureFixture
) -> None:
    cloudwatch = logs()
    cloudwatch.export_queue.start()
    client = boto3.client("logs")
    try:
        send_batch(cloudwatch)
        until(cloudwatch, lambda d: d.sent == BATCH)
        client.delete_log_group(logGroupName=GROUP)
        send_batch(cloudwatch)
        failed = until(cloudwatch, lambda d: d.failed == BATCH)
        assert failed.last_error is not None
        assert "ResourceNotFoundException" in failed.last_error
        send_batch(cloudwatch)
        until(cloudwatch, lambda d: d.sent == 2 * BATCH)
    finally:
        client.close()
    assert cloudwatch.export_queue.close(PATIENCE)
    assert aws.log_groups() == {GROUP: 30}
    # The export queue logs the change; WatchTower logs nothing.
    assert [r.name for r in caplog.records if r.levelno >= logging.WARNING] == [
        "cruddur.telemetry.export_queue",
        "cruddur.telemetry.export_queue",
    ]


def send_batch(cloudwatch: CloudWatchLogs) -> None:
    for _ in range(BATCH):
        cloudwatch.export_queue.put(line())


class Rejecting(Sink):
    """A fake AWS that accepts a call and rejects all of its events."""

    def respond(self, request: Received) -> Response:
        rejected = {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}}
        kept = action(request) != "PutLogEvents"
        return Response(body=json.dumps({} if kept else rejected).encode())


def test_L3_events_that_aws_does_not_keep_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    with Rejecting() as rejecting:
        use(environment(rejecting.url), monkeypatch)
        status = deliver(logs(), line())
        assert len(put_calls(rejecting)) == 1
    assert (status.sent, status.failed) == (0, 1)
    assert status.last_error is not None
    assert "tooOldLogEventEndIndex" in status.last_error


def test_L4_lines_are_sent_once_aws_accepts_them(sink: Sink) -> None:
    sink.mode = "401"
    cloudwatch = logs()
    assert sink.requests == []
    cloudwatch.export_queue.start()
    send_batch(cloudwatch)
    failed = until(cloudwatch, lambda d: d.failed == BATCH)
    assert failed.last_error is not None
    assert "401" in failed.last_error
    sink.mode = "ok"
    send_batch(cloudwatch)
    until(cloudwatch, lambda d: d.sent == BATCH)
    sink.mode = "401"  # now in the middle: the group is known
    calls = len(put_calls(sink))
    send_batch(cloudwatch)
    until(cloudwatch, lambda d: d.failed == 2 * BATCH)
    assert len(put_calls(sink)) == calls + 1, "WatchTower does not retry"
    assert cloudwatch.export_queue.close(1)


@pytest.mark.parametrize("mode", ["refuse", "hang"])
def test_L4_an_unreachable_aws_delays_no_request(sink: Sink, mode: Mode) -> None:
    sink.mode = mode
    lines = [line(str(n)) for n in range(6000)]
    cloudwatch = logs(read_timeout=FOREVER)  # a call that waits for a sink that hangs never returns
    cloudwatch.export_queue.start()
    for one in lines:
        cloudwatch.export_queue.put(one)
    waiting = cloudwatch.export_queue.status()
    assert waiting.queued <= waiting.capacity == 4096
    assert waiting.dropped + waiting.failed + waiting.queued >= 6000 - BATCH
    was_delivered = cloudwatch.export_queue.close(0.2)
    assert not (was_delivered and mode == "hang")
    status = cloudwatch.export_queue.status()
    assert status.queued == 0
    assert status.sent == 0
    assert status.dropped + status.failed >= 6000


def test_L4_a_silent_aws_is_given_up_and_counted(sink: Sink) -> None:
    sink.mode = "hang"
    cloudwatch = logs(read_timeout=0.1)
    cloudwatch.export_queue.start()
    send_batch(cloudwatch)
    failed = until(cloudwatch, lambda d: d.failed == BATCH)
    assert failed.last_error is not None
    assert "timeout" in failed.last_error.lower()
    assert cloudwatch.export_queue.close(PATIENCE)


PROGRAM = """
import logging, sys
import watchtower
from cruddur.telemetry.cloudwatch import CloudWatchLogs
from cruddur.telemetry.logs import ExportHandler

watchtower.CloudWatchLogHandler.FLUSH_TIMEOUT = 3600
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
logging.getLogger().handlers[0].setLevel(logging.WARNING)
logging.captureWarnings(True)
cloudwatch = CloudWatchLogs(
    log_group="g", retention_days=7, constants={}, with_xray_ids=False, read_timeout=3600
)
cloudwatch.export_queue.start()
logging.getLogger().addHandler(ExportHandler(cloudwatch.export_queue))
for _ in sys.stdin:
    for n in range(512):
        logging.info("line %d", n)
if sys.argv[1] == "closing":
    cloudwatch.export_queue.close(0.2)
"""


@pytest.mark.parametrize("last_act", ["closing", "not closing"])
@pytest.mark.parametrize("away", ["hangs at the start", "hangs later", "refuses"])
def test_L4_the_process_ends_at_once(sink: Sink, last_act: str, away: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, last_act],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        log = partial(print, "a batch", file=process.stdin, flush=True)
        if away == "refuses":
            sink.mode = "refuse"
            log()
            assert "CloudWatch does not accept items" in process.stdout.readline()
        elif away == "hangs at the start":
            sink.mode = "hang"
            log()
            sink.wait_for(lambda: sink.requests)
        else:
            log()
            sink.wait_for(lambda: put_calls(sink))
            sink.mode = "hang"
            log()
            sink.wait_for(lambda: len(put_calls(sink)) > 1)
        process.stdin.close()
        assert process.wait(PATIENCE) == 0  # WatchTower and a call would wait for an hour
        assert process.stdout.read() == "", "neither a warning nor a stack trace"
