"""Operate every control of a page and find the dead ones.

The controls are read from the page; none is listed here. A control that appears after another
one is operated too, for example the buttons of a dialog. Each must have an effect: another
page, a change of this page, a request, a moved focus, a file chooser, or another tab.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.async_api import ElementHandle, Page

from e2e.gallery import Gallery
from e2e.places import Audience, Place
from e2e.screen import settle

NOWHERE = {"Not found", "Not found · Cruddur", ""}
"""The headings of a missing page."""


@dataclass
class Walk:
    """A walk over every control of a place.

    Attributes:
        page: the current page; a new one after a session has ended.
        address: the address of the place.
    """

    gallery: Gallery
    place: Place
    audience: Audience
    page: Page
    address: str

    @classmethod
    async def begin(cls, gallery: Gallery, place: Place, audience: Audience) -> "Walk":
        gallery.watch.may_refuse = True  # forms are submitted with an x in each field
        page = await gallery.enter(place, audience)
        return cls(gallery, place, audience, page, page.url)

    async def again(self, outcome: dict[str, Any]) -> None:
        """Open the place again, in a fresh world."""
        await self.page.close()
        if self.audience == "member" and not outcome["isSignedIn"]:
            await self.gallery.forget(self.audience)
        self.page = await self.gallery.enter(self.place, self.audience)
        self.address = self.page.url

    async def past_all(self) -> list[str]:
        """Operate every control and return the faults."""
        keys = await self.list()
        assert keys
        queue: deque[tuple[str, list[str]]] = deque((key, []) for key in keys)
        known, faults = set(keys), []
        while queue:
            key, openers = queue.popleft()
            outcome = await self.operate(key, openers)
            if outcome.get("lost"):
                await self.again(outcome)
                outcome = await self.operate(key, openers)
            if fault := _fault(outcome):
                faults.append(f"{key}: {fault}")
            elif outcome["effect"] == "goes":
                self.gallery.known[self.audience].add(outcome["url"])
            for one in outcome.get("appeared", []):
                if one not in known:
                    known.add(one)
                    queue.append((one, [*openers, key]))
            if self.audience == "member" and not outcome["isSignedIn"]:
                await self.again(outcome)
        return faults

    async def list(self) -> list[str]:
        found: list[str] = await self.page.evaluate("controls.list()")
        return found

    async def operate(self, key: str, openers: Sequence[str]) -> dict[str, Any]:
        """Operate a control that `openers` make appear, and return the effect."""
        outcome: dict[str, Any] = await self.page.evaluate(
            "([...how]) => controls.operate(...how)",
            [key, openers, self.address, [*self.gallery.known[self.audience]]],
        )
        if outcome.get("effect") == "file":
            async with self.page.expect_file_chooser():
                await (await self._handle(key)).click()
        if outcome.get("effect") == "leaves":
            outcome["heading"] = await self._follow(key)
        return outcome

    async def _follow(self, key: str) -> str:
        """Follow a link that leaves the app and return the title of its target."""
        link = await self._handle(key)
        if await link.get_attribute("target") == "_blank":
            async with self.page.context.expect_page() as opened:
                await link.click()
            await (await opened.value).close()
            return await link.get_attribute("href") or ""
        async with self.page.expect_navigation():
            await link.click()
        title = await self.page.title()
        await self.page.go_back()
        await settle(self.page, self.gallery.watch)
        return title

    async def _handle(self, key: str) -> ElementHandle:
        handle = await self.page.evaluate_handle("key => controls.hittable(key)", key)
        element = handle.as_element()
        assert element is not None
        return element


def _fault(outcome: dict[str, Any]) -> str | None:
    """Return what is wrong with the effect of a control, or None."""
    if outcome.get("lost"):
        return "it disappeared"
    if outcome["effect"] is None:
        return str(outcome.get("why", "it has no effect"))
    if outcome["effect"] in {"goes", "leaves"} and outcome["heading"] in NOWHERE:
        return "it leads to no page"
    return None
