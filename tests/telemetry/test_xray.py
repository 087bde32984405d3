"""Export of spans to X-Ray: the document and the three transports."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from cruddur.settings.checks import parse_daemon_address
from cruddur.telemetry.export_queue import ExportError
from cruddur.telemetry.xray import daemon, documents
from cruddur.telemetry.xray.api import PutTraceSegmentsExporter
from cruddur.telemetry.xray.daemon import DaemonExporter
from cruddur.telemetry.xray.documents import encode, segment, trace_id
from cruddur.telemetry.xray.sigv4 import endpoint, signed_session
from fakes.aws import REGION, FakeAws, environment
from fakes.sigv4 import FakeSignedOtlp
from fakes.sink import Mode, Received, Response, Sink
from fakes.xray_daemon import HEADER, FakeXRayDaemon
from patience import PATIENCE

RESOURCE = Resource(
    {
        "service.name": "backend-flask",
        "service.version": "1.2.3",
        "deployment.environment.name": "test",
        "cloud.platform": "aws_ecs",
        "aws.ecs.launchtype": "fargate",
        "aws.log.group.names": ["cruddur/backend"],
    }
)


class Trace:
    """A tracer that keeps its finished spans."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        self._provider = TracerProvider(resource=RESOURCE)
        self._provider.add_span_processor(SimpleSpanProcessor(self._memory))
        self.tracer = self._provider.get_tracer("test")

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._memory.get_finished_spans())

    def request(self, status: int, *, parent: Any = None) -> None:
        """The spans of one request: a server span, a query, a call, and some work."""
        attributes = {
            "http.request.method": "GET",
            "http.route": "/api/activities/<uuid:activity>",
            "url.scheme": "https",
            "url.path": "/api/activities/7",
            "url.query": "ttl=1",
            "server.address": "cruddur.example",
            "server.port": 4567,
            "client.address": "203.0.113.9",
            "user_agent.original": "Mozilla",
            "http.response.status_code": status,
            "enduser.pseudo.id": "u1",
            "app.cruds": 3,
        }
        name = "GET /api/activities/<uuid:activity>"
        start = self.tracer.start_as_current_span
        with start(name, parent, SpanKind.SERVER, attributes) as server:
            query = {
                "db.system.name": "postgresql",
                "db.namespace": "cruddur",
                "db.query.text": "SELECT message FROM activities WHERE uuid = $1",
                "db.query.summary": "SELECT activities",
                "server.address": "db.internal",
                "server.port": 5432,
            }
            with start("SELECT activities", kind=SpanKind.CLIENT, attributes=query):
                pass
            call = {
                "http.request.method": "POST",
                "url.full": "https://hooks.example/x",
                "server.address": "hooks.example",
                "http.response.status_code": status,
            }
            with start("POST", kind=SpanKind.CLIENT, attributes=call):
                pass
            with start("render <page>") as work:
                work.add_event("cached", {"hit": True})
            if status >= 500:
                server.set_status(StatusCode.ERROR, "it broke")


@pytest.fixture
def trace() -> Trace:
    return Trace()


def documents_of(spans: Sequence[ReadableSpan]) -> dict[str, dict[str, Any]]:
    """The documents by the names of their spans."""
    return {span.name: segment(span) for span in spans}


def make_span(name: str = "work", **parts: Any) -> ReadableSpan:
    context = SpanContext(7 << 96 | 5, 9, is_remote=False, trace_flags=TraceFlags(1))
    given = {"start_time": 1_000_000_000, "end_time": 2_000_000_000, "resource": RESOURCE}
    return ReadableSpan(name, context, **(given | parts))


# --- X1: the document -------------------------------------------------------------------

NAME = re.compile(r"[A-Za-z0-9 _.:/%&#=+\-@]{1,200}")
SPAN_ID = re.compile(r"[0-9a-f]{16}")
TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
FLAGS = {"error", "throttle", "fault", "in_progress"}
KNOWN = {
    "name", "id", "trace_id", "parent_id", "start_time", "end_time", "type", "namespace", "service",
    "user", "origin", "aws", "http", "sql", "cause", "links", "annotations", "metadata", *FLAGS,
}  # fmt: skip


