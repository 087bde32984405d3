"""What an operator wants to know about a database before it is used."""

import time
from dataclasses import dataclass

from cruddur.db.pool import connect

_FACTS = """
SELECT
    current_setting('server_version') AS version,
    current_database() AS name,
    pg_encoding_to_char(encoding) AS encoding,
    COALESCE(datlocale, datcollate) AS locale,
    extract(epoch FROM clock_timestamp())::float8 AS time
FROM pg_database
WHERE datname = current_database()
"""

ENCODING = "UTF8"
"""The encoding that texts of cruds need."""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A database and its server.

    Attributes:
        version: that of PostgreSQL.
        name: the name of the database.
        encoding: of its texts; it has to be ENCODING.
        locale: of its sort order; any will do.
        clock_offset: by how many seconds the clock of this machine is ahead of the server's.
    """

    version: str
    name: str
    encoding: str
    locale: str
    clock_offset: float


async def read_facts(dsn: str) -> ServerFacts:
    """Connect and return the facts.

    Raises:
        DatabaseUnavailableError, DatabaseTooOldError: see `connect`.
    """
    conn = await connect(dsn)
    try:
        started = time.time()
        row = await conn.fetchrow(_FACTS)
        assert row is not None  # noqa: S101  # the database that it is connected to
        return ServerFacts(
            version=row["version"].split()[0],
            name=row["name"],
            encoding=row["encoding"],
            locale=row["locale"],
            clock_offset=(started + time.time()) / 2 - row["time"],
        )
    finally:
        await conn.close()
