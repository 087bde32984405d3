"""People: who they are and what they say of themselves."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import Area, resources
from cruddur.services import users as service
from cruddur.services.unit_of_work import Reading, Writing
from cruddur.wire import ProfileDraft, ShortUser, UpdatedProfile

users = Area("users")


@users.handle(
    "GET",
    "/api/users/@<handle>/short",
    summary="Who a handle is",
    errors={404: ["not_found"]},
)
async def short(conn: Reading, handle: str) -> ShortUser:
    """For the head of a new conversation."""
    return await service.short(conn, handle)


@users.handle(
    "GET", "/api/users/suggested", summary="People worth reading now", checks_session=True
)
async def suggested(viewer: Viewer | None) -> list[ShortUser]:
    """By the likes and reposts of their live cruds; the viewer is not among them."""
    return await service.suggested(resources().suggestions, viewer)


async def update(conn: Writing, viewer: Viewer, body: ProfileDraft) -> UpdatedProfile:
    """The final front end sends PUT, those before it POST; both mean the same."""
    return await service.update(conn, viewer, body)


users.handle("PUT", "/api/profile/update", summary="Change one's profile")(update)
users.handle("POST", "/api/profile/update", summary="Change one's profile")(update)
