"""Statements that act for a viewer: each one checks in SQL that the viewer's session is open.

Such a statement reads the viewer from the function `signed_in` (migration 0009), so the check and
the work are one round trip. It takes the parameters `:viewer` and `:session`. There are two forms:

- A private statement returns no row unless the session is open. If the session is open and there
  is nothing to list, it returns one row whose `uuid` is NULL.
- A public statement returns the same rows to everyone, at least one. Its column `viewer` is the
  viewer's uuid, or NULL for an anonymous caller and for a session that is not open.
"""

from typing import Any, Protocol
from uuid import UUID

from cruddur.db.statements import Connection, Row, Statement
from cruddur.telemetry.operation import current_operation


class ViewerIds(Protocol):
    """The part of a viewer that statements need."""

    @property
    def uuid(self) -> UUID:
        """The user."""

    @property
    def session_uuid(self) -> UUID | None:
        """The session that has to be open; None if the viewer's token names no session."""


def parameters(viewer: ViewerIds | None) -> dict[str, UUID | None]:
    """Return the parameters `:viewer` and `:session`; both are NULL for an anonymous caller."""
    if viewer is None:
        return {"viewer": None, "session": None}
    return {"viewer": viewer.uuid, "session": viewer.session_uuid}


async def private_rows(
    statement: Statement, conn: Connection, viewer: ViewerIds, **values: Any
) -> list[Row] | None:
    """Return the rows of a private list, or None if the viewer's session is not open."""
    rows = await statement.rows(conn, **parameters(viewer), **values)
    return [row for row in rows if row["uuid"] is not None] if rows else None


async def public_rows(
    statement: Statement, conn: Connection, viewer: ViewerIds | None, **values: Any
) -> list[Row]:
    """Return the rows of a public statement, including a row that only holds NULLs."""
    rows = await statement.rows(conn, **parameters(viewer), **values)
    if rows and rows[0]["viewer"] is None:
        current_operation().user_uuid = None  # served as an anonymous caller
    return rows
