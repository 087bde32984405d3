"""The tasks of the commands that work on the database and exit.

Each returns the line that its command prints.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal, TypeVar

from cruddur.cli import signals
from cruddur.cli.database import open_database, require_migrated, seed_if_empty
from cruddur.db import migrate as migrations
from cruddur.db import sweeper
from cruddur.db.moderation import select_staff
from cruddur.db.pool import connect
from cruddur.db.signing_keys import SETTLE
from cruddur.db.statements import Connection
from cruddur.errors import NotFoundError
from cruddur.identity import rotation
from cruddur.identity.provisioning import link_account
from cruddur.services import moderation
from cruddur.services.accounts import SESSION_LIFETIME
from cruddur.settings import OperatorError, Settings
from cruddur.wire import AuditExportQuery, Role

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
            in_transaction(dsn, partial(rotation.rotate_key, lifetime=SESSION_LIFETIME))
        )
    return f"{kid} signs in {SETTLE.total_seconds() / 60:.0f} minutes"


def link(settings: Settings, handle: str, subject: str) -> str:
    """Link a user to a user of the Cognito pool."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        link_user = partial(
            link_account, handle=handle, issuer=settings.cognito_issuer, subject=subject
        )
        is_new = signals.run(in_transaction(dsn, link_user))
    return f"{handle} is linked to {subject}" if is_new else "linked already"


def grant(settings: Settings, handle: str, role: Role) -> str:
    """Set the role of a user."""
    handle = handle.removeprefix("@")
    with open_database(settings) as dsn:
        require_migrated(dsn)
        try:
            previous = signals.run(
                in_transaction(dsn, partial(moderation.grant, handle=handle, role=role))
            )
        except NotFoundError:
            raise OperatorError(f"there is no user @{handle}") from None
    return f"@{handle} is {role}" + (" already" if previous == role else f", was {previous}")


def staff(settings: Settings) -> str:
    """List everyone who has a role."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        listed = signals.run(in_transaction(dsn, select_staff))
    return "\n".join(f"{role:<10} @{handle}" for handle, role in listed) or "nobody has a role"


def audit(settings: Settings, form: Literal["jsonl", "csv"], write: Callable[[str], None]) -> None:
    """Write the audit log in parts."""
    with open_database(settings) as dsn:
        require_migrated(dsn)
        signals.run(in_transaction(dsn, partial(_write_audit, form=form, write=write)))


async def _write_audit(
    conn: Connection, form: Literal["jsonl", "csv"], write: Callable[[str], None]
) -> None:
    query = AuditExportQuery()
    while True:
        page = await moderation.audit(conn, query)
        write(moderation.export(page.items, form, has_head=query.cursor is None))
        if page.cursor is None:
            return
        query.cursor = page.cursor


async def in_transaction(dsn: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Run work in one transaction of a connection of its own."""
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            return await work(conn)
    finally:
        await conn.close()
