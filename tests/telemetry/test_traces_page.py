"""Requirement H4: `make run` shows a request as a waterfall, with its SQL and its log lines."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakes.honeycomb import FakeHoneycomb
from patience import PATIENCE
from support import free_port
from telemetry.recorded import WAIT
from telemetry.serving import Served, served

HOME = "/api/activities/home"


@pytest.fixture
def port() -> int:
    """A port for the page."""
    return free_port()


@pytest.fixture
def service(dsn: str, tmp_path: Path, port: int) -> Iterator[Served]:
    with served(
        dsn,
        tmp_path,
        "--traces",
        CRUDDUR_TRACES_BIND=f"127.0.0.1:{port}",
        OTEL_BSP_SCHEDULE_DELAY="50",
    ) as running:
        yield running


def shown(running: Served, port: int, trace_id: str) -> dict[str, Any]:
    """Return the trace once its spans and its log lines have arrived."""

    def whole() -> dict[str, Any] | None:
        response = httpx.get(f"http://127.0.0.1:{port}/api/traces/{trace_id}", trust_env=False)
        found: dict[str, Any] = response.json()
        is_whole = response.status_code == 200 and found["logs"] and len(found["spans"]) >= 3
        return found if is_whole else None

    return running.until(whole)


def test_H4_the_page_shows_the_waterfall_of_a_request_and_ends_with_the_service(
    service: Served, port: int
) -> None:
    response = service.http.get(HOME)
    trace_id = response.headers["traceresponse"].split("-")[1]
    found = shown(service, port, trace_id)
    names = {span["span_id"]: span["name"] for span in found["spans"]}
    parents = {
        span["name"]: names.get(span["parent_span_id"] or "", "")
        for span in found["spans"]
        if span["name"] != WAIT
    }
    assert parents == {
        f"GET {HOME}": "",
        "home-activities": f"GET {HOME}",
        "SELECT activities.home": "home-activities",
    }
    kinds = {span["name"]: span["kind"] for span in found["spans"]}
    assert kinds[f"GET {HOME}"] == "SERVER"
    assert kinds["SELECT activities.home"] == "CLIENT"
    assert "GET /api/activities/home 200" in str(found["logs"])
    page = httpx.get(f"http://127.0.0.1:{port}/trace/{trace_id}", trust_env=False)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert f"http://localhost:{port}" in service.lines[0]["message"]
    assert service.stop(signal.SIGINT).code == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)


def test_H4_a_killed_service_leaves_no_page_behind(service: Served, port: int) -> None:
    service.http.get(HOME)
    service.process.kill()
    service.process.wait()

    def is_gone() -> bool:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
        except httpx.TransportError:
            return True
        return False

    service.until(is_gone)


def test_H4_a_page_that_runs_already_is_used(dsn: str, tmp_path: Path, port: int) -> None:
    page = subprocess.Popen(
        [sys.executable, "-m", "traceview", "--in-memory", "--bind", f"127.0.0.1:{port}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert page.stdout is not None
        assert page.stdout.readline() == f"traceview: http://127.0.0.1:{port}\n"
        options = {"CRUDDUR_TRACES_BIND": f"127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with served(dsn, tmp_path, "--traces", **options) as service:
            response = service.http.get(HOME)
            shown(service, port, response.headers["traceresponse"].split("-")[1])
            assert service.stop().code == 0
        assert httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    finally:
        page.terminate()
        page.communicate(timeout=PATIENCE)


def test_H4_a_port_in_use_disables_only_the_page(dsn: str, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        bind = f"127.0.0.1:{other.getsockname()[1]}"
        options = {"CRUDDUR_TRACES_BIND": bind}
        with served(dsn, tmp_path, "--traces", **options) as service:
            assert service.http.get(HOME).status_code == 200
            assert f"Traces: none: {bind} is in use by another program" in service.text


def test_H4_a_page_on_another_machine_is_used_and_not_started(dsn: str, tmp_path: Path) -> None:
    options = {"CRUDDUR_TRACES_BIND": "traces.invalid:4318"}
    with served(dsn, tmp_path, "--traces", **options) as service:
        assert service.http.get(HOME).status_code == 200
        assert "Traces: none: no trace explorer runs at traces.invalid:4318" in service.text


def test_H4_telemetry_that_goes_elsewhere_needs_no_page(
    dsn: str, tmp_path: Path, port: int
) -> None:
    with FakeHoneycomb() as backend:
        options = {
            "CRUDDUR_TRACES_BIND": f"127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_ENDPOINT": backend.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
        with served(dsn, tmp_path, "--traces", **options) as service:
            service.http.get(HOME)
            backend.wait_for(lambda: backend.spans)
            assert not re.search("Traces:", service.text)
            with pytest.raises(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
