"""Streams of users whose account others have changed: decisions, roles, and open cases."""

from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from live.listening import Listener, listening
from moderators import CASES, appoint, decide, report
from support import Member


@pytest.fixture
async def worf(member: Callable[..., Any]) -> Member:
    return await member("worf")


async def heard(stream: Listener, member: Member, name: str) -> Any:
    """Wait until a stream says that the account has changed, and return one of its values."""
    assert await stream.receive("account") == [{"uuid": str(member.uuid)}]
    return (await member.get("/api/auth/me"))[name]


@pytest.mark.rule("C125")
async def test_open_streams_learn_of_decisions_roles_and_open_cases(
    url: str, andrew: Member, bayko: Member, worf: Member, database: asyncpg.Connection
) -> None:
    crud = await bayko.crud("an insult")
    async with (
        listening(url, worf.headers) as moderator,
        listening(url, bayko.headers) as theirs,
        listening(url, andrew.headers) as reporter,
    ):
        await appoint(database, worf)
        assert await heard(moderator, worf, "role") == "moderator"
        await report(andrew, "crud", crud["uuid"])
        assert await heard(moderator, worf, "open_cases") == 1
        await report(worf, "crud", crud["uuid"])  # the same case
        [case] = await worf.get(CASES)
        await decide(worf, case["uuid"], "warn")
        assert await heard(moderator, worf, "open_cases") == 0
        assert await heard(theirs, bayko, "unread_notices") == 1
        assert (await bayko.get("/api/auth/me"))["open_cases"] == 0

        [notice] = await bayko.get("/api/notices")
        await bayko.post(f"/api/notices/{notice['uuid']}/appeal", {"words": "It was a toast"})
        assert await heard(moderator, worf, "open_cases") == 1
        body = {"decision": "upheld", "reason": "It was not"}
        await worf.post(f"/api/moderation/appeals/{notice['uuid']}", body)
        assert await heard(theirs, bayko, "unread_notices") == 1
        assert await heard(moderator, worf, "open_cases") == 0

        mark = await andrew.crud("a mark")
        for stream in (moderator, theirs, reporter):  # nothing else before it
            assert [one["uuid"] for one in await stream.receive("crud")] == [mark["uuid"]]
