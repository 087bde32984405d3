"""The response cache: responses that many viewers share are cached, never stale."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from support import Api, Member, insert_user, refused, until_blocking, untraced

HOME = "/api/activities/home"
ORIGIN = {"Origin": "http://localhost:3000"}
STORED = 3
"""Requests until a response is cached: the first is only noted, the second is stored."""
CACHED_PATHS = [
    HOME,
    f"{HOME}?limit=1",
    "/api/activities/@andrewbrown",
    "/api/activities/@andrewbrown/status/{uuid}",
    "/api/activities/{uuid}",
    "/api/activities/search?term=crud",
]
LIFETIMES = [timedelta(seconds=0.3 * 2**attempt) for attempt in range(7)]
"""Each is used only if the machine needs longer for the requests than the one before."""


async def uuids(api: Api, path: str = HOME) -> list[str]:
    return [crud["uuid"] for crud in await api.get(path)]


async def store(api: Api, path: str, **options: Any) -> None:
    for _ in range(STORED):
        await api.request("GET", path, **options)


async def insert(conn: asyncpg.Connection, member: Member, lifetime: timedelta) -> str:
    """Insert a crud as another process would, without notifying this one."""
    uuid = await conn.fetchval(
        "INSERT INTO activities (user_uuid, message, expires_at)"
        " VALUES ($1, 'from elsewhere', now() + $2) RETURNING uuid",
        member.uuid, lifetime,
    )  # fmt: skip
    return str(uuid)


@pytest.mark.parametrize("path", CACHED_PATHS)
@pytest.mark.parametrize("caller", ["visitor", "member"])
async def test_a_cached_response_equals_a_fresh_one(
    api: Api, andrew: Member, bayko: Member, path: str, caller: str
) -> None:
    await andrew.crud()
    crud = await andrew.crud()
    await bayko.reply(crud["uuid"])
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    await bayko.put(f"/api/activities/{crud['uuid']}/repost")
    path = path.format(uuid=crud["uuid"])
    reader = bayko if caller == "member" else api
    made = await reader.request("GET", path)
    for _ in range(STORED):
        again = await reader.request("GET", path)
        assert again.content == made.content
        assert untraced(again) == untraced(made)
        assert again.headers["traceresponse"] != made.headers["traceresponse"]


async def test_a_commit_of_another_process_is_seen_by_the_next_request(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    await andrew.crud()
    await store(api, HOME)
    before = await uuids(api)
    async with database.transaction():
        written = await insert(database, andrew, timedelta(hours=1))
        assert await uuids(api) == before, "not committed yet"
    assert await uuids(api) == [written, *before]
    await database.execute("DELETE FROM activities WHERE uuid = $1", UUID(written))
    assert await uuids(api) == before


async def test_counts_and_names_are_fresh_too(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    await store(api, HOME)
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    assert (await api.get(HOME))[0]["likes_count"] == 1
    await store(api, HOME)
    await database.execute("UPDATE users SET display_name = 'Renamed' WHERE uuid = $1", andrew.uuid)
    assert (await api.get(HOME))[0]["display_name"] == "Renamed"


@pytest.mark.parametrize("path", [HOME, "/api/activities/@andrewbrown", "/api/activities/{uuid}"])
async def test_an_expired_crud_is_never_served(
    api: Api, andrew: Member, database: asyncpg.Connection, path: str
) -> None:
    for lifetime in LIFETIMES:
        uuid = await insert(database, andrew, lifetime)
        expires_at = await database.fetchval(
            "SELECT expires_at FROM activities WHERE uuid = $1", UUID(uuid)
        )
        seen = 0
        while True:
            asked_at = await database.fetchval("SELECT clock_timestamp()")
            response = await api.http.get(path.format(uuid=uuid))
            if asked_at >= expires_at:
                break
            seen += uuid in response.text
        assert uuid not in response.text
        if seen > STORED:
            return
    pytest.fail("the crud always expired before its response was cached")


async def test_the_expiry_of_a_reply_changes_its_parents_count(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    for lifetime in LIFETIMES:
        reply = await bayko.reply(crud["uuid"])
        expires_at = await database.fetchval(
            "UPDATE activities SET expires_at = clock_timestamp() + $2 WHERE uuid = $1"
            " RETURNING expires_at",
            UUID(reply["uuid"]), lifetime,
        )  # fmt: skip
        await store(api, HOME)
        cached = await api.get(HOME)
        if datetime.now(UTC) < expires_at:
            break
    assert cached[0]["replies_count"] == 1
    await asyncio.sleep((expires_at - datetime.now(UTC)).total_seconds() + 0.01)
    assert (await api.get(HOME))[0]["replies_count"] == 0


async def test_readers_see_everything_committed_before_their_request(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    written: list[str] = []
    asked = 0

    async def write() -> None:
        for number in range(100):
            written.append(await insert(database, andrew, timedelta(hours=1)))
            while asked <= number:  # noqa: ASYNC110  # the readers have no event for this
                await asyncio.sleep(0.002)

    async def look(reader: Api, path: str) -> None:
        nonlocal asked
        while len(written) < 100:
            known = set(written)
            newest = written[-1:]
            seen = set(await uuids(reader, path))
            # Five cruds, all newer than the request, fill the whole page.
            assert seen.issuperset(newest) or ("limit=5" in path and not seen & known)
            asked += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        for reader in (api, andrew):
            for path in (HOME, f"{HOME}?limit=5"):
                for _ in range(4):
                    group.create_task(look(reader, path))


async def test_a_member_gets_a_response_of_their_own(
    api: Api, andrew: Member, bayko: Member
) -> None:
    crud = await andrew.crud()
    await bayko.put(f"/api/activities/{crud['uuid']}/like")
    for _ in range(STORED):
        assert "liked" not in (await api.get(HOME))[0]
        assert (await bayko.get(HOME))[0]["liked"] is True
        assert (await andrew.get(HOME))[0]["liked"] is False


@pytest.mark.parametrize("path", CACHED_PATHS)
async def test_a_members_marks_are_fresh(
    api: Api, andrew: Member, bayko: Member, path: str
) -> None:
    crud = await andrew.crud()
    path = path.format(uuid=crud["uuid"])
    for method in ("PUT", "DELETE") * 2:
        await bayko.request(method, f"/api/activities/{crud['uuid']}/like")
        await bayko.request(method, f"/api/activities/{crud['uuid']}/repost")
        for _ in range(STORED):
            for reader, is_marked in ((bayko, method == "PUT"), (andrew, False)):
                shown = find(await reader.get(path), crud["uuid"])
                assert (shown["liked"], shown["reposted"]) == (is_marked, is_marked)
                assert (shown["likes_count"], shown["reposts_count"]) == (method == "PUT",) * 2


def find(page: Any, uuid: str) -> Any:
    """Return a crud of a list, a profile or the page of a crud."""
    cruds = page if isinstance(page, list) else page.get("activities") or [page["activity"]]
    return next(crud for crud in cruds if crud["uuid"] == uuid)


async def test_a_member_whose_session_has_ended_gets_the_response_of_a_visitor(
    api: Api, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    await andrew.crud()
    await store(bayko, HOME)
    await database.execute("DELETE FROM sessions WHERE uuid = $1", bayko.session_uuid)
    for _ in range(STORED):
        assert "liked" not in (await bayko.get(HOME))[0]
        assert (await andrew.get(HOME))[0]["liked"] is False


async def test_an_unchanged_cached_response_returns_304(api: Api, andrew: Member) -> None:
    await andrew.crud()
    etag = (await api.request("GET", HOME)).headers["etag"]
    first = await api.request("GET", HOME, expect=304, headers={"If-None-Match": etag})
    for _ in range(STORED):
        again = await api.request("GET", HOME, expect=304, headers={"If-None-Match": etag})
        assert again.content == b""
        assert untraced(again) == untraced(first)
        assert again.headers["etag"] == etag
    other = await api.request("GET", HOME, headers={"If-None-Match": '"another"'})
    assert other.headers["etag"] == etag
    await andrew.crud()
    changed = await api.request("GET", HOME, headers={"If-None-Match": etag})
    assert changed.headers["etag"] != etag


async def test_cors_headers_of_a_cached_response_follow_the_origin(
    api: Api, andrew: Member
) -> None:
    await andrew.crud()
    for _ in range(STORED):
        own = await api.request("GET", HOME, headers=ORIGIN)
        assert own.headers["access-control-allow-origin"] == ORIGIN["Origin"]
        for stranger in ({}, {"Origin": "http://evil.example"}):
            response = await api.request("GET", HOME, headers=stranger)
            assert "access-control-allow-origin" not in response.headers


async def test_a_cached_response_has_the_requested_shape(api: Api, andrew: Member) -> None:
    await andrew.crud()
    path = "/api/activities/@andrewbrown"
    for _ in range(STORED):
        assert isinstance(await api.get(path), list)
        assert "profile" in await api.get(path, headers={"Content-Type": "application/json"})


async def test_errors_are_not_cached(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    crud = await andrew.crud()
    path = f"/api/activities/{crud['uuid']}"
    await store(api, path)
    await andrew.delete(path)
    for _ in range(STORED):
        assert refused(await api.request("GET", path, expect=404)) == ["not_found"]
    for _ in range(STORED):
        await api.request("GET", f"{HOME}?cursor=nonsense", expect=422)


async def test_the_profile_of_a_deleted_user_is_not_served(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    await insert_user(database, "idle", "Without cruds")
    path = "/api/activities/@idle"
    for reader in (api, andrew):
        await store(reader, path)
    await database.execute("DELETE FROM users WHERE handle = 'idle'")
    for reader in (api, andrew):
        assert refused(await reader.request("GET", path, expect=404)) == ["not_found"]


async def test_a_client_that_disconnects_does_not_affect_the_others(
    api: Api, andrew: Member, database: asyncpg.Connection
) -> None:
    await andrew.crud()
    await store(api, HOME)
    async with database.transaction():
        await database.execute("LOCK TABLE activities IN ACCESS EXCLUSIVE MODE")
        waiting = [asyncio.create_task(api.request("GET", HOME)) for _ in range(6)]
        await until_blocking(database)
        for task in waiting[::2]:
            task.cancel()
    for task in waiting[1::2]:
        assert len((await task).json()) == 1


async def test_more_addresses_than_the_cache_holds(
    api: Api, andrew: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cruddur.edge.response_cache.MAX_ENTRIES", 8)
    crud = await andrew.crud()
    for number in range(20):
        await store(api, f"{HOME}?limit=1&shape={number}")
    assert await uuids(api) == [crud["uuid"]]
