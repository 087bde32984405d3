"""Open the DuckDB file and execute statements in it."""

import importlib.util
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from traceview.storage.schema import TABLES, VERSION, create_statements

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row: TypeAlias = tuple[Any, ...]
Select: TypeAlias = Callable[[str, Mapping[str, object]], list[Row]]
"""Executes a query with parameters and returns its rows."""

MEMORY = "80MB"
"""Memory of DuckDB. Larger sorts and groups use a temporary file."""

THREADS = 2

QUERY_SECONDS = 10.0
"""Maximum time of a query."""


class StorageError(Exception):
    """The file cannot be used; the message gives the reason."""


class StatementError(Exception):
    """A statement failed or took too long; the message gives the reason."""


class Database:
    """An open file. Only one process at a time can have it open, unless all only read it."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open or create the file.

        Raises:
            StorageError: duckdb is missing, or the file is in use, damaged or not accessible.
        """
        self.path = path
        if importlib.util.find_spec("duckdb") is None:
            raise StorageError("the package duckdb is not installed")
        import duckdb  # it takes 0.1 s and 30 MB

        self._error: type[Exception] = duckdb.Error
        try:
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._connection: DuckDBPyConnection = duckdb.connect(
                path,
                read_only=read_only,
                config={
                    "memory_limit": MEMORY,
                    "threads": THREADS,
                    "preserve_insertion_order": False,
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                },
            )
            self._connection.execute("SET enable_progress_bar = false")
            if read_only:
                self._check_version()
            else:
                self._prepare()
        except (duckdb.Error, OSError) as error:
            raise StorageError(_reason(path, error)) from error

    def cursor(self) -> "DuckDBPyConnection":
        """Return a connection for one thread."""
        return self._connection.cursor()

    def select(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[Row]:
        """Execute a query and return its rows.

        Raises:
            StatementError: it failed, or took longer than QUERY_SECONDS.
        """
        with self._limited_cursor() as cursor:
            return self._rows(cursor, sql, parameters or {})

    @contextmanager
    def snapshot(self) -> Iterator[Select]:
        """Yield a function like `select` whose results all show the data at the same moment.

        Row ids stay valid in a snapshot. Raises StatementError as `select` does.
        """
        with self._limited_cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                yield lambda sql, parameters: self._rows(cursor, sql, parameters)
            finally:
                cursor.execute("ROLLBACK")

    @contextmanager
    def _limited_cursor(self) -> "Iterator[DuckDBPyConnection]":
        with self.cursor() as cursor:
            timer = threading.Timer(QUERY_SECONDS, cursor.interrupt)
            timer.start()
            try:
                yield cursor
            finally:
                timer.cancel()

    def _rows(
        self, cursor: "DuckDBPyConnection", sql: str, parameters: Mapping[str, object]
    ) -> list[Row]:
        try:
            rows: list[Row] = cursor.execute(sql, parameters).fetchall()
        except self._error as error:
            raise StatementError(self._failure(error)) from error
        return rows

    def close(self) -> None:
        """Close the file; this writes a checkpoint."""
        self._connection.close()

    def _failure(self, error: Exception) -> str:
        kind = type(error).__name__
        if kind == "InterruptException":
            return f"the query took longer than {QUERY_SECONDS:g} s; choose a shorter time range"
        if is_out_of_memory(error):
            return f"the query needs more than {MEMORY} of memory; choose a shorter time range"
        return f"the query failed: {str(error).splitlines()[0]}"

    def _prepare(self) -> None:
        if self._version() == VERSION:
            return
        for (name,) in self._connection.execute(
            "SELECT table_name FROM duckdb_tables()"
        ).fetchall():
            if name in {*TABLES, "version"}:
                self._connection.execute(f"DROP TABLE {name}")
        for statement in create_statements():
            self._connection.execute(statement)
        self._connection.execute("CREATE TABLE version (number INTEGER)")
        self._connection.execute("INSERT INTO version VALUES ($number)", {"number": VERSION})

    def _check_version(self) -> None:
        if self._version() != VERSION:
            raise StorageError(f"{self.path} was not written by this version of traceview")

    def _version(self) -> int | None:
        [(count,)] = self._connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'version'"
        ).fetchall()
        if not count:
            return None
        row = self._connection.execute("SELECT number FROM version").fetchone()
        return row[0] if row else None


def is_out_of_memory(error: Exception) -> bool:
    """Return whether DuckDB needed more memory than it has. This needs no import of duckdb."""
    return type(error).__name__ == "OutOfMemoryException"


def _reason(path: Path, error: Exception) -> str:
    text = str(error)
    if "lock" in text.lower():
        return f"another process uses {path}"
    if isinstance(error, OSError) and error.strerror:
        return f"{path}: {error.strerror}"
    return f"{path} cannot be opened: {text.splitlines()[0]}"
