"""The connection that a handler declares, as the type of its parameter `conn`.

    async def delete(conn: Writing, viewer: Viewer, uuid: UUID) -> Deleted: ...

The endpoint opens the unit of work, which commits when the handler returns and rolls back when it
raises. Services never commit.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, NewType, TypeVar, get_args

from cruddur.db.pool import ConnectionLostError, Database
from cruddur.db.statements import Connection
from cruddur.telemetry.operation import current_operation

T = TypeVar("T")

_MAX_REPETITIONS = 2
"""How often work is repeated that has lost its server."""

Kind = Literal["reading", "writing", "transaction"]

Reading = NewType("Reading", Connection)
"""For statements that only read. A replica may serve them: then the handler is called again if the
replica fails (`cruddur.db.replicas`). The request of a stream reads from the primary."""

Writing = NewType("Writing", Connection)
"""For one statement that writes. It commits by itself, which saves two round trips."""

Transaction = NewType("Transaction", Connection)
"""For several statements that are committed together."""

_KINDS: dict[Any, Kind] = {Reading: "reading", Writing: "writing", Transaction: "transaction"}


@dataclass(frozen=True, slots=True)
class Unit:
    """A declared unit of work. An anonymous caller gets None instead of one if it is optional."""

    kind: Kind
    is_optional: bool


def declared_unit(annotation: Any) -> Unit | None:
    """Return the unit of work that a handler's `conn` declares; None if it has no such parameter.

    Raises:
        TypeError: the annotation is not one of the types above, with or without `| None`.
    """
    if annotation is None:
        return None
    choices = [choice for choice in get_args(annotation) if choice is not type(None)]
    [declared] = choices or [annotation]
    if declared not in _KINDS:
        raise TypeError(f"conn is declared as {annotation}, not as Reading, Writing or Transaction")
    return Unit(_KINDS[declared], is_optional=bool(choices))


def open_unit(database: Database, kind: Kind) -> AbstractAsyncContextManager[Connection]:
    """Open a unit of work.

    Raises:
        DatabaseUnavailableError: as `Database.connection` and `Database.transaction` do.
    """
    match kind:
        case "reading":
            return database.connection()
        case "writing":
            return database.writing()
        case "transaction":
            return database.transaction()


async def repeated(call: Callable[[], Awaitable[T]]) -> T:
    """Call a function, and again if it lost its server. It must have no effect twice.

    The server was switched over or restarted: the next call waits for a connection
    (`Database.connection`).

    Raises:
        Exception: any exception of the last call.
    """
    for _ in range(_MAX_REPETITIONS):
        try:
            return await call()
        except ConnectionLostError:
            current_operation().repetitions += 1
    return await call()
