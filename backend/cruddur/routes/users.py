"""Routes for users and their profiles."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.services import users as service
from cruddur.services.unit_of_work import Reading, Writing
from cruddur.wire import ProfileDraft, ShortUser, UpdatedProfile, UserPrefix

users = ApiBlueprint("users")


@users.handle(
    "GET",
    "/api/users/@<handle>/short",
    summary="The user with a handle",
    errors={404: ["not_found"]},
)
async def short(conn: Reading, handle: str) -> ShortUser:
    """For the title of a new conversation."""
    return await service.short(conn, handle)


@users.handle("GET", "/api/users/suggested", summary="Suggested users")
async def suggested(viewer: Viewer | None) -> list[ShortUser]:
    """Ordered by the likes and reposts of their live cruds, without the viewer and those whom the
    viewer follows."""
    opened = resources()
    return await service.suggested(opened.database, opened.suggestions, viewer)


@users.handle("GET", "/api/users", summary="Users by the beginning of a name")
async def by_prefix(conn: Reading, viewer: Viewer, query: UserPrefix) -> list[ShortUser]:
    """For the completion of a mention: at most eight, those whose handle matches first. Case and
    accents of display names do not matter."""
    return await service.by_prefix(conn, viewer, query.prefix)


async def update(conn: Writing, viewer: Viewer, body: ProfileDraft) -> UpdatedProfile:
    """The final published front end sends PUT, earlier ones POST; both have the same effect."""
    return await service.update(conn, viewer, body)


users.handle("PUT", "/api/profile/update", summary="Change your profile")(update)
users.handle("POST", "/api/profile/update", summary="Change your profile")(update)
