"""Notifications: written by the statements that cause them, read here."""

from datetime import datetime
from uuid import UUID

from msgspec import UNSET

from cruddur.db.statements import Connection, Row, load
from cruddur.wire import Notification

_LIST = load("notifications.list")
_SHOW = load("notifications.show")
_READ = load("notifications.read")
_UNREAD = load("notifications.unread")


async def select_notifications(
    conn: Connection,
    *,
    viewer: UUID,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[Notification]:
    """What happened to the viewer before a position, the newest first."""
    rows = await _LIST.rows(
        conn, viewer=viewer, before_at=before_at, before_uuid=before_uuid, limit=limit
    )
    return [notification(row, viewer) for row in rows]


async def select_notification(
    conn: Connection, *, uuid: UUID, viewer: UUID | None
) -> Notification | None:
    """One notification, if it is about a live crud or it is the viewer's own."""
    row = await _SHOW.row(conn, uuid=uuid, viewer=viewer)
    return notification(row, viewer) if row else None


async def mark_read(conn: Connection, *, user_uuid: UUID, read_at: datetime) -> None:
    """Mark a person's notifications read up to a time, unless they are already."""
    await _READ.run(conn, user_uuid=user_uuid, read_at=read_at)


async def count_unread(conn: Connection, *, user_uuid: UUID) -> int:
    """How many notifications about live cruds the person has not read."""
    return int(await _UNREAD.value(conn, user_uuid=user_uuid))


def notification(row: Row, viewer: UUID | None) -> Notification:
    """A notification from a row."""
    return Notification(
        uuid=row["uuid"],
        kind=row["kind"],
        activity_uuid=row["activity_uuid"],
        message_group_uuid=row["message_group_uuid"],
        display_name=row["display_name"],
        handle=row["handle"],
        avatar_url=row["avatar_url"],
        message=row["message"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        replies_count=row["replies_count"],
        reposts_count=row["reposts_count"],
        likes_count=row["likes_count"],
        reply_to_activity_uuid=row["reply_to_activity_uuid"],
        liked=UNSET if viewer is None else row["liked"],
        reposted=UNSET if viewer is None else row["reposted"],
    )
