"""Expiry in the browser: on time, without a reload, by the server's clock.

A page also removes a crud by itself, without an event of the stream. Then the test controls the
page's clock, and lets no response correct it.
"""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
from playwright.async_api import BrowserContext, Locator, Page, expect

from e2e.screen import STREAM, Visit, Watch, settle
from support import Member, acquaint, expire


def crud(page: Page, words: str) -> Locator:
    """Return the card of a crud."""
    return page.get_by_role("article").filter(has_text=words)


async def end_in(database: asyncpg.Connection, uuid: str, lifetime: timedelta) -> datetime:
    """Let a crud expire later and return the time of its expiry."""
    end: datetime = await database.fetchval(
        "UPDATE activities SET expires_at = clock_timestamp() + $2 WHERE uuid = $1"
        " RETURNING expires_at",
        UUID(uuid), lifetime,
    )  # fmt: skip
    return end


async def cut_off(context: BrowserContext) -> None:
    """Let no request of a browser's pages get a response."""
    await context.route("**/api/**", lambda _: None)


async def closes_smoothly(page: Page, kind: str = ".crud") -> None:
    """Check that what is below something that fades moves up until no gap is left.

    Args:
        page: a page where it has begun to fade.
        kind: the selector of each element of its list.
    """
    await page.emulate_media(reduced_motion="no-preference")
    tops: list[float] = await page.evaluate(
        """(kind) => {
            const fading = document.querySelector(`${kind}:is(.fading, .crud-fading)`);
            const cards = [...document.querySelectorAll(kind)];
            const next = cards[cards.indexOf(fading) + 1];
            const [animation] = fading.getAnimations();
            animation.pause();
            const { duration } = animation.effect.getComputedTiming();
            return [0, 0.5, 0.7, 0.8, 0.9, 0.9999].map((part) => {
                animation.currentTime = part * duration;
                return next.offsetTop - fading.offsetTop;
            });
        }""",
        kind,
    )
    await page.emulate_media(reduced_motion="reduce")
    assert tops[0] == tops[1] > 50
    assert tops[1:] == sorted(set(tops), reverse=True)
    assert tops[-1] <= 2  # until the end, a border is at least a pixel wide


