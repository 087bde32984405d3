"""Addresses, the keyboard, and a phone."""

import re
from uuid import uuid4

from playwright.async_api import expect

from e2e.screen import PHONE, Visit, Watch
from support import Member


async def test_unknown_addresses_show_not_found(visit: Visit, watch: Watch, worf: Member) -> None:
    page = await visit(worf)
    for path in ("/nowhere", "/messages/worf", "/worf", "/@worf/nowhere"):
        watch.expect(404, path)
        response = await page.goto(path)
        assert response is not None
        assert response.status == 404
        await expect(page.get_by_role("heading", name="Not found")).to_be_visible()
        await expect(page).to_have_title("Not found · Cruddur")
    await page.get_by_role("link", name="Go home").click()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()
    watch.expect(404, "/api/*")
    for path, words in (
        ("/@nobody", "User not found"),
        (f"/@worf/status/{uuid4()}", "This crud is gone"),
    ):
        watch.expect(404, path)
        response = await page.goto(path)
        assert response is not None
        assert response.status == 404
        await expect(page.get_by_role("heading", name=words)).to_be_visible()


async def test_back_returns_to_the_previous_page(visit: Visit, worf: Member) -> None:
    await worf.crud("a good day")
    page = await visit()
    await page.get_by_role("link", name="Search").click()
    await page.get_by_role("searchbox").fill("good")
    await page.keyboard.press("Enter")
    await page.get_by_role("region", name="Results").get_by_text("a good day").click()
    await page.get_by_role("link", name="Worf", exact=True).first.click()
    await expect(page).to_have_url(re.compile("/@worf$"))
    await page.get_by_role("button", name="Back").click()
    await expect(page.get_by_role("heading", name="Crud", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Back").click()
    await expect(page.get_by_role("region", name="Results")).to_contain_text("a good day")
    await page.go_forward()
    await expect(page.get_by_role("heading", name="Crud", exact=True)).to_be_visible()
    await page.goto(page.url)
    await page.get_by_role("button", name="Back").click()
    await expect(page.get_by_role("heading", name="Crud", exact=True)).not_to_be_visible()


async def test_everything_works_with_the_keyboard(visit: Visit, worf: Member) -> None:
    await worf.crud("a good day")
    page = await visit(worf)
    card = page.get_by_role("article")
    await expect(card).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to main content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    for feed in ("Everyone", "Following"):
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("main").get_by_role("link", name=feed)).to_be_focused()
    await page.keyboard.press("Tab")
    words = page.get_by_label("What’s on your mind?")
    await expect(words).to_be_focused()
    await page.keyboard.type("by hand")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_label("What’s on your mind?")).to_have_value("")
    await expect(card.filter(has_text="by hand")).to_be_visible()
    await expect(words).to_have_value("")
    await expect(words).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Add pictures")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Lives for")).to_be_focused()
    await page.keyboard.press(
        "Tab"
    )  # the empty form's button is disabled, so the focus moves past it
    passed = []
    for _ in range(8):
        focused = page.locator(":focus")
        passed.append(await focused.inner_text() or await focused.get_attribute("aria-label"))
        await page.keyboard.press("Tab")
    assert [re.sub(r",.*|\d+s", "", name or "") for name in passed] == [
        "Worf", "now", "Reply", "Repost", "Like", "Share", "Delete", "Worf",
    ]  # fmt: skip

    await card.first.get_by_role("button", name="Like").focus()
    await page.keyboard.press("Enter")
    await expect(card.first.get_by_role("button", name="Like, 1 like")).to_be_focused()
    await card.first.get_by_role("button", name="Delete").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    for _ in range(4):
        await page.keyboard.press("Tab")
        await expect(page.locator(":focus:not(body, dialog *)")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(dialog).not_to_be_attached()
    await expect(card.first.get_by_role("button", name="Delete")).to_be_focused()
    await page.get_by_role("link", name="Profile").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    await expect(page).to_have_title("Worf (@worf) · Cruddur")


async def test_a_phone_shows_one_column_and_a_bar(visit: Visit, worf: Member, odo: Member) -> None:
    await worf.crud("a good day #phone")
    page = await visit(odo, "/@worf", size=PHONE)
    bar = page.get_by_role("navigation", name="Main")
    await expect(page.get_by_text("a good day")).to_be_visible()
    await expect(page.get_by_role("complementary")).not_to_be_visible()
    for name in ("Home", "Search", "Notifications", "Messages", "Profile", "Settings"):
        box = await bar.get_by_role("link", name=name).bounding_box()
        assert box is not None
        assert box["y"] > PHONE["height"] - 80
        assert box["height"] >= 44
        assert box["width"] >= 44
    await page.get_by_role("button", name="Crud", exact=True).click()
    dialog = page.get_by_role("dialog", name="New crud")
    await dialog.get_by_role("textbox").fill("from a phone")
    await dialog.get_by_role("button", name="Crud it").click()
    await expect(page.get_by_role("article").filter(has_text="from a phone")).to_be_visible()
    await bar.get_by_role("link", name="Search").click()
    await expect(page.get_by_role("region", name="Trending")).to_contain_text("#phone")
    await bar.get_by_role("link", name="Settings").click()
    out = page.get_by_role("button", name="Sign out", exact=True)
    await expect(out).to_be_in_viewport()
    await out.click()
    await expect(bar.get_by_role("link", name="Join")).to_be_visible()
    await page.mouse.wheel(0, 10_000)
    last = page.get_by_role("article").last.get_by_role("button", name="Share")
    await last.click()
    await expect(page.get_by_role("status", name="Notices")).to_contain_text("copied")
