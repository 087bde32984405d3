"""Forward-only migrations: numbered `.sql` files, applied in order, each once."""

import hashlib
import logging
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

from cruddur.db.pool import connect, describe
from cruddur.db.statements import Connection
from cruddur.settings import OperatorError

logger = logging.getLogger(__name__)

LOCK = 4567_0001
"""The advisory lock that serializes migrations."""

_CREATE_LEDGER = """
CREATE TABLE migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


# The relations of our schema, except those of extensions.
_RELATIONS = """
SELECT pg_class.relname
FROM pg_class
WHERE pg_class.relnamespace = current_schema()::regnamespace
  AND pg_class.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
  AND NOT EXISTS (
      SELECT FROM pg_depend
      WHERE pg_depend.classid = 'pg_class'::regclass
        AND pg_depend.objid = pg_class.oid
        AND pg_depend.deptype = 'e'
  )
ORDER BY pg_class.relkind = 'S', pg_class.relname
"""

_LEDGER_COLUMNS = """
SELECT array_agg(pg_attribute.attname::text)
FROM pg_attribute
WHERE pg_attribute.attrelid = to_regclass('migrations')
  AND pg_attribute.attnum > 0
  AND NOT pg_attribute.attisdropped
"""


class MigrationError(OperatorError):
    """The database cannot be migrated: it belongs to another program or version, or rejects it."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `db/migrations/`; `checksum` is the SHA-256 of its text."""

    number: int
    name: str
    sql: str
    checksum: str


def migrations() -> list[Migration]:
    """Return every migration, in order."""
    loaded = []
    for file in files("cruddur.db").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            sql = file.read_text("utf-8")
            loaded.append(
                Migration(
                    number=int(file.name.partition("_")[0]),
                    name=file.name.removesuffix(".sql"),
                    sql=sql,
                    checksum=hashlib.sha256(sql.encode()).hexdigest(),
                )
            )
    return sorted(loaded, key=lambda migration: migration.number)


async def migrate(dsn: str) -> list[str]:
    """Apply the pending migrations and return their names.

    All files run in one transaction. It holds an advisory lock, so that concurrent migrations wait
    for each other; a transaction's lock also works through a pooler.

    Raises:
        MigrationError: the database contains tables of another program, or a migration that this
            version does not have or that was changed after it ran, or it rejects a statement.
        DatabaseUnavailableError, DatabaseTooOldError: see `connect`.
    """
    conn = await connect(dsn)
    try:
        async with conn.transaction():
            await conn.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            return await _apply(conn)
    finally:
        await conn.close()


async def _apply(conn: Connection) -> list[str]:
    has_ledger = await _has_ledger(conn)
    applied = await _applied(conn) if has_ledger else set()
    names = []
    for migration in migrations():
        if migration.number in applied:
            continue
        try:
            if not has_ledger:
                await conn.execute(_CREATE_LEDGER)
            await conn.execute(migration.sql)
            await conn.execute(
                "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)",
                migration.number,
                migration.name,
                migration.checksum,
            )
        except asyncpg.PostgresError as error:
            raise MigrationError(
                f"migration {migration.name} failed and changed nothing: {describe(error)}"
            ) from error
        has_ledger = True
        names.append(migration.name)
    return names


async def _has_ledger(conn: Connection) -> bool:
    """Return whether the database has our migrations table; an empty database does not.

    Raises:
        MigrationError: it contains tables of another program.
    """
    columns = await conn.fetchval(_LEDGER_COLUMNS)
    if columns and {"number", "name", "checksum"} <= set(columns):
        return True
    names = [row["relname"] for row in await conn.fetch(_RELATIONS)]
    if names:
        listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        raise MigrationError(
            f"the database holds tables that are not Cruddur's ({listed}), so nothing was"
            " changed: use a database of its own"
        )
    return False


async def pending(dsn: str) -> list[str]:
    """Return the names of the migrations that the database lacks.

    Newer migrations than this version's are accepted: during an upgrade, the old version runs on a
    schema that was already migrated.

    Raises:
        MigrationError: the database contains tables of another program, or a migration was changed
            after it ran or is missing in this version.
        DatabaseUnavailableError, DatabaseTooOldError: see `connect`.
    """
    conn = await connect(dsn)
    try:
        if not await _has_ledger(conn):
            return [migration.name for migration in migrations()]
        applied = await _applied(conn, may_be_ahead=True)
        return [migration.name for migration in migrations() if migration.number not in applied]
    finally:
        await conn.close()


async def _applied(conn: Connection, *, may_be_ahead: bool = False) -> set[int]:
    """Return the numbers of the applied migrations, each of them known and unchanged."""
    available = {migration.number: migration for migration in migrations()}
    rows = await conn.fetch("SELECT number, name, checksum FROM migrations ORDER BY number")
    for row in rows:
        migration = available.get(row["number"])
        if migration is None and may_be_ahead and row["number"] > max(available):
            logger.warning("migration %s was applied by a newer version", row["name"])
            continue
        if migration is None:
            raise MigrationError(
                f"the database has migration {row['name']}, which this version does not"
                " know: a newer version applied it"
            )
        if migration.checksum != row["checksum"]:
            raise MigrationError(f"migration {migration.name} was changed after it ran")
    return {row["number"] for row in rows}
