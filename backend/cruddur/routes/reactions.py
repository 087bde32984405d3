"""Likes and reposts."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import Area
from cruddur.services import reactions as service
from cruddur.services.unit_of_work import Writing
from cruddur.wire import Counts

reactions = Area("reactions")


@reactions.handle(
    "PUT",
    "/api/activities/<uuid:uuid>/like",
    summary="Like a crud",
    errors={404: ["not_found"]},
)
async def like(conn: Writing, viewer: Viewer, uuid: UUID) -> Counts:
    """Once or often, it is liked once."""
    return await service.like(conn, viewer, uuid)


@reactions.handle(
    "DELETE",
    "/api/activities/<uuid:uuid>/like",
    summary="Take a like back",
    errors={404: ["not_found"]},
)
async def unlike(conn: Writing, viewer: Viewer, uuid: UUID) -> Counts:
    """Also when there was none."""
    return await service.unlike(conn, viewer, uuid)


@reactions.handle(
    "PUT",
    "/api/activities/<uuid:uuid>/repost",
    summary="Repost a crud",
    errors={404: ["not_found"]},
)
async def repost(conn: Writing, viewer: Viewer, uuid: UUID) -> Counts:
    """It shows in the reposter's profile feed, for as long as the crud lives."""
    return await service.repost(conn, viewer, uuid)


@reactions.handle(
    "DELETE",
    "/api/activities/<uuid:uuid>/repost",
    summary="Take a repost back",
    errors={404: ["not_found"]},
)
async def unrepost(conn: Writing, viewer: Viewer, uuid: UUID) -> Counts:
    """Also when there was none."""
    return await service.unrepost(conn, viewer, uuid)
