"""Queries for blocks and mutes. The view hidden_authors has the hidden users of each viewer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cruddur.db.statements import Connection, Row, Statement, load
from cruddur.db.viewers import ViewerIds, parameters, private_rows
from cruddur.wire import BlockedUser, MutedUser, Relation

_BLOCK = load("safety.block")
_UNBLOCK = load("safety.unblock")
_MUTE = load("safety.mute")
_UNMUTE = load("safety.unmute")
_BLOCKS = load("safety.blocks")
_MUTES = load("safety.mutes")
_NOT_SUGGESTED = load("safety.not_suggested")


@dataclass(frozen=True, slots=True)
class Related:
    """The result of a change: the user's relation, or None if no user has the handle."""

    relation: Relation | None


async def insert_block(conn: Connection, *, viewer: ViewerIds, handle: str) -> Related | None:
    """Block a user, and end the follows of both. Blocking oneself changes nothing.

    Returns:
        None if the viewer's session is not open. So do the other changes.
    """
    return await _change(_BLOCK, conn, viewer, handle=handle)


async def delete_block(conn: Connection, *, viewer: ViewerIds, handle: str) -> Related | None:
    """End a block."""
    return await _change(_UNBLOCK, conn, viewer, handle=handle)


async def insert_mute(
    conn: Connection, *, viewer: ViewerIds, handle: str, duration: timedelta | None
) -> Related | None:
    """Mute a user for a duration, or until further notice. Muting oneself changes nothing."""
    return await _change(_MUTE, conn, viewer, handle=handle, duration=duration)


async def delete_mute(conn: Connection, *, viewer: ViewerIds, handle: str) -> Related | None:
    """End a mute."""
    return await _change(_UNMUTE, conn, viewer, handle=handle)


async def select_blocks(
    conn: Connection,
    *,
    viewer: ViewerIds,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[BlockedUser] | None:
    """Return the users that the viewer blocks before a position, the latest first.

    Returns None if the viewer's session is not open.
    """
    rows = await private_rows(
        _BLOCKS, conn, viewer, before_at=before_at, before_uuid=before_uuid, limit=limit
    )
    return None if rows is None else [BlockedUser(**row) for row in rows]


async def select_mutes(
    conn: Connection,
    *,
    viewer: ViewerIds,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[MutedUser] | None:
    """Return the users that the viewer mutes before a position, the latest first.

    Returns None if the viewer's session is not open.
    """
    rows = await private_rows(
        _MUTES, conn, viewer, before_at=before_at, before_uuid=before_uuid, limit=limit
    )
    return None if rows is None else [MutedUser(**row) for row in rows]


async def select_not_suggested(
    conn: Connection, *, viewer: ViewerIds, uuids: Sequence[UUID]
) -> list[UUID] | None:
    """Return those of some users that the viewer follows or does not see.

    Returns None if the viewer's session is not open.
    """
    found: list[UUID] | None = await _NOT_SUGGESTED.value(conn, **parameters(viewer), uuids=uuids)
    return found


async def _change(
    statement: Statement, conn: Connection, viewer: ViewerIds, **values: object
) -> Related | None:
    row = await statement.row(conn, **parameters(viewer), **values)
    return None if row is None else Related(None if row["uuid"] is None else _relation(row))


def _relation(row: Row) -> Relation:
    return Relation(
        uuid=row["uuid"],
        handle=row["handle"],
        display_name=row["display_name"],
        avatar_url=row["avatar_url"],
        blocked=row["is_blocked"],
        muted=row["is_muted"],
    )
