"""The demo identity in a container, and settings that Compose uses."""

import json
from pathlib import Path

import httpx
import pytest
import yaml

from cruddur.settings import Settings, SettingsError
from fakes.otlp import OtlpSink
from processes import Serve, cruddur

ROOT = Path(__file__).parents[2]

CONTAINER = {"CRUDDUR_BIND": "0.0.0.0", "CRUDDUR_DEMO_HANDLE": "andrewbrown"}


def test_hardening_26_the_demo_identity_works_where_the_port_is_published_on_loopback(
    serve: Serve, dsn: str
) -> None:
    running = serve(
        "--setup", CONNECTION_URL=dsn, **CONTAINER, CRUDDUR_PUBLISHED_ON="loopback"
    ).wait()
    posted = httpx.post(
        f"{running.url}/api/activities", json={"message": "without a token", "ttl": "1-hour"}
    )
    assert posted.status_code == 200
    assert posted.json()["handle"] == "andrewbrown"
    assert running.stop() == 0


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({}, "bound to loopback"),
        ({"CRUDDUR_PUBLISHED_ON": "everywhere"}, "CRUDDUR_PUBLISHED_ON"),
        ({"CRUDDUR_PUBLISHED_ON": "loopback", "CRUDDUR_ENVIRONMENT": "production"}, "production"),
    ],
)
def test_hardening_26_the_demo_identity_is_refused_otherwise(
    data: Path, more: dict[str, str], named: str
) -> None:
    response = cruddur(data, "serve", **CONTAINER, **more)
    assert response.returncode == 1
    [line] = response.stderr.splitlines()
    assert named in line


def test_hardening_26_published_on_alone_gives_no_identity(serve: Serve, dsn: str) -> None:
    running = serve("--setup", CONNECTION_URL=dsn, CRUDDUR_PUBLISHED_ON="loopback").wait()
    body = {"message": "without a token", "ttl": "1-hour"}
    assert httpx.post(f"{running.url}/api/activities", json=body).status_code == 401
    assert running.stop() == 0


def test_hardening_26_compose_declares_how_its_ports_are_published() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    for service in services.values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
    backend = services["backend"]["environment"]
    assert backend["CRUDDUR_PUBLISHED_ON"] == "loopback"
    assert backend["CRUDDUR_DEMO_HANDLE"] == "${CRUDDUR_DEMO_HANDLE:-}"
    for name in ("compose.prod.yaml", "deploy/service.yaml", "Dockerfile.prod"):
        text = (ROOT / name).read_text("utf-8")
        assert "CRUDDUR_PUBLISHED_ON" not in text
        assert "CRUDDUR_DEMO_HANDLE" not in text


def test_hardening_26_honeycombs_service_name_works_everywhere(serve: Serve, dsn: str) -> None:
    with OtlpSink() as sink:
        running = serve(
            CONNECTION_URL=dsn,
            HONEYCOMB_SERVICE_NAME="backend-flask",
            OTEL_SERVICE_NAME="",
            OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
            OTEL_EXPORTER_OTLP_HEADERS="x-honeycomb-team=abc,x-more=d%20e",
            LOG_FORMAT="json",
        ).wait()
        assert running.stop() == 0
        spans = sink.wait_for(lambda: sink.spans)
        assert {span.service for span in spans} == {"backend-flask"}
        for request in sink.requests:
            assert request.headers["x-honeycomb-team"] == "abc"
            assert request.headers["x-more"] == "d e"
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    assert {line["service.name"] for line in lines} == {"backend-flask"}


def test_hardening_26_the_standard_name_of_the_service_wins() -> None:
    names = {"HONEYCOMB_SERVICE_NAME": "backend-flask", "OTEL_SERVICE_NAME": "cruddur-eu"}
    assert Settings.from_env(names).service_name == "cruddur-eu"
    assert Settings.from_env({}).service_name == "cruddur"


def test_hardening_26_malformed_headers_are_named() -> None:
    with pytest.raises(SettingsError, match=r"^OTEL_EXPORTER_OTLP_HEADERS"):
        Settings.from_env({"OTEL_EXPORTER_OTLP_HEADERS": "x-honeycomb-team"})
