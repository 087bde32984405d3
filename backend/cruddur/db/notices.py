"""Queries for the decisions of moderators as the account sees them, and for appeals."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from cruddur.db.statements import Connection, Row, load
from cruddur.db.viewers import ViewerIds, private_rows
from cruddur.wire import Notice

_LIST = load("notices.list")
_APPEAL = load("notices.appeal")
_OF_ACTION = load("notices.of_action")
_SUSPENSION = load("notices.suspension")


async def select_notices(
    conn: Connection,
    *,
    viewer: ViewerIds,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[Notice] | None:
    """Return the decisions about the viewer before a position, the latest first.

    They are marked read.

    Returns:
        None if the viewer's session is not open.
    """
    rows = await private_rows(
        _LIST, conn, viewer, before_at=before_at, before_uuid=before_uuid, limit=limit
    )
    return None if rows is None else [_notice(row) for row in rows]


async def select_suspension(conn: Connection, *, user_uuid: UUID) -> Notice | None:
    """Return the decision that suspends a user now."""
    row = await _SUSPENSION.row(conn, user_uuid=user_uuid)
    return _notice(row) if row else None


async def update_with_appeal(
    conn: Connection, *, uuid: UUID, user_uuid: UUID, words: str
) -> UUID | None:
    """Appeal against a decision about a user.

    Returns:
        The case; None if there is no such decision that can be appealed, or it was appealed before.
    """
    case: UUID | None = await _APPEAL.value(conn, uuid=uuid, user_uuid=user_uuid, words=words)
    return case


async def select_is_appealed(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> bool | None:
    """Return whether a decision was appealed; None if the user has no such decision to appeal."""
    is_appealed: bool | None = await _OF_ACTION.value(conn, uuid=uuid, user_uuid=user_uuid)
    return is_appealed


def _notice(row: Row) -> Notice:
    return Notice(
        uuid=row["uuid"],
        kind=row["kind"],
        reason=row["reason"],
        created_at=row["created_at"],
        ends_at=row["ends_at"],
        unread=row["read_at"] is None,
        appeal=_appeal(row),
        decision_reason=row["decision_reason"],
    )


def _appeal(
    row: Row,
) -> Literal["possible", "impossible", "waiting", "upheld", "overturned"]:
    if row["kind"] == "lift":
        return "impossible"
    if row["appeal"] is None:
        return "possible"
    decision: Literal["upheld", "overturned"] | None = row["decision"]
    return decision or "waiting"
