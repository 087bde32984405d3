"""The tasks of the commands that work on the database and exit.

Each returns the line that its command prints.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from cruddur.cli import signals
from cruddur.cli.database import open_database, require_migrated, seed_if_empty
from cruddur.db import migrate as migrations
from cruddur.db import sweeper
from cruddur.db.pool import connect
from cruddur.db.signing_keys import SETTLE
from cruddur.db.statements import Connection
from cruddur.identity import rotation
from cruddur.identity.provisioning import link_account
from cruddur.services.accounts import SESSION_LIFETIME
from cruddur.settings import Settings

T = TypeVar("T")


def migrate(settings: Settings) -> str:
    """Apply the pending migrations."""
    with open_database(settings) as dsn:
        applied = signals.run(migrations.migrate(dsn))
    return "\n".join(f"applied {name}" for name in applied) or "up to date"


def seed(settings: Settings) -> str:
    """Seed an empty database."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        seeded = signals.run(seed_if_empty(dsn))
    return "seeded" if seeded else "not empty: nothing was added"


def sweep(settings: Settings) -> str:
    """Remove expired data."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        removed = signals.run(sweeper.sweep(dsn))
    return "another process is sweeping" if removed is None else f"removed {removed}"


def rotate_key(settings: Settings) -> str:
    """Add a signing key to the database."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        kid = signals.run(
            _in_transaction(dsn, partial(rotation.rotate_key, lifetime=SESSION_LIFETIME))
        )
    return f"{kid} signs in {SETTLE.total_seconds() / 60:.0f} minutes"


def link(settings: Settings, handle: str, subject: str) -> str:
    """Link a user to a user of the Cognito pool."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        link_user = partial(
            link_account, handle=handle, issuer=settings.cognito_issuer, subject=subject
        )
        is_new = signals.run(_in_transaction(dsn, link_user))
    return f"{handle} is linked to {subject}" if is_new else "linked already"


async def _in_transaction(dsn: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run work in one transaction of a connection of its own."""
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            return await work(conn)
    finally:
        await conn.close()
