"""Likes and reposts. Each is there once or not at all; triggers keep the counters."""

from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.wire import Counts

_LIKE = load("reactions.like")
_UNLIKE = load("reactions.unlike")
_REPOST = load("reactions.repost")
_UNREPOST = load("reactions.unrepost")
_COUNTS = load("reactions.counts")


async def insert_like(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> None:
    """Like a live crud; nothing happens if it is liked already or not live."""
    await _LIKE.run(conn, uuid=uuid, user_uuid=user_uuid)


async def delete_like(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> None:
    """Take a like back, and the notification of it."""
    await _UNLIKE.run(conn, uuid=uuid, user_uuid=user_uuid)


async def insert_repost(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> None:
    """Repost a live crud; nothing happens if it is reposted already or not live."""
    await _REPOST.run(conn, uuid=uuid, user_uuid=user_uuid)


async def delete_repost(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> None:
    """Take a repost back, and the notification of it."""
    await _UNREPOST.run(conn, uuid=uuid, user_uuid=user_uuid)


async def select_counts(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> Counts | None:
    """The counts of a live crud and what this person has done to it."""
    row = await _COUNTS.row(conn, uuid=uuid, user_uuid=user_uuid)
    return Counts(**row) if row else None
