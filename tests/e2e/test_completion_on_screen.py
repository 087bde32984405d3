"""Mentions and tags are completed while one types."""

from playwright.async_api import Locator, Page, expect

from e2e.screen import AXE, PHONE, Visit, Watch, settle
from support import Member

WORDS = "What’s on your mind?"


async def begin(page: Page, watch: Watch) -> tuple[Locator, Locator]:
    """Return the field of the composer, which has the focus, and the options of its completion."""
    await settle(page, watch)
    field = page.get_by_label(WORDS)
    await field.click()
    await expect(field).to_have_attribute("aria-autocomplete", "list")
    return field, page.get_by_role("listbox", name="Suggestions").get_by_role("option")


async def test_a_mention_is_completed_with_keys(
    visit: Visit, watch: Watch, worf: Member, member: object, odo: Member
) -> None:
    await member("odin", "Allfather")  # type: ignore[operator]
    await member("zek", "Ödon Zek")  # type: ignore[operator]
    page = await visit(worf)
    field, options = await begin(page, watch)
    await page.keyboard.type("Hello @od")
    await expect(options).to_have_text(["AAllfather@odin", "OOdo@odo", "ÖÖdon Zek@zek"])
    await expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_text("3 suggestions")).to_be_attached()
    active = await options.nth(0).get_attribute("id")
    await expect(field).to_have_attribute("aria-activedescendant", active or "")
    await page.keyboard.press("ArrowUp")
    await expect(options.nth(2)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("Hello @odo ")
    await expect(options).to_have_count(0)
    await expect(field).to_be_focused()
    await page.keyboard.type("and @ze")
    await expect(options).to_have_count(1)
    await page.keyboard.press("Tab")
    await expect(field).to_have_value("Hello @odo and @zek ")
    await expect(field).to_be_focused()
    await page.keyboard.press("Tab")  # no list: it moves the focus
    await expect(field).not_to_be_focused()
    await field.clear()
    await settle(page, watch)


async def test_escape_closes_the_list_and_not_the_dialog(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await odo.crud("#honor")
    page = await visit(worf, "/@odo")
    await settle(page, watch)
    await page.get_by_role("button", name="Reply, 0 replies").click()
    field = page.get_by_role("dialog").get_by_role("textbox")
    await expect(field).to_have_attribute("aria-autocomplete", "list")
    await page.keyboard.type("#ho")
    options = page.get_by_role("option")
    await expect(options).to_have_text(["#honor"])
    await page.keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await page.keyboard.type("n")
    await expect(options).to_have_count(0)  # until another word begins
    await page.keyboard.type(" #h")
    await expect(options).to_have_text(["#honor"])
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("#hon #honor ")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_complete_word_does_not_take_enter(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await odo.crud("#tea #teapot")
    page = await visit(worf)
    field, options = await begin(page, watch)
    await page.keyboard.type("#tea")
    await expect(options).to_have_text(["#tea", "#teapot"])
    await expect(page.locator("[role=option][aria-selected=true]")).to_have_count(0)
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("#tea\n")
    await field.clear()


async def test_a_press_completes_a_tag_on_a_phone(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await odo.crud("#東京タワー")
    page = await visit(worf, size=PHONE)
    field, options = await begin(page, watch)
    await page.keyboard.insert_text("＃")
    await expect(options).to_have_text(["#東京タワー"])  # what is trending
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate(
        "axe.run().then(({ violations }) => violations.map(({ id }) => id))"
    )
    assert found == []
    await options.first.click()
    await expect(field).to_have_value("＃東京タワー ")
    await expect(field).to_be_focused()
    await field.clear()


async def test_addresses_and_words_complete_nothing(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    page = await visit(worf)
    field, options = await begin(page, watch)
    for text in ("odo", "me@od", "https://x.org/@od", "https://x.org/#od", "@odo."):
        await field.fill("")
        await page.keyboard.type(text)
    await page.keyboard.type(" @od")
    await expect(options).to_have_count(1)  # the first that asks
    assert [request.url.rpartition("?")[2] for request in watch.sent("GET", "/api/users")] == [
        "prefix=od"
    ]
    assert watch.sent("GET", "/api/tags") == []
    await field.clear()
