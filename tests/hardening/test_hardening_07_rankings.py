"""Trending tags and suggested users are read rarely, are shared, and still expire on time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cruddur.app import create_app
from cruddur.services import ranking
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import Telemetry
from support import Api, Member, until_blocking, visiting

TRENDING = "/api/trending"
SUGGESTED = "/api/users/suggested"
STATEMENTS = {TRENDING: "WITH trends.tags", SUGGESTED: "WITH users.suggested"}
SOON = timedelta(minutes=10)
LONG = 3600.0


@dataclass
class Clock:
    """The clock of the rankings, which only a test advances."""

    now: float = 1000.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Expiries are known for as long as a test may take."""
    made = Clock()
    monkeypatch.setattr(ranking, "HORIZON", timedelta(seconds=LONG))
    monkeypatch.setattr(ranking, "monotonic", lambda: made.now)
    return made


class Watched:
    """A separate service whose rankings have read nothing yet."""

    def __init__(self, app: Any, exporter: InMemorySpanExporter, api: Api) -> None:
        self.app, self.exporter, self.api = app, exporter, api

    def readings(self) -> int:
        names = [span.name for span in self.exporter.get_finished_spans()]
        return sum(name.endswith(("trends.tags", "users.suggested")) for name in names)


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Watched]:
    exporter = InMemorySpanExporter()
    settings = replace(settings, ranking_interval=LONG)
    app = create_app(settings, Telemetry(settings, processors=[SimpleSpanProcessor(exporter)]))
    async with app.test_app(), visiting(app) as api:
        yield Watched(app, exporter, api)


async def enter(service: Watched, database: asyncpg.Connection, handle: str) -> Member:
    return await Member.enter(service.api, database, service.app, handle, handle.title())


async def ends_soon(conn: asyncpg.Connection, uuid: str) -> None:
    await conn.execute(
        "UPDATE activities SET expires_at = clock_timestamp() + $2 WHERE uuid = $1",
        UUID(uuid), SOON,
    )  # fmt: skip


async def shown(api: Api, path: str) -> list[Any]:
    response = await api.get(path)
    if path == TRENDING:
        return [(tag["tag"], tag["count"]) for tag in response]
    return [person["handle"] for person in response]


@pytest.mark.parametrize("path", [TRENDING, SUGGESTED])
async def test_hardening_07_callers_share_one_read(
    service: Watched, database: asyncpg.Connection, path: str
) -> None:
    members = [await enter(service, database, handle) for handle in ("worf", "kira")]
    await members[0].crud("#now")
    callers: list[Api] = [service.api, *members] * 4
    responses = await asyncio.gather(*(shown(caller, path) for caller in callers))
    assert all(responses[0] == response for response in responses[::3])
    await service.api.get(path)
    assert service.readings() == 1


async def test_hardening_07_a_ranking_is_cached_for_a_limited_time(
    service: Watched, database: asyncpg.Connection, clock: Clock
) -> None:
    worf = await enter(service, database, "worf")
    assert await shown(service.api, TRENDING) == []
    await worf.crud("#new")
    assert await shown(service.api, TRENDING) == []
    clock.now += LONG
    assert await shown(service.api, TRENDING) == [("new", 1)]
    assert service.readings() == 2


async def test_hardening_07_a_tag_vanishes_at_the_instant_its_cruds_expire(
    service: Watched, database: asyncpg.Connection, clock: Clock
) -> None:
    worf = await enter(service, database, "worf")
    cruds = [await worf.crud(text) for text in ("#gone #less", "#less #stays", "#stays")]
    await ends_soon(database, cruds[0]["uuid"])
    assert await shown(service.api, TRENDING) == [("less", 2), ("stays", 2), ("gone", 1)]
    clock.now += SOON.total_seconds()
    assert await shown(service.api, TRENDING) == [("stays", 2), ("less", 1)]
    assert service.readings() == 1


async def test_hardening_07_the_next_tag_replaces_an_expired_one(
    service: Watched, database: asyncpg.Connection, clock: Clock
) -> None:
    """Of eleven tags with equal counts, the last one by name appears when another one drops out."""
    worf = await enter(service, database, "worf")
    names = [f"tag{number:02}" for number in range(11)]
    await worf.crud(" ".join(f"#{name}" for name in names))
    first = await worf.crud(f"#{names[0]} #{names[1]}")
    second = await worf.crud(" ".join(f"#{name}" for name in names[1:]))
    await ends_soon(database, first["uuid"])
    before = [("tag01", 3), ("tag00", 2), *((name, 2) for name in names[2:10])]
    assert await shown(service.api, TRENDING) == before
    clock.now += SOON.total_seconds()
    after = [(name, 2) for name in names[1:11]]
    assert await shown(service.api, TRENDING) == after
    assert service.readings() == 1
    assert second["uuid"]


async def test_hardening_07_a_user_is_suggested_only_for_live_cruds(
    service: Watched, database: asyncpg.Connection, clock: Clock
) -> None:
    people = [await enter(service, database, f"member_{number}") for number in range(7)]
    cruds = [await one.crud() for one in people]
    for liker in people[1:4]:
        await liker.put(f"/api/activities/{cruds[0]['uuid']}/like")
    await ends_soon(database, cruds[0]["uuid"])
    before = await shown(service.api, SUGGESTED)
    assert len(before) == 5
    assert before[0] == "member_0"
    own = await shown(people[0], SUGGESTED)
    assert len(own) == 5
    assert "member_0" not in own
    clock.now += SOON.total_seconds()
    after = await shown(service.api, SUGGESTED)
    assert len(after) == 5
    assert "member_0" not in after
    assert service.readings() == 1


async def test_hardening_07_a_cancelled_caller_does_not_stop_the_read(
    service: Watched, database: asyncpg.Connection
) -> None:
    worf = await enter(service, database, "worf")
    await worf.crud("#now")
    async with database.transaction():
        await database.execute("LOCK TABLE activities IN ACCESS EXCLUSIVE MODE")
        waiting = [asyncio.create_task(shown(service.api, TRENDING)) for _ in range(4)]
        await until_blocking(database)
        waiting[0].cancel()
    for task in waiting[1:]:
        assert await task == [("now", 1)]


async def test_hardening_07_a_failed_read_is_retried(
    service: Watched, database: asyncpg.Connection
) -> None:
    worf = await enter(service, database, "worf")
    await worf.crud("#now")
    await database.execute("ALTER TABLE activity_tags RENAME TO elsewhere")
    try:
        await service.api.request("GET", TRENDING, expect=500)
    finally:
        await database.execute("ALTER TABLE elsewhere RENAME TO activity_tags")
    assert await shown(service.api, TRENDING) == [("now", 1)]
