"""Routes for users and their profiles."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.services import users as service
from cruddur.services.unit_of_work import Reading, Writing
from cruddur.wire import (
    ListedUser,
    ProfileDraft,
    ShortUser,
    UpdatedProfile,
    UserPrefix,
    UserSearch,
)

users = ApiBlueprint("users")


@users.handle(
    "GET",
    "/api/users/@<handle>/short",
    summary="The user with a handle",
    scopes=["read"],
    errors={404: ["not_found"]},
)
async def short(conn: Reading, viewer: Viewer | None, handle: str) -> ShortUser:
    """For the title of a new conversation."""
    return await service.short(conn, viewer, handle)


@users.handle("GET", "/api/users/suggested", summary="Suggested users", scopes=["read"])
async def suggested(viewer: Viewer | None) -> list[ShortUser]:
    """Ordered by the likes and reposts of their live cruds, without the viewer and those that the
    viewer follows or does not see."""
    opened = resources()
    return await service.suggested(opened.database, opened.suggestions, viewer)


@users.handle("GET", "/api/users", summary="Users by the beginning of a name", scopes=["read"])
async def by_prefix(conn: Reading, viewer: Viewer, query: UserPrefix) -> list[ShortUser]:
    """For the completion of a mention: at most eight, those whose handle matches first. Case and
    accents of display names do not matter."""
    return await service.by_prefix(conn, viewer, query.prefix)


@users.handle(
    "GET",
    "/api/users/search",
    rate="search",
    summary="Users whose names have these words",
    scopes=["read"],
)
async def search(conn: Reading, viewer: Viewer | None, query: UserSearch) -> list[ListedUser]:
    """At most ten. A word matches the beginning of a word of the handle or of the display name. The
    user with this handle is first, then those whose handle begins with it, then those with the most
    followers."""
    return await service.search(conn, viewer, query.term)


async def update(conn: Writing, viewer: Viewer, body: ProfileDraft) -> UpdatedProfile:
    """The final published front end sends PUT, earlier ones POST; both have the same effect."""
    return await service.update(conn, viewer, body)


users.handle("PUT", "/api/profile/update", summary="Change your profile", scopes=["write"])(update)
users.handle("POST", "/api/profile/update", summary="Change your profile", scopes=["write"])(update)