def check(document: dict[str, Any]) -> None:
    """Check the rules of the X-Ray developer guide for a document."""
    assert document.keys() <= KNOWN
    assert NAME.fullmatch(document["name"])
    assert document["name"].strip() == document["name"]
    assert SPAN_ID.fullmatch(document["id"])
    assert TRACE_ID.fullmatch(document["trace_id"])
    assert isinstance(document["start_time"], float)
    if "in_progress" not in document:
        assert document["end_time"] >= document["start_time"]
    assert all(document[flag] is True for flag in FLAGS & document.keys())
    assert SPAN_ID.fullmatch(document.get("parent_id", "0" * 16))
    if "type" in document:
        assert document["type"] == "subsegment"
        assert "parent_id" in document
        assert document.keys().isdisjoint({"service", "user", "origin", "aws"})
    else:
        assert "namespace" not in document
    for key, value in document["annotations"].items():
        assert re.fullmatch(r"[A-Za-z0-9_]{1,500}", key)
        assert isinstance(value, str)
        assert len(value) <= 1000
    ids = [exception["id"] for exception in document.get("cause", {}).get("exceptions", [])]
    assert len(set(ids)) == len(ids) <= documents.MAX_EXCEPTIONS
    for exception in document.get("cause", {}).get("exceptions", []):
        assert SPAN_ID.fullmatch(exception["id"])
        assert exception.get("cause") in {None, *ids}
        assert all(
            frame.keys() == {"path", "line", "label"} for frame in exception.get("stack", [])
        )
    for link in document.get("links", []):
        assert TRACE_ID.fullmatch(link["trace_id"])
        assert SPAN_ID.fullmatch(link["id"])
    assert isinstance(document.get("http", {}).get("response", {}).get("status", 0), int)
    assert json.loads(json.dumps(document, allow_nan=False)) == document


SPAN_KEYS = [
    "http.request.method", "http.response.status_code", "http.response.body.size", "http.route",
    "url.full", "url.scheme", "url.path", "url.query", "server.address", "server.port",
    "client.address", "user_agent.original", "error.type", "db.system.name", "db.namespace",
    "db.query.text", "db.query.summary", "db.response.status_code", "enduser.pseudo.id",
]  # fmt: skip
RESOURCE_KEYS = [
    "service.name", "service.version", "deployment.environment.name", "cloud.platform",
    "aws.ecs.launchtype", "aws.log.group.names",
]  # fmt: skip
EVENT_KEYS = ["exception.type", "exception.message", "exception.stacktrace"]
FRAME = '  File "/app/cruddur/x.py", line 12, in do\n    do()\n    ^^^^\n'
CHAIN = "\nThe above exception was the direct cause of the following exception:\n\n"

text = st.text(st.characters(exclude_categories=()), max_size=30)
large = st.sampled_from(
    [
        "x" * 70_000,
        "\N{PILE OF POO}" * 20_000,
        "\0" * 20_000,
        "\ud800" * 20_000,
        '"' * 40_000,
        FRAME * 900,
        CHAIN.join([FRAME + "KeyError: k\n"] * 30),
        "aws_ecs",
        "fargate",
    ]
)
scalar = text | large | st.integers() | st.floats() | st.booleans() | st.integers(100, 599)
value = scalar | st.lists(scalar, max_size=3) | st.binary(max_size=9) | st.tuples(text) | st.none()


