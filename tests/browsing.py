"""Start a browser for tests, or skip them if there is none."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from playwright.async_api import Browser, async_playwright

from e2e import browser_path as browsers


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Yield a headless Chromium."""
    path = browsers.find()
    if path is None:
        do_without("no browser was found: make test installs one if possible")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=[*browsers.FLAGS])
        yield launched
        await launched.close()


@asynccontextmanager
async def firefox() -> AsyncIterator[Browser]:
    """Yield a headless Firefox, driven by WebDriver BiDi. Without one, skip the test also in CI."""
    path = browsers.find_firefox()
    if path is None:
        pytest.skip("no Firefox was found: make test installs Debian's firefox-esr if possible")
    # The relay needs the packages of this Python.
    search = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    async with async_playwright() as playwright:
        launched = await playwright.firefox.launch(
            channel="moz-firefox",  # Mozilla's Firefox, and not Playwright's build of it
            executable_path=browsers.FIREFOX_RELAY,
            env={**os.environ, "PATH": search, browsers.FIREFOX_VARIABLE: path},
            firefox_user_prefs=browsers.FIREFOX_PREFERENCES,
        )
        yield launched
        await launched.close()


def do_without(reason: str) -> NoReturn:
    """Skip the test, or fail it if the environment has CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
