"""The command line: `cruddur serve | migrate | seed | sweep | rotate-key | users | openapi`."""

import os
import signal

# Before all other imports, which take a while: the first process of a container is ended only by
# signals that it handles.
signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import click
import msgspec

from cruddur import __version__
from cruddur.db import users
from cruddur.db.embedded import AlreadyRunningError, EmbeddedPostgres, EmbeddedPostgresError
from cruddur.db.migrate import MigrationError, migrate, pending
from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError, connect
from cruddur.db.signing_keys import SETTLE
from cruddur.db.sweeper import sweep
from cruddur.identity.keys import KeyRing, SigningKeyError, configured_keys
from cruddur.identity.provisioning import LinkError, link_account
from cruddur.identity.rotation import rotate_key
from cruddur.process import parent
from cruddur.process.server import AddressInUseError, check_addresses, serve
from cruddur.process.signals import StoppedError, StopSignals
from cruddur.process.trace_explorer import run_trace_explorer
from cruddur.services import seed as seeding
from cruddur.services.accounts import SESSION_LIFETIME
from cruddur.settings import Settings, SettingsError, set_variables
from cruddur.settings.database_url import database_name, describe_server
from cruddur.telemetry.logs import is_text
from cruddur.telemetry.pipeline import configure_logging, report_failed_start
from cruddur.telemetry.sinks import describe_sinks, require_extras
from cruddur.telemetry.unused_variables import warn_of_unused_variables

logger = logging.getLogger("cruddur")

signals = StopSignals()

DATABASE = "cruddur"
"""The name of the database inside the embedded server."""

# What can be wrong with the surroundings: one clear line, never a stack trace.
_EXPECTED = (
    AddressInUseError,
    DatabaseTooOldError,
    DatabaseUnavailableError,
    EmbeddedPostgresError,
    LinkError,
    MigrationError,
    SettingsError,
    SigningKeyError,
)


class _Commands(click.Group):
    """A group whose commands end with one line and exit code 1 for what can be expected."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except _EXPECTED as error:
            print(f"cruddur: {error}", file=sys.stderr)
            ctx.exit(1)
        except StoppedError:
            logging.shutdown()
            sys.stdout.flush()
            # Without waiting for threads, such as one that looks a name up.
            os._exit(0 if ctx.invoked_subcommand == "serve" else 128 + (signals.number or 0))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cruddur")
def main() -> None:
    """Cruddur: a microblog whose posts expire.

    Every command but openapi uses the PostgreSQL of CONNECTION_URL or, without it, the
    embedded one.
    """
    signals.install()


@main.command("serve")
@click.option("--bind", multiple=True, metavar="HOST:PORT", help="Address to serve on; repeatable.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes.")
@click.option("--reload", is_flag=True, help="Restart when the code changes.")
@click.option("--setup", is_flag=True, help="Migrate first, and seed an empty database.")
@click.option("--traces", is_flag=True, help="Show traces on a page, unless they go elsewhere.")
@click.option("--follow-parent", type=int, metavar="PID", help="Stop when this parent ends.")
def serve_command(
    bind: tuple[str, ...],
    workers: int | None,
    reload: bool,
    setup: bool,
    traces: bool,
    follow_parent: int | None,
) -> None:
    """Serve the API; the embedded database is set up in any case."""
    if follow_parent is not None:
        parent.follow_parent(follow_parent)
    settings = Settings.from_env()
    settings = replace(
        settings, bind=",".join(bind) or settings.bind, workers=workers or settings.workers
    )
    settings.check()
    if settings.signing_key:
        KeyRing(configured_keys(settings.signing_key))
    require_extras(settings)
    configure_logging(settings)
    for warning in settings.warnings:
        logger.warning(warning)
    warn_of_unused_variables(set_variables("OTEL_"))
    try:
        code = _serve(settings, reload=reload, setup=setup, traces=traces)
    except _EXPECTED as error:
        signals.run(report_failed_start(settings, error))
        raise
    sys.exit(code)


def _serve(settings: Settings, *, reload: bool, setup: bool, traces: bool) -> int:
    """Open the database, and serve until the end; returns the exit code."""
    is_embedded = not settings.connection_url
    with database_of(settings, owned=True) as dsn:
        check_addresses(settings.binds)
        if is_embedded:
            settings = replace(settings, connection_url=dsn)
        seeded = False
        if setup or is_embedded:
            signals.run(migrate(dsn))
            seeded = signals.run(_seed(dsn))
        else:
            _require_migrated(dsn)
        pages = run_trace_explorer(settings, signals) if traces else nullcontext((settings, ""))
        with pages as (settings, page):
            _summarise(settings, is_embedded=is_embedded, seeded=seeded, page=page)
            return serve(settings, signals, reload=reload)


@main.command("migrate")
def migrate_command() -> None:
    """Bring the database's schema up to date."""
    with database_of(Settings.from_env()) as dsn:
        applied = signals.run(migrate(dsn))
    print("\n".join(f"applied {name}" for name in applied) or "up to date")


@main.command("seed")
def seed_command() -> None:
    """Fill an empty database with the people and cruds of the course."""
    with database_of(Settings.from_env()) as dsn:
        _require_migrated(dsn)
        seeded = signals.run(_seed(dsn))
    print("seeded" if seeded else "not empty: nothing was added")


