"""Open the database that a command works on, and check or seed it."""

from collections.abc import Iterator
from contextlib import contextmanager

from cruddur.cli import signals
from cruddur.db.embedded import AlreadyRunningError, EmbeddedPostgres, EmbeddedPostgresError
from cruddur.db.migrate import MigrationError, pending
from cruddur.db.pool import connect
from cruddur.services import seed as seeding
from cruddur.settings import Settings

DATABASE = "cruddur"
"""The name of the database in the embedded server."""


@contextmanager
def database_of(settings: Settings, *, owned: bool = False) -> Iterator[str]:
    """Yield the URL of the database, and run the embedded server meanwhile if it is needed.

    Args:
        settings: with or without CONNECTION_URL.
        owned: whether to fail if another process runs the embedded server already. Otherwise its
            server is used, as by the commands that run next to `cruddur serve`.
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
        if owned:
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


async def seed(dsn: str) -> bool:
    """Seed an empty database; return whether it was empty."""
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            return await seeding.seed(conn)
    finally:
        await conn.close()
