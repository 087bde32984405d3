"""A way past every control of a page, which finds those that are dead.

The controls are read from the page, none is listed here. Each is operated, also those that
it brings about: the buttons of a dialog, the answer to a button. Something must come of it:
another page, a change of this one, a request, a moved focus, a file to choose, another tab.
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
"""The headings of what is no page."""


@dataclass
class Walk:
    """A way past every control of a place.

    Attributes:
        page: where it is; another one after a session was ended.
        address: the place's own.
    """

    gallery: Gallery
    place: Place
    audience: Audience
    page: Page
    address: str

    @classmethod
    async def begin(cls, gallery: Gallery, place: Place, audience: Audience) -> "Walk":
        gallery.watch.may_refuse = True  # forms are sent with an x in each field
        page = await gallery.enter(place, audience)
        return cls(gallery, place, audience, page, page.url)

    async def again(self, outcome: dict[str, Any]) -> None:
        """Come to the place anew, in a world where nothing happened yet."""
        await self.page.close()
        if self.audience == "member" and not outcome["isSignedIn"]:
            await self.gallery.forget(self.audience)
        self.page = await self.gallery.enter(self.place, self.audience)
        self.address = self.page.url

    async def past_all(self) -> list[str]:
        """Operate every control; returns what is wrong with them."""
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
        """What came of a control, which is brought about by others."""
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
        """Go where a link leads that the page leaves to the browser; says what is there."""
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
    """What is wrong with what came of a control."""
    if outcome.get("lost"):
        return "it is gone, and does not come again"
    if outcome["effect"] is None:
        return str(outcome.get("why", "nothing comes of it"))
    if outcome["effect"] in {"goes", "leaves"} and outcome["heading"] in NOWHERE:
        return "it leads nowhere"
    return None
