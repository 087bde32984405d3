"""An application that fetches previews from servers on the loopback."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from quart import Quart

from cruddur.app import create_app
from cruddur.settings import Settings
from fakes.web import FakeInternet, Web
from support import Member, serving


@pytest.fixture
def web() -> Iterator[Web]:
    """The servers of all hosts."""
    with Web() as server:
        yield server


@pytest.fixture
def internet(web: Web) -> FakeInternet:
    """The way to them."""
    return FakeInternet(web)


@pytest.fixture
def previewing(settings: Settings, internet: FakeInternet) -> Callable[..., Quart]:
    """Create an application with previews."""

    def create(**changes: Any) -> Quart:
        return create_app(replace(settings, previews="on", **changes), network=internet)

    return create


@pytest.fixture
async def author(
    previewing: Callable[..., Quart], database: asyncpg.Connection
) -> AsyncIterator[Member]:
    """A member of an application with previews."""
    app = previewing()
    async with serving(app) as api:
        yield await Member.enter(api, database, app, "author", "Author")
