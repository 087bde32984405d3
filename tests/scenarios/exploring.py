"""A client of an explorer that services export to, and their settings."""

from dataclasses import dataclass, replace
from typing import Any

import httpx

from cruddur.settings import Settings


@dataclass(frozen=True)
class Explorer:
    """A running explorer: its address, and a client of its API."""

    url: str
    http: httpx.AsyncClient

    async def get(self, path: str, **arguments: str) -> Any:
        """Return what an endpoint responds."""
        response = await self.http.get(path, params=arguments)
        assert response.status_code == 200, response.text
        return response.json()

    async def rows(self, query: str, **arguments: str) -> list[list[Any]]:
        """Return the rows of a query."""
        rows: list[list[Any]] = (await self.get("/api/query", q=query, **arguments))["rows"]
        return rows


def exporting(settings: Settings, dsn: str, explorer: Explorer) -> Settings:
    """Return settings with a database, which export to the explorer after the load."""
    return replace(
        settings,
        connection_url=dsn,
        otlp_endpoint=explorer.url,
        span_delay=60_000.0,
        span_queue=20_000,
        span_batch=20_000,
    )
