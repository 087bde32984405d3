"""Reads on replicas show nothing older than the primary would, whatever the lag.

`other_process` is a process of the service that has no replicas. What it commits must hold at once
for `reading`, which does not know of the write.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from api.test_access import tried
from api.test_routes import named
from cruddur.app import ENDPOINTS
from cruddur.settings import Settings
from db.test_page_changes import CHANGES
from moderators import appoint
from patience import PATIENCE
from replicas.cluster import Service, paused, service
from support import Api, Member, expire

HOME = "/api/activities/home"
SEARCH = "/api/activities/search?term=tea"
ME = "/api/auth/me"
READ_ENDPOINTS = [
    e for e in ENDPOINTS if e.unit is not None and e.unit.kind == "reading" and not e.stream
]
STEPS = 15

Act = Callable[["Scene"], Awaitable[Any]]


@dataclass(frozen=True)
class Scene:
    """Two members with a crud of the first one, and both processes.

    Attributes:
        andrew, bayko: the members, who call the reading process.
        writing_andrew, writing_bayko: the same members, who call the writing process.
        uuid: the crud.
        token: an API token of the first member.
    """

    reading: Service
    andrew: Member
    bayko: Member
    writing_andrew: Member
    writing_bayko: Member
    uuid: str
    token: Member

    @property
    def conn(self) -> asyncpg.Connection:
        return self.reading.conn

    @property
    def status(self) -> str:
        return f"/api/activities/{self.uuid}"

    async def texts(self, caller: Api, path: str = HOME) -> list[str]:
        """Return the texts of the cruds on a page."""
        return [crud["message"] for crud in await caller.get(path)]

    async def execute(self, sql: str) -> None:
        """Change the first member on the primary."""
        await self.conn.execute(sql, self.andrew.uuid)


@pytest.fixture
async def scene(reading: Service, other_process: Api) -> Scene:
    """The members and the crud, which the replicas have, on pages that are cached."""
    andrew, bayko = await reading.member("andrewbrown"), await reading.member("bayko")
    uuid = (await andrew.crud("tea"))["uuid"]
    token = await andrew.api_token("read")
    await reading.reads_on_a_replica()
    for caller, path in itertools.product((reading.api, andrew, bayko), (HOME, SEARCH)):
        for _ in range(2):
            assert await caller.get(path)
    for _ in range(2):
        await bayko.get(f"/api/activities/{uuid}")
        await bayko.get("/api/activities/@andrewbrown")
    return Scene(
        reading,
        andrew,
        bayko,
        replace(andrew, http=other_process.http),
        replace(bayko, http=other_process.http),
        uuid,
        token,
    )


async def _delete(scene: Scene) -> None:
    await scene.writing_andrew.delete(scene.status)
    for caller in (scene.reading.api, scene.andrew, scene.bayko):
        for path in (HOME, SEARCH, f"{HOME}?limit=9"):
            assert await scene.texts(caller, path) == []
        await caller.get(scene.status, expect=404)


async def _block(scene: Scene) -> None:
    await scene.writing_bayko.put("/api/users/@andrewbrown/block")
    assert await scene.texts(scene.bayko) == await scene.texts(scene.bayko, SEARCH) == []
    await scene.bayko.get(scene.status, expect=404)
    await scene.bayko.get("/api/activities/@andrewbrown", expect=404)
    await scene.andrew.get("/api/activities/@bayko", expect=404)
    assert await scene.texts(scene.reading.api) == ["tea"]


async def _mute(scene: Scene) -> None:
    await scene.writing_bayko.put("/api/users/@andrewbrown/mute", {})
    assert await scene.texts(scene.bayko) == []
    assert (await scene.bayko.get("/api/activities/@andrewbrown"))["activities"] == []
    assert [one["handle"] for one in await scene.bayko.get("/api/mutes")] == ["andrewbrown"]


async def _sign_out(scene: Scene) -> None:
    await scene.writing_andrew.delete(f"/api/auth/sessions/{scene.andrew.session_uuid}")
    await scene.andrew.get(ME, expect=401)
    [crud] = await scene.andrew.get(HOME)  # as a visitor
    assert "liked" not in crud


async def _suspend(scene: Scene) -> None:
    await scene.execute("UPDATE users SET suspended_until = 'infinity' WHERE uuid = $1")
    await scene.andrew.get(ME, expect=401)
    await scene.andrew.get("/api/activities/following", expect=401)


async def _delete_account(scene: Scene) -> None:
    await scene.execute("DELETE FROM users WHERE uuid = $1")
    assert await scene.texts(scene.bayko) == []
    await scene.bayko.get("/api/users/@andrewbrown/short", expect=404)
    await scene.andrew.get(ME, expect=401)


async def _revoke_token(scene: Scene) -> None:
    await scene.token.get("/api/activities/following")
    await scene.writing_andrew.delete(f"/api/auth/tokens/{scene.token.session_uuid}")
    await scene.token.get("/api/activities/following", expect=401)


async def _limit(scene: Scene) -> None:
    await scene.execute("UPDATE users SET limited_until = 'infinity' WHERE uuid = $1")
    assert await scene.texts(scene.bayko) == await scene.texts(scene.reading.api) == []
    assert await scene.texts(scene.andrew) == ["tea"]


async def _take_role(scene: Scene) -> None:
    await appoint(scene.conn, scene.andrew, "admin")
    await scene.andrew.get("/api/moderation/cases")
    await appoint(scene.conn, scene.andrew, "member")
    await scene.andrew.get("/api/moderation/cases", expect=403)


async def _shorten(scene: Scene) -> None:
    await expire(scene.conn, scene.uuid)
    assert await scene.texts(scene.bayko) == await scene.texts(scene.reading.api, SEARCH) == []
    await scene.bayko.get(scene.status, expect=404)


async def _rename(scene: Scene) -> None:
    await scene.writing_andrew.put("/api/profile/update", {"display_name": "Andy", "bio": ""})
    for caller in (scene.reading.api, scene.bayko):
        assert [crud["display_name"] for crud in await caller.get(HOME)] == ["Andy"]


async def _write(scene: Scene) -> None:
    """Members read what they wrote in another process."""
    await scene.writing_andrew.crud("tea, Earl Grey")
    await scene.writing_bayko.put(f"{scene.status}/like")
    for caller in (scene.reading.api, scene.andrew, scene.bayko):
        assert await scene.texts(caller) == ["tea, Earl Grey", "tea"]
    shown = await scene.bayko.get(scene.status)
    assert (shown["activity"]["liked"], shown["activity"]["likes_count"]) == (True, 1)
    assert (await scene.andrew.get("/api/activities/notifications/counter"))["count"] == 1


async def _settings(scene: Scene) -> None:
    await scene.reading.reads_on_a_replica()
    await scene.conn.execute("UPDATE instance SET name = 'Ten Forward'")
    assert (await scene.reading.api.get("/api/instance"))["name"] == "Ten Forward"


ACTS: tuple[Act, ...] = (
    _delete,
    _block,
    _mute,
    _sign_out,
    _suspend,
    _delete_account,
    _revoke_token,
    _limit,
    _take_role,
    _shorten,
    _rename,
    _write,
    _settings,
)


@pytest.mark.rule("C20", "C31", "C34", "C102", "C103", "C113", "C126", "C127", "C130")
@pytest.mark.parametrize("lagging", [2, 1], ids=["both lag", "one lags"])
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__.strip("_"))
async def test_what_another_process_commits_holds_at_once(
    scene: Scene, act: Act, lagging: int
) -> None:
    async with AsyncExitStack() as stack:
        for node in scene.reading.cluster.replicas[:lagging]:
            await stack.enter_async_context(paused(node))
        scene.reading.choices()
        await act(scene)
        numbers = {number for _, _, number in scene.reading.choices()}
        assert not numbers & set(range(1, lagging + 1)) or act in {_revoke_token, _take_role}


async def test_both_replicas_serve_visitors_and_members(reading: Service) -> None:
    andrew = await reading.member("andrewbrown")
    await andrew.crud("tea")
    seen: set[int | None] = set()
    async with asyncio.timeout(PATIENCE):
        while not seen >= {1, 2}:
            for caller in (reading.api, andrew):
                # A new address each time, so that no page is cached.
                path = f"{SEARCH}&limit={random.randint(1, 100)}"
                assert [crud["message"] for crud in await caller.get(path)] == ["tea"]
            seen |= {number for server, _, number in reading.choices() if server == "replica"}


async def test_pages_never_go_back_between_replicas_with_different_lags(reading: Service) -> None:
    """The replica that lags is used again only when it has caught up."""
    andrew = await reading.member("andrewbrown")
    count = 0
    for turn in range(4):
        async with paused(reading.cluster.replicas[turn % 2]):
            for _ in range(5):
                await andrew.crud()
                count += 1
                for caller in (reading.api, andrew, andrew):
                    path = f"{HOME}?limit={random.randint(50, 100)}"
                    assert len(await caller.get(path)) == count
            await reading.reads_on_a_replica()
        reading.choices()


@pytest.mark.parametrize("commits", ["on", "off"])
async def test_pages_equal_those_of_the_primary_after_random_changes(
    reading: Service, other_process: Api, worker_settings: Settings, commits: str
) -> None:
    """Replicas are paused and resumed at random, and each page is compared after each change.

    With `synchronous_commit = off`, changes are visible before they are flushed.
    """
    people = [await reading.member(handle) for handle in ("andrewbrown", "bayko")]
    uuid = (await people[0].crud("tea"))["uuid"]
    reply = (await people[1].reply(uuid, "tea, too"))["uuid"]
    paths = (
        f"{HOME}?limit=3",
        SEARCH,
        "/api/activities/@andrewbrown?shape=profile",
        f"/api/activities/{uuid}",
        f"/api/activities/{reply}",
        "/api/users?prefix=a",
    )
    conn = await asyncpg.connect(
        reading.cluster.primary.dsn, server_settings={"synchronous_commit": "on"}
    )
    await conn.execute(f"ALTER DATABASE postgres SET synchronous_commit = {commits}")
    try:
        async with service(worker_settings, reading.cluster) as opened:
            await _compare(opened, other_process, people, conn, paths)
            assert "replica" in {server for server, *_ in opened.choices()}
    finally:
        await conn.execute("ALTER DATABASE postgres SET synchronous_commit = on")
        await conn.close()


async def _compare(
    opened: Service, other: Api, people: list[Member], conn: asyncpg.Connection, paths: Any
) -> None:
    generator = random.Random(30)
    for step in range(STEPS):
        async with AsyncExitStack() as stack:
            if step % 3 == 0:
                node = generator.choice(opened.cluster.replicas)
                await stack.enter_async_context(paused(node))
            for _ in range(generator.randint(0, 2)):
                await opened.conn.execute(generator.choice(CHANGES))
            for path, caller in itertools.product(paths, (None, *people)):
                headers = caller.headers if caller else {}
                found = await opened.api.http.get(path, headers=headers)
                expected = await other.http.get(path, headers=headers)
                assert (found.status_code, found.content) == (
                    expected.status_code,
                    expected.content,
                )


@pytest.mark.rule("C34")
@pytest.mark.parametrize("is_cached", [True, False], ids=["cached", "not cached"])
async def test_a_crud_expires_on_time_on_a_replica_that_does_not_replay(
    reading: Service, is_cached: bool
) -> None:
    """Nothing is written, so the replicas are fresh: the clock alone makes the crud expire."""
    andrew = await reading.member("andrewbrown")
    uuid = UUID((await andrew.crud("tea"))["uuid"])
    await reading.conn.execute("DELETE FROM events WHERE false")
    expires_at: datetime = await reading.conn.fetchval(
        "UPDATE activities SET expires_at = clock_timestamp() + interval '2 seconds'"
        " WHERE uuid = $1 RETURNING expires_at",
        uuid,
    )
    await reading.reads_on_a_replica()
    async with paused(reading.cluster.replicas[0]), paused(reading.cluster.replicas[1]):
        reading.choices()
        served = set()
        async with asyncio.timeout(PATIENCE):
            for number in itertools.count():
                path = HOME if is_cached else f"{HOME}?limit={number % 99 + 1}"
                before = datetime.now(UTC)
                page = await reading.api.get(path)
                after = datetime.now(UTC)
                assert page or after >= expires_at, "it expired too early"
                assert not page or before < expires_at, "it expired too late"
                served |= {server for server, *_ in reading.choices()}
                if not page:
                    break
        assert "replica" in served


@pytest.mark.rule("C34")
async def test_an_extended_crud_lives_on_while_the_replicas_lag(reading: Service) -> None:
    andrew = await reading.member("andrewbrown")
    uuid = UUID((await andrew.crud("tea"))["uuid"])
    change = "UPDATE activities SET expires_at = clock_timestamp() + $2 WHERE uuid = $1"
    await reading.conn.execute(change, uuid, timedelta(seconds=1))
    await reading.reads_on_a_replica()
    async with paused(reading.cluster.replicas[0]), paused(reading.cluster.replicas[1]):
        await reading.conn.execute(change, uuid, timedelta(hours=1))
        old = await asyncpg.connect(reading.cluster.replicas[0].dsn)
        async with asyncio.timeout(PATIENCE):
            while True:  # until the replica would leave it out
                if not await old.fetchval("SELECT count(*) FROM live_activities"):
                    break
                assert len(await andrew.get(HOME)) == 1
        await old.close()
        for caller, path in itertools.product((reading.api, andrew), (HOME, SEARCH)):
            assert len(await caller.get(path)) == 1


async def test_a_page_that_a_replica_filled_is_not_kept_after_a_change(reading: Service) -> None:
    andrew = await reading.member("andrewbrown")
    await andrew.crud("tea")
    for caller in (reading.api, andrew):
        for _ in range(3):
            await reading.reads_on_a_replica()
            await caller.get(HOME)
    async with paused(reading.cluster.replicas[0]), paused(reading.cluster.replicas[1]):
        await andrew.crud("Earl Grey")
        for caller in (reading.api, andrew) * 2:
            assert len(await caller.get(HOME)) == 2  # now the primary fills the cache
    for caller in (reading.api, andrew) * 2:
        assert len(await caller.get(HOME)) == 2


async def test_a_visitors_page_costs_no_statement_more(reading: Service) -> None:
    """The statement that validates the cached page also shows how fresh a replica has to be."""
    andrew = await reading.member("andrewbrown")
    await andrew.crud("tea")
    await reading.reads_on_a_replica()
    for _ in range(2):
        await reading.api.get(HOME)
    await andrew.crud("Earl Grey")
    async with asyncio.timeout(PATIENCE):
        while True:
            reading.spans.clear()
            await reading.api.get(f"{HOME}?limit={random.randint(1, 100)}")
            statements = reading.statements()
            if reading.choices() == [("replica", "fresh", statements[-1][1])]:
                names = [name for name, _ in statements]
                if "SELECT replicas.state" in names:  # it had to be read again after the write
                    continue
                assert names == ["SELECT page_changes.read", "SELECT activities.home"]
                return


@pytest.mark.parametrize("endpoint", READ_ENDPOINTS, ids=named)
async def test_a_replica_can_serve_each_route_that_only_reads(
    reading: Service, endpoint: Any
) -> None:
    andrew = await appoint(reading.conn, await reading.member("andrewbrown"), "admin")
    crud = await andrew.crud("tea")
    uuid = crud["uuid"]
    async with asyncio.timeout(PATIENCE):
        while True:
            reading.choices()
            response = await tried(andrew, endpoint, handle="andrewbrown", uuid=uuid)
            assert response.status_code in {200, 404, 422}
            choices = reading.choices()
            if response.status_code == 422 or ("replica", "fresh") in [c[:2] for c in choices]:
                break
    assert "failed" not in [reason for _, reason, _ in choices]
