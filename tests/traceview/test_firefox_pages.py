"""The trace explorer in Firefox: the list of traces, and a trace with the details of a span."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect
from samples import span
from screens import RULES, VIOLATIONS, Screen, Server

from e2e.screen import AXE
from patience import PATIENCE


@pytest.fixture(scope="module")
async def context(firefox: Browser, server: Server) -> AsyncIterator[BrowserContext]:
    """Let `screen` open Firefox."""
    opened = await firefox.new_context(base_url=server.url)
    opened.set_default_timeout(PATIENCE * 1000)
    yield opened
    await opened.close()


async def inspect(page: Page) -> None:
    """Check the accessibility of a page."""
    await page.evaluate(AXE.read_text("utf-8"))
    assert not await page.evaluate(VIOLATIONS, RULES)


async def test_the_list_and_a_trace_open_in_firefox(screen: Screen) -> None:
    page = screen.page
    await screen.viewer.send(
        span(1, "GET /api/activities/home", kind=2, ms=30),
        span(2, "SELECT activities.home", parent=1, kind=3, start=8, ms=20, table="activities"),
    )
    await screen.open("/")
    listed = page.get_by_role("link", name="GET /api/activities/home")
    await expect(listed).to_be_visible()
    await inspect(page)
    await listed.click()
    rows = page.locator("[data-span]")
    await expect(rows).to_have_count(2)
    await rows.filter(has_text="SELECT activities.home").click()
    await expect(page.locator(".details")).to_contain_text("table")
    await inspect(page)
