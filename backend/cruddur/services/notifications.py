"""Rules for notifications, and their form as cruds."""

from cruddur.db import notifications as db
from cruddur.db.statements import Connection
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services.paging import Page, page, time_cursor
from cruddur.wire import (
    Counter,
    Crud,
    Message,
    Notification,
    NotificationGroup,
    NotificationsQuery,
    Paging,
)


async def groups(
    conn: Connection, viewer: Viewer, query: NotificationsQuery
) -> Page[NotificationGroup]:
    """Return the viewer's notifications in groups, the newest first.

    Reading the newest page marks the notifications of the feed read.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    before_at, before_uuid = time_cursor(query.cursor)
    listed = require_open_session(
        await db.select_notification_groups(
            conn,
            viewer=viewer,
            only_mentions=query.feed == "mentions",
            before_at=before_at,
            before_uuid=before_uuid,
            limit=query.limit + 1,
        )
    )
    return page(listed, query.limit, lambda group: (group.created_at, group.uuid))


async def recent(conn: Connection, viewer: Viewer, paging: Paging) -> Page[Notification]:
    """Return the viewer's notifications, the newest first.

    `message` is the text that the user of `handle` wrote, or a sentence about what they did.
    Reading the newest page marks them read.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    listed = require_open_session(
        await db.select_notifications(
            conn,
            viewer=viewer,
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
    )
    return page(listed, paging.limit, lambda note: (note.created_at, note.uuid))


async def unread(conn: Connection, viewer: Viewer) -> Counter:
    """Count the viewer's unread notifications, without those about messages.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    return Counter(require_open_session(await db.count_unread(conn, viewer=viewer)))


def as_crud(note: Notification) -> Crud:
    """Return a notification without the fields that cruds do not have."""
    return Crud(**{name: getattr(note, name) for name in Crud.__struct_fields__})


def message_as_crud(message: Message) -> Crud:
    """Return a message in the form of a crud."""
    return Crud(
        uuid=message.uuid,
        display_name=message.display_name,
        handle=message.handle,
        avatar_url=message.avatar_url,
        message=message.message,
        created_at=message.created_at,
        expires_at=message.expires_at,
        replies_count=0,
        reposts_count=0,
        likes_count=0,
        reply_to_activity_uuid=None,
    )