@main.command("sweep")
def sweep_command() -> None:
    """Remove what has expired, once; a running server does so by itself."""
    with database_of(Settings.from_env()) as dsn:
        _require_migrated(dsn)
        removed = signals.run(sweep(dsn))
    print("another process is sweeping" if removed is None else f"removed {removed}")


@main.command("rotate-key")
def rotate_key_command() -> None:
    """Add a key that signs access tokens in a few minutes, once every replica has read it."""
    settings = Settings.from_env()
    if settings.signing_key:
        raise SettingsError(
            "CRUDDUR_SIGNING_KEY holds the keys: add one to it (docs/operations.md)"
        )
    with database_of(settings) as dsn:
        _require_migrated(dsn)
        kid = signals.run(_rotate(dsn))
    print(f"{kid} signs in {SETTLE.total_seconds() / 60:.0f} minutes")


@main.group("users")
def users_group() -> None:
    """Manage users."""


@users_group.command("link")
@click.argument("handle")
@click.argument("subject", metavar="COGNITO-SUB")
def link_command(handle: str, subject: str) -> None:
    """Give a user that has no Cognito account to the Cognito user with this `sub`.

    What the user posted stays theirs. Their password and sessions of local accounts end.
    """
    settings = Settings.from_env()
    if not settings.cognito_user_pool_id:
        raise SettingsError("AWS_COGNITO_USER_POOL_ID is not set: there is no pool to link to")
    with database_of(settings) as dsn:
        _require_migrated(dsn)
        is_new = signals.run(_link(dsn, handle, settings.cognito_issuer, subject))
    print(f"{handle} is linked to {subject}" if is_new else "linked already")


@main.command("openapi")
def openapi_command() -> None:
    """Print the OpenAPI document, as /openapi.json serves it, indented."""
    with signals.interrupting():
        # Not at the top: the other commands need not wait for the application's modules.
        from cruddur.app import ENDPOINTS
        from cruddur.routes import openapi

    click.echo(msgspec.json.format(openapi.encode(ENDPOINTS), indent=2))


@contextmanager
def database_of(settings: Settings, *, owned: bool = False) -> Iterator[str]:
    """The DSN to use; the embedded server runs until the end.

    Beside a running `cruddur serve` the other commands use the server that it started.
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


async def _link(dsn: str, handle: str, issuer: str, subject: str) -> bool:
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            return await link_account(conn, handle=handle, issuer=issuer, subject=subject)
    finally:
        await conn.close()


def _require_migrated(dsn: str) -> None:
    """Raise MigrationError when the database lacks tables, or is not ours."""
    if missing := signals.run(pending(dsn)):
        raise MigrationError(f"the database lacks {', '.join(missing)}: run `cruddur migrate`")


async def _rotate(dsn: str) -> str:
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            return await rotate_key(conn, SESSION_LIFETIME)
    finally:
        await conn.close()


async def _seed(dsn: str) -> bool:
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            return await seeding.seed(conn)
    finally:
        await conn.close()


async def _has_user(dsn: str, handle: str) -> bool:
    conn = await connect(dsn)
    try:
        return await users.select_viewer_by_handle(conn, handle=handle) is not None
    finally:
        await conn.close()


def _summarise(settings: Settings, *, is_embedded: bool, seeded: bool, page: str) -> None:
    """What runs where: a block for people, one line among the JSON lines for machines."""
    port = settings.binds[0].rpartition(":")[2]
    url = f"http://localhost:{port}" if port.isdigit() else settings.binds[0]
    dsn = settings.connection_url
    database = (
        f"embedded PostgreSQL in {settings.data_directory / 'postgres'}"
        if is_embedded
        else f"PostgreSQL at {describe_server(dsn)}/{database_name(dsn)}".rstrip("/")
    )
    identity = "local accounts"
    codes = " (codes by mail)" if settings.smtp_url else " (codes as log lines)"
    if settings.provider == "cognito":
        identity, codes = (
            f"Cognito user pool {settings.cognito_user_pool_id}",
            " (codes by Cognito)",
        )
    elif seeded and not settings.demo_handle:
        identity += f"; try andrewbrown with the password {seeding.PASSWORD}"
    if handle := settings.demo_handle:
        is_there = signals.run(_has_user(dsn, handle))
        effect = f"act as {handle}" if is_there else f"are refused, as there is no user {handle}"
        identity += f"; requests without a token {effect}"
    served = {"Cruddur": f"{url}/docs"}
    if settings.frontend_directory:
        served = {"Cruddur": f"{url}/", "API": f"{url}/docs"}
    facts = {
        **served,
        "Database": database,
        "Identity": identity + codes,
        "Telemetry": describe_sinks(settings),
        **({"Traces": page} if page else {}),
    }
    if is_text(settings.log_format):
        facts["Stop"] = "Ctrl-C"
        print("\n".join(f"{name:<10} {fact}" for name, fact in facts.items()), flush=True)
    else:
        told = "; ".join(f"{name}: {fact}" for name, fact in facts.items())
        logger.info("%s", told, extra={"private": seeded})


if __name__ == "__main__":
    main()
