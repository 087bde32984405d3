"""Following people and tags in the browser."""

import re

from playwright.async_api import Page, expect

from e2e.screen import Visit, Watch, settle
from e2e.test_live_on_screen import answered, crud, live, write
from support import Member


async def open_following(page: Page) -> None:
    """Open the tab of Home, and wait for its stream."""
    async with page.expect_response(lambda response: "feed=following" in response.url):
        await page.get_by_role("link", name="Home").first.click()
        await page.get_by_role("link", name="Following", exact=True).click()


async def test_a_followed_user_is_in_the_feed_live_until_they_are_unfollowed(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await odo.crud("an earlier crud")
    his = await live(visit, watch, worf, path="/@odo")
    hers = await live(visit, watch, odo)
    async with answered(his, "PUT", "/api/users/@odo/follow"):
        await his.get_by_role("button", name="Follow @odo").click()
    await expect(his.get_by_role("link", name="1 follower")).to_be_visible()
    await expect(
        hers.get_by_role("link", name=re.compile("Notifications,? 1 unread"))
    ).to_be_visible()

    await open_following(his)
    await expect(crud(his, "an earlier crud")).to_be_visible()
    await write(hers, "seen by followers")
    await expect(crud(his, "seen by followers")).to_be_visible()
    other = await worf.crud("not followed by anyone")
    await odo.put(f"/api/activities/{other['uuid']}/repost")
    reposted = crud(his, "not followed by anyone")
    await expect(reposted.get_by_role("link", name="Odo reposted")).to_be_visible()

    # Home stays on this tab.
    await his.reload()
    await expect(crud(his, "seen by followers")).to_be_visible()
    await his.goto("/@odo")
    async with answered(his, "DELETE", "/api/users/@odo/follow"):
        await his.get_by_role("button", name="Following @odo").click()
    await his.get_by_role("link", name="Home").first.click()
    await expect(his.get_by_text("Nothing here yet")).to_be_visible()
    await settle(his, watch)


async def test_a_followed_hashtag_marks_its_cruds(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    page = await live(visit, watch, worf, path="/search?term=%23tea")
    async with answered(page, "PUT", "/api/tags/tea/follow"):
        await page.get_by_role("button", name="Follow #tea").click()
    await open_following(page)
    await odo.crud("A cup of #tea")
    marked = crud(page, "A cup of #tea")
    await expect(marked.get_by_role("link", name="You follow #tea")).to_be_visible()


async def test_an_open_feed_loses_whom_another_tab_unfollows(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await worf.put("/api/users/@odo/follow")
    await odo.crud("an earlier crud")
    page = await live(visit, watch, worf, path="/?feed=following")
    await expect(crud(page, "an earlier crud")).to_be_visible()
    await odo.crud("a later crud")
    await expect(crud(page, "a later crud")).to_be_visible()
    await worf.delete("/api/users/@odo/follow")
    await expect(page.get_by_text("Nothing here yet")).to_be_visible()
    await expect(page.get_by_role("article")).to_have_count(0)
    await worf.put("/api/users/@odo/follow")
    await expect(crud(page, "a later crud")).to_be_visible()
