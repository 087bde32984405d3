"""Routes for likes and reposts."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint
from cruddur.services import reactions as service
from cruddur.services.unit_of_work import Writing
from cruddur.wire import Counts

reactions = ApiBlueprint("reactions")


@reactions.handle(
    "PUT",
    "/api/activities/<uuid:uuid>/like",
    summary="Like a crud",
    scopes=["write"],
    errors={404: ["not_found"]},
)
async def like(conn: Writing, viewer: Viewer, uuid: UUID) -> Counts:
    """Idempotent."""
    return await service.like(conn, viewer, uuid)


@reactions.handle(
    "DELETE",
    "/api/activities/<uuid:uuid>/like",
    summary="Remove a like",
    scopes=["write"],
    errors={404: ["not_found"]},
)
async def unlike(conn: Writing, viewer: Viewer, uuid: UUID) -> Counts:
    """Idempotent."""
    return await service.unlike(conn, viewer, uuid)


@reactions.handle(
    "PUT",
    "/api/activities/<uuid:uuid>/repost",
    summary="Repost a crud",
    scopes=["write"],
    errors={404: ["not_found"]},
)
async def repost(conn: Writing, viewer: Viewer, uuid: UUID) -> Counts:
    """Idempotent. The crud is listed in the viewer's profile feed until it expires."""
    return await service.repost(conn, viewer, uuid)


@reactions.handle(
    "DELETE",
    "/api/activities/<uuid:uuid>/repost",
    summary="Remove a repost",
    scopes=["write"],
    errors={404: ["not_found"]},
)
async def unrepost(conn: Writing, viewer: Viewer, uuid: UUID) -> Counts:
    """Idempotent."""
    return await service.unrepost(conn, viewer, uuid)
