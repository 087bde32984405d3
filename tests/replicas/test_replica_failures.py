"""A replica that fails costs no read, and one that cannot be used says why in one line."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cruddur.db import replicas
from cruddur.db.migrate import migrate
from cruddur.db.statements import Statement
from cruddur.settings import Settings, SettingsError
from outage import own_server, own_standby, stopped
from patience import PATIENCE
from pooler import pooling
from relay import Relay, relaying
from replicas.cluster import Cluster, Node, Service, cluster, paused, service
from support import Api

HOME = "/api/activities/home"
WAITING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND application_name = 'cruddur'"
)


def uncached(path: str = HOME) -> str:
    """Return an address that no test has requested."""
    return f"{path}?limit={random.randint(1, 100)}&x={random.random()}"


async def until(conn: asyncpg.Connection, sql: str) -> Any:
    """Wait until a query returns something."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if found := await conn.fetchval(sql):
                return found
            await asyncio.sleep(0.01)


async def logged(caplog: pytest.LogCaptureFixture, text: str) -> str:
    """Wait for a line of the log that contains a text."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for line in caplog.messages:
                if text in line:
                    return line
            await asyncio.sleep(0.02)


@asynccontextmanager
async def waiting_for_a_lock(reading: Service, caller: Api) -> AsyncIterator[tuple[Any, Any, int]]:
    """Yield a read that waits on a replica for a lock of the primary, and ends after the block.

    Yields:
        The task of the read, a connection to its replica, and the process that serves it.
    """
    locking = await asyncpg.connect(reading.cluster.primary.dsn)
    [node, _] = reading.cluster.replicas
    replica = await asyncpg.connect(node.dsn)
    transaction = locking.transaction()
    await transaction.start()
    try:
        await locking.execute("LOCK TABLE activity_links IN ACCESS EXCLUSIVE MODE")
        await reading.conn.execute("UPDATE instance SET name = name")  # flushes the lock's record
        await reading.reads_on_a_replica()
        task = asyncio.create_task(caller.get(uncached()))
        yield task, replica, await until(replica, WAITING)
        await transaction.rollback()
        async with asyncio.timeout(PATIENCE):
            assert len(await task) == 1
    finally:
        await replica.close()
        await locking.close()


@pytest.fixture
async def alone(reading: Service, worker_settings: Settings) -> AsyncIterator[Service]:
    """A service with the first replica only, and a crud to read."""
    only = Cluster(reading.cluster.primary, reading.cluster.replicas[:1])
    await (await reading.member("andrewbrown")).crud("tea")
    async with service(worker_settings, only) as opened:
        yield replace(opened, cluster=reading.cluster)


async def test_a_read_that_the_replay_cancels_is_repeated_on_the_primary(alone: Service) -> None:
    """The replica has to lock a table exclusively that the statement has locked already."""
    [node, _] = alone.cluster.replicas
    setting = await asyncpg.connect(node.dsn)
    await setting.execute("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    await setting.execute("SELECT pg_reload_conf()")
    try:
        async with waiting_for_a_lock(alone, alone.api) as (_, replica, _):
            alone.choices()
            async with alone.conn.transaction():
                await alone.conn.execute("LOCK TABLE activities IN ACCESS EXCLUSIVE MODE")
                await alone.conn.execute("UPDATE instance SET name = name")
            await until(replica, f"SELECT NOT EXISTS ({WAITING})")
        assert ("primary", "conflict", None) in alone.choices()
        await alone.reads_on_a_replica()  # it is not set aside
    finally:
        await setting.execute("ALTER SYSTEM RESET max_standby_streaming_delay")
        await setting.execute("SELECT pg_reload_conf()")
        await setting.close()


async def test_a_read_whose_connection_breaks_is_repeated_on_the_primary(alone: Service) -> None:
    async with waiting_for_a_lock(alone, alone.api) as (_, replica, pid):
        alone.choices()
        await replica.execute("SELECT pg_terminate_backend($1)", pid)
        await until(replica, f"SELECT NOT EXISTS ({WAITING})")
    assert ("primary", "failed", None) in alone.choices()


async def test_a_read_on_a_replica_that_stops_responding_is_repeated_on_the_primary(
    alone: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicas, "POLL_TIMEOUT", 0.5)
    with stopped(alone.cluster.replicas[0].data):
        assert len(await alone.api.get(uncached())) == 1
        await alone.has_states({1: "unavailable"})
        alone.choices()
        assert len(await alone.api.get(uncached())) == 1
        assert alone.choices() == [("primary", "unavailable", None)]
    monkeypatch.undo()
    await alone.reads_on_a_replica()


async def test_replicas_that_die_are_left_aside_until_they_return(
    reading: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="cruddur.db.replicas")
    andrew = await reading.member("andrewbrown")
    await andrew.crud("tea")
    first, second = reading.cluster.replicas
    await asyncio.to_thread(first.server.stop)
    try:
        for _ in range(5):
            assert len(await andrew.get(uncached())) == 1
        await reading.has_states({1: "unavailable"})
        await reading.reads_on_a_replica()
        await asyncio.to_thread(second.server.stop)
        try:
            for _ in range(5):
                assert len(await andrew.get(uncached())) == 1
            await reading.has_states({1: "unavailable", 2: "unavailable"})
            reading.choices()
            await andrew.get(uncached())
            assert reading.choices() == [("primary", "unavailable", None)]
        finally:
            await asyncio.to_thread(second.server.start)
    finally:
        await asyncio.to_thread(first.server.start)
    await reading.is_fresh(1, 2)
    await logged(caplog, "reads go to the replica at the socket in")
    assert all("password" not in line for line in caplog.messages)


async def test_a_primary_that_restarts_is_recognized_by_a_new_mark(
    worker_settings: Settings, tmp_path: Path
) -> None:
    """Positions in its log may be used twice, so the replicas are verified again."""
    with cluster(tmp_path, replicas=1) as nodes:
        await migrate(nodes.primary.dsn)
        async with service(worker_settings, nodes) as opened:
            await asyncio.to_thread(nodes.primary.server.stop)
            await asyncio.to_thread(nodes.primary.server.start)
            async with asyncio.timeout(PATIENCE):
                while True:
                    response = await opened.api.http.get("/api/instance")
                    if response.status_code == 200:
                        break
                    await asyncio.sleep(0.05)
            assert ("primary", "unverified", None) in opened.choices()
            await opened.reads_on_a_replica()


async def test_a_replica_of_another_primary_is_not_used(
    reading: Service,
    worker_settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has the same tables, and its log may be longer, but not the mark."""
    monkeypatch.setattr(replicas, "UNVERIFIED_SECONDS", 0.5)
    with cluster(tmp_path, replicas=1) as other:
        await migrate(other.primary.dsn)
        mixed = Cluster(reading.cluster.primary, (reading.cluster.replicas[0], *other.replicas))
        async with service(worker_settings, mixed, wanted={1: "fresh", 2: "unverified"}) as opened:
            for _ in range(10):
                await opened.api.get("/api/instance")
            assert {number for _, _, number in opened.choices()} <= {1, None}
            await logged(caplog, "or replays the log of another primary")


