"""Expiry in the browser: on time, without a reload, by the server's clock."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from playwright.async_api import Page, expect

from e2e.screen import STREAM, Visit, Watch
from support import Member, expire


async def end_in(database: asyncpg.Connection, uuid: str, seconds: float) -> datetime:
    """Let a crud expire in a few seconds and return the time of its expiry."""
    end: datetime = await database.fetchval(
        "UPDATE activities SET expires_at = clock_timestamp() + $2 WHERE uuid = $1"
        " RETURNING expires_at",
        UUID(uuid), timedelta(seconds=seconds),
    )  # fmt: skip
    return end


async def gone_at(page: Page, words: str) -> datetime:
    """Wait until a card has faded and left the page, and return the time."""
    await page.locator(".crud-fading").filter(has_text=words).wait_for()
    await page.get_by_role("article").filter(has_text=words).wait_for(state="detached")
    return datetime.now(UTC)


async def test_a_crud_leaves_every_page_when_it_expires(
    visit: Visit, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    await worf.crud("a long day")
    short = (await worf.crud("a short day"))["uuid"]
    await odo.reply(short, "so short")
    end = await end_in(database, short, 7)
    home, own, notifications = await asyncio.gather(
        visit(worf), visit(path=f"/@worf/status/{short}"), visit(worf, "/notifications")
    )
    for page, words in ((home, "a short day"), (own, "a short day"), (notifications, "so short")):
        await expect(page.get_by_text(words)).to_be_visible()
    card = home.get_by_role("article").filter(has_text="a short day")
    await card.get_by_text(re.compile(r"^[12]s left$")).wait_for()
    assert timedelta() <= await gone_at(home, "a short day") - end < timedelta(seconds=10)
    await expect(home.get_by_text("a long day")).to_be_visible()
    await expect(own.get_by_role("heading", name="This crud is gone")).to_be_visible()
    await expect(own.get_by_text("so short")).not_to_be_attached()
    await expect(notifications.get_by_text("so short")).not_to_be_attached()
    await expect(notifications.get_by_role("heading", name="No notifications yet")).to_be_visible()


async def test_the_page_of_an_expired_crud_says_that_it_is_gone(
    visit: Visit, watch: Watch, worf: Member, database: asyncpg.Connection
) -> None:
    uuid = (await worf.crud())["uuid"]
    page = await visit(path=None)
    await page.route(
        f"**{STREAM}", lambda route: route.abort()
    )  # the stream would remove it at once
    watch.expect(0, STREAM)
    await page.goto("/")
    await expect(page.get_by_role("article")).to_be_visible()
    await expire(database, uuid)
    watch.expect(404, f"/api/activities/@worf/status/{uuid}")
    await page.get_by_role("article").get_by_role("paragraph").click()
    await expect(page.get_by_role("heading", name="This crud is gone")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()


async def test_a_wrong_local_clock_has_no_effect(
    visit: Visit, worf: Member, database: asyncpg.Connection
) -> None:
    """The server's clock decides which cruds are live, and for how long."""
    await worf.crud("alive", ttl="1-hour")
    dying = (await worf.crud("dying", ttl="1-hour"))["uuid"]
    pages = []
    end = await end_in(database, dying, 6)
    for wrong in (timedelta(hours=-3), timedelta(hours=3)):
        page = await visit(path=None)
        await page.clock.install(time=datetime.now(UTC) + wrong)
        await page.goto("/")
        pages.append(page)
    for page in pages:
        alive = page.get_by_role("article").filter(has_text="alive")
        await expect(alive).to_contain_text(re.compile(r"59m \d\ds left"))
        await expect(page.get_by_role("article").filter(has_text="dying")).to_be_visible()
    # A response gives the server's time to the second.
    for moment in await asyncio.gather(*(gone_at(page, "dying") for page in pages)):
        assert timedelta(seconds=-1) <= moment - end < timedelta(seconds=10)


async def test_a_countdown_counts_down(visit: Visit, worf: Member) -> None:
    await worf.crud(ttl="1-hour")
    page = await visit(path=None)
    await page.clock.install()
    await page.goto("/")
    card = page.get_by_role("article")
    await expect(card).to_contain_text(re.compile(r"59m \d\ds left"))
    await page.clock.fast_forward("10:00")
    await expect(card).to_contain_text(re.compile(r"49m \d\ds left"))
    await expect(card.get_by_title(re.compile("^Expires "))).to_be_visible()
