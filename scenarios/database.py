"""The database of a scenario: created with members and cruds, and dropped at the end."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit
from uuid import UUID

from cruddur.cli.database import seed_if_empty
from cruddur.db.migrate import migrate
from cruddur.db.pool import connect
from load.seed import add_cruds, add_members

MEMBERS = 200
CRUDS = 2000


@contextmanager
def own_database(dsn: str) -> Iterator[str]:
    """Yield the DSN of an empty database next to that of another DSN, and drop it at the end.

    The database of the service is not touched. What a run that was killed left is dropped first.
    """
    parts = urlsplit(dsn)
    name = f"{unquote(parts.path[1:])}_scenario"
    quoted = '"{}"'.format(name.replace('"', '""'))
    drop = f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"
    asyncio.run(_execute(dsn, drop, f"CREATE DATABASE {quoted}"))
    try:
        yield parts._replace(path=f"{parts.path}_scenario").geturl()
    finally:
        asyncio.run(_execute(dsn, drop))


async def fill(dsn: str, *, members: int = MEMBERS, cruds: int = CRUDS) -> Sequence[UUID]:
    """Migrate a database and add users and live cruds; return the users of the load test."""
    await migrate(dsn)
    await seed_if_empty(dsn)
    conn = await connect(dsn)
    try:
        added: Sequence[UUID] = await add_members(conn, members)
        await add_cruds(conn, added, cruds, 1.0)
    finally:
        await conn.close()
    return added


async def _execute(dsn: str, *statements: str) -> None:
    conn = await connect(dsn)
    try:
        for statement in statements:
            await conn.execute(statement)
    finally:
        await conn.close()
