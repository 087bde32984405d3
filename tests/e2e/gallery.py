"""Two browsers that walk through all the places: a member's and a visitor's."""

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
    """The browsers stay open from one place to the next; the world is made anew for each.

    Attributes:
        known: the addresses that were come to already, and found to be pages.
    """

    browser: Browser
    service: Served
    database: asyncpg.Connection
    andrew: Member
    watch: Watch
    known: dict[Audience, set[str]] = field(default_factory=lambda: defaultdict(set))
    _contexts: dict[Audience, BrowserContext] = field(default_factory=dict)

    async def enter(self, place: Place, audience: Audience) -> Page:
        """A page at a place, with all that is to be seen there; nothing changes by itself."""
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
        """Close the page, and fail where something went wrong behind it."""
        await page.close()
        self.watch.check()

    async def forget(self, audience: Audience) -> None:
        """Close a browser whose session was ended; the next has a new one."""
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
