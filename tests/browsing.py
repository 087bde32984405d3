"""The browser of all tests that need one, and what they do where there is none."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import pytest
from playwright.async_api import Browser, async_playwright

from e2e import browser as browsers


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Chromium, without a window."""
    path = browsers.find()
    if path is None:
        do_without("no browser is here: make test installs one where that is possible")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=browsers.FLAGS)
        yield launched
        await launched.close()


def do_without(reason: str) -> NoReturn:
    """Skip the test, or fail it where CI=true is in the environment."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
