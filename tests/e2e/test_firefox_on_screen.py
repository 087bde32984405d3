"""The main paths in Firefox: read, join, write, see it live, change a setting and sign out.

All other tests of the page use Chromium. These look for what only Firefox does differently: they
follow a visitor, a new member and two members through the pages, and check each page with axe.
"""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from e2e.screen import (
    AXE,
    PASSWORD,
    STANDARDS,
    STREAM,
    Browsers,
    Visit,
    Watch,
    code_for,
    settle,
    violations,
)
from support import Member, acquaint
from telemetry.serving import Served


@pytest.fixture(scope="module")
async def browsers(firefox: Browser, service: Served) -> AsyncIterator[Browsers]:
    """Let `visit` open Firefox."""
    made = Browsers(firefox, service)
    yield made
    await made.close()


def crud(page: Page, words: str) -> Locator:
    """Return the card of a crud."""
    return page.get_by_role("article").filter(has_text=words)


async def enter(field: Locator, text: str) -> None:
    """Replace the text of a field. `fill` changes it in Firefox without React's notice."""
    await field.press("Control+a")
    await field.press_sequentially(text)


async def inspect(page: Page, watch: Watch) -> None:
    """Wait until a page has loaded, and check its accessibility."""
    await settle(page, watch)
    await page.evaluate(AXE.read_text("utf-8"))
    assert not await violations(page, STANDARDS)


async def test_a_visitor_reads_and_searches(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    said = await worf.crud("Today is a good day to #crud")
    await odo.reply(said["uuid"], "So it is")
    page = await visit()
    await expect(page.get_by_role("article", name="Crud by Worf")).to_be_visible()
    await inspect(page, watch)

    await crud(page, "a good day").get_by_role("paragraph").click()
    await expect(page.get_by_role("region", name="Replies")).to_contain_text("So it is")
    await inspect(page, watch)

    await page.get_by_role("link", name="Odo", exact=True).first.click()
    await expect(page.get_by_role("region", name="Profile")).to_contain_text("@odo")
    await inspect(page, watch)

    search = page.get_by_role("searchbox", name="Search Cruddur").first
    await enter(search, "#crud")
    await search.press("Enter")
    await expect(page).to_have_url(re.compile(r"/search\?term=%23crud$"))
    await expect(crud(page, "a good day")).to_be_visible()
    await inspect(page, watch)


async def test_a_new_member_joins_and_posts(visit: Visit, watch: Watch, service: Served) -> None:
    page = await visit(path="/about")
    await inspect(page, watch)
    await page.get_by_role("region", name="Join").get_by_role("link", name="Join now").click()
    await inspect(page, watch)
    for label, text in (("Name", "Kurn"), ("Handle", "kurn"), ("Email", "kurn@example.com")):
        await enter(page.get_by_label(label, exact=True), text)
    await enter(page.get_by_label("Password", exact=True), PASSWORD)
    await page.get_by_label("Password", exact=True).press("Enter")
    await expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    await inspect(page, watch)
    await enter(page.get_by_label("Code", exact=True), await code_for(service, "kurn@example.com"))
    await page.get_by_label("Code", exact=True).press("Enter")
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("Welcome to Cruddur")
    await page.get_by_role("link", name="Home", exact=True).click()
    await write(page, "The first one")
    await expect(page.get_by_role("article", name="Crud by Kurn")).to_contain_text("The first one")
    await page.reload()
    await expect(page.get_by_role("article", name="Crud by Kurn")).to_contain_text("The first one")
    await inspect(page, watch)


async def write(page: Page, words: str) -> None:
    """Post a crud, and wait until the service has stored it."""
    area = page.get_by_label("What’s on your mind?")
    await enter(area, words)
    await page.get_by_role("button", name="Crud it").click()
    await expect(area).to_have_value("")


async def live(visit: Visit, watch: Watch, member: Member) -> Page:
    """Open the home page and wait until its stream is connected."""
    page = await visit(member, None)
    async with page.expect_response(f"**{STREAM}"):
        await page.goto("/")
    await settle(page, watch)
    return page


async def test_two_members_see_each_other_live(
    visit: Visit, watch: Watch, worf: Member, odo: Member, database: asyncpg.Connection
) -> None:
    await acquaint(database, worf, odo)
    his, hers = await live(visit, watch, worf), await live(visit, watch, odo)
    # No mention at the end: suggestions that appear there would move the button during the click.
    await write(his, "@odo, a good day")
    theirs = crud(hers, "a good day")
    await expect(theirs.get_by_role("link", name="@odo")).to_be_visible()
    await expect(
        hers.get_by_role("link", name=re.compile("Notifications,? 1 unread"))
    ).to_be_visible()

    await theirs.get_by_role("button", name="Like").click()
    await expect(crud(his, "a good day").get_by_role("button", name="Like, 1 like")).to_be_visible()
    await theirs.get_by_role("button", name="Reply").click()
    dialog = hers.get_by_role("dialog", name="Reply to Worf")
    await expect(dialog.get_by_role("textbox")).to_be_focused()
    await inspect(hers, watch)
    await enter(dialog.get_by_role("textbox"), "so it is")
    await dialog.get_by_role("button", name="Reply").click()
    await expect(dialog).not_to_be_visible()
    await expect(
        crud(his, "a good day").get_by_role("button", name="Reply, 1 reply")
    ).to_be_visible()

    await hers.get_by_role("link", name=re.compile("Notifications")).click()
    await expect(hers.get_by_role("main").get_by_role("listitem")).to_contain_text("a good day")
    await inspect(hers, watch)
    await hers.get_by_role("link", name="Messages", exact=True).click()
    await inspect(hers, watch)
    await hers.goto("/messages/@worf")
    await enter(hers.get_by_label("Message @worf"), "nuqneH")
    await hers.get_by_label("Message @worf").press("Enter")
    messages = hers.get_by_role("list", name="Messages").get_by_role("listitem")
    await expect(messages).to_contain_text(["nuqneH"])
    await inspect(hers, watch)
    await his.get_by_role("link", name=re.compile("Messages,? 1 unread")).click()
    await expect(his.get_by_role("main").get_by_role("link", name="nuqneH")).to_be_visible()


async def test_a_member_changes_the_profile_and_signs_out(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    page = await visit(worf, "/settings")
    await inspect(page, watch)
    profile = page.get_by_role("form", name="Profile")
    await enter(profile.get_by_label("Name"), "Worf, son of Mogh")
    await profile.get_by_role("button", name="Save profile").click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("Profile saved")
    await expect(page.get_by_role("navigation")).to_contain_text("Worf, son of Mogh")
    await settle(page, watch)
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page).to_have_url(re.compile("/$"))
    await expect(page.get_by_role("link", name="Sign in", exact=True).first).to_be_visible()
    await page.get_by_role("link", name="Sign in", exact=True).first.click()
    await inspect(page, watch)
    await enter(page.get_by_label("Email or handle"), "worf")
    await enter(page.get_by_label("Password"), PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("link", name="Settings")).to_be_visible()
