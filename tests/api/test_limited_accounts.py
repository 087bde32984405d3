"""Limited accounts: the pages, streams and viewers that still get their cruds."""

import asyncio
from typing import Any

import asyncpg
import pytest
from quart import Quart

from live.listening import listening
from moderators import CASES, appoint, decide, report
from patience import PATIENCE
from support import Api, Member, serving_on_a_socket
from telemetry.recorded import until

pytestmark = pytest.mark.rule("C158")

MESSAGE = "buy latinum #deals"


@pytest.fixture
async def worf(member: Any, database: asyncpg.Connection) -> Member:
    """A moderator."""
    return await appoint(database, await member("worf"))


async def limit(moderator: Member, reporter: Member, member: Member) -> str:
    """Limit a member for a day, and return the case."""
    await report(reporter, "profile", member.uuid)
    case: str = (await moderator.get(CASES))[0]["uuid"]
    await decide(moderator, case, "limit", days=1)
    return case


async def listed(reader: Api, path: str) -> list[str]:
    """The messages of a page of cruds."""
    page = await reader.get(path)
    cruds = page if isinstance(page, list) else page["activities"]
    return [crud["message"] for crud in cruds]


PUBLIC = (
    "/api/activities/home",
    "/api/activities/search?term=latinum",
    "/api/activities/search?term=%23deals",
    "/api/activities/search?term=%40bayko",
)


@pytest.mark.parametrize("requests", [1, 3], ids=["computed", "from the cache"])
async def test_public_feeds_do_not_show_a_limited_account_to_those_who_do_not_follow_it(
    requests: int,
    api: Api,
    andrew: Member,
    bayko: Member,
    worf: Member,
    member: Any,
    database: asyncpg.Connection,
) -> None:
    londo = await member("londo")
    await londo.put("/api/users/@bayko/follow")
    await andrew.put("/api/tags/deals/follow")
    crud = await bayko.crud(MESSAGE)
    await andrew.crud("something else")

    async def shown_to(*readers: Api) -> None:
        for path in PUBLIC:
            for reader in (api, andrew, londo, bayko):
                for _ in range(requests):
                    messages = await listed(reader, path)
                    assert (MESSAGE in messages) == (reader in readers), (path, reader)

    await shown_to(api, andrew, londo, bayko)
    assert MESSAGE in await listed(andrew, "/api/activities/following")
    case = await limit(worf, andrew, bayko)
    await shown_to(londo, bayko)
    assert MESSAGE in await listed(londo, "/api/activities/following")
    assert MESSAGE not in await listed(andrew, "/api/activities/following")
    for reader in (api, andrew):
        assert MESSAGE in await listed(reader, "/api/activities/@bayko?shape=profile")
        assert MESSAGE in await listed(reader, "/api/activities/@bayko?shape=list")
        await reader.get(f"/api/activities/{crud['uuid']}")
    await londo.delete("/api/users/@bayko/follow")
    await andrew.put("/api/users/@bayko/follow")
    await shown_to(andrew, bayko)
    await andrew.delete("/api/users/@bayko/follow")
    # It ends by itself.
    await database.execute(
        "UPDATE users SET limited_until = now() + interval '1 second' WHERE uuid = $1", bayko.uuid
    )
    async with asyncio.timeout(PATIENCE):
        while MESSAGE not in await listed(api, PUBLIC[0]):
            pass
    await shown_to(api, andrew, londo, bayko)
    # Or with a decision.
    await decide(worf, case, "limit", days=1, again=True)
    await shown_to(bayko)
    assert (await decide(worf, case, "lift", again=True))["limited_until"] is None
    await shown_to(api, andrew, londo, bayko)


async def test_a_limited_account_is_neither_suggested_nor_trending(
    app: Quart, api: Api, andrew: Member, bayko: Member, worf: Member
) -> None:
    await bayko.crud(MESSAGE)
    await limit(worf, andrew, bayko)
    assert await api.get("/api/users/suggested") == []
    assert await api.get("/api/trending") == []


async def test_a_suspended_account_is_not_suggested(
    app: Quart, api: Api, andrew: Member, bayko: Member, worf: Member
) -> None:
    await bayko.crud(MESSAGE)
    await report(andrew, "profile", bayko.uuid)
    await decide(worf, (await worf.get(CASES))[0]["uuid"], "ban")
    assert await api.get("/api/users/suggested") == []


async def test_an_overturned_limit_ends_and_a_suspension_stays(
    andrew: Member, bayko: Member, worf: Member, member: Any, database: asyncpg.Connection
) -> None:
    sisko = await appoint(database, await member("sisko"), "admin")
    await limit(worf, andrew, bayko)
    [notice] = await bayko.get("/api/notices")
    assert (notice["kind"], notice["appeal"]) == ("limit", "possible")
    await bayko.post(f"/api/notices/{notice['uuid']}/appeal", {"words": "I am honest"})
    case = (await worf.get(CASES))[0]["uuid"]
    await decide(worf, case, "suspend", days=1, again=True)
    path = f"/api/moderation/appeals/{notice['uuid']}"
    history = await sisko.post(path, {"decision": "overturned", "reason": "You are"})
    assert history["limited_until"] is None
    assert history["is_suspended"]


async def test_streams_show_a_limited_account_to_its_followers_only(
    app: Quart, andrew: Member, bayko: Member, worf: Member, member: Any
) -> None:
    londo = await member("londo")
    await londo.put("/api/users/@bayko/follow")
    await andrew.put("/api/tags/deals/follow")
    await limit(worf, andrew, bayko)

    async with serving_on_a_socket(app) as url:
        async with (
            listening(url, {}, feed="home") as visitor,
            listening(url, andrew.headers) as everything,
            listening(url, andrew.headers, feed="following") as tagged,
            listening(url, londo.headers, feed="home") as follower,
            listening(url, londo.headers, feed="following") as following,
            listening(url, bayko.headers, feed="home") as author,
            listening(url, {}, handle="bayko") as profile,
        ):
            await bayko.crud(MESSAGE)
            last = (await londo.crud("the last #deals"))["uuid"]
            seen = {}
            for name, stream in (
                ("visitor", visitor),
                ("everything", everything),
                ("tagged", tagged),
                ("follower", follower),
                ("author", author),
            ):
                first = (await stream.receive("crud"))[0]
                seen[name] = first["uuid"] != last
            assert seen == {
                "visitor": False,
                "everything": False,
                "tagged": False,
                "follower": True,
                "author": True,
            }
            assert (await following.receive("crud"))[0]["message"] == MESSAGE
            assert (await profile.receive("crud"))[0]["message"] == MESSAGE
        await until(lambda: not app.extensions["cruddur"].live.has_streams)
