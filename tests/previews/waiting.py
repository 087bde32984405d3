"""Wait for previews."""

import asyncio
from typing import Any

import asyncpg

from patience import PATIENCE
from support import Api


async def previewed(api: Api, crud: dict[str, Any]) -> dict[str, Any]:
    """Return the preview of a crud as soon as it has one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            shown = (await api.get(f"/api/activities/{crud['uuid']}"))["activity"]
            if "preview" in shown:
                preview: dict[str, Any] = shown["preview"]
                return preview
            await asyncio.sleep(0.02)


async def settled(database: asyncpg.Connection, count: int = 1) -> None:
    """Wait until this number of previews exists, and no page is waiting or being fetched."""
    await until(
        database,
        "SELECT count(*) = $1 AND COALESCE(bool_and(attempts > 0 AND fetch_at IS NULL), true)"
        " FROM previews",
        count,
    )


async def until(database: asyncpg.Connection, question: str, *values: object) -> None:
    """Wait until the answer is true."""
    async with asyncio.timeout(PATIENCE):
        while not await database.fetchval(question, *values):  # noqa: ASYNC110  # it has no event
            await asyncio.sleep(0.02)
