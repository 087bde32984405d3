"""Rules for likes and reposts. Each call is idempotent.

All functions raise NotFoundError if there is no such live crud, and UnauthenticatedError if the
viewer's session is not open.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from cruddur.db import reactions as db
from cruddur.db.statements import Connection
from cruddur.errors import NotFoundError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.wire import Counts


async def like(conn: Connection, viewer: Viewer, uuid: UUID) -> Counts:
    """Like a live crud and return its counts."""
    return await _react(conn, viewer, uuid, db.insert_like)


async def unlike(conn: Connection, viewer: Viewer, uuid: UUID) -> Counts:
    """Remove a like and return the crud's counts."""
    return await _react(conn, viewer, uuid, db.delete_like)


async def repost(conn: Connection, viewer: Viewer, uuid: UUID) -> Counts:
    """Repost a live crud and return its counts."""
    return await _react(conn, viewer, uuid, db.insert_repost)


async def unrepost(conn: Connection, viewer: Viewer, uuid: UUID) -> Counts:
    """Remove a repost and return the crud's counts."""
    return await _react(conn, viewer, uuid, db.delete_repost)


async def _react(
    conn: Connection, viewer: Viewer, uuid: UUID, change: Callable[..., Awaitable[bool]]
) -> Counts:
    require_open_session(await change(conn, uuid=uuid, viewer=viewer))
    counts = await db.select_counts(conn, uuid=uuid, user_uuid=viewer.uuid)
    if counts is None:
        raise NotFoundError
    return counts
