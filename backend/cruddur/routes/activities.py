"""Routes for cruds, replies, and the feeds that list them."""

from uuid import UUID

from quart import request

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, Paged, resources
from cruddur.services import activities as service
from cruddur.services.idempotency import Created
from cruddur.services.unit_of_work import Reading, Writing
from cruddur.wire import (
    Crud,
    CrudDraft,
    CrudPage,
    Deleted,
    Paging,
    ProfileFeed,
    ProfilePaging,
    RepliesPaging,
    ReplyDraft,
    Search,
)

activities = ApiBlueprint("activities")


@activities.handle(
    "GET",
    "/api/activities/home",
    summary="The newest live cruds",
    scopes=["read"],
    cached=True,
    shows="top-level",
    public_feed=True,
    errors={422: ["cursor_invalid"]},
)
async def home(conn: Reading, viewer: Viewer | None, query: Paging) -> Paged[list[Crud]]:
    """Top-level cruds of all users; replies are on their crud's page."""
    page = await service.home(conn, viewer, query)
    return Paged(page.items, page.cursor, page.hidden)


@activities.handle(
    "GET",
    "/api/activities/following",
    summary="The newest live cruds that the viewer follows",
    scopes=["read"],
    cached=True,
    errors={422: ["cursor_invalid"]},
)
async def following(conn: Reading, viewer: Viewer, query: Paging) -> Paged[list[Crud]]:
    """Cruds and reposts of followed users, and cruds with followed tags. A repost is listed at its
    time, with `reposted_by`; a crud with a followed tag has `followed_tag`. Each crud is listed
    once."""
    page = await service.following(conn, viewer, query)
    return Paged(page.items, page.cursor, page.hidden)


@activities.handle(
    "GET",
    "/api/activities/search",
    rate="search",
    summary="Live cruds and replies that match",
    scopes=["read"],
    cached=True,
    public_feed=True,
    errors={422: ["cursor_invalid"]},
)
async def search(conn: Reading, viewer: Viewer | None, query: Search) -> Paged[list[Crud]]:
    """Words are stemmed and ranked; `#tag` and `@handle` match exactly."""
    page = await service.search(conn, viewer, query)
    return Paged(page.items, page.cursor, page.hidden)


@activities.handle(
    "GET",
    "/api/activities/@<handle>",
    summary="A user's profile and live cruds",
    scopes=["read"],
    cached=True,
    shows="top-level",
    vary=("Content-Type",),
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def profile(
    conn: Reading, viewer: Viewer | None, handle: str, query: ProfilePaging
) -> Paged[ProfileFeed] | Paged[list[Crud]]:
    """An object if the request has `Authorization` or a JSON `Content-Type`, as the later
    published front ends send; otherwise only the array of cruds."""
    feed, page = await service.profile_feed(conn, viewer, handle, query)
    if _wants_profile(query):
        return Paged(feed, page.cursor, page.hidden, subject=feed.profile.handle)
    return Paged(feed.activities, page.cursor, page.hidden, subject=feed.profile.handle)


@activities.handle(
    "GET",
    "/api/activities/@<handle>/status/<uuid:uuid>",
    summary="A crud and its replies",
    scopes=["read"],
    cached=True,
    shows="thread",
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def status(
    conn: Reading, viewer: Viewer | None, handle: str, uuid: UUID, query: RepliesPaging
) -> Paged[CrudPage]:
    """The uuid may be a notification's. Then the response is what the notification is about."""
    page, replies = await service.show(conn, viewer, handle, uuid, query)
    return Paged(page, replies.cursor, replies.hidden, replies.is_private, page.activity.handle)


@activities.handle(
    "GET",
    "/api/activities/<uuid:uuid>",
    summary="A crud and its replies, by any author",
    scopes=["read"],
    cached=True,
    shows="thread",
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def show(
    conn: Reading, viewer: Viewer | None, uuid: UUID, query: RepliesPaging
) -> Paged[CrudPage]:
    """The same as the status route, without the handle."""
    page, replies = await service.show(conn, viewer, None, uuid, query)
    return Paged(page, replies.cursor, replies.hidden, replies.is_private, page.activity.handle)


@activities.handle(
    "POST",
    "/api/activities",
    summary="Post a crud",
    scopes=["write"],
    idempotent=Crud,
    errors={422: ["ttl_too_long"]},
)
async def create(conn: Writing, viewer: Viewer, body: CrudDraft) -> Created:
    """The crud expires after its `ttl`, which the instance may limit."""
    crud = await service.post(conn, viewer, body, resources().previews)
    return Created(crud, activity_uuid=crud.uuid)


@activities.handle(
    "POST",
    "/api/activities/<uuid:uuid>/reply",
    summary="Reply to a crud",
    scopes=["write"],
    idempotent=Crud,
    errors={404: ["not_found"]},
)
async def reply(conn: Writing, viewer: Viewer, uuid: UUID, body: ReplyDraft) -> Created:
    """The reply expires with its crud. A notification's uuid replies to the notification's crud,
    or sends a message if the notification is about a message."""
    crud = await service.reply(conn, viewer, uuid, body, resources().previews)
    if crud.expires_at is None:
        return Created(crud, message_uuid=crud.uuid)
    return Created(crud, activity_uuid=crud.uuid)


@activities.handle(
    "DELETE",
    "/api/activities/<uuid:uuid>",
    summary="Delete your own crud or reply",
    scopes=["write"],
    errors={404: ["not_found"]},
)
async def delete(viewer: Viewer, uuid: UUID) -> Deleted:
    """Its replies, likes, reposts and notifications are deleted too."""
    return await service.delete(resources().database, resources().reports, viewer, uuid)


def _wants_profile(query: ProfilePaging) -> bool:
    pinned = resources().settings.profile_shape
    shape = query.shape or (None if pinned == "auto" else pinned)
    if shape is None:
        return "Authorization" in request.headers or request.is_json
    return shape == "profile"
