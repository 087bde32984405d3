"""Reads while reported cruds expire: members see none after its instant, moderators all of them.

CRUDDUR_TEST_READS sets the number of reads, and CRUDDUR_TEST_SEED the random numbers: `make
test-evidence`.
"""

import asyncio
import os
import random
import re
import time
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from cruddur.services import reports as service
from moderators import CASES, appoint, decide, report, retention_over
from patience import PATIENCE
from support import Api, Member, count_rows, swept

READS = int(os.environ.get("CRUDDUR_TEST_READS", "300"))
SEED = int(os.environ.get("CRUDDUR_TEST_SEED", "1"))
CRUDS = max(READS // 100, 5)
READERS = 3
"""Concurrent reads of each reader."""

LEAD = 0.02
"""Seconds from the change of an expiry to the expiry: reads are in progress at that instant."""

MESSAGE = re.compile(r"reported-\d+")


class Run:
    """The readers of the service, and what they must not show.

    Attributes:
        instants: when each crud expires, by the clock of the database, which is that of the test;
            or when its new expiry was committed, if a busy machine does that later.
        seen: the cruds that a reader was shown.
        paths: the paths to read.
        count: the reads so far.
        is_over: whether the readers stop.
        progress: set by each read.
    """

    def __init__(self) -> None:
        self.random = random.Random(SEED)
        self.instants: dict[str, float] = {}
        self.seen: set[str] = set()
        self.paths: list[str] = []
        self.count = 0
        self.is_over = False
        self.progress = asyncio.Event()

    async def read(self, reader: Api) -> None:
        """Read until the end."""
        while not self.is_over:
            path, before = self.random.choice(self.paths), time.time()
            response = await reader.http.get(path, headers=reader.headers)
            self.count += 1
            shown = set(MESSAGE.findall(response.text))
            late = {one for one in shown if self.instants.get(one, before) < before}
            assert late == set(), (path, late)
            self.seen |= shown
            self.progress.set()

    async def reach(self, count: int, crud: str) -> None:
        """Wait for a number of reads, and until a reader was shown a crud."""
        async with asyncio.timeout(PATIENCE + READS / 10):
            while self.count < count or crud not in self.seen:
                self.progress.clear()
                await self.progress.wait()


@pytest.mark.usefixtures("long_tokens")
@pytest.mark.rule("C122", "C129")
async def test_members_read_no_reported_crud_after_its_instant_and_moderators_judge_each(
    api: Api,
    andrew: Member,
    bayko: Member,
    member: Any,
    dsn: str,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "REPORTS_PER_DAY", CRUDS)
    worf = await appoint(database, await member("worf"))
    run, cases = Run(), {}
    async with asyncio.TaskGroup() as tasks:
        for number in range(CRUDS):
            name = f"reported-{number}"
            crud = await bayko.crud(name)
            run.paths = [
                "/api/activities/home",
                "/api/activities/search?term=reported",
                "/api/activities/@bayko?shape=profile",
                f"/api/activities/@bayko/status/{crud['uuid']}",
            ]
            if number == 0:
                for reader in (api, andrew, bayko, worf) * READERS:
                    tasks.create_task(run.read(reader))
            await report(andrew, "crud", crud["uuid"])
            [case, *_] = await worf.get(f"{CASES}?limit=1")
            cases[case["uuid"]] = name
            await run.reach(READS * (number + 1) // CRUDS, name)
            expires_at = await database.fetchval(
                "UPDATE activities SET expires_at = clock_timestamp() + make_interval(secs => $2)"
                " WHERE uuid = $1 RETURNING extract(epoch FROM expires_at)::float8",
                UUID(crud["uuid"]),
                LEAD,
            )
            run.instants[name] = max(expires_at, time.time())
        await run.reach(run.count + len(run.paths) * 4 * READERS, name)
        run.is_over = True
    assert run.count >= READS
    assert len(run.seen) == len(cases) == CRUDS
    await swept(dsn)
    assert await count_rows(database, "activities") == 0

    await retention_over(database)  # but the cases are open
    await swept(dsn)
    for case, name in cases.items():
        opened = await worf.get(f"{CASES}/{case}")
        assert [one["content"]["message"] for one in opened["evidence"]] == [name]
        await decide(worf, case, "dismiss")
    looks = await database.fetch(
        "SELECT case_uuid::text, actor_handle FROM audit_entries WHERE action = 'look'"
    )
    assert sorted(map(tuple, looks)) == sorted((case, "worf") for case in cases)
    await swept(dsn)
    assert await count_rows(database, "evidence") == await count_rows(database, "reports") == 0
