"""A first visit on a slow line: something to see at once, one request for the feed, no jumps."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from playwright.async_api import Route, ViewportSize, expect

from e2e.screen import DESKTOP, PHONE, Visit, Watch, settle
from e2e.world import HANDLE, NAME, fill
from support import Member

HOME = "/api/activities/home"
MAX_SHIFT = 0.01
"""Layout shift of a page that does not visibly move; 0.1 is the limit of a good score."""

OBSERVE = """
    globalThis.shifts = [];
    new PerformanceObserver((list) => shifts.push(...list.getEntries()))
        .observe({ type: "layout-shift", buffered: true });
"""
SHIFTS = """() => shifts.filter((shift) => !shift.hadRecentInput).map((shift) => [
    shift.value, shift.sources.map(({ node }) => (node?.outerHTML ?? "").slice(0, 80))])"""

FRAMES = """() => new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""
"""Wait until the page has rendered what it has."""


def holder(gate: asyncio.Event) -> object:
    """Return a route that continues when the gate opens."""

    async def hold(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    return hold


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("audience", ["member", "visitor"])
async def test_home_appears_in_steps_that_move_nothing(
    visit: Visit, watch: Watch, worf: Member, audience: str, size: ViewportSize
) -> None:
    await worf.crud("a good day #to wait")
    page = await visit(worf if audience == "member" else None, None, size=size)
    script, feed, ideas = (asyncio.Event() for _ in range(3))
    await page.route("**/assets/index-*.js", holder(script))
    await page.route(f"**{HOME}", holder(feed))
    await page.route("**/api/trending", holder(ideas))
    await page.add_init_script(OBSERVE)
    async with page.expect_request(f"**{HOME}"):  # before the main script has loaded
        await page.goto("/", wait_until="commit")
    await expect(page.locator(".skeleton-row")).to_have_count(5)
    await expect(page.locator(".skeleton-row").first).to_be_visible()
    await expect(page.get_by_role("heading", name="Home")).not_to_be_attached()
    script.set()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()
    await expect(page.locator(".skeleton-row").first).to_be_visible()
    feed.set()
    await expect(page.get_by_text("a good day")).to_be_visible()
    ideas.set()
    await settle(page, watch)
    assert len(watch.sent("GET", HOME)) == 1
    shifts = await page.evaluate(SHIFTS)
    assert sum(value for value, _ in shifts) < MAX_SHIFT, shifts
    await worf.crud("a new day")
    await expect(page.get_by_text("a new day")).to_be_visible()
    await page.unroute_all(behavior="wait")


STEPS = [
    (audience, path)
    for audience, paths in {
        "member": (
            "/", "/search", "/search?term=%23crud", "/notifications", "/messages",
            "/messages/@bayko", "/@worf", "/@andrewbrown", "/@worf/status/{crud}",
            "/@andrewbrown/status/{reply}", "/settings", "/notices",
        ),
        "visitor": (
            "/", "/search", "/@worf", "/@worf/status/{crud}", "/settings", "/signup", "/signin",
            "/about",
        ),
    }.items()
    for path in paths
]  # fmt: skip


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize(("audience", "path"), STEPS)
async def test_a_page_that_loads_in_steps_moves_nothing(
    visit: Visit,
    watch: Watch,
    member: Callable[..., Any],
    database: asyncpg.Connection,
    audience: str,
    path: str,
    size: ViewportSize,
) -> None:
    andrew: Member = await member(HANDLE, NAME)
    world = await fill(database, andrew.uuid)
    page = await visit(andrew if audience == "member" else None, None, size=size)
    one = asyncio.Lock()

    async def render_each(route: Route) -> None:
        """Let a response arrive when the page has rendered the one before."""
        response = await route.fetch()
        async with one:
            await page.evaluate(FRAMES)
            await route.fulfill(response=response)
            await page.evaluate(FRAMES)

    await page.route(re.compile(r"/api/(?!stream)|/assets/further-"), render_each)
    await page.add_init_script(OBSERVE)
    await page.goto(path.format(crud=world.crud, reply=world.reply))
    await settle(page, watch)
    await page.evaluate(FRAMES)
    shifts = await page.evaluate(SHIFTS)
    assert sum(value for value, _ in shifts) < MAX_SHIFT, shifts
    await page.unroute_all(behavior="wait")


async def test_a_crud_that_was_posted_before_the_stream_began_is_not_missed(
    visit: Visit, watch: Watch, worf: Member, odo: Member
) -> None:
    await worf.crud("before")
    page = await visit(path=None)
    script = asyncio.Event()
    await page.route("**/assets/index-*.js", holder(script))
    async with page.expect_response(f"**{HOME}"):
        await page.goto("/", wait_until="commit")
    await odo.crud("in between")
    script.set()
    await expect(page.get_by_text("in between")).to_be_visible()
    assert len(watch.sent("GET", HOME)) == 1
    await page.unroute_all(behavior="wait")


async def test_an_account_page_has_its_own_shell(visit: Visit, watch: Watch) -> None:
    page = await visit(path=None)
    script = asyncio.Event()
    await page.route("**/assets/index-*.js", holder(script))
    await page.goto("/signin", wait_until="commit")
    await expect(page.locator(".account-side")).to_be_visible()
    await expect(page.locator(".layout")).not_to_be_attached()
    script.set()
    await expect(page.get_by_label("Email or handle")).to_be_focused()
    assert watch.sent("GET", HOME) == []
    await page.unroute_all(behavior="wait")
