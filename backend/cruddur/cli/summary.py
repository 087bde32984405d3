"""Report at startup which addresses, database, accounts and sinks the service uses."""

import logging

from cruddur.cli import signals
from cruddur.db import users
from cruddur.db.pool import connect
from cruddur.services.seed import PASSWORD
from cruddur.settings import Settings
from cruddur.settings.database_url import database_name, describe_server
from cruddur.telemetry.logs import is_text
from cruddur.telemetry.sinks import describe_sinks

logger = logging.getLogger("cruddur")


def log_summary(settings: Settings, *, is_embedded: bool, seeded: bool, page: str) -> None:
    """Print a block on a terminal, or log one line in JSON.

    Args:
        settings: the settings of the service.
        is_embedded: whether the database is the embedded server.
        seeded: whether the database was just seeded, with a known password.
        page: the URL of the trace explorer, or the reason for its absence; empty if not requested.
    """
    entries = {
        **_addresses(settings),
        "Database": _database(settings, is_embedded=is_embedded),
        "Identity": _identity(settings, seeded=seeded),
        "Telemetry": describe_sinks(settings),
        **({"Traces": page} if page else {}),
    }
    if is_text(settings.log_format):
        entries["Stop"] = "Ctrl-C"
        print("\n".join(f"{name:<10} {entry}" for name, entry in entries.items()), flush=True)
    else:
        line = "; ".join(f"{name}: {entry}" for name, entry in entries.items())
        logger.info("%s", line, extra={"private": seeded})


def _addresses(settings: Settings) -> dict[str, str]:
    port = settings.binds[0].rpartition(":")[2]
    url = settings.local_origin if port.isdigit() else settings.binds[0]
    if settings.frontend_directory:
        return {"Cruddur": f"{url}/", "API": f"{url}/docs"}
    return {"Cruddur": f"{url}/docs"}


def _database(settings: Settings, *, is_embedded: bool) -> str:
    if is_embedded:
        return f"embedded PostgreSQL in {settings.data_directory / 'postgres'}"
    dsn = settings.connection_url
    return f"PostgreSQL at {describe_server(dsn)}/{database_name(dsn)}".rstrip("/")


def _identity(settings: Settings, *, seeded: bool) -> str:
    if settings.provider == "cognito":
        identity = f"Cognito user pool {settings.cognito_user_pool_id}"
        codes = " (codes by Cognito)"
    else:
        identity = "local accounts"
        codes = " (codes by mail)" if settings.smtp_url else " (codes as log lines)"
        if seeded and not settings.demo_handle:
            identity += f"; try andrewbrown with the password {PASSWORD}"
    if handle := settings.demo_handle:
        exists = signals.run(_has_user(settings.connection_url, handle))
        effect = f"act as {handle}" if exists else f"are refused, as there is no user {handle}"
        identity += f"; requests without a token {effect}"
    return identity + codes


async def _has_user(dsn: str, handle: str) -> bool:
    conn = await connect(dsn)
    try:
        return await users.select_viewer_by_handle(conn, handle=handle) is not None
    finally:
        await conn.close()
