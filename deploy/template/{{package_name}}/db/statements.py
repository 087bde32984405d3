"""Load SQL statements from files, and run each in a span.

`-- name: create` in `sql/notes.sql` starts the statement `notes.create`. Its parameters have names
(`:title`), and reach PostgreSQL apart from the text. Spans show the text, never a value.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

import asyncpg
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from .database import Connection

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*")
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")

_tracer = trace.get_tracer(__name__)


class Statement:
    """One SQL statement with named parameters."""

    def __init__(self, name: str, text: str) -> None:
        """Number the parameters in the order of their first use."""
        text = _COMMENT.sub("", text)
        self.name = name
        self._parameters = tuple(dict.fromkeys(_PARAMETER.findall(text)))
        numbers = {name: f"${n}" for n, name in enumerate(self._parameters, start=1)}
        self._sql = _PARAMETER.sub(lambda match: numbers[match[1]], text).strip()
        operation = self._sql.split(None, 1)[0].upper()
        self._summary = f"{operation} {name}"
        self._attributes = {
            "db.system.name": "postgresql",
            "db.operation.name": operation,
            "db.query.summary": self._summary,
            "db.query.text": self._sql,
        }

    async def rows(self, conn: Connection, **values: Any) -> list[asyncpg.Record]:
        """Run the statement and return every row."""
        with self._span():
            return await conn.fetch(self._sql, *self._arguments(values))

    async def row(self, conn: Connection, **values: Any) -> asyncpg.Record | None:
        """Run the statement and return the first row, or None."""
        with self._span():
            return await conn.fetchrow(self._sql, *self._arguments(values))

    def _arguments(self, values: dict[str, Any]) -> list[Any]:
        if values.keys() != set(self._parameters):
            raise TypeError(f"{self.name} takes {self._parameters}, was given {tuple(values)}")
        return [values[parameter] for parameter in self._parameters]

    @contextmanager
    def _span(self) -> Iterator[None]:
        # A statement outside of a trace, such as that of a probe, starts none.
        if not trace.get_current_span().get_span_context().is_valid:
            yield
            return
        with _tracer.start_as_current_span(
            self._summary, kind=SpanKind.CLIENT, attributes=self._attributes
        ) as span:
            try:
                yield
            except asyncpg.PostgresError as error:
                span.set_attribute("db.response.status_code", error.sqlstate or "")
                raise


def load(name: str) -> Statement:
    """Load the statement `<area>.<statement>`, when the module that uses it is imported.

    Raises:
        LookupError: there is no such statement.
    """
    area, _, statement = name.partition(".")
    texts = _texts(area)
    if statement not in texts:
        raise LookupError(f"sql/{area}.sql has no statement {statement}")
    return Statement(name, texts[statement])


@cache
def _texts(area: str) -> dict[str, str]:
    text = files(__package__ or "").joinpath("sql", f"{area}.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))
