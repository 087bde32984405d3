"""Load SQL statements from files, and run them with named parameters.

The statement `activities.home` is the file `db/sql/activities/home.sql`. An area with short
statements has one file, such as `db/sql/sweeper.sql`, in which `-- name: mark` starts the statement
`sweeper.mark`. `{crud_columns}` stands for a fragment of `db/sql/fragments.sql`, so that a list of
columns has one definition.

A statement is loaded when its module is imported, so a misspelled name fails at the start and not
in a request. Comments are removed before the text is sent. Each statement has one span with its
name, which never contains the value of a parameter.

This module sets the parameter `:traceparent`: it connects the events that the statement causes to
the current trace (migration 0003), also if the statement commits by itself (`Database.writing`).
Use it where PostgreSQL always evaluates it, which excludes a CTE that is not read: `FROM
set_config('cruddur.traceparent', :traceparent, true)`.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias, TypeVar

import asyncpg
from opentelemetry.util.types import AttributeValue

from cruddur.telemetry.statement_spans import measured, traceparent

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Row: TypeAlias = asyncpg.Record

T = TypeVar("T")

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_FRAGMENT = re.compile(r"\{(\w+)\}")
_COMMENT = re.compile(r"--[^\n]*")
_WORD = re.compile(r"[()]|\w+")
_VERBS = frozenset({"DELETE", "INSERT", "MERGE", "SELECT", "UPDATE"})
_WRITING_CTE = re.compile(r"\(\s*(DELETE|INSERT|MERGE|UPDATE)\b", re.IGNORECASE)
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class Statement:
    """One SQL statement with named parameters.

    Attributes:
        name: `<area>.<statement>`.
        sql: the text that is sent, with parameters numbered in the order of their first use.
        parameters: the names of the parameters, in that order.
        has_traceparent: whether `:traceparent` is one of them.
        attributes: the attributes of its spans.
    """

    __slots__ = ("attributes", "has_traceparent", "name", "parameters", "sql")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.parameters: tuple[str, ...] = tuple(
            dict.fromkeys(_PARAMETER.findall(_COMMENT.sub("", text)))
        )
        self.has_traceparent = "traceparent" in self.parameters
        numbers = {parameter: f"${n}" for n, parameter in enumerate(self.parameters, start=1)}
        lines = (line.strip() for line in _COMMENT.sub("", text).splitlines())
        self.sql = _PARAMETER.sub(
            lambda match: numbers[match[1]], "\n".join(line for line in lines if line)
        )
        operation = _operation(self.sql)
        self.attributes: dict[str, AttributeValue] = {
            "db.operation.name": operation,
            "db.query.summary": f"{operation} {name}",
            "db.query.text": self.sql,
        }

    async def rows(self, conn: Connection, **values: Any) -> list[Row]:
        """Run the statement and return every row."""
        return await self._send(conn.fetch, values, len)

    async def row(self, conn: Connection, **values: Any) -> Row | None:
        """Run the statement and return the first row, or None."""
        return await self._send(conn.fetchrow, values, _count_row)

    async def value(self, conn: Connection, **values: Any) -> Any:
        """Run the statement and return the first column of the first row, or None."""
        return await self._send(conn.fetchval, values, _count_row)

    async def run(self, conn: Connection, **values: Any) -> int:
        """Run the statement and return the number of affected rows."""
        return _affected_rows(await self._send(conn.execute, values, _affected_rows, writes=True))

    async def _send(
        self,
        method: Callable[..., Awaitable[T]],
        values: dict[str, Any],
        count: Callable[[T], int],
        *,
        writes: bool = False,
    ) -> T:
        arguments = self._arguments(values)
        return await measured(self.attributes, method(self.sql, *arguments), count, writes=writes)

    def _arguments(self, values: dict[str, Any]) -> Iterable[Any]:
        if self.has_traceparent:
            values["traceparent"] = traceparent()
        if len(values) != len(self.parameters):
            raise TypeError(f"{self.name} takes {self.parameters}, was given {tuple(values)}")
        return [values[parameter] for parameter in self.parameters]


def _count_row(result: object) -> int:
    return int(result is not None)


def _affected_rows(tag: str) -> int:
    """Return the number at the end of a command tag such as `INSERT 0 1`."""
    count = tag.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


def _operation(sql: str) -> str:
    """Return the verb of a statement, or of its first CTE that writes."""
    if writing := _WRITING_CTE.search(sql):
        return str(writing[1]).upper()
    depth = 0
    for word in _WORD.findall(sql):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word.upper() in _VERBS:
            return str(word).upper()
    return sql.split(None, 1)[0].upper()


def load(name: str) -> Statement:
    """Load the statement with the name `<area>.<statement>`.

    Raises:
        LookupError: there is no such statement, or no such fragment.
    """
    texts = _texts()
    if name not in texts:
        raise LookupError(f"db/sql has no statement {name}")
    return Statement(name, _FRAGMENT.sub(lambda match: _fragments()[match[1]], texts[name]))


def statement_names() -> list[str]:
    """Return the names of all statements in `db/sql/`."""
    return sorted(_texts())


@cache
def _texts() -> dict[str, str]:
    return dict(_read_all())


def _read_all() -> Iterator[tuple[str, str]]:
    for entry in files("cruddur.db").joinpath("sql").iterdir():
        area = entry.name.removesuffix(".sql")
        if entry.is_dir():
            for file in entry.iterdir():
                yield f"{area}.{file.name.removesuffix('.sql')}", file.read_text("utf-8")
        elif area != "fragments":
            for statement, text in _sections(entry.read_text("utf-8")).items():
                yield f"{area}.{statement}", text


@cache
def _fragments() -> dict[str, str]:
    text = files("cruddur.db").joinpath("sql", "fragments.sql").read_text("utf-8")
    return {name: fragment.rstrip() for name, fragment in _sections(text).items()}


def _sections(text: str) -> dict[str, str]:
    """Split the text of a file at its `-- name:` comments."""
    _, *parts = _NAME.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))
