"""SQL statements: one `.sql` file each under `db/sql/<area>/`, with named parameters.

A statement is loaded when its module is imported, so a misspelt name stops the start
and not a request. Comments are stripped before the text is sent: what a database or a
trace shows is the statement itself.
"""

import re
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Row: TypeAlias = asyncpg.Record

_COMMENT = re.compile(r"--[^\n]*")
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class Statement:
    """One SQL statement, called with its parameters by name.

    Attributes:
        name: `<area>.<statement>`, as the file's place gives it.
        sql: the text that is sent, parameters numbered in order of first appearance.
        parameters: their names, in that order.
    """

    __slots__ = ("name", "parameters", "sql")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.parameters: tuple[str, ...] = tuple(
            dict.fromkeys(_PARAMETER.findall(_COMMENT.sub("", text)))
        )
        numbers = {parameter: f"${n}" for n, parameter in enumerate(self.parameters, start=1)}
        lines = (line.strip() for line in _COMMENT.sub("", text).splitlines())
        self.sql = _PARAMETER.sub(
            lambda match: numbers[match[1]], "\n".join(line for line in lines if line)
        )

    async def rows(self, conn: Connection, **values: Any) -> list[Row]:
        """Every row."""
        return await conn.fetch(self.sql, *self._arguments(values))

    async def row(self, conn: Connection, **values: Any) -> Row | None:
        """The first row, or None."""
        return await conn.fetchrow(self.sql, *self._arguments(values))

    async def value(self, conn: Connection, **values: Any) -> Any:
        """The first column of the first row, or None."""
        return await conn.fetchval(self.sql, *self._arguments(values))

    async def run(self, conn: Connection, **values: Any) -> int:
        """Execute it and return the number of rows it touched."""
        tag = await conn.execute(self.sql, *self._arguments(values))
        count = tag.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def _arguments(self, values: dict[str, Any]) -> Iterable[Any]:
        if len(values) != len(self.parameters):
            raise TypeError(f"{self.name} takes {self.parameters}, was given {tuple(values)}")
        return [values[parameter] for parameter in self.parameters]


def load(name: str) -> Statement:
    """Load `db/sql/<area>/<statement>.sql` for the name `<area>.<statement>`.

    Raises:
        FileNotFoundError: there is no such statement.
    """
    area, _, statement = name.partition(".")
    text = files("cruddur.db").joinpath("sql", area, f"{statement}.sql").read_text("utf-8")
    return Statement(name, text)
