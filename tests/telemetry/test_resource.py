"""One resource for all sinks, and the sampled flag of exported log records."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from serving import patient, served, trace_id

from fakes.otlp import OtlpSink
from fakes.rollbar import FakeRollbar
from fakes.xray_daemon import FakeXRayDaemon
from processes import Serve

RESOURCE = {
    "service.name": "bridge",
    "service.version": "1701-D",
    "service.instance.id": "deck-1",
    "deployment.environment.name": "federation",
    "cloud.region": "alpha-quadrant",
}


@pytest.fixture(scope="module")
async def resource_dsn(make_database: Callable[..., Any]) -> str:
    dsn: str = await make_database()
    return dsn


def test_resource_attributes_are_the_same_in_every_sink(resource_dsn: str, tmp_path: Path) -> None:
    """And log records carry the sampled flag of their trace."""
    with (
        OtlpSink() as otlp,
        FakeRollbar() as rollbar,
        FakeXRayDaemon() as daemon,
        served(
            resource_dsn,
            tmp_path,
            OTEL_RESOURCE_ATTRIBUTES=",".join(f"{key}={text}" for key, text in RESOURCE.items()),
            OTEL_EXPORTER_OTLP_ENDPOINT=otlp.url,
            OTEL_LOGS_EXPORTER="otlp",
            ROLLBAR_ACCESS_TOKEN="a-token",
            ROLLBAR_ENDPOINT=rollbar.endpoint,
            AWS_XRAY_DAEMON_ADDRESS=daemon.address,
            **patient(tmp_path),
        ) as service,
    ):
        trace = trace_id(service.http.get("/rollbar/test"))
        assert service.stop().code == 0
        daemon.wait_for(lambda: [one for one in daemon.documents if trace[8:] in one["trace_id"]])
        lines = service.lines

    records = [record for record in otlp.logs if record.trace_id == trace]
    assert {record.flags & 1 for record in records} == {1}
    assert all(record.scope == record.attributes["logger"] for record in otlp.logs)
    assert "cruddur.request" in {record.scope for record in records}
    for received in (otlp.spans, otlp.metrics, otlp.logs):
        assert received
        for one in received:
            assert RESOURCE.items() <= one.resource.items()
    in_lines = RESOURCE.keys() - {"cloud.region"}
    for line in lines:
        assert {key: line[key] for key in in_lines} == {key: RESOURCE[key] for key in in_lines}
    [item] = rollbar.items
    assert item["environment"] == "federation"
    assert item["code_version"] == "1701-D"
    assert (item["custom"]["service"], item["custom"]["instance"]) == ("bridge", "deck-1")
    segments = [one for one in daemon.documents if one.get("type") != "subsegment"]
    assert segments
    for segment in segments:
        assert segment["name"] == "bridge"
        assert segment["service"] == {"version": "1701-D"}
        assert segment["annotations"]["deployment_environment"] == "federation"
        metadata = segment["metadata"]["default"]
        for key in ("service.instance.id", "cloud.region"):
            assert metadata[f"otel.resource.{key}"] == RESOURCE[key]


def test_log_records_of_a_trace_that_is_not_sampled_carry_its_flag(
    resource_dsn: str, tmp_path: Path
) -> None:
    with (
        OtlpSink() as otlp,
        served(
            resource_dsn,
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=otlp.url,
            OTEL_LOGS_EXPORTER="otlp",
            OTEL_TRACES_SAMPLER="always_off",
            **patient(tmp_path),
        ) as service,
    ):
        response = service.http.get("/api/activities/home")
        assert service.stop().code == 0
    flags = int(response.headers["traceresponse"].split("-")[3], 16)
    assert flags & 1 == 0
    [record] = [line for line in otlp.logs if line.trace_id == trace_id(response)]
    assert record.flags == flags


def test_all_lines_of_a_process_have_one_instance_id(serve: Serve) -> None:
    """Also those that the command logs before it knows the address of its database."""
    service = serve().wait()
    assert service.stop() == 0
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    assert {"cruddur", "hypercorn.error"} <= {line["logger"] for line in lines}
    assert len({line["service.instance.id"] for line in lines}) == 1


def test_variables_without_effect_are_one_line_of_the_whole_service(
    resource_dsn: str, tmp_path: Path
) -> None:
    with served(
        resource_dsn, tmp_path, workers=2, OTEL_LOG_LEVEL="debug", OTEL_TRACES_EXPORTR="none"
    ) as service:
        assert service.stop().code == 0
        [line] = [one for one in service.lines if "no effect" in one["message"]]
    assert line["level"] == "WARNING"
    assert line["message"].endswith(": OTEL_LOG_LEVEL, OTEL_TRACES_EXPORTR")