def some_of(names: Sequence[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Generate known and other attributes with arbitrary values."""
    others = st.dictionaries(text, value, max_size=2)
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(names, value))
    return st.builds(lambda one, other: other | one, known, others)


nanoseconds = st.integers(0, 2**63)
contexts = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    is_remote=st.booleans(),
    trace_flags=st.just(TraceFlags(1)),
)
events = st.builds(Event, st.just("exception") | text, some_of(EVENT_KEYS), timestamp=nanoseconds)


class Anything:
    """A resource whose attributes have not passed through the SDK's checks."""

    def __init__(self, attributes: dict[str, Any]) -> None:
        self.attributes = attributes


spans = st.builds(
    ReadableSpan,
    text,
    contexts,
    parent=st.none() | contexts,
    resource=st.builds(Anything, some_of(RESOURCE_KEYS)),
    attributes=some_of(SPAN_KEYS),
    events=st.lists(events, max_size=4),
    links=st.lists(st.builds(Link, contexts, some_of([])), max_size=3),
    kind=st.sampled_from(SpanKind),
    status=st.just(Status(StatusCode.UNSET)) | st.builds(Status, st.just(StatusCode.ERROR), text),
    start_time=nanoseconds,
    end_time=nanoseconds,
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(spans)
def test_X1_every_span_gives_a_valid_document_of_at_most_64_kb(span: ReadableSpan) -> None:
    document = segment(span)
    check(document)
    encoded = encode(document)
    assert encoded is not None
    assert len(encoded) <= 64_000
    sent = json.loads(encoded)
    check(sent)
    assert sent.keys() | {"links"} == document.keys() | {"links"}
    assert segment(span) == document


def test_X1_a_request_becomes_a_segment_with_what_happened_in_it(trace: Trace) -> None:
    trace.request(200)
    found = documents_of(trace.spans)
    server = found["GET /api/activities/<uuid:activity>"]
    for document in found.values():
        check(document)
        assert document["trace_id"] == server["trace_id"]
    assert {name: value for name, value in server.items() if name in KNOWN - {"metadata"}} == {
        "name": "backend-flask",
        "id": server["id"],
        "trace_id": server["trace_id"],
        "start_time": server["start_time"],
        "end_time": server["end_time"],
        "service": {"version": "1.2.3"},
        "user": "u1",
        "origin": "AWS::ECS::Fargate",
        "aws": {"cloudwatch_logs": [{"log_group": "cruddur/backend"}]},
        "http": {
            "request": {
                "method": "GET",
                "url": "https://cruddur.example:4567/api/activities/7?ttl=1",
                "client_ip": "203.0.113.9",
                "user_agent": "Mozilla",
            },
            "response": {"status": 200},
        },
        "annotations": {
            "span_name": "GET /api/activities/<uuid:activity>",
            "http_route": "/api/activities/<uuid:activity>",
            "deployment_environment": "test",
        },
    }
    assert server["metadata"]["default"]["app.cruds"] == 3
    assert server["metadata"]["default"]["otel.resource.service.name"] == "backend-flask"
    query = found["SELECT activities"]
    assert (query["type"], query["namespace"], query["name"], query["parent_id"]) == (
        "subsegment", "remote", "cruddur@db.internal", server["id"],
    )  # fmt: skip
    assert query["sql"] == {
        "database_type": "postgresql",
        "url": "postgresql://db.internal:5432/cruddur",
        "sanitized_query": "SELECT message FROM activities WHERE uuid = $1",
    }
    assert query["annotations"]["db_query_summary"] == "SELECT activities"
    assert found["POST"]["name"] == "hooks.example"
    assert found["POST"]["http"]["request"]["url"] == "https://hooks.example/x"
    work = found["render <page>"]
    assert (work["name"], "namespace" in work) == ("render page", False)
    assert work["metadata"]["default"]["otel.events"][0]["name"] == "cached"


def test_X1_an_exception_is_exported_with_its_frames_and_causes(trace: Trace) -> None:
    def fail() -> None:
        try:
            json.loads("{")
        except ValueError as error:
            raise RuntimeError("no\nway") from error

    with pytest.raises(RuntimeError), trace.tracer.start_as_current_span("work"):
        fail()
    document = segment(trace.spans[0])
    check(document)
    assert document["fault"] is True
    last, first = document["cause"]["exceptions"]
    assert (last["type"], last["message"], last["remote"]) == ("RuntimeError", "no\nway", False)
    assert last["cause"] == first["id"]
    assert first["type"] == "json.decoder.JSONDecodeError"
    assert first["message"].startswith("Expecting property name")
    assert last["stack"][0]["path"].endswith("test_xray.py")
    assert first["stack"][0]["path"].endswith("decoder.py")
    assert first["stack"][-1]["label"] == "fail"


def test_X1_a_failure_without_an_exception_is_exported_with_its_description() -> None:
    span = make_span(
        attributes={"error.type": "timeout"}, status=Status(StatusCode.ERROR, "no answer")
    )
    (exception,) = segment(span)["cause"]["exceptions"]
    assert (exception["type"], exception["message"]) == ("timeout", "no answer")


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"url.path": "/a"}, "/a"),
        ({"url.scheme": "http", "server.address": "h", "server.port": 80}, "http://h"),
        ({"url.scheme": "https", "server.address": "h", "url.path": "/"}, "https://h/"),
        ({"server.address": "::1", "server.port": 81, "url.path": "/a"}, "http://[::1]:81/a"),
    ],
)
def test_X1_the_address_of_a_request_is_put_together(
    attributes: dict[str, Any], expected: str
) -> None:
    span = make_span(kind=SpanKind.SERVER, attributes=attributes | {"http.request.method": "GET"})
    assert segment(span)["http"]["request"]["url"] == expected


