"""Two pages, a member's and a visitor's, that visit all the places."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from playwright.async_api import Browser, Page

from e2e.places import Audience, Place
from e2e.screen import CONTROLS, DESKTOP, EMPTY, Watch, hand_over, open_browser, settle
from e2e.world import fill
from support import Member
from telemetry.serving import Served

_FORGET = """() => {
    sessionStorage.clear();
    localStorage.removeItem("cruddur.theme");
    localStorage.removeItem("cruddur.shortcuts");
}"""


@dataclass
class Gallery:
    """Pages that stay open between places; the database is filled again for each place.

    Attributes:
        known: addresses that were visited already and are pages.
        operated: controls that had an effect, after those that make them appear.
        accessible: the markup of parts of pages in which no rule was violated, with what else
            decides about that.
    """

    browser: Browser
    service: Served
    database: asyncpg.Connection
    andrew: Member
    watch: Watch
    known: dict[Audience, set[str]] = field(default_factory=lambda: defaultdict(set))
    operated: dict[Audience, set[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(set))
    accessible: set[tuple[Any, ...]] = field(default_factory=set)
    _pages: dict[Audience, Page] = field(default_factory=dict)

    async def enter(self, place: Place, audience: Audience) -> Page:
        """Open a place and wait until it has loaded. Nothing on it changes by itself."""
        page = await self._page(audience)
        await self._clear(page)
        self.watch.clear()
        for path in place.refused:
            self.watch.expect(404, path)
        world = await fill(self.database, self.andrew.uuid)
        await page.set_viewport_size(DESKTOP)
        await page.emulate_media(color_scheme="dark")
        await page.goto(place.address(world))
        await settle(page, self.watch)
        if place.opens is not None:
            await place.opens(page)
        return page

    async def leave(self, page: Page) -> None:
        """Leave the place, and fail if anything went wrong on it."""
        await self._clear(page)
        self.watch.check()

    async def sign_in_again(self) -> None:
        """Give the member's browser another session after it has signed out."""
        await hand_over(self._pages["member"].context, self.service, self.andrew)

    async def close(self) -> None:
        for page in self._pages.values():
            await page.context.close()

    async def _clear(self, page: Page) -> None:
        """Leave the page's place and forget its drafts and choices: the next is a first visit."""
        if urlsplit(page.url).path != EMPTY:
            await page.goto(EMPTY)
            await page.evaluate(_FORGET)

    async def _page(self, audience: Audience) -> Page:
        if audience not in self._pages:
            context = await open_browser(self.browser, self.service)
            self.watch.follow(context)
            if audience == "member":
                await hand_over(context, self.service, self.andrew)
            await context.add_init_script(path=CONTROLS)
            self._pages[audience] = await context.new_page()
        return self._pages[audience]
