"""A database condition leads to 503 with Retry-After, and is reported once a minute."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import pytest
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from cruddur.telemetry import error_reporting
from cruddur.telemetry.pipeline import Telemetry
from outage import FOREVER, Limits
from relay import relaying
from support import Api, Member, refused, serving
from telemetry.recorded import Reports

ORIGIN = "http://localhost:3000"
DRAFT = {"message": "Today is a good day to crud", "ttl": "1-day"}

CONDITIONS = [
    "08006",  # connection failure
    "25006",  # read-only transaction
    "25P03",  # idle in transaction for too long
    "53000",  # insufficient resources
    "53100",  # disk full
    "53200",  # out of memory
    "53300",  # too many connections
    "53400",  # configuration limit exceeded
    "55P03",  # lock not available
    "57014",  # query canceled
    "57P01",  # admin shutdown
    "57P02",  # crash shutdown
    "57P03",  # cannot connect now
    "57P04",  # database dropped
    "57P05",  # idle session timeout
    "58000",  # system error
    "58030",  # I/O error
    "58P01",  # undefined file
]


@dataclass
class Trial:
    """A service on a database of its own, with what it reports."""

    api: Api
    conn: asyncpg.Connection
    member: Member
    reports: Reports
    app: Quart

    async def post(self, code: str, times: int = 1) -> None:
        """Post cruds; the INSERT of each one meets a condition."""
        await self.conn.execute(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE 'refused' USING ERRCODE = '{code}'; END $$;"
            " CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON activities"
            " FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
        for _ in range(times):
            response = await self.member.request(
                "POST", "/api/activities", json=DRAFT, headers={"Origin": ORIGIN}, expect=503
            )
            assert refused(response) == ["unavailable"]
            assert int(response.headers["retry-after"]) > 0
            assert response.headers["access-control-allow-origin"] == ORIGIN
        await self.conn.execute("DROP TRIGGER refuse ON activities")

    def told(self) -> list[str]:
        return [failure.what for failure in self.reports.failures]


@asynccontextmanager
async def _trial(settings: Settings, dsn: str, owner_dsn: str = "") -> AsyncIterator[Trial]:
    reports = Reports()
    own = replace(settings, connection_url=dsn)
    app = create_app(own, Telemetry(own, reporters=[reports]))
    conn = await asyncpg.connect(owner_dsn or dsn)
    try:
        async with serving(app) as api:
            member = await Member.enter(api, conn, app, "worf", "Worf")
            yield Trial(api, conn, member, reports, app)
    finally:
        await conn.close()


@pytest.mark.parametrize("code", CONDITIONS)
async def test_hardening_10_a_condition_is_503_and_passes(
    settings: Settings, make_database: Callable[..., Any], code: str
) -> None:
    async with _trial(settings, await make_database()) as trial:
        await trial.post(code)
        await trial.member.crud()
        assert trial.told() == ["the database"]


async def test_hardening_10_a_condition_is_reported_once_a_minute(
    settings: Settings,
    make_database: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = error_reporting.monotonic()
    monkeypatch.setattr(error_reporting, "monotonic", lambda: now)
    async with _trial(settings, await make_database()) as trial:
        await trial.post("53100", times=20)
        assert trial.told() == ["the database"]
        errors = [line for line in caplog.records if line.levelno >= logging.ERROR]
        assert len(errors) == 1, "of the log as well"

        await trial.post("58030")
        assert trial.told() == ["the database"] * 2, "another condition is reported"
        now += 59
        await trial.post("53100")
        assert len(trial.told()) == 2
        now += 2
        await trial.post("53100", times=2)
        assert trial.told()[2:] == ["the database (and 20 more since the last report)"]


async def test_hardening_10_each_time_limit_is_a_condition_of_its_own(
    settings: Settings, make_database: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(monkeypatch)
    dsn: str = await make_database()
    async with relaying(dsn) as relay:
        own = replace(settings, pool_size=1, statement_timeout=FOREVER)
        async with _trial(own, relay.dsn(dsn), dsn) as trial:
            path, database = "/api/message_groups", trial.app.extensions["cruddur"].database
            await trial.member.get(path)
            async with database.connection():
                limits.acquire(0.5)
                assert await trial.member.get(path, expect=503) == ["unavailable"]
                limits.acquire(FOREVER)
            await trial.member.get(path)
            async with database.connection():
                pass  # the request has returned its connection
            relay.open.clear()
            limits.reads(trial.app, 1.25)
            assert await trial.member.get(path, expect=503) == ["unavailable"]
            limits.reads(trial.app, FOREVER)
            relay.cut()
            relay.open.set()
        assert [str(failure.error) for failure in trial.reports.failures] == [
            "all 1 connections of the pool were in use for 0.5 s",
            "the request has used up its 1.25 s for the database",
        ]


async def test_hardening_10_our_own_errors_stay_500(
    settings: Settings, make_database: Callable[..., Any]
) -> None:
    async with _trial(settings, await make_database()) as trial:
        for code in ("42703", "22012", "XX000"):
            await trial.conn.execute(
                "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE 'refused' USING ERRCODE = '{code}'; END $$;"
                " CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON activities"
                " FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
            codes = await trial.member.post("/api/activities", DRAFT, expect=500)
            assert codes == ["generic_500"]
        assert trial.told() == ["POST /api/activities"] * 3


async def test_hardening_10_a_full_temporary_disk_is_503(
    settings: Settings, make_database: Callable[..., Any]
) -> None:
    """`temp_file_limit` ends a sort that does not fit, as a full disk does."""
    dsn: str = await make_database()
    name = dsn.partition("?")[0].rpartition("/")[2]
    conn = await asyncpg.connect(dsn)
    await conn.execute(
        f'ALTER DATABASE "{name}" SET temp_file_limit = 0;'
        f'ALTER DATABASE "{name}" SET work_mem = "64kB";'
        "CREATE FUNCTION spill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM n FROM generate_series(1, 100000) n ORDER BY md5(n::text) OFFSET 99999;"
        " RETURN NEW; END $$;"
        "CREATE TRIGGER spill BEFORE INSERT ON activities FOR EACH ROW EXECUTE FUNCTION spill()"
    )
    await conn.close()
    async with _trial(settings, dsn) as trial:
        assert await trial.member.post("/api/activities", DRAFT, expect=503) == ["unavailable"]
        assert [type(f.error.__cause__).__name__ for f in trial.reports.failures] == [
            "ConfigurationLimitExceededError"
        ]


async def test_hardening_10_too_many_connections_is_503(
    settings: Settings, make_database: Callable[..., Any]
) -> None:
    dsn: str = await make_database()
    role = dsn.partition("?")[0].rpartition("/")[2]
    conn = await asyncpg.connect(dsn)
    await conn.execute(
        f'CREATE ROLE "{role}" LOGIN; GRANT ALL ON SCHEMA public TO "{role}";'
        f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role}";'
        f'GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO "{role}";'
    )
    try:
        limited = dsn.replace("//postgres@", f"//{role}@")
        async with _trial(settings, limited, dsn) as trial:
            await trial.member.get("/api/activities/home")
            await conn.execute(f'ALTER ROLE "{role}" CONNECTION LIMIT 0')
            await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role
            )
            for _ in range(5):
                response = await trial.member.request("GET", "/api/message_groups", expect=503)
                assert int(response.headers["retry-after"]) > 0
            found = trial.told().count("the database")
            assert found <= 2, "of the cut connection, and of the refused ones"
            await conn.execute(f'ALTER ROLE "{role}" CONNECTION LIMIT -1')
            await trial.member.get("/api/message_groups")
    finally:
        await conn.execute(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')
        await conn.close()
