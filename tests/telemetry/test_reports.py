"""Failures are reported once, in full and without private data; reporting never fails."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import asyncpg
import httpx
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from quart import Quart
from serving import served

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.export_queue import ExportQueue
from cruddur.telemetry.logs import ExportHandler, Line
from cruddur.telemetry.pipeline import Telemetry
from cruddur.telemetry.xray.documents import segment
from fakes.rollbar import FakeRollbar
from support import Api, refused, serving
from telemetry.recorded import Recorded, Reports, attributes


class BrokenReporter:
    """A reporter that itself fails."""

    def report(self, _: object) -> str:
        raise OSError("the reporter broke")


async def test_R5_a_failing_reporter_does_not_fail_the_request(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(settings, Telemetry(settings, reporters=[BrokenReporter()]))

    @app.get("/trial/fail")
    async def fail() -> str:
        raise RuntimeError("it broke")

    async with serving(app) as api:
        response = await api.request("GET", "/trial/fail", expect=500)
    assert refused(response) == ["generic_500"]
    assert "traceresponse" in response.headers
    assert "a failure could not be reported" in caplog.messages


def test_L5_a_line_that_cannot_be_formatted_fails_no_request(
    capsys: pytest.CaptureFixture[str],
) -> None:
    export_queue = ExportQueue[Line]("trial", lambda _: None)
    logger = logging.Logger("trial")
    logger.addHandler(ExportHandler(export_queue))
    logger.warning("number %d", "one")
    assert export_queue.status().queued == 0
    assert "Logging error" in capsys.readouterr().err


async def test_L5_a_failing_stream_is_logged_once_and_without_its_text(
    served: str, recorded: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    export_queue = ExportQueue[Line]("trial", lambda _: None)
    handler = ExportHandler(export_queue)
    logging.getLogger().addHandler(handler)
    try:
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(f"{served}/trial/stream-in-words-of?term=canary-song")
        await recorded.until(lambda r: len(r.servers) == 1)
    finally:
        logging.getLogger().removeHandler(handler)
    lines = list(export_queue._queue)  # the queue was never started, so it still holds the items
    errors = [line for line in lines if line.severity >= logging.ERROR]
    assert [line.logger for line in errors] == ["cruddur.telemetry.error_reporting"]
    assert "canary" not in str(lines)


async def test_X1_x_ray_gets_the_causes_of_a_failure(
    traced: Api, recorded: Recorded, reports: Reports
) -> None:
    await traced.http.get("/trial/caused")
    causes = segment(recorded.server)["cause"]["exceptions"]
    assert [cause["type"].rpartition(".")[2] for cause in causes] == ["TrialError", "KeyError"]
    assert all(cause["stack"] for cause in causes)


@pytest.mark.parametrize("path", ["/trial/abort/500", "/trial/abort/503"])
async def test_R2_a_response_of_500_or_more_is_reported(
    traced: Api, reports: Reports, path: str
) -> None:
    await traced.http.get(path)
    assert len(reports.failures) == 1


async def test_R2_a_database_that_went_away_is_one_report_and_503(
    settings: Settings, reports: Reports, database: asyncpg.Connection
) -> None:
    reports.failures.clear()
    app = create_app(settings, Telemetry(settings, reporters=[reports]))

    @app.get("/trial/cut")
    async def cut() -> str:
        pool = app.extensions["cruddur"].database
        async with pool.transaction() as conn:
            pid = await conn.fetchval("SELECT pg_backend_pid()")
            assert await database.fetchval("SELECT pg_terminate_backend($1, 60000)", pid)
            await conn.fetchval("SELECT true")
        return "never"

    async with serving(app) as api:
        assert refused(await api.request("GET", "/trial/cut", expect=503)) == ["unavailable"]
        assert await api.get("/api/activities/home") == []
    assert [failure.what for failure in reports.failures] == ["the database"]


async def test_a_failing_rollback_does_not_hide_the_error(
    settings: Settings, database: asyncpg.Connection, app: Quart
) -> None:
    async def fail_without_a_connection() -> None:
        async with app.extensions["cruddur"].database.transaction() as conn:
            pid = await conn.fetchval("SELECT pg_backend_pid()")
            assert await database.fetchval("SELECT pg_terminate_backend($1, 60000)", pid)
            raise LookupError("ours")

    with pytest.raises(LookupError, match="ours"):
        await fail_without_a_connection()


async def test_S6_a_disconnect_while_a_transaction_begins_is_not_an_error(
    app: Quart, database: asyncpg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    pool = app.extensions["cruddur"].database

    async def write() -> None:
        async with pool.transaction() as conn:
            await conn.fetchval("SELECT true")

    for number in range(60):
        task = asyncio.create_task(write())
        for _ in range(number % 12):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []


def test_a_failure_outside_of_any_operation_is_reported_and_not_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = ValueError("outside of a request")
    report(error, "the trial")
    report(error, "the trial")
    assert caplog.messages == ["the trial failed: outside of a request"]


def test_several_hosts_in_the_address_of_the_database(worker_settings: Settings) -> None:
    several = replace(worker_settings, connection_url="postgresql://u:p@h1:5432,h2:5432/db")
    assert Telemetry(several).instruments.database == {
        "db.system.name": "postgresql",
        "db.namespace": "db",
    }


async def test_a_head_response_has_no_body(settings: Settings) -> None:
    exporter = InMemorySpanExporter()
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(exporter)])
    async with serving(create_app(settings, telemetry)) as api:
        await api.http.head("/api/activities/home")
    assert attributes(Recorded(exporter).server)["http.response.body.size"] == 0


def test_R2_a_start_that_fails_before_there_is_an_application_is_reported(
    tmp_path: Path,
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    with FakeRollbar("token") as rollbar:
        options = {"ROLLBAR_ACCESS_TOKEN": "token", "ROLLBAR_ENDPOINT": rollbar.endpoint}
        with (
            pytest.raises(AssertionError, match="cruddur: "),
            served(nowhere, tmp_path, **options),
        ):
            pass
        [item] = rollbar.items
    assert item["context"] == "the start or the stop"