@pytest.mark.parametrize(
    ("platform", "launch_type", "origin"),
    [
        ("aws_ec2", None, "AWS::EC2::Instance"),
        ("aws_ecs", None, "AWS::ECS::Container"),
        ("aws_ecs", "ec2", "AWS::ECS::EC2"),
        ("aws_elastic_beanstalk", None, "AWS::ElasticBeanstalk::Environment"),
        ("gcp_cloud_run", None, None),
    ],
)
def test_X1_the_origin_is_what_the_resource_says(
    platform: str, launch_type: str | None, origin: str | None
) -> None:
    resource = Resource({"cloud.platform": platform, "aws.log.group.names": "a&b"})
    if launch_type:
        resource = resource.merge(Resource({"aws.ecs.launchtype": launch_type}))
    document = segment(make_span(resource=resource))
    assert document.get("origin") == origin
    assert document["aws"]["cloudwatch_logs"] == [{"log_group": "a"}, {"log_group": "b"}]


def test_X1_an_unfinished_span_is_in_progress_and_one_without_ids_is_refused() -> None:
    document = segment(make_span(end_time=None))
    check(document)
    assert document["in_progress"] is True
    with pytest.raises(ValueError, match="ids"):
        segment(ReadableSpan("work", resource=RESOURCE))


def test_X1_links_lead_to_other_traces(trace: Trace) -> None:
    other = SpanContext(1 << 100 | 5, 6, is_remote=False)
    trace.tracer.start_span("stream", links=[Link(other, {"why": "closed"})]).end()
    document = segment(trace.spans[0])
    check(document)
    assert document["links"] == [
        {
            "trace_id": "1-00000010-000000000000000000000005",
            "id": "0000000000000006",
            "attributes": {"why": "closed"},
        }
    ]


# --- X2: the daemon -----------------------------------------------------------------------


@pytest.fixture
def xray_daemon() -> Iterator[FakeXRayDaemon]:
    with FakeXRayDaemon() as fake:
        yield fake


@pytest.fixture
def make_exporter() -> Iterator[Callable[[str], DaemonExporter]]:
    made: list[DaemonExporter] = []

    def make(address: str) -> DaemonExporter:
        made.append(DaemonExporter(address))
        return made[-1]

    yield make
    for exporter in made:
        exporter.shutdown()


def test_X2_every_span_is_one_datagram_with_the_exact_header(
    trace: Trace, xray_daemon: FakeXRayDaemon, make_exporter: Callable[[str], DaemonExporter]
) -> None:
    for status in (200, 404, 500):
        trace.request(status)
    exporter = make_exporter(xray_daemon.address)
    assert exporter.export(trace.spans) is SpanExportResult.SUCCESS
    xray_daemon.wait_for(lambda: len(xray_daemon.datagrams) == len(trace.spans))
    assert xray_daemon.malformed == []
    assert xray_daemon.documents == [segment(span) for span in trace.spans]
    assert HEADER == daemon.HEADER == b'{"format":"json","version":1}\n'