async def test_a_crud_leaves_every_page_when_it_expires(
    visit: Visit, watch: Watch, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    await worf.crud("a long day")
    short = (await worf.crud("a short day"))["uuid"]
    await odo.reply(short, "so short")
    home, own = await visit(worf, None), await visit(path=None)
    notifications = await home.context.new_page()
    for page, path, words in (
        (home, "/", "a short day"),
        (own, f"/@worf/status/{short}", "a short day"),
        (notifications, "/notifications", "so short"),
    ):
        async with page.expect_response(f"**{STREAM}"):
            await page.goto(path)
        await settle(page, watch)
        await expect(page.get_by_text(words)).to_be_visible()
    await expire(database, short)
    await expect(crud(home, "a short day")).not_to_be_attached()
    await expect(home.get_by_text("a long day")).to_be_visible()
    await expect(own.get_by_role("heading", name="This crud is gone")).to_be_visible()
    await expect(own.get_by_text("so short")).not_to_be_attached()
    await expect(notifications.get_by_text("so short")).not_to_be_attached()
    await expect(notifications.get_by_role("heading", name="No notifications yet")).to_be_visible()


async def test_a_crud_counts_down_and_fades_on_the_page(
    visit: Visit, watch: Watch, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    await odo.put(f"/api/activities/{(await worf.crud('a long day'))['uuid']}/like")
    short = (await worf.crud("a short day"))["uuid"]
    await odo.reply(short, "so short")
    await acquaint(database, worf, odo)
    for words in ("a short word", "a last word"):
        await odo.message("worf", words)
    end = await end_in(database, short, timedelta(hours=1))
    await database.execute(
        "UPDATE messages SET expires_at = $1 WHERE message = 'a short word'", end
    )
    home = await visit(worf, None)
    await home.clock.install()
    own, notifications, conversation = [await home.context.new_page() for _ in range(3)]
    for page, path, words in (
        (home, "/", "a short day"),
        (own, f"/@worf/status/{short}", "a short day"),
        (notifications, "/notifications", "so short"),
        (conversation, "/messages/@odo", "a short word"),
    ):
        await page.bring_to_front()  # a background tab does not render
        async with page.expect_response(f"**{STREAM}"):
            await page.goto(path)
        await settle(page, watch)
        await expect(page.get_by_text(words)).to_be_visible()
    card = crud(home, "a short day")
    await expect(card).to_contain_text(re.compile(r"59m \d\ds left"))
    await expect(card.get_by_title(re.compile("^Expires "))).to_be_visible()
    await cut_off(home.context)

    await home.clock.pause_at(end - timedelta(minutes=10))
    await expect(card).to_contain_text(re.compile(r"(10m 00|9m 59)s left"))
    await home.clock.pause_at(end - timedelta(seconds=2))
    await expect(card).to_contain_text(re.compile(r"[12]s left"))
    await expect(home.locator(".crud-fading")).not_to_be_attached()
    for page, words in ((own, "a short day"), (notifications, "so short")):
        await expect(page.get_by_text(words)).to_be_visible()
    await home.clock.run_for(2100)
    await expect(home.locator(".crud-fading").filter(has_text="a short day")).to_be_visible()
    await closes_smoothly(home)
    await expect(own.get_by_role("heading", name="This crud is gone")).to_be_visible()
    await expect(own.get_by_text("so short")).not_to_be_attached()
    for page, kind, words in (
        (notifications, ".note", "so short"),
        (conversation, ".message", "a short word"),
    ):
        await page.bring_to_front()
        await expect(page.locator(f"{kind}.fading").filter(has_text=words)).to_be_visible()
        await closes_smoothly(page, kind)
    await home.clock.resume()
    for page, words in (
        (home, "a short day"),
        (notifications, "so short"),
        (conversation, "a short word"),
    ):
        await page.bring_to_front()
        await expect(page.get_by_text(words)).not_to_be_attached()
    await expect(notifications.get_by_text("liked your crud")).to_be_visible()
    await expect(conversation.get_by_text("a last word")).to_be_visible()
    await expect(home.get_by_text("a long day")).to_be_visible()


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
    visit: Visit, watch: Watch, worf: Member, database: asyncpg.Connection
) -> None:
    """The server's clock decides which cruds are live, and for how long."""
    await worf.crud("alive", ttl="1-hour")
    dying = (await worf.crud("dying", ttl="1-hour"))["uuid"]
    end = await end_in(database, dying, timedelta(minutes=30))
    for wrong in (timedelta(hours=-3), timedelta(hours=3)):
        page = await visit(path=None)
        start = datetime.now(UTC)
        await page.clock.install(time=start + wrong)
        async with page.expect_response(f"**{STREAM}"):
            await page.goto("/")
        await settle(page, watch)
        # A response gives the server's time to the second, at a moment since its request.
        error = timedelta(seconds=1) + (datetime.now(UTC) - start)
        await expect(crud(page, "alive")).to_contain_text(re.compile(r"59m \d\ds left"))
        await cut_off(page.context)
        await page.clock.pause_at(end + wrong - error)
        await expect(crud(page, "dying")).to_contain_text(re.compile(r"\d+s left"))
        await expect(page.locator(".crud-fading")).not_to_be_attached()
        await page.clock.run_for(2 * error / timedelta(milliseconds=1))
        lasting = page.locator(".crud:not(.crud-fading)")
        await expect(lasting.filter(has_text="dying")).not_to_be_attached()
        await page.clock.resume()
        await expect(crud(page, "dying")).not_to_be_attached()
        await expect(crud(page, "alive")).to_contain_text(re.compile(r"29m \d\ds left"))
