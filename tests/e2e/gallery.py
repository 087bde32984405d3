"""Two browsers, a member's and a visitor's, that visit all the places."""

from collections import defaultdict
from dataclasses import dataclass, field

import asyncpg
from playwright.async_api import Browser, BrowserContext, Page

from e2e.places import Audience, Place
from e2e.screen import CONTROLS, DESKTOP, Watch, open_browser, settle
from e2e.world import fill
from support import Member
from telemetry.serving import Served


@dataclass
class Gallery:
    """Browsers that stay open between places; the database is filled again for each place.

    Attributes:
        known: addresses that were visited already and are pages.
    """

    browser: Browser
    service: Served
    database: asyncpg.Connection
    andrew: Member
    watch: Watch
    known: dict[Audience, set[str]] = field(default_factory=lambda: defaultdict(set))
    _contexts: dict[Audience, BrowserContext] = field(default_factory=dict)

    async def enter(self, place: Place, audience: Audience) -> Page:
        """Open a place and wait until it has loaded. Nothing on it changes by itself."""
        self.watch.clear()
        for path in place.refused:
            self.watch.expect(404, path)
        world = await fill(self.database, self.andrew.uuid)
        page = await (await self._context(audience)).new_page()
        await page.add_init_script(path=CONTROLS)
        await page.set_viewport_size(DESKTOP)
        await page.goto(place.address(world))
        await settle(page, self.watch)
        if place.opens is not None:
            await place.opens(page)
        return page

    async def leave(self, page: Page) -> None:
        """Close the page, and fail if anything went wrong on it."""
        await page.close()
        self.watch.check()

    async def forget(self, audience: Audience) -> None:
        """Close a browser whose session has ended. The next place opens a new one."""
        await self._contexts.pop(audience).close()

    async def close(self) -> None:
        for audience in tuple(self._contexts):
            await self.forget(audience)

    async def _context(self, audience: Audience) -> BrowserContext:
        if audience not in self._contexts:
            self._contexts[audience] = await open_browser(
                self.browser,
                self.service,
                self.watch,
                self.andrew if audience == "member" else None,
                viewport=DESKTOP,
                color_scheme="dark",
                reduced_motion="reduce",
            )
        return self._contexts[audience]