def test_X2_a_span_that_is_too_large_is_trimmed_and_one_that_stays_so_is_counted(
    xray_daemon: FakeXRayDaemon,
    make_exporter: Callable[[str], DaemonExporter],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event = Event("exception", {"exception.type": "E", "exception.stacktrace": FRAME * 100})
    span = make_span(
        attributes={
            "db.system.name": "postgresql",
            "db.query.text": "S" * 100_000,
            "a": "a" * 100_000,
        },
        events=[event],
        kind=SpanKind.SERVER,
    )
    exporter = make_exporter(xray_daemon.address)
    exporter.export([span])
    xray_daemon.wait_for(lambda: xray_daemon.documents)
    (document,) = xray_daemon.documents
    check(document)
    assert len(xray_daemon.datagrams[0]) <= 65_507
    assert document["metadata"] == {"default": {"otel.trimmed": True}}
    assert document["sql"]["sanitized_query"] == "S" * 1000
    assert document["cause"]["exceptions"][0]["truncated"] == 100
    assert exporter.oversized == 0

    monkeypatch.setattr(documents, "MAX_BYTES", 200_000)  # more than a datagram holds
    huge = make_span(attributes={"a": "a" * 100_000})
    monkeypatch.setattr(documents, "_TRIMMINGS", ())
    exporter.export([huge, make_span("next")])
    assert exporter.oversized == 1
    monkeypatch.setattr(documents, "MAX_BYTES", 10)
    exporter.export([make_span()])
    assert exporter.oversized == 2
    xray_daemon.wait_for(lambda: len(xray_daemon.documents) == 2)
    assert xray_daemon.documents[1]["annotations"]["span_name"] == "next"


def test_X2_the_least_useful_data_is_removed_first() -> None:
    event = Event("exception", {"exception.type": "E", "exception.stacktrace": FRAME * 40})
    document = segment(make_span(attributes={"a": "a" * 61_500}, events=[event]))
    sent = json.loads(encode(document) or b"")
    assert sent["metadata"]["default"]["a"] == "a" * 61_500
    assert sent["cause"]["exceptions"][0]["truncated"] == 40
    assert "stack" in document["cause"]["exceptions"][0]


def test_X6_a_daemon_that_is_absent_is_no_error_and_no_delay(
    trace: Trace, make_exporter: Callable[[str], DaemonExporter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", pytest.fail)
    trace.request(200)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    exporter = make_exporter(f"127.0.0.1:{port}")
    for _ in range(10):
        assert exporter.export(trace.spans) is SpanExportResult.SUCCESS


def test_X2_a_name_is_looked_up_until_it_is_found_and_again_later(
    xray_daemon: FakeXRayDaemon,
    make_exporter: Callable[[str], DaemonExporter],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lookups: list[str] = []
    responses: dict[str, str] = {}

    def getaddrinfo(host: str, port: int, **_: object) -> list[Any]:
        lookups.append(host)
        if host not in responses:
            raise socket.gaierror("Name or service not known")
        found = (socket.AF_INET, socket.SOCK_DGRAM, 0, "", (responses[host], port))
        return [(socket.AF_INET6, socket.SOCK_DGRAM, 0, "", ("::1", port, 0, 0)), found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    port = xray_daemon.address.partition(":")[2]
    exporter = make_exporter(f"xray-daemon:{port}")
    assert lookups == []
    with pytest.raises(ExportError, match=f"cannot find the X-Ray daemon at xray-daemon:{port}"):
        exporter.export([make_span()])
    responses["xray-daemon"] = "127.0.0.1"
    exporter.export([make_span("1")])
    exporter.export([make_span("2")])
    assert len(lookups) == 2
    monkeypatch.setattr(daemon, "RESOLVE_SECONDS", 0.0)
    exporter.export([make_span("3")])
    responses.clear()
    exporter.export([make_span("4")])
    assert len(lookups) == 4
    xray_daemon.wait_for(lambda: len(xray_daemon.documents) == 4)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("127.0.0.1:2000", ("127.0.0.1", 2000)),
        ("xray-daemon:2000", ("xray-daemon", 2000)),
        ("[::1]:2000", ("::1", 2000)),
        ("tcp:127.0.0.1:2000 udp:127.0.0.2:2001", ("127.0.0.2", 2001)),
        ("udp:127.0.0.2:2001 tcp:127.0.0.1:2000", ("127.0.0.2", 2001)),
    ],
)
def test_X2_every_form_of_the_address_is_understood(value: str, expected: tuple[str, int]) -> None:
    assert parse_daemon_address(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "xray",
        "xray:",
        ":2000",
        "xray:0",
        "xray:70000",
        "xray:x",
        "tcp:xray:2000",
        "a:1 b:2",
        "http://xray:2000",
        "::1:2000",
    ],
)
def test_X2_another_address_is_refused_with_its_forms(value: str) -> None:
    with pytest.raises(ValueError, match="AWS_XRAY_DAEMON_ADDRESS has to be host:port"):
        DaemonExporter(value)


# --- X3: PutTraceSegments -----------------------------------------------------------------


@pytest.fixture
def aws_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[dict[str, str]], None]:
    """Set exactly these AWS variables, regardless of the environment."""
    nowhere = str(tmp_path_factory.getbasetemp() / "no-such-file")

    def become(variables: dict[str, str]) -> None:
        names = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "REGION")
        for name in names:
            monkeypatch.delenv(f"AWS_{name}", raising=False)
        files = {"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere}
        for name, setting in (files | variables).items():
            monkeypatch.setenv(name, setting)

    return become


@pytest.fixture
def exporter() -> Iterator[PutTraceSegmentsExporter]:
    made = PutTraceSegmentsExporter()
    yield made
    made.shutdown()


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Skip the pauses between botocore's attempts."""
    naps: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=naps.append))
    return naps


