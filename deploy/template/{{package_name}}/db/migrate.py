"""Forward-only migrations: numbered `.sql` files, applied in order, each once."""

import hashlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from ..errors import OperatorError, UnavailableError
from .database import ACQUIRE_SECONDS, Connection, outages

LOCK = 0x6D696772
"""The advisory lock that serializes migrations."""

_CREATE_LEDGER = """
CREATE TABLE IF NOT EXISTS migrations (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `migrations/`; `checksum` is the SHA-256 of its text."""

    name: str
    sql: str
    checksum: str


def migrations() -> list[Migration]:
    """Return every migration, in order."""
    loaded = []
    for file in files(__package__ or "").joinpath("migrations").iterdir():
        sql = file.read_text("utf-8")
        checksum = hashlib.sha256(sql.encode()).hexdigest()
        loaded.append(Migration(file.name.removesuffix(".sql"), sql, checksum))
    return sorted(loaded, key=lambda migration: migration.name)


async def migrate(dsn: str) -> list[str]:
    """Apply the pending migrations in one transaction, and return their names.

    Raises:
        OperatorError: the database cannot be reached, or a migration fails or was changed after it
            ran.
    """
    async with _connected(dsn) as conn, conn.transaction():
        await conn.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await conn.execute(_CREATE_LEDGER)
        pending = await _pending(conn)
        for migration in pending:
            try:
                await conn.execute(migration.sql)
            except asyncpg.PostgresError as error:
                raise OperatorError(
                    f"migration {migration.name} failed and changed nothing: {error}"
                ) from error
            await conn.execute(
                "INSERT INTO migrations (name, checksum) VALUES ($1, $2)",
                migration.name,
                migration.checksum,
            )
            logger.info("applied migration %s", migration.name)
    return [migration.name for migration in pending]


async def require_migrated(dsn: str) -> None:
    """Check that the database has every migration. It may also have those of a newer version.

    Raises:
        OperatorError: the database cannot be reached, or it lacks migrations.
    """
    async with _connected(dsn) as conn:
        has_ledger = await conn.fetchval("SELECT to_regclass('migrations') IS NOT NULL")
        pending = await _pending(conn) if has_ledger else migrations()
    if pending:
        names = ", ".join(migration.name for migration in pending)
        raise OperatorError(f"the database lacks {names}: run the command migrate first")


async def _pending(conn: Connection) -> list[Migration]:
    """Return the migrations that the database lacks, after checking those that it has."""
    rows = await conn.fetch("SELECT name, checksum FROM migrations")
    applied = {row["name"]: row["checksum"] for row in rows}
    pending = []
    for migration in migrations():
        checksum = applied.get(migration.name)
        if checksum is None:
            pending.append(migration)
        elif checksum != migration.checksum:
            raise OperatorError(f"migration {migration.name} was changed after it ran")
    return pending


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[Connection]:
    try:
        with outages():
            conn = await asyncpg.connect(dsn, timeout=ACQUIRE_SECONDS)
    except (UnavailableError, ValueError) as error:  # ValueError: the DSN cannot be parsed
        raise OperatorError(f"DATABASE_URL cannot be used: {error}") from error
    try:
        yield conn
    finally:
        await conn.close()
