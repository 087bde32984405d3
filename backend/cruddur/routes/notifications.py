"""Routes for notifications."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, Paged
from cruddur.services import notifications as service
from cruddur.services.unit_of_work import Reading, Writing
from cruddur.wire import (
    Counter,
    Notification,
    NotificationGroup,
    NotificationsQuery,
    Paging,
)

notifications = ApiBlueprint("notifications")


@notifications.handle(
    "GET",
    "/api/activities/notifications/counter",
    summary="The number of unread notifications",
    scopes=["read"],
)
async def counter(conn: Reading, viewer: Viewer) -> Counter:
    """Counts notifications about live cruds since the viewer last read the newest page, without
    messages."""
    return await service.unread(conn, viewer)


@notifications.handle(
    "GET",
    "/api/notifications",
    summary="Replies, likes, reposts and mentions, in groups",
    scopes=["read"],
    cached=True,
    errors={422: ["cursor_invalid"]},
)
async def grouped(
    conn: Writing, viewer: Viewer, query: NotificationsQuery
) -> Paged[list[NotificationGroup]]:
    """All likes of a crud are one group, and so are its reposts. Messages are not listed.

    Reading the newest page marks the notifications of the feed read.
    """
    page = await service.groups(conn, viewer, query)
    return Paged(page.items, page.cursor)


@notifications.handle(
    "GET",
    "/api/activities/notifications",
    summary="Replies, likes, reposts, mentions and messages to the viewer",
    scopes=["read", "message"],
    cached=True,
    personal=True,
    errors={422: ["cursor_invalid"]},
)
async def recent(
    conn: Writing | None, viewer: Viewer | None, query: Paging
) -> Paged[list[Notification]]:
    """Empty without an access token; an expired token is an error. Reading the newest page marks
    them read.

    The status and reply routes accept a notification's uuid.
    """
    if conn is None or viewer is None:
        return Paged([], None)
    page = await service.recent(conn, viewer, query)
    return Paged(page.items, page.cursor)