def test_X3_documents_are_accepted_and_returned_equal(
    trace: Trace, exporter: PutTraceSegmentsExporter, aws_environment: Callable[..., None]
) -> None:
    for status in (200, 500, 404, 429):
        trace.request(status)
    with FakeAws() as aws:
        aws_environment(aws.environment)
        assert exporter.export(trace.spans) is SpanExportResult.SUCCESS
        expected = [segment(span) for span in trace.spans]
        ids = sorted({document["trace_id"] for document in expected})
        assert ids == sorted({trace_id(span.context.trace_id) for span in trace.spans})
        traces = aws.batch_get_traces(ids)
    found = {document["id"]: document for one in traces.values() for document in one}
    assert found == {document["id"]: document for document in expected}
    flags = {}
    for document in found.values():
        if "type" not in document:
            status = document["http"]["response"]["status"]
            flags[status] = sorted({"error", "fault", "throttle"} & document.keys())
        else:
            assert found[document["parent_id"]]["trace_id"] == document["trace_id"]
            assert "type" not in found[document["parent_id"]]
    assert flags == {200: [], 500: ["fault"], 404: ["error"], 429: ["error", "throttle"]}


def test_X3_a_call_carries_fifty_documents_at_most(
    exporter: PutTraceSegmentsExporter, aws_environment: Callable[..., None]
) -> None:
    with Sink() as sink:
        aws_environment(environment(sink.url))
        exporter.export([make_span() for _ in range(120)])
        sizes = [len(request.json()["TraceSegmentDocuments"]) for request in sink.requests]
        assert sizes == [50, 50, 20]
        assert {(request.method, request.path) for request in sink.requests} == {
            ("POST", "/TraceSegments")
        }
        assert all("traceparent" not in request.headers for request in sink.requests)


def test_X3_documents_that_were_not_processed_are_a_failure(
    exporter: PutTraceSegmentsExporter, aws_environment: Callable[..., None]
) -> None:
    class Choosy(Sink):
        def respond(self, _: Received) -> Response:
            rejected = [{"Id": "1", "ErrorCode": "Bad", "Message": "no"}]
            return Response(200, json.dumps({"UnprocessedTraceSegments": rejected}).encode())

    with Choosy() as sink:
        aws_environment(environment(sink.url))
        with pytest.raises(ExportError, match=r"did not process 2 of 60 documents.*Bad no"):
            exporter.export([make_span() for _ in range(60)])


@pytest.mark.parametrize("mode", ["refuse", "hang", "401", "429", "500"])
def test_X3_an_api_that_fails_is_reported_in_bounded_time(
    mode: Mode,
    exporter: PutTraceSegmentsExporter,
    aws_environment: Callable[..., None],
    naps: list[float],
) -> None:
    with Sink() as sink:
        sink.mode = mode
        aws_environment(environment(sink.url))
        failing = PutTraceSegmentsExporter(read_timeout=0.2) if mode == "hang" else exporter
        with pytest.raises(ExportError, match=r"\w"):
            failing.export([make_span()])
        assert len(naps) == (0 if mode == "401" else 2)
        attempts = {"refuse": 0, "401": 1}.get(mode, 3)
        sink.wait_for(lambda: len(sink.requests) >= attempts)
        assert len(sink.requests) == attempts
        sink.mode = "ok"
        assert exporter.export([make_span()]) is SpanExportResult.SUCCESS
        failing.shutdown()


def test_X3_a_span_that_fits_into_no_document_is_counted(
    exporter: PutTraceSegmentsExporter,
    aws_environment: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 10)
    with Sink() as sink:
        aws_environment(environment(sink.url))
        exporter.export([make_span()])
        assert (exporter.oversized, sink.requests) == (1, [])


# --- X4: signed OTLP ------------------------------------------------------------------------

TOKEN = "session-token"


@pytest.fixture
def signed() -> Iterator[FakeSignedOtlp]:
    with FakeSignedOtlp(Credentials("testing", "testing-secret", TOKEN), REGION) as fake:
        yield fake


