"""Operate every control of a page and find the dead ones.

The controls are read from the page; none is listed here. A control that appears after another
one is operated too, for example the buttons of a dialog. Each must have an effect: another
page, a change of this page, a request, a moved focus, a file chooser, or another tab.

The controls of the frame of every page, and those of the cards of cruds, are operated on the first
page that has them.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from playwright.async_api import ElementHandle, Page

from e2e.gallery import Gallery
from e2e.places import Audience, Place
from e2e.screen import settle

KNOWN = "known"
"""The heading of a page that an earlier link led to."""

NOWHERE = {"Not found", "Not found · Cruddur", ""}
"""The headings of a missing page."""


@dataclass
class Walk:
    """A walk over every control of a place.

    Attributes:
        address: the address of the place.
        has_left: whether a link has led from the place to another page and back.
    """

    gallery: Gallery
    place: Place
    audience: Audience
    page: Page
    address: str
    has_left: bool = False

    @classmethod
    async def begin(cls, gallery: Gallery, place: Place, audience: Audience) -> "Walk":
        gallery.watch.may_refuse = True  # forms are submitted with an x in each field
        page = await gallery.enter(place, audience)
        return cls(gallery, place, audience, page, page.url)

    async def again(self, outcome: dict[str, Any]) -> None:
        """Open the place again, in a fresh world."""
        if self.audience == "member" and not outcome["isSignedIn"]:
            await self.gallery.sign_in_again()
        self.page = await self.gallery.enter(self.place, self.audience)
        self.address = self.page.url

    async def past_all(self) -> list[str]:
        """Operate every control and return the faults."""
        found = await self.list()
        assert found
        keys = [key for key in found if not self._was_operated(key, [])]
        queue: deque[tuple[str, list[str]]] = deque((key, []) for key in keys)
        known, faults, has_followed = set(found), [], False
        while queue:
            key, openers = queue.popleft()
            outcome = await self.operate(key, openers)
            if outcome.get("lost"):
                await self.again(outcome)
                outcome = await self.operate(key, openers)
            if fault := _fault(outcome):
                faults.append(f"{key}: {fault}")
            else:
                self._remember(key, openers, outcome)
            for one in outcome.get("appeared", []):
                if one not in known:
                    known.add(one)
                    if not self._was_operated(one, [*openers, key]):
                        queue.append((one, [*openers, key]))
                    elif one in outcome["covered"]:
                        faults.append(f"{one}: it cannot be reached")
            if self.audience == "member" and not outcome["isSignedIn"]:
                await self.again(outcome)
            elif self.has_left and not has_followed:
                has_followed = True
                followed = await self.known_links([key for key, openers in queue if not openers])
                queue = deque(entry for entry in queue if entry[0] not in followed)
        return faults

    async def list(self) -> list[str]:
        found: list[str] = await self.page.evaluate("controls.list()")
        return found

    async def known_links(self, keys: Sequence[str]) -> Sequence[str]:
        """Click those controls that are links to known addresses, and return their keys."""
        found: Sequence[str] = await self.page.evaluate(
            "([...how]) => controls.knownLinks(...how)",
            [keys, self.address, [*self.gallery.known[self.audience]]],
        )
        return found

    async def operate(self, key: str, openers: Sequence[str]) -> dict[str, Any]:
        """Operate a control that `openers` make appear, and return the effect."""
        outcome: dict[str, Any] = await self.page.evaluate(
            "([...how]) => controls.operate(...how)",
            [key, openers, self.address, [*self.gallery.known[self.audience]], self.has_left],
        )
        if outcome.get("effect") == "file":
            async with self.page.expect_file_chooser():
                await (await self._handle(key)).click()
        if outcome.get("effect") == "leaves" and outcome["heading"] != KNOWN:
            outcome["heading"] = await self._follow(key)
        return outcome

    def _remember(self, key: str, openers: Sequence[str], outcome: dict[str, Any]) -> None:
        """Record what later walks need not check again."""
        if outcome["effect"] in {"goes", "leaves"}:
            self.gallery.known[self.audience].add(outcome["url"])
        if outcome["effect"] == "goes":
            self.has_left = True
        # Where a control moves the focus may depend on the page.
        if outcome["effect"] != "focuses":
            self.gallery.operated[self.audience].add((*openers, key))

    def _was_operated(self, key: str, openers: Sequence[str]) -> bool:
        """Whether a control of the frame or of a card was operated on another page.

        So is one that such a control opens.
        """
        path = (*openers, key)
        return not path[0].startswith("main / ") and path in self.gallery.operated[self.audience]

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
        # The document is titled Cruddur until the page's scripts have rendered it.
        await self.page.wait_for_function("document.title !== 'Cruddur'")
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
        return f"it disappeared: {outcome['missing']} is missing"
    if outcome["effect"] is None:
        return str(outcome.get("why", "it has no effect"))
    if outcome["effect"] in {"goes", "leaves"} and outcome["heading"] in NOWHERE:
        return "it leads to no page"
    return None
