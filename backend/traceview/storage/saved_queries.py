"""Queries that were saved by name.

They stay when all traces are deleted, and when the schema of the traces changes.
"""

import threading

from msgspec import Struct

from traceview.storage.database import Database

MAX_SAVED = 500
MAX_NAME_CHARS = 100


class SavedQuery(Struct, frozen=True):
    """A query with its name."""

    name: str
    query: str


class TooManyError(Exception):
    """The file already has MAX_SAVED queries."""


class SavedQueries:
    """The saved queries of a file."""

    def __init__(self, database: Database) -> None:
        """Take the open file, and create the table if it is new."""
        self._database = database
        self._lock = threading.Lock()
        database.select(
            "CREATE TABLE IF NOT EXISTS saved_queries "
            "(name VARCHAR NOT NULL, query VARCHAR NOT NULL)"
        )

    def all(self) -> list[SavedQuery]:
        """Return the queries by name."""
        rows = self._database.select(
            "SELECT name, query FROM saved_queries ORDER BY lower(name), name"
        )
        return [SavedQuery(name, query) for name, query in rows]

    def save(self, saved: SavedQuery) -> None:
        """Save a query; one with the same name is replaced.

        Raises:
            TooManyError: there is no room for another one.
        """
        given = {"name": saved.name, "query": saved.query}
        with self._lock:
            [(changed,)] = self._database.select(
                "UPDATE saved_queries SET query = $query WHERE name = $name", given
            )
            if changed:
                return
            [(count,)] = self._database.select("SELECT count(*) FROM saved_queries")
            if count >= MAX_SAVED:
                raise TooManyError
            self._database.select("INSERT INTO saved_queries VALUES ($name, $query)", given)

    def delete(self, name: str) -> bool:
        """Delete a query. Returns whether there was one."""
        with self._lock:
            [(deleted,)] = self._database.select(
                "DELETE FROM saved_queries WHERE name = $name", {"name": name}
            )
        return bool(deleted)
