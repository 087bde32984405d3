"""Changes by other users appear in the browser without a reload.

No page polls while its stream is connected, so what appears on a page came from the stream.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from playwright.async_api import Browser, Locator, Page, Response, expect

from e2e.screen import DIST, STREAM, Visit, Watch, open_browser, settle
from support import Member, acquaint, free_port
from telemetry.serving import served

LOST = 10_000
"""Milliseconds without the stream after which a page shows that it is not live."""

LONGEST_WAIT = 30_000
"""Milliseconds within which a page reconnects."""

WORDS = "What’s on your mind?"


def crud(page: Page, words: str) -> Locator:
    """Return the card of a crud."""
    return page.get_by_role("article").filter(has_text=words)


@asynccontextmanager
async def answered(page: Page, method: str, path: str) -> AsyncIterator[None]:
    """On exit, wait for the successful response to a request made inside."""

    def is_it(response: Response) -> bool:
        is_there = fnmatch(urlsplit(response.url).path, path)
        return is_there and response.request.method == method

    async with page.expect_response(is_it) as expected:
        yield
    assert (await expected.value).status == 200


async def write(page: Page, words: str) -> None:
    await page.get_by_label(WORDS).fill(words)
    async with answered(page, "POST", "/api/activities"):
        await page.get_by_role("button", name="Crud it").click()


async def live(visit: Visit, watch: Watch, member: Member | None = None, path: str = "/") -> Page:
    """Open a page and wait until its stream is connected."""
    page = await visit(member, None)
    async with page.expect_response(f"**{STREAM}"):
        await page.goto(path)
    await settle(page, watch)
    return page


async def test_posts_reactions_replies_and_deletions_are_live(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    his, hers = await live(visit, watch, worf), await live(visit, watch, odo)
    visitors = await live(visit, watch)
    await write(his, "a good day")
    for page in (hers, visitors):
        await expect(crud(page, "a good day")).to_be_visible()
    await expect(crud(his, "a good day")).to_have_count(1)

    async with answered(hers, "PUT", "*/like"):
        await crud(hers, "a good day").get_by_role("button", name="Like").click()
    for page in (his, visitors):
        await expect(
            crud(page, "a good day").get_by_role("button", name="Like, 1 like")
        ).to_be_visible()
    await expect(
        his.get_by_role("link", name=re.compile("Notifications,? 1 unread"))
    ).to_be_visible()
    async with answered(hers, "PUT", "*/repost"):
        await crud(hers, "a good day").get_by_role("button", name="Repost").click()
    await expect(
        crud(his, "a good day").get_by_role("button", name="Repost, 1 repost")
    ).to_be_visible()

    await crud(his, "a good day").get_by_role("paragraph").click()
    await expect(his.get_by_role("heading", name="No replies yet")).to_be_visible()
    await crud(hers, "a good day").get_by_role("button", name="Reply").click()
    dialog = hers.get_by_role("dialog", name="Reply to Worf")
    await dialog.get_by_role("textbox").fill("so it is")
    async with answered(hers, "POST", "*/reply"):
        await dialog.get_by_role("button", name="Reply").click()
    await expect(his.get_by_role("region", name="Replies")).to_contain_text("so it is")
    for page in (his, visitors):
        await expect(
            crud(page, "a good day").get_by_role("button", name="Reply, 1 reply")
        ).to_be_visible()
    await expect(crud(hers, "a good day").get_by_role("button", name="Reply, 1")).to_be_visible()

    await his.get_by_role("button", name="Delete").click()
    async with answered(his, "DELETE", "/api/activities/*"):
        await his.get_by_role("dialog").get_by_role("button", name="Delete").click()
    for page in (hers, visitors):
        await expect(
            page.locator(".crud:not(.crud-fading)").filter(has_text="a good day")
        ).to_have_count(0)
        await expect(page.get_by_role("heading", name="No cruds right now")).to_be_visible()


async def test_profiles_and_crud_pages_are_live(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    first = await worf.crud("a good day")
    profile = await live(visit, watch, odo, "/@worf")
    status = await live(visit, watch, None, f"/@worf/status/{first['uuid']}")
    head = profile.get_by_role("region", name="Profile")
    await expect(head).to_contain_text("1 live crud")
    await worf.crud("a better day")
    await expect(profile.get_by_role("article").first).to_contain_text("a better day")
    await expect(head).to_contain_text("2 live cruds")
    await worf.delete(f"/api/activities/{first['uuid']}")
    await expect(status.get_by_role("heading", name="This crud is gone")).to_be_visible()
    await expect(crud(profile, "a good day")).not_to_be_attached()
    await expect(head).to_contain_text("1 live crud")


async def test_messages_arrive_live_and_are_marked_read(
    visit: Visit, watch: Watch, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    await acquaint(database, worf, odo)
    his, hers = await live(visit, watch, worf, "/messages/@odo"), await live(visit, watch, odo)
    await his.get_by_label("Message @odo").fill("nuqneH")
    async with answered(his, "POST", "/api/messages"):
        await his.keyboard.press("Enter")
    await expect(hers.get_by_role("link", name=re.compile("Messages,? 1 unread"))).to_be_visible()
    await hers.get_by_role("link", name=re.compile("Messages,? 1 unread")).click()
    await hers.get_by_role("main").get_by_role("link", name="nuqneH").click()
    await expect(hers.get_by_role("link", name="Messages", exact=True)).to_be_visible()

    his_list, her_list = (page.get_by_role("list", name="Messages") for page in (his, hers))
    await hers.get_by_label("Message @worf").fill("what do you want?")
    async with answered(hers, "POST", "/api/messages"):
        await hers.keyboard.press("Enter")
    await expect(his_list).to_contain_text("what do you want?")
    await his.get_by_label("Message @odo").fill("a bucket")
    async with answered(his, "POST", "/api/messages"):
        await his.keyboard.press("Enter")
    await expect(her_list).to_contain_text("a bucket")
    for messages in (his_list, her_list):
        await expect(messages.get_by_role("listitem")).to_contain_text(
            ["nuqneH", "what do you want?", "a bucket"]
        )
    await settle(his, watch)
    await settle(hers, watch)
    for page in (his, hers):
        await expect(page.get_by_role("link", name="Messages", exact=True)).to_be_visible()


async def test_new_cruds_wait_while_the_viewer_has_scrolled_down(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    for n in range(12):
        await odo.crud(f"old {n}")
    page = await live(visit, watch)
    await expect(page.get_by_role("article")).to_have_count(12)
    await page.evaluate("scrollTo(0, 600)")
    await page.wait_for_function("scrollY === 600")
    for words in ("one more", "two more", "three more"):
        await worf.crud(words)
    pill = page.get_by_role("button", name="3 new cruds")
    await expect(pill).to_be_visible()
    await expect(crud(page, "three more")).not_to_be_attached()
    await expect(page.get_by_role("status").filter(has_text="new crud")).to_be_attached()
    await pill.click()
    await expect(page.get_by_role("article").first).to_contain_text("three more")
    await expect(page.get_by_role("article").first).to_be_in_viewport()
    await expect(pill).not_to_be_attached()
    await page.mouse.move(0, 0)
    await worf.crud("at the top")
    await expect(page.get_by_role("article").first).to_contain_text("at the top")


async def test_a_page_does_not_poll_while_the_stream_is_live(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    page = await visit(worf, None)
    await page.clock.install()
    async with page.expect_response(f"**{STREAM}"):
        await page.goto("/")
    await settle(page, watch)
    before = len(watch.requests)
    # Longer than the interval of a poll, shorter than the silence after which a page reconnects.
    await page.clock.fast_forward(21_000)
    await settle(page, watch)
    asked = [request.url for request in watch.requests[before:]]
    assert [url for url in asked if not url.endswith((STREAM, "/api/trending"))] == []


async def test_a_session_ended_on_another_device_signs_the_page_out(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    page, other = await live(visit, watch, worf), await live(visit, watch, worf, "/settings")
    watch.expect(401, STREAM)
    watch.expect(401, "/api/auth/refresh")
    await other.get_by_role("button", name="Sign out all other devices").click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text(
        "You’ve been signed out"
    )
    await expect(page.get_by_role("navigation").get_by_role("link", name="Sign in")).to_be_visible()
    await odo.crud("to everybody")
    await expect(crud(page, "to everybody")).to_be_visible()


async def test_a_page_catches_up_after_the_service_was_down(
    browser: Browser, screen_dsn: str, worf: Member, tmp_path: Path
) -> None:
    """The page comes from a second service on the same database, which the test can stop."""
    start = partial(
        served, screen_dsn, tmp_path, port=free_port(), CRUDDUR_FRONTEND_DIRECTORY=str(DIST)
    )
    first = await worf.crud("before")
    with start() as service:
        watch = Watch(service.url)
        context = await open_browser(browser, service)
        watch.follow(context)
        page = await context.new_page()
        await page.clock.install()
        async with page.expect_response(f"**{STREAM}"):
            await page.goto("/")
        await settle(page, watch)
        service.stop()
    watch.expect(0, "/api/*")
    mark = page.get_by_role("status").filter(has_text="Not live: reconnecting…")
    await page.clock.fast_forward(LOST - 3_000)
    await expect(mark).not_to_be_attached()
    await page.clock.fast_forward(3_000)
    await expect(mark).to_be_visible()
    await worf.crud("meanwhile")
    await worf.put(f"/api/activities/{first['uuid']}/like")
    with start():
        await page.clock.fast_forward(LONGEST_WAIT)
        await expect(mark).not_to_be_attached()
        await expect(crud(page, "meanwhile")).to_be_visible()
        await expect(
            crud(page, "before").get_by_role("button", name="Like, 1 like")
        ).to_be_visible()
        await worf.crud("afterwards")
        await expect(crud(page, "afterwards")).to_be_visible()
        await context.close()
    watch.check()