async def test_a_url_of_the_primary_is_no_replica(
    reading: Service, worker_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    primary = reading.cluster.primary
    async with service(
        worker_settings, Cluster(primary, (primary,)), wanted={1: "unavailable"}
    ) as opened:
        line = await logged(caplog, "is not a replica")
        assert line.endswith("is not a replica: it accepts writes")
        assert (await opened.api.get("/api/instance"))["name"]


async def test_a_database_without_the_tables_is_no_replica(
    reading: Service, worker_settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with own_server(tmp_path / "a") as (a, _), own_standby(a, tmp_path / "b") as (b, data):
        wrong = Cluster(reading.cluster.primary, (Node(b, data),))
        async with service(worker_settings, wrong, wanted={1: "unavailable"}):
            line = await logged(caplog, "is not a replica")
            assert line.endswith('of the primary: relation "events" does not exist')


async def test_a_pooler_before_the_primary_is_no_obstacle_and_one_before_a_replica_is(
    reading: Service, worker_settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    primary, (node, _) = reading.cluster.primary, reading.cluster.replicas
    for name in ("primary", "replica"):
        (tmp_path / name).mkdir()
    with (
        pooling(primary.dsn, tmp_path / "primary") as pooled,
        pooling(node.dsn, tmp_path / "replica") as wrong,
    ):
        only = Cluster(primary, (node,))
        async with service(
            worker_settings,
            only,
            wanted={1: "fresh", 2: "unavailable"},
            connection_url=pooled,
            direct_url=primary.dsn,
            read_urls=f"{node.dsn}&target_session_attrs=any {wrong}?target_session_attrs=any",
        ) as opened:
            await opened.reads_on_a_replica()
            line = await logged(caplog, "is a pooler")
            assert f"127.0.0.1:{wrong.rpartition(':')[2].partition('/')[0]}" in line


async def test_a_name_that_leads_to_different_servers_is_not_used(
    reading: Service, worker_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """What was seen of one server must hold for each connection."""
    first, second = reading.cluster.replicas
    async with relaying(first.dsn) as relay:
        _alternate(relay, [first, second])
        url = f"postgresql://postgres@127.0.0.1:{relay.port}/postgres?sslmode=disable"
        async with service(
            worker_settings,
            Cluster(reading.cluster.primary, (first,)),
            wanted={1: "unavailable"},
            read_urls=f"{url}&target_session_attrs=any",
        ) as opened:
            line = await logged(caplog, "different servers")
            assert f"127.0.0.1:{relay.port} (CRUDDUR_READ_URLS)" in line
            assert (await opened.api.get("/api/instance"))["name"]


def _alternate(relay: Relay, nodes: list[Node]) -> None:
    connect = relay._connect

    async def to_the_next() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        nodes.append(nodes.pop(0))
        relay._server = (nodes[0].dsn.partition("host=")[2].replace("%2F", "/"), 5432)
        return await connect()

    relay._connect = to_the_next  # type: ignore[method-assign]  # another server each time


@pytest.mark.parametrize(
    ("shift", "state"),
    [("- interval '1 second'", "clock"), ("+ interval '1 second'", "clock"), ("", "fresh")],
    ids=["behind", "ahead", "equal"],
)
async def test_a_replica_with_another_time_is_not_used(
    reading: Service,
    worker_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    shift: str,
    state: str,
) -> None:
    """The servers of a test share a clock, so the statement reports another time."""
    sql = replicas._STATE.sql.replace("clock_timestamp()", f"clock_timestamp() {shift}")
    shifted = Statement("replicas.state", sql.replace("$1", ":xid").replace("$2", ":created_at"))
    monkeypatch.setattr(replicas, "_STATE", shifted)
    only = Cluster(reading.cluster.primary, reading.cluster.replicas[:1])
    async with service(worker_settings, only, wanted={1: state}) as opened:
        await opened.api.get("/api/instance")
        assert opened.choices()[0][1] in {state, "behind"}


async def test_a_busy_replica_leaves_reads_to_the_primary(
    alone: Service, worker_settings: Settings
) -> None:
    only = Cluster(alone.cluster.primary, alone.cluster.replicas[:1])
    async with service(worker_settings, only, pool_size=1) as narrow:
        both = replace(narrow, cluster=alone.cluster)
        async with waiting_for_a_lock(both, both.api):
            narrow.choices()
            async with asyncio.timeout(PATIENCE):
                while True:  # until the replica has what was written last
                    await narrow.api.get("/api/instance")
                    [(server, reason, _)] = narrow.choices()
                    assert (server, reason) in {("primary", "busy"), ("primary", "behind")}
                    if reason == "busy":
                        break


async def test_lag_choice_and_health_are_recorded(reading: Service) -> None:
    andrew = await reading.member("andrewbrown")
    await andrew.crud("tea")
    async with paused(reading.cluster.replicas[0]):
        await andrew.crud("Earl Grey")
        [one, two] = await reading.has_states({1: "behind", 2: "fresh"})
        assert one["lag_bytes"] > 0 == two["lag_bytes"]
        reading.spans.clear()
        await andrew.get(uncached())
        [span] = [s for s in reading.spans.get_finished_spans() if s.name == "choose server"]
        assert span.attributes["app.db.replica.lag"] >= 0
        points = {
            metric.name: list(metric.data.data_points)
            for scope in reading.metrics.get_metrics_data().resource_metrics[0].scope_metrics
            for metric in scope.metrics
        }
        lags = {p.attributes["app.db.replica"]: p.value for p in points["app.db.replica.lag"]}
        assert lags[1] > 0
        servers = {p.attributes["app.db.server"] for p in points["app.db.reads"]}
        assert "replica" in servers


async def test_without_replicas_nothing_is_chosen(
    worker_settings: Settings, reading: Service
) -> None:
    alone = Cluster(reading.cluster.primary, ())
    async with service(worker_settings, alone) as opened:
        assert await opened.api.get("/api/ready") == {"success": True, "database": "ok"}
        opened.spans.clear()
        for _ in range(3):
            await opened.api.get(HOME)
        assert opened.choices() == []


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("mysql://replica/cruddur", "is not a URL of the form postgresql://"),
        ("postgresql://a:port/x", "has a port that is not a number"),
        ("postgresql://a/x, postgresql://b,c/x", "names several hosts in one URL: b:5432, c:5432"),
        ("postgresql://a/x?target_session_attrs=primary", "asks for target_session_attrs=primary"),
        ("postgresql://a/x?sslmode=yes", "has an sslmode that is none of"),
        ("postgresql://u:secret@a/x?requirepeer=x", "asks for requirepeer=x"),
    ],
)
def test_a_url_that_cannot_be_used_names_its_problem(value: str, problem: str) -> None:
    environ = {"CONNECTION_URL": "postgresql://p/x", "CRUDDUR_READ_URLS": value}
    with pytest.raises(SettingsError) as raised:
        Settings.from_env(environ)
    assert str(raised.value).startswith(f"CRUDDUR_READ_URLS {problem}")
    assert "secret" not in str(raised.value)


def test_urls_are_separated_by_spaces_or_commas_and_get_the_password() -> None:
    environ = {
        "CONNECTION_URL": "postgresql://p/x",
        "CRUDDUR_READ_URLS": "postgresql://u@a/x,postgres://u:own@b:6432/x\n postgresql://c/x ",
        "PGPASSWORD": "s ec,ret",
    }
    assert Settings.from_env(environ).replica_urls == (
        "postgresql://u@a/x?target_session_attrs=any&password=s%20ec%2Cret",
        "postgresql://u:own@b:6432/x?target_session_attrs=any",
        "postgresql://c/x?target_session_attrs=any&password=s%20ec%2Cret",
    )
    with pytest.raises(SettingsError, match="CRUDDUR_READ_URLS needs CONNECTION_URL"):
        Settings.from_env({"CRUDDUR_READ_URLS": "postgresql://a/x"})
