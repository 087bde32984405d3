"""`make load-seed`, on the database under test."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from patience import PATIENCE
from support import Api, Member, count_rows, pages

LOAD = Path(__file__).parents[1] / "load"
sys.path.append(str(LOAD))

from people import PASSWORD, handle_of  # noqa: E402  # imported from the folder that Locust runs in


def seed(dsn: str, *options: str, cruds: int = 1000) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(LOAD / "seed.py"), "--cruds", str(cruds), "--members", "20"]
    return subprocess.run(
        [*command, *options],
        env=os.environ | {"CONNECTION_URL": dsn},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


async def fill(dsn: str, *options: str, cruds: int = 1000) -> str:
    """Seed successfully and return the output."""
    done = await asyncio.to_thread(seed, dsn, *options, cruds=cruds)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


async def test_one_crud_in_a_hundred_is_live_and_can_be_read_found_and_changed(
    dsn: str, api: Api, database: asyncpg.Connection
) -> None:
    earlier = await database.fetchval("SELECT COALESCE(max(id), 0) FROM events")
    new_events = f"events WHERE id > {earlier} AND kind NOT IN ('mark', 'page')"
    for _ in range(3):
        assert await api.get("/api/activities/home?limit=4") == []  # cached from now on
    assert "1,000 now, 10 of them alive" in await fill(dsn)
    home = [crud async for page in pages(api, "/api/activities/home?limit=4") for crud in page]
    assert len(home) == 10
    assert [crud["created_at"] for crud in home] == sorted(
        (crud["created_at"] for crud in home), reverse=True
    )
    # In time order like the database's own uuids, because search ranks by it.
    assert [crud["uuid"] for crud in home] == sorted((crud["uuid"] for crud in home), reverse=True)
    for crud in home:
        shown = await api.get(f"/api/activities/{crud['uuid']}")
        assert len(shown["replies"]) == crud["replies_count"]
        assert {reply["expires_at"] for reply in shown["replies"]} <= {crud["expires_at"]}
        word = re.findall(r"\w+", crud["message"])[0]
        found = await api.get(f"/api/activities/search?term={word}&limit=100")
        assert crud["uuid"] in {hit["uuid"] for hit in found}
        for tag in re.findall(r"#\w+", crud["message"]):
            found = await api.get("/api/activities/search", params={"term": tag})
            assert crud["uuid"] in {hit["uuid"] for hit in found}
    for table, count in (("likes", "likes_count"), ("reposts", "reposts_count")):
        assert await count_rows(database, table) == sum(crud[count] for crud in home)

    # The triggers are enabled again, and no row caused an event.
    assert await count_rows(database, new_events) == 0
    entry = await api.post("/api/auth/signin", {"email": handle_of(20), "password": PASSWORD})
    member = Member(api.http, {"Authorization": f"Bearer {entry['access_token']}"})
    [latest, *_] = home
    liked = await member.put(f"/api/activities/{latest['uuid']}/like")
    assert liked["likes_count"] - latest["likes_count"] in {0, 1}
    assert liked["likes_count"] == await database.fetchval(
        "SELECT count(*) FROM likes WHERE activity_uuid = $1::uuid", latest["uuid"]
    )
    await member.crud("I am here as well")
    assert await count_rows(database, f"{new_events} AND kind = 'crud'") == 1


async def test_a_second_run_adds_cruds_but_keeps_the_number_of_members(
    dsn: str, database: asyncpg.Connection
) -> None:
    await fill(dsn, "--alive", "1")  # live cruds, so that the sweeper removes none
    told = await fill(dsn, "--alive", "1", cruds=200)
    assert told.startswith("1,000 cruds are here, 1,000 of them alive\n20 members, ")
    assert "1,200 now, 1,200 of them alive" in told
    assert await count_rows(database, "accounts") == 20


async def test_real_accounts_are_left_alone(
    dsn: str, andrew: Member, bayko: Member, database: asyncpg.Connection
) -> None:
    await fill(dsn, "--alive", "1", cruds=1)  # in addition to those of `cruddur seed`
    await database.execute("UPDATE users SET email = 'andrew@brown.example' WHERE handle = $1",
                           andrew.handle)  # fmt: skip
    done = await asyncio.to_thread(seed, dsn)
    assert done.returncode == 1
    assert re.fullmatch(
        r"load-seed: real people have accounts here \(1\), .*AMONG_PEOPLE=1.*\n", done.stderr
    )
    assert (await count_rows(database, "activities WHERE reply_to_activity_uuid IS NULL")) == 1
    await fill(dsn, "--among-people", cruds=1)


async def test_a_taken_handle_is_not_reused(dsn: str, member: Callable[..., Any]) -> None:
    await member(handle_of(3))
    done = await asyncio.to_thread(seed, dsn, "--among-people")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "load-seed: the handle load_3 belongs to another account\n"
