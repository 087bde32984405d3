"""What happened to the viewer."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import Area, Paged, resources
from cruddur.services import notifications as service
from cruddur.wire import Counter, Notification, Paging

notifications = Area("notifications")


@notifications.handle(
    "GET",
    "/api/activities/notifications/counter",
    summary="How many notifications are unread",
)
async def counter(viewer: Viewer) -> Counter:
    """Those about live cruds since the viewer last read the newest page, messages aside."""
    async with resources().database.connection() as conn:
        return await service.unread(conn, viewer)


@notifications.handle(
    "GET",
    "/api/activities/notifications",
    summary="Replies, likes, reposts, mentions and messages to the viewer",
    cached=True,
    personal=True,
    errors={422: ["cursor_invalid"]},
)
async def recent(viewer: Viewer | None, query: Paging) -> Paged[list[Notification]]:
    """Empty without an access token; one that has expired is refused. Reading the newest page
    marks them read.

    The status and reply routes understand a notification's uuid.
    """
    if viewer is None:
        return Paged([], None)
    async with resources().database.writing() as conn:
        found = await service.recent(conn, viewer, query)
    return Paged(found.items, found.cursor)
