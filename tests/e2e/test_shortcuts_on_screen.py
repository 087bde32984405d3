"""Keyboard shortcuts: reading, writing and going places without a mouse."""

import re

import pytest
from playwright.async_api import Page, expect

from e2e.screen import AXE, PHONE, Visit, Watch, settle
from support import Member

SHEET = "Keyboard shortcuts"


async def ready(page: Page, watch: Watch) -> Page:
    """Wait until the shortcuts of a page have loaded."""
    await settle(page, watch)
    await expect(page.locator(".offline")).to_be_attached()
    return page


async def test_j_and_k_walk_through_the_cruds(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    for number in range(12):
        await odo.crud(f"crud {number}\n\n" + "line\n" * 8)
    page = await ready(await visit(worf), watch)
    for number in range(11, -1, -1):
        await page.keyboard.press("j")
        crud = page.get_by_role("article").filter(has_text=re.compile(rf"crud {number}\b"))
        await expect(crud).to_be_focused()
        await expect(crud).to_be_in_viewport(ratio=0.5)
    await page.keyboard.press("j")  # it is the last one
    await expect(crud).to_be_focused()
    await page.keyboard.press("k")
    await expect(
        page.get_by_role("article").filter(has_text=re.compile(r"crud 1\b"))
    ).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/@odo/status/"))


async def test_l_and_r_act_on_the_crud_in_focus(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await odo.crud("the first")
    await odo.crud("the second")
    page = await ready(await visit(worf), watch)
    for key in ("l", "r"):  # nothing has the focus
        await page.keyboard.press(key)
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    first = page.get_by_role("article").filter(has_text="the first")
    await page.keyboard.press("l")
    await expect(first.get_by_role("button", name="Like, 1 like")).to_be_visible()
    await expect(first).to_be_focused()
    await page.keyboard.press("r")
    dialog = page.get_by_role("dialog", name="Reply to Odo")
    await expect(dialog.get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("jklr?n/")  # typed, not obeyed
    await expect(dialog.get_by_role("textbox")).to_have_value("jklr?n/")
    await page.keyboard.press("Escape")
    await expect(first).to_be_focused()
    await settle(page, watch)


async def test_keys_lead_to_places(visit: Visit, watch: Watch, worf: Member) -> None:
    page = await ready(await visit(worf), watch)
    for keys, path in (
        ("gn", "/notifications"),
        ("gm", "/messages"),
        ("gp", "/@worf"),
        ("gs", "/settings"),
        ("gh", "/"),
    ):
        await page.keyboard.type(keys)
        await expect(page).to_have_url(re.compile(f"{re.escape(path)}$"))
    await settle(page, watch)
    await page.keyboard.press("n")
    await expect(page.get_by_label("What’s on your mind?")).to_be_focused()
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search Cruddur")
    await expect(field).to_be_focused()
    await expect(field).to_have_value("")
    await expect(field).to_have_attribute("aria-keyshortcuts", "/")
    await settle(page, watch)


HOLD = """() => {
    const { postMessage } = MessagePort.prototype;
    const held = [];
    MessagePort.prototype.postMessage = function (...message) {
        held.push(() => postMessage.apply(this, message));
    };
    window.release = () => {
        MessagePort.prototype.postMessage = postMessage;
        held.forEach((send) => send());
    };
}"""
"""Hold the messages with which React schedules what need not be rendered at once."""


async def test_a_key_acts_on_the_page_to_which_the_keys_before_it_lead(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    page = await ready(await visit(worf, "/settings"), watch)
    await page.evaluate(HOLD)
    await page.keyboard.type("ghn")
    await page.evaluate("release()")
    await settle(page, watch)
    await expect(page.get_by_role("main").get_by_label("What’s on your mind?")).to_be_focused()


async def test_on_a_phone_search_opens_its_page(visit: Visit, watch: Watch, worf: Member) -> None:
    page = await ready(await visit(worf, size=PHONE), watch)
    await page.keyboard.press("/")
    await expect(page).to_have_url(re.compile("/search$"))
    await expect(page.get_by_role("searchbox", name="Search Cruddur")).to_be_focused()
    await settle(page, watch)


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_the_sheet_lists_all_shortcuts(
    visit: Visit, watch: Watch, worf: Member, scheme: str
) -> None:
    page = await ready(await visit(worf, "/about"), watch)
    await page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    await page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name=SHEET)
    keys = await sheet.locator("dt").all_inner_texts()
    assert keys == ["j", "k", "Enter", "/", "n", "r", "l", "g h", "g n", "g m", "g p", "g s", "?"]
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id }) => id))"
    )
    assert found == []
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)


async def test_a_visitor_sees_the_shortcuts_for_visitors(visit: Visit, watch: Watch) -> None:
    page = await ready(await visit(None, "/about"), watch)
    await page.keyboard.type("n?")
    sheet = page.get_by_role("dialog", name=SHEET)
    assert await sheet.locator("dt").all_inner_texts() == [
        "j",
        "k",
        "Enter",
        "/",
        "g h",
        "g s",
        "?",
    ]


async def test_modifiers_belong_to_the_browser(visit: Visit, watch: Watch, worf: Member) -> None:
    page = await ready(await visit(worf, "/about"), watch)
    for modifier in ("Control", "Alt", "Meta"):
        await page.keyboard.press(f"{modifier}+?")
        await page.keyboard.press(f"{modifier}+j")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.evaluate(
        "dispatchEvent(new KeyboardEvent('keydown', { key: '?', isComposing: true }))"
    )
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_shortcuts_can_be_turned_off(visit: Visit, watch: Watch, worf: Member) -> None:
    page = await ready(await visit(worf, "/settings"), watch)
    compose = page.get_by_role("button", name="Crud", exact=True)
    await expect(compose).to_have_attribute("aria-keyshortcuts", "n")
    await page.get_by_role("checkbox", name=SHEET).uncheck()
    await expect(compose).not_to_have_attribute("aria-keyshortcuts", "n")
    await page.reload()
    await ready(page, watch)
    await expect(page.get_by_role("checkbox", name=SHEET)).not_to_be_checked()
    await page.keyboard.type("?gh")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page).to_have_url(re.compile("/settings$"))
    await page.get_by_role("checkbox", name=SHEET).check()
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name=SHEET)).to_be_visible()


async def test_the_installed_app_starts_a_crud(visit: Visit, watch: Watch, worf: Member) -> None:
    page = await ready(await visit(worf, "/#new"), watch)
    await expect(page.get_by_label("What’s on your mind?")).to_be_focused()
    await expect(page).to_have_url(re.compile("/$"))
