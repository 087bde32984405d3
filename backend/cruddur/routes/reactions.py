"""Likes and reposts."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import Area, resources
from cruddur.services import reactions as service
from cruddur.wire import Counts

reactions = Area("reactions")


@reactions.handle(
    "PUT",
    "/api/activities/<uuid:uuid>/like",
    summary="Like a crud",
    errors={404: ["not_found"]},
)
async def like(viewer: Viewer, uuid: UUID) -> Counts:
    """Once or often, it is liked once."""
    async with resources().database.writing() as conn:
        return await service.like(conn, viewer, uuid)


@reactions.handle(
    "DELETE",
    "/api/activities/<uuid:uuid>/like",
    summary="Take a like back",
    errors={404: ["not_found"]},
)
async def unlike(viewer: Viewer, uuid: UUID) -> Counts:
    """Also when there was none."""
    async with resources().database.writing() as conn:
        return await service.unlike(conn, viewer, uuid)


@reactions.handle(
    "PUT",
    "/api/activities/<uuid:uuid>/repost",
    summary="Repost a crud",
    errors={404: ["not_found"]},
)
async def repost(viewer: Viewer, uuid: UUID) -> Counts:
    """It shows in the reposter's profile feed, for as long as the crud lives."""
    async with resources().database.writing() as conn:
        return await service.repost(conn, viewer, uuid)


@reactions.handle(
    "DELETE",
    "/api/activities/<uuid:uuid>/repost",
    summary="Take a repost back",
    errors={404: ["not_found"]},
)
async def unrepost(viewer: Viewer, uuid: UUID) -> Counts:
    """Also when there was none."""
    async with resources().database.writing() as conn:
        return await service.unrepost(conn, viewer, uuid)
