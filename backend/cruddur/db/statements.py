"""SQL statements: one `.sql` file each under `db/sql/<area>/`, with named parameters.

A statement is loaded when its module is imported, so a misspelt name stops the start
and not a request. Comments are stripped before the text is sent: what a database or a
trace shows is the statement itself. Each has one span, named after its file, and never
shows a parameter's value.

A parameter `:traceparent` is given by nobody: it is the trace to which belongs what the
statement causes (migration 0003), also where it commits by itself (`Database.writing`). It is
set where it is surely evaluated, which a CTE that nobody reads is not:
`FROM set_config('cruddur.traceparent', :traceparent, true)`.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from importlib.resources import files
from typing import Any, TypeAlias, TypeVar

import asyncpg
from opentelemetry.util.types import AttributeValue

from cruddur.telemetry.statement_spans import measured, traceparent

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Row: TypeAlias = asyncpg.Record

T = TypeVar("T")

_COMMENT = re.compile(r"--[^\n]*")
_WORD = re.compile(r"[()]|\w+")
_VERBS = frozenset({"DELETE", "INSERT", "MERGE", "SELECT", "UPDATE"})
_WRITING_CTE = re.compile(r"\(\s*(DELETE|INSERT|MERGE|UPDATE)\b", re.IGNORECASE)
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class Statement:
    """One SQL statement, called with its parameters by name.

    Attributes:
        name: `<area>.<statement>`, as the file's place gives it.
        sql: the text that is sent, parameters numbered in order of first appearance.
        parameters: their names, in that order.
        tells_trace: whether `:traceparent` is one of them.
        attributes: those of its spans.
    """

    __slots__ = ("attributes", "name", "parameters", "sql", "tells_trace")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.parameters: tuple[str, ...] = tuple(
            dict.fromkeys(_PARAMETER.findall(_COMMENT.sub("", text)))
        )
        self.tells_trace = "traceparent" in self.parameters
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
        """Every row."""
        return await self._send(conn.fetch, values, len)

    async def row(self, conn: Connection, **values: Any) -> Row | None:
        """The first row, or None."""
        return await self._send(conn.fetchrow, values, _one)

    async def value(self, conn: Connection, **values: Any) -> Any:
        """The first column of the first row, or None."""
        return await self._send(conn.fetchval, values, _one)

    async def run(self, conn: Connection, **values: Any) -> int:
        """Execute it and return the number of rows it touched."""
        return _affected(await self._send(conn.execute, values, _affected, writes=True))

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
        if self.tells_trace:
            values["traceparent"] = traceparent()
        if len(values) != len(self.parameters):
            raise TypeError(f"{self.name} takes {self.parameters}, was given {tuple(values)}")
        return [values[parameter] for parameter in self.parameters]


def _one(answer: object) -> int:
    return int(answer is not None)


def _affected(tag: str) -> int:
    """The number at the end of a command tag such as `INSERT 0 1`."""
    count = tag.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


def _operation(sql: str) -> str:
    """What the statement does: its verb, or that of the first CTE that writes."""
    if writing := _WRITING_CTE.search(sql):
        return str(writing[1]).upper()
    depth = 0
    for word in _WORD.findall(sql):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word.upper() in _VERBS:
            return str(word).upper()
    return sql.split(None, 1)[0].upper()


def load(name: str) -> Statement:
    """Load `db/sql/<area>/<statement>.sql` for the name `<area>.<statement>`.

    Raises:
        FileNotFoundError: there is no such statement.
    """
    area, _, statement = name.partition(".")
    text = files("cruddur.db").joinpath("sql", area, f"{statement}.sql").read_text("utf-8")
    return Statement(name, text)
