"""The theme: the system's, or the one that was chosen on this device."""

import asyncio

from playwright.async_api import Page, Route, expect

from e2e.screen import Visit, Watch, settle
from support import Member

DARK, LIGHT = "rgb(8, 1, 14)", "rgb(253, 251, 255)"
LOOK = """() => ({
    feed: getComputedStyle(document.querySelector("main")).backgroundColor,
    scheme: getComputedStyle(document.documentElement).colorScheme,
    bar: [...document.querySelectorAll("meta[name=theme-color]")]
        .find(({ media }) => matchMedia(media).matches).content,
})"""


async def assert_look(page: Page, feed: str, scheme: str) -> None:
    assert await page.evaluate(LOOK) == {
        "feed": feed,
        "scheme": scheme,
        "bar": "#08010e" if feed == DARK else "#fdfbff",
    }


async def test_the_theme_follows_the_system_until_one_is_chosen(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    page = await visit(worf, "/settings")
    await settle(page, watch)
    await assert_look(page, DARK, "light dark")
    await page.emulate_media(color_scheme="light")
    await assert_look(page, LIGHT, "light dark")
    await page.get_by_role("radio", name="Dark").check()
    await assert_look(page, DARK, "dark")
    await page.get_by_role("radio", name="Light").check()
    await page.emulate_media(color_scheme="dark")
    await assert_look(page, LIGHT, "light")
    other = await page.context.new_page()
    await other.goto("/about")
    await assert_look(other, LIGHT, "light")
    await page.get_by_role("radio", name="System").check()
    await assert_look(page, DARK, "light dark")
    await other.wait_for_function("document.documentElement.dataset.theme === undefined")
    await assert_look(other, DARK, "light dark")
    await settle(other, watch)


async def test_the_chosen_theme_shows_before_the_scripts(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    page = await visit(worf, "/settings")
    await settle(page, watch)
    await page.get_by_role("radio", name="Light").check()
    script = asyncio.Event()

    async def hold(route: Route) -> None:
        await script.wait()
        await route.continue_()

    await page.route("**/assets/index-*.js", hold)
    await page.goto("/", wait_until="commit")
    await expect(page.locator(".skeleton-row").first).to_be_visible()
    await assert_look(page, LIGHT, "light")
    script.set()
    await settle(page, watch)
    await page.unroute_all(behavior="wait")


async def test_a_visitor_chooses_a_theme_too(visit: Visit, watch: Watch) -> None:
    page = await visit(None, "/")
    await settle(page, watch)
    await page.get_by_role("complementary").get_by_role("link", name="Settings").click()
    await page.get_by_role("radio", name="Light").check()
    await page.reload()
    await settle(page, watch)
    await expect(page.get_by_role("radio", name="Light")).to_be_checked()
    await assert_look(page, LIGHT, "light")
