"""A failing or unreachable backend: the page shows an error, and recovers."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest
from playwright.async_api import Locator, Page, Route, expect

from e2e.screen import Visit, Watch, settle
from patience import PATIENCE
from support import Member

WORDS = "What’s on your mind?"

RETRIED = 5_000
"""Milliseconds after which a page has finished its automatic retries."""

Outage = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def outage(server_dsn: str, database: asyncpg.Connection) -> Outage:
    """Make the service's database unavailable while the context is open."""

    @asynccontextmanager
    async def without_database() -> AsyncIterator[None]:
        name = await database.fetchval("SELECT current_database()")
        ours = await database.fetchval("SELECT pg_backend_pid()")
        server = await asyncpg.connect(server_dsn)
        try:
            await server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
            await server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = $1 AND pid <> $2",
                name, ours,
            )  # fmt: skip
            yield
        finally:
            await server.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
            await server.close()

    return without_database


async def give_up(page: Page, watch: Watch, alert: Locator, words: str) -> None:
    """Wait until the page stops retrying and shows an error. The test controls the page's clock."""
    async with asyncio.timeout(PATIENCE):
        while not await alert.is_visible():
            if watch.is_quiet(page):
                await page.clock.fast_forward(RETRIED)
    await expect(alert).to_contain_text(words)


async def test_pages_recover_after_a_database_outage(
    visit: Visit, watch: Watch, worf: Member, outage: Outage
) -> None:
    await worf.crud("a good day")
    page = await visit(worf)
    await expect(page.get_by_text("a good day")).to_be_visible()
    watch.expect(503, "/api/*")
    async with outage():
        await page.get_by_label(WORDS).fill("a bad day")
        await page.get_by_role("button", name="Crud it").click()
        alert = page.get_by_role("form", name="New crud").get_by_role("alert")
        await expect(alert).to_contain_text("Cruddur isn’t available right now")
        await expect(alert.get_by_role("code")).to_have_text(re.compile("^[0-9a-f]{32}$"))
        await expect(page.get_by_text("a good day")).to_be_visible()
        await page.get_by_role("link", name="Messages").click()
        alert = page.get_by_role("main").get_by_role("alert")
        await expect(alert).to_contain_text("Cruddur isn’t available right now")
    # The page may have recovered by itself already.
    await page.get_by_role("link", name="Messages").click()
    await expect(page.get_by_role("heading", name="No messages yet")).to_be_visible()
    await page.get_by_role("link", name="Home").click()
    await expect(page.get_by_label(WORDS)).to_have_value("a bad day")
    await page.get_by_role("button", name="Crud it").click()
    await expect(page.get_by_role("article").filter(has_text="a bad day")).to_be_visible()
    await expect(page.get_by_label(WORDS)).to_have_value("")


async def test_pages_recover_after_a_network_outage(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    await worf.crud("a good day")
    page = await visit(worf, None)
    await page.clock.install()
    await page.goto("/about")
    await settle(page, watch)
    watch.expect(0, "/*")  # the browser requests its icon again
    await page.context.set_offline(True)
    await page.get_by_role("link", name="Home").click()
    alert = page.get_by_role("main").get_by_role("alert")
    await give_up(page, watch, alert, "We can’t reach Cruddur. Are you online?")
    await page.context.set_offline(False)
    await expect(page.get_by_text("a good day")).to_be_visible()
    await expect(alert).not_to_be_attached()


async def test_a_list_keeps_its_first_page_when_the_next_fails(
    visit: Visit, watch: Watch, worf: Member, database: asyncpg.Connection
) -> None:
    async def fail(route: Route) -> None:
        await route.fulfill(status=500, json=["generic_500"])

    await database.executemany(
        "INSERT INTO activities (user_uuid, message, created_at, expires_at)"
        " VALUES ($1, $2, now() - $3::interval, now() + interval '1 day')",
        [(worf.uuid, f"number {n}.", timedelta(minutes=n)) for n in range(45)],
    )
    page = await visit(path=None)
    await page.clock.install()
    await page.route(re.compile("cursor="), fail)
    watch.expect(500, "/api/activities/home")
    await page.goto("/")
    await expect(page.get_by_text("number 0.")).to_be_visible()
    await page.get_by_role("article").last.scroll_into_view_if_needed()
    alert = page.get_by_role("alert")
    await give_up(page, watch, alert, "Something went wrong on our side")
    await expect(page.get_by_text("number 0.")).to_be_attached()
    await page.unroute_all(behavior="wait")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("number 44.")).to_be_attached()
    await expect(alert).not_to_be_attached()


async def test_a_failed_refresh_does_not_sign_a_member_out(
    visit: Visit, watch: Watch, worf: Member
) -> None:
    async def fail(route: Route) -> None:
        await route.fulfill(status=503, json=["unavailable"], headers={"Retry-After": "5"})

    page = await visit(worf, None)
    await page.clock.install()
    await page.route("**/api/auth/refresh", fail)
    watch.expect(503, "/api/auth/refresh")
    await page.goto("/settings")
    alert = page.get_by_role("main").get_by_role("alert")
    await give_up(page, watch, alert, "Cruddur isn’t available right now")
    await expect(page.get_by_role("link", name="Sign in")).not_to_be_attached()
    await page.unroute_all(behavior="wait")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("form", name="Profile")).to_be_visible()
