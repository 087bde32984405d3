"""Routes for following users and tags."""

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, Paged
from cruddur.services import follows as service
from cruddur.services.unit_of_work import Reading, Writing
from cruddur.wire import FollowCounts, FollowedTag, ListedUser, Paging

follows = ApiBlueprint("follows")


@follows.handle(
    "PUT",
    "/api/users/@<handle>/follow",
    summary="Follow a user",
    scopes=["write"],
    errors={404: ["not_found"], 422: ["follow_self", "too_many_followed"]},
)
async def follow(conn: Writing, viewer: Viewer, handle: str) -> FollowCounts:
    """Idempotent. The user gets a notification."""
    return await service.follow(conn, viewer, handle)


@follows.handle(
    "DELETE",
    "/api/users/@<handle>/follow",
    summary="Unfollow a user",
    scopes=["write"],
    errors={404: ["not_found"]},
)
async def unfollow(conn: Writing, viewer: Viewer, handle: str) -> FollowCounts:
    """Idempotent."""
    return await service.unfollow(conn, viewer, handle)


@follows.handle(
    "GET",
    "/api/users/@<handle>/followers",
    summary="The followers of a user",
    scopes=["read"],
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def followers(
    conn: Reading, viewer: Viewer | None, handle: str, query: Paging
) -> Paged[list[ListedUser]]:
    """The latest is first."""
    page = await service.listed(conn, viewer, "followers", handle, query)
    return Paged(page.items, page.cursor)


@follows.handle(
    "GET",
    "/api/users/@<handle>/following",
    summary="The users that a user follows",
    scopes=["read"],
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def following(
    conn: Reading, viewer: Viewer | None, handle: str, query: Paging
) -> Paged[list[ListedUser]]:
    """The one who was followed last is first."""
    page = await service.listed(conn, viewer, "following", handle, query)
    return Paged(page.items, page.cursor)


@follows.handle(
    "GET", "/api/tags/followed", summary="The tags that the viewer follows", scopes=["read"]
)
async def followed_tags(conn: Reading, viewer: Viewer) -> list[str]:
    """In alphabetical order, at most 200."""
    return await service.followed_tags(conn, viewer)


@follows.handle(
    "PUT",
    "/api/tags/<tag>/follow",
    summary="Follow a tag",
    scopes=["write"],
    errors={422: ["tag_invalid", "too_many_tags"]},
)
async def follow_tag(conn: Writing, viewer: Viewer, tag: str) -> FollowedTag:
    """Idempotent. The tag is without its #."""
    return await service.follow_tag(conn, viewer, tag)


@follows.handle(
    "DELETE",
    "/api/tags/<tag>/follow",
    summary="Unfollow a tag",
    scopes=["write"],
    errors={422: ["tag_invalid"]},
)
async def unfollow_tag(conn: Writing, viewer: Viewer, tag: str) -> FollowedTag:
    """Idempotent."""
    return await service.unfollow_tag(conn, viewer, tag)
