"""What the application opens when it starts, and closes when it stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

from .db.database import Database
from .services.webhook import Webhook
from .settings import Settings

CALL_SECONDS = 2.0
"""Maximum duration of each step of an outgoing call, such as connecting or reading, in seconds."""


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources that handlers use; `webhook` is None if none is configured."""

    database: Database
    webhook: Webhook | None


@asynccontextmanager
async def open_resources(settings: Settings, dsn: str) -> AsyncIterator[Resources]:
    """Open the database and the HTTP client for the duration of the block.

    Raises:
        UnavailableError: the database does not respond.
    """
    async with (
        httpx.AsyncClient(timeout=CALL_SECONDS) as client,
        Database.opened(dsn, settings.pool_size) as database,
    ):
        HTTPXClientInstrumentor.instrument_client(client)
        webhook = Webhook(client, settings.webhook_url) if settings.webhook_url else None
        yield Resources(database, webhook)
