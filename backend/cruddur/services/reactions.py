"""Likes and reposts: doing either twice is doing it once."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from cruddur.db import reactions as db
from cruddur.db.statements import Connection
from cruddur.errors import NotFoundError
from cruddur.identity.viewer import Viewer
from cruddur.wire import Counts


async def like(conn: Connection, viewer: Viewer, uuid: UUID) -> Counts:
    """Like a live crud. Raises NotFoundError when there is none."""
    return await _react(conn, viewer, uuid, db.insert_like)


async def unlike(conn: Connection, viewer: Viewer, uuid: UUID) -> Counts:
    """Take a like back. Raises NotFoundError when there is no such live crud."""
    return await _react(conn, viewer, uuid, db.delete_like)


async def repost(conn: Connection, viewer: Viewer, uuid: UUID) -> Counts:
    """Repost a live crud. Raises NotFoundError when there is none."""
    return await _react(conn, viewer, uuid, db.insert_repost)


async def unrepost(conn: Connection, viewer: Viewer, uuid: UUID) -> Counts:
    """Take a repost back. Raises NotFoundError when there is no such live crud."""
    return await _react(conn, viewer, uuid, db.delete_repost)


async def _react(
    conn: Connection, viewer: Viewer, uuid: UUID, change: Callable[..., Awaitable[None]]
) -> Counts:
    await change(conn, uuid=uuid, user_uuid=viewer.uuid)
    counts = await db.select_counts(conn, uuid=uuid, user_uuid=viewer.uuid)
    if counts is None:
        raise NotFoundError
    return counts
