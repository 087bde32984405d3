"""A browser on the trace explorer, which records every error on the console."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from playwright.async_api import BrowserContext, Page
from quart import Quart
from samples import Viewer

from e2e.screen import AXE, SCREENS, TAKES_SCREENSHOTS
from traceview.app import create_app

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOR_RULES = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""The rules whose result depends on the color scheme."""

VIOLATIONS = """async (rules) => (await axe.run(document, {
    runOnly: rules, resultTypes: ["violations"], preload: false,
})).violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`))"""


@dataclass
class Screen:
    """A page of the explorer, and the errors on it."""

    page: Page
    viewer: Viewer
    troubles: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        """Open an address and wait for the page's first request."""
        async with self.page.expect_response(re.compile("/api/")):
            await self.page.goto(path)

    async def picture(self, name: str, *, full_page: bool = True) -> None:
        """Save a screenshot in `.local/screens`."""
        if not TAKES_SCREENSHOTS:
            return
        SCREENS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SCREENS / f"traceview-{name}.png", full_page=full_page)

    async def inspect(self, name: str) -> None:
        """Check the page with axe in both schemes and two widths, and save a picture of each."""
        await self.page.evaluate(AXE.read_text("utf-8"))
        before = self.page.viewport_size
        for width in (1440, 390):
            await self.page.set_viewport_size({"width": width, "height": 900})
            await self.page.evaluate("scrollTo(0, 0)")  # the bar covers nothing
            await self._check(f"{name}-{width}", "light", RULES)
            await self._check(f"{name}-{width}", "dark", COLOR_RULES)
            assert await self.page.evaluate("document.documentElement.scrollWidth") <= width
        if before is not None:
            await self.page.set_viewport_size(before)

    async def _check(self, name: str, scheme: Literal["light", "dark"], rules: Any) -> None:
        await self.page.emulate_media(color_scheme=scheme)
        found = await self.page.evaluate(VIOLATIONS, rules)
        assert not found, "\n".join([f"{name}, {scheme}", *found])
        await self.picture(f"{name}-{scheme}")

    async def leave(self) -> None:
        """Close the explorer's page, so that its next refresh causes no more errors."""
        await self.page.goto("about:blank")

    def expect_trouble(self, pattern: str) -> None:
        """Remove announced errors from the record; there must be at least one."""
        announced = [one for one in self.troubles if re.search(pattern, one)]
        assert announced, self.troubles
        self.troubles = [one for one in self.troubles if one not in announced]


class Server:
    """A server for one explorer after the other."""

    def __init__(self) -> None:
        self.explorer: Quart = create_app()
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.explorer(scope, receive, send)


@asynccontextmanager
async def open_page(context: BrowserContext, url: str) -> AsyncIterator[Screen]:
    """Open a page for the explorer at a URL."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        screen = Screen(await context.new_page(), Viewer(http))
        screen.page.on(
            "console",
            lambda message: (
                screen.troubles.append(f"{message.text} ({message.location['url']})")
                if message.type in {"error", "warning"}
                else None
            ),
        )
        screen.page.on("pageerror", lambda error: screen.troubles.append(str(error)))
        yield screen
        await screen.page.close()
