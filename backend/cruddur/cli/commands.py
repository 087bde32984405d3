"""The commands that perform one task and exit."""

import click
import msgspec

from cruddur.cli import signals
from cruddur.cli.database import open_database, require_migrated, seed
from cruddur.db.migrate import migrate
from cruddur.db.pool import connect
from cruddur.db.signing_keys import SETTLE
from cruddur.db.sweeper import sweep
from cruddur.identity.provisioning import link_account
from cruddur.identity.rotation import rotate_key
from cruddur.services.accounts import SESSION_LIFETIME
from cruddur.settings import Settings, SettingsError


@click.command("migrate")
def migrate_command() -> None:
    """Bring the database's schema up to date."""
    with open_database(Settings.from_env()) as dsn:
        applied = signals.run(migrate(dsn))
    print("\n".join(f"applied {name}" for name in applied) or "up to date")


@click.command("seed")
def seed_command() -> None:
    """Fill an empty database with the people and cruds of the course."""
    with open_database(Settings.from_env()) as dsn:
        require_migrated(dsn)
        seeded = signals.run(seed(dsn))
    print("seeded" if seeded else "not empty: nothing was added")


@click.command("sweep")
def sweep_command() -> None:
    """Remove expired data once; a running server does so periodically."""
    with open_database(Settings.from_env()) as dsn:
        require_migrated(dsn)
        removed = signals.run(sweep(dsn))
    print("another process is sweeping" if removed is None else f"removed {removed}")


@click.command("rotate-key")
def rotate_key_command() -> None:
    """Add a key that signs access tokens in a few minutes, once every replica has read it."""
    settings = Settings.from_env()
    if settings.signing_key:
        raise SettingsError(
            "CRUDDUR_SIGNING_KEY holds the keys: add one to it (docs/operations.md)"
        )
    with open_database(settings) as dsn:
        require_migrated(dsn)
        kid = signals.run(_rotate(dsn))
    print(f"{kid} signs in {SETTLE.total_seconds() / 60:.0f} minutes")


@click.group("users")
def users_group() -> None:
    """Manage users."""


@users_group.command("link")
@click.argument("handle")
@click.argument("subject", metavar="COGNITO-SUB")
def link_command(handle: str, subject: str) -> None:
    """Link a user that has no Cognito account to the Cognito user with this `sub`.

    The user keeps their cruds. Their password and sessions of local accounts are deleted.
    """
    settings = Settings.from_env()
    if not settings.cognito_user_pool_id:
        raise SettingsError("AWS_COGNITO_USER_POOL_ID is not set: there is no pool to link to")
    with open_database(settings) as dsn:
        require_migrated(dsn)
        is_new = signals.run(_link(dsn, handle, settings.cognito_issuer, subject))
    print(f"{handle} is linked to {subject}" if is_new else "linked already")


@click.command("openapi")
def openapi_command() -> None:
    """Print the OpenAPI document, as /openapi.json serves it, indented."""
    with signals.interrupting():
        # Not at the top: the other commands do not need the application's modules.
        from cruddur.app import ENDPOINTS
        from cruddur.routes import openapi

    click.echo(msgspec.json.format(openapi.encode(ENDPOINTS), indent=2))


async def _link(dsn: str, handle: str, issuer: str, subject: str) -> bool:
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            return await link_account(conn, handle=handle, issuer=issuer, subject=subject)
    finally:
        await conn.close()


async def _rotate(dsn: str) -> str:
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            return await rotate_key(conn, SESSION_LIFETIME)
    finally:
        await conn.close()
