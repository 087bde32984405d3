"""Dump the schema with pg_dump: `make schema` writes it to `backend/cruddur/db/schema.sql`."""

import asyncio
import re
import tempfile
from pathlib import Path

from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.migrate import migrate

SCHEMA = Path(__file__).parents[2] / "backend" / "cruddur" / "db" / "schema.sql"

HEADER = "-- The schema after every migration, as pg_dump writes it: `make schema`.\n\n"


def dump_schema(server: EmbeddedPostgres, database: str) -> str:
    """Return the schema of a database, without the lines that differ between runs of pg_dump."""
    text = server.run_tool(
        "pg_dump", "--schema-only", "--no-owner", "--no-privileges", f"--dbname={database}"
    )
    kept = [
        line
        for line in text.splitlines()
        if not re.match(r"--|SET |SELECT pg_catalog|\\(un)?restrict", line)
    ]
    return HEADER + re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip() + "\n"


def main() -> None:
    """Write the schema that the migrations of this checkout create."""
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory), durable=False)
        server.start()
        try:
            server.create_database("schema")
            asyncio.run(migrate(server.dsn("schema")))
            SCHEMA.write_text(dump_schema(server, "schema"), "utf-8")
        finally:
            server.stop()


if __name__ == "__main__":
    main()