@pytest.fixture
def otlp(signed: FakeSignedOtlp) -> Iterator[OTLPSpanExporter]:
    exporter = OTLPSpanExporter(
        f"{signed.url}/v1/traces",
        session=signed_session(REGION),
        compression=Compression.Gzip,
        timeout=PATIENCE,
    )
    yield exporter
    exporter.shutdown()


def test_X4_the_signature_verifies_with_session_token_and_gzip(
    trace: Trace,
    signed: FakeSignedOtlp,
    otlp: OTLPSpanExporter,
    aws_environment: Callable[..., None],
) -> None:
    aws_environment(environment("http://127.0.0.1:1", TOKEN))
    trace.request(200)
    for _ in range(2):
        assert otlp.export(trace.spans) is SpanExportResult.SUCCESS
    assert signed.problems == []
    signature = signed.signatures[1]
    assert (signature.service, signature.region) == ("xray", REGION)
    assert signature.session_token == TOKEN
    assert {"content-encoding", "content-type"} < set(signature.signed_headers)
    assert signed.requests[0].headers["Content-Encoding"] == "gzip"
    assert signed.requests[0].headers.get_all("X-Amz-Date") is not None
    assert [span.name for span in signed.spans] == [span.name for span in trace.spans] * 2


def test_X4_headers_and_certificates_of_another_backend_do_not_reach_aws(
    signed: FakeSignedOtlp,
    aws_environment: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws_environment(environment("http://127.0.0.1:1", TOKEN))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary,x-key=canary")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nonexistent")
    session = signed_session(REGION)
    exporter = OTLPSpanExporter(f"{signed.url}/v1/traces", session=session, timeout=PATIENCE)
    assert exporter.export([make_span()]) is SpanExportResult.SUCCESS
    assert signed.problems == []
    assert "canary" not in str(signed.requests[0].headers)
    assert session.verify is True
    exporter.shutdown()


def test_X4_a_wrong_secret_is_a_failure(
    signed: FakeSignedOtlp, otlp: OTLPSpanExporter, aws_environment: Callable[..., None]
) -> None:
    aws_environment(environment(signed.url, TOKEN))
    signed.credentials = Credentials("testing", "another-secret", TOKEN)
    assert otlp.export([make_span()]) is SpanExportResult.FAILURE
    assert signed.problems == ["The request signature we calculated does not match"]


def test_X4_without_credentials_nothing_is_sent_until_there_are_some(
    signed: FakeSignedOtlp, otlp: OTLPSpanExporter, aws_environment: Callable[..., None]
) -> None:
    aws_environment({"AWS_EC2_METADATA_DISABLED": "true"})
    assert otlp.export([make_span()]) is SpanExportResult.FAILURE
    missing = pytest.raises(ExportError, match="no AWS credentials were found")
    with signed_session(REGION) as session, missing:
        session.post(signed.url)
    assert signed.requests == []
    aws_environment(environment(signed.url, TOKEN))
    assert otlp.export([make_span()]) is SpanExportResult.SUCCESS


def test_X4_credentials_are_renewed(
    signed: FakeSignedOtlp, otlp: OTLPSpanExporter, aws_environment: Callable[..., None]
) -> None:
    class Role(Sink):
        """The credentials of an ECS task: others at every request, soon to expire."""

        def respond(self, _: Received) -> Response:
            number = len(self.requests)
            expiration = datetime.now(UTC) + timedelta(minutes=1)
            signed.credentials = Credentials("testing", f"secret-{number}", f"token-{number}")
            body = {
                "AccessKeyId": "testing",
                "SecretAccessKey": f"secret-{number}",
                "Token": f"token-{number}",
                "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            return Response(200, json.dumps(body).encode())

    with Role() as role:
        aws_environment({"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{role.url}/credentials"})
        for _ in range(2):
            assert otlp.export([make_span()]) is SpanExportResult.SUCCESS
    first, second = (signature.session_token for signature in signed.signatures)
    assert first != second


def test_X4_the_default_endpoint_is_the_regions() -> None:
    assert endpoint("eu-central-1") == "https://xray.eu-central-1.amazonaws.com/v1/traces"


def test_the_package_can_be_imported_without_the_aws_extra() -> None:
    modules = "documents, daemon, api, sigv4"
    code = (
        "import sys; sys.modules.update(boto3=None, botocore=None)\n"
        f"from cruddur.telemetry.xray import {modules}\n"
        "sigv4.signed_session('us-east-1').close(); api.PutTraceSegmentsExporter()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
