"""Open the database that a command works on, and check or seed it."""

from collections.abc import Iterator
from contextlib import contextmanager

from cruddur.cli import signals
from cruddur.db.embedded import (
    DATABASE,
    AlreadyRunningError,
    EmbeddedPostgres,
    EmbeddedPostgresError,
)
from cruddur.db.migrate import MigrationError, pending
from cruddur.db.pool import connect
from cruddur.services import seed as seeding
from cruddur.settings import Settings


@contextmanager
def open_database(settings: Settings, *, exclusive: bool = False) -> Iterator[str]:
    """Yield the URL of the database; without CONNECTION_URL, run the embedded server in the block.

    Args:
        settings: with or without CONNECTION_URL.
        exclusive: whether to fail if another process runs the embedded server already. Otherwise
            that server is used, for commands that run alongside `cruddur serve`.
    """
    if settings.connection_url:
        yield settings.unpooled_url
        return
    server = EmbeddedPostgres(settings.data_directory / "postgres")
    try:
        with signals.listening(server.interrupt):
            server.start()
            server.create_database(DATABASE)
        signals.check()
        yield server.dsn(DATABASE)
    except AlreadyRunningError:
        if exclusive:
            raise
        yield server.dsn(DATABASE)
    except EmbeddedPostgresError:
        signals.check()
        raise
    finally:
        server.stop()


def require_migrated(dsn: str) -> None:
    """Raise MigrationError if the database lacks migrations or belongs to another program."""
    if missing := signals.run(pending(dsn)):
        raise MigrationError(f"the database lacks {', '.join(missing)}: run `cruddur migrate`")


async def seed_if_empty(dsn: str) -> bool:
    """Seed an empty database; return whether it was empty."""
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            return await seeding.seed(conn)
    finally:
        await conn.close()
