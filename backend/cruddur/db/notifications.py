"""Queries for notifications, which the statements that cause them insert."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from cruddur.db.activities import crud, hidden_handles, pictures
from cruddur.db.statements import Connection, Row, load
from cruddur.db.viewers import ViewerIds, parameters, private_rows, public_rows
from cruddur.wire import NOTIFICATION_TEXTS, Notification, NotificationGroup, ShortUser

MAX_ACTORS = 20
"""Maximum number of users that a group of notifications names."""

_GROUPS = load("notifications.groups")
_LIST = load("notifications.list")
_SHOW = load("notifications.show")
_UNREAD = load("notifications.unread")


async def select_notifications(
    conn: Connection,
    *,
    viewer: ViewerIds,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[Notification] | None:
    """Return the viewer's notifications before a position, the newest first.

    The newest page marks them read, up to the newest that is returned.

    Returns:
        None if the viewer's session is not open.
    """
    rows = await private_rows(
        _LIST, conn, viewer, before_at=before_at, before_uuid=before_uuid, limit=limit
    )
    return None if rows is None else [notification(row, viewer.uuid) for row in rows]


async def select_notification_groups(
    conn: Connection,
    *,
    viewer: ViewerIds,
    only_mentions: bool,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[NotificationGroup] | None:
    """Return the viewer's notifications in groups before a position, the newest first.

    The newest page marks the notifications read, up to the newest that is returned.

    Args:
        conn: a connection for writing.
        viewer: the user who is notified.
        only_mentions: select, and mark read, only replies and mentions.
        before_at: the time of the position; None for the newest page.
        before_uuid: the notification at the position.
        limit: the largest number of groups.

    Returns:
        None if the viewer's session is not open.
    """
    rows = await _GROUPS.rows(
        conn,
        **parameters(viewer),
        only_mentions=only_mentions,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=limit,
        max_actors=MAX_ACTORS,
    )
    if not rows:
        return None
    return [_group(row, viewer.uuid) for row in rows if row["latest_uuid"] is not None]


def _group(row: Row, viewer: UUID) -> NotificationGroup:
    activity = None if row["uuid"] is None else crud(row, viewer)
    if activity is not None and activity.reply_to_handle in hidden_handles(row):
        activity.reply_to_handle = UNSET
    return NotificationGroup(
        uuid=row["latest_uuid"],
        kind=row["kind"],
        created_at=row["latest_at"],
        unread=row["is_unread"],
        actors=msgspec.json.decode(row["actors"], type=list[ShortUser]),
        actors_count=row["actors_count"],
        activity=activity,
    )


async def select_notification(
    conn: Connection, *, uuid: UUID, viewer: ViewerIds | None
) -> Notification | None:
    """Return a notification if it is about a live crud, or a message to the viewer."""
    rows = await public_rows(_SHOW, conn, viewer, uuid=uuid)
    return notification(rows[0], rows[0]["viewer"]) if rows else None


async def count_unread(conn: Connection, *, viewer: ViewerIds) -> int | None:
    """Count the notifications about live cruds that the viewer has not read.

    Returns:
        None if the viewer's session is not open.
    """
    count: int | None = await _UNREAD.value(conn, **parameters(viewer))
    return count


def notification(row: Row, viewer: UUID | None) -> Notification:
    """Convert a row to a notification. Without a viewer, `liked` and `reposted` are left out."""
    text = NOTIFICATION_TEXTS.get(row["kind"])
    return Notification(
        uuid=row["uuid"],
        kind=row["kind"],
        activity_uuid=row["activity_uuid"],
        message_group_uuid=row["message_group_uuid"],
        display_name=row["display_name"],
        handle=row["handle"],
        avatar_url=row["avatar_url"],
        message=row["message"] if text is None else text.format(row["message"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        replies_count=row["replies_count"],
        reposts_count=row["reposts_count"],
        likes_count=row["likes_count"],
        reply_to_activity_uuid=row["reply_to_activity_uuid"],
        liked=UNSET if viewer is None else row["liked"],
        reposted=UNSET if viewer is None else row["reposted"],
        pictures=pictures(row["pictures"]),
    )
