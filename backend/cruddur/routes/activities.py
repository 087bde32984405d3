"""Cruds, replies and the feeds they are read in."""

from uuid import UUID

from msgspec import Raw
from quart import request

from cruddur.identity.viewer import Claimant, Viewer
from cruddur.routes.endpoint import Area, Paged, resources
from cruddur.routes.idempotency_key import idempotent_call
from cruddur.services import activities as service
from cruddur.services.idempotency import Created, run_once, writing
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

activities = Area("activities")


@activities.handle(
    "GET",
    "/api/activities/home",
    summary="The newest live cruds",
    cached=True,
    errors={422: ["cursor_invalid"]},
)
async def home(viewer: Viewer | None, query: Paging) -> Paged[list[Crud]]:
    """Top-level cruds of everybody; replies are on their crud's page."""
    async with resources().database.connection() as conn:
        found = await service.home(conn, viewer, query)
    return Paged(found.items, found.cursor)


@activities.handle(
    "GET",
    "/api/activities/search",
    rate="search",
    summary="Live cruds and replies that match",
    cached=True,
    errors={422: ["cursor_invalid"]},
)
async def search(viewer: Viewer | None, query: Search) -> Paged[list[Crud]]:
    """Words are stemmed and ranked; `#tag` and `@handle` match exactly."""
    async with resources().database.connection() as conn:
        found = await service.search(conn, viewer, query)
    return Paged(found.items, found.cursor)


@activities.handle(
    "GET",
    "/api/activities/@<handle>",
    summary="A person's profile and live cruds",
    cached=True,
    vary=("Content-Type",),
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def profile(
    viewer: Viewer | None, handle: str, query: ProfilePaging
) -> Paged[ProfileFeed] | Paged[list[Crud]]:
    """The object when the request carries `Authorization` or a JSON `Content-Type`, as
    the published front ends of the later weeks do; otherwise the array alone."""
    async with resources().database.connection() as conn:
        feed, cursor = await service.profile_feed(conn, viewer, handle, query)
    if _wants_profile(query):
        return Paged(feed, cursor)
    return Paged(feed.activities, cursor)


@activities.handle(
    "GET",
    "/api/activities/@<handle>/status/<uuid:uuid>",
    summary="A crud and its replies",
    cached=True,
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def status(
    viewer: Viewer | None, handle: str, uuid: UUID, query: RepliesPaging
) -> Paged[CrudPage]:
    """The uuid may be a notification's: it shows what the notification is about."""
    async with resources().database.connection() as conn:
        found, cursor = await service.show(conn, viewer, handle, uuid, query)
    return Paged(found, cursor)


@activities.handle(
    "GET",
    "/api/activities/<uuid:uuid>",
    summary="A crud and its replies, whoever wrote it",
    cached=True,
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def show(viewer: Viewer | None, uuid: UUID, query: RepliesPaging) -> Paged[CrudPage]:
    """The same as the status route, without the handle."""
    async with resources().database.connection() as conn:
        found, cursor = await service.show(conn, viewer, None, uuid, query)
    return Paged(found, cursor)


@activities.handle("POST", "/api/activities", summary="Post a crud", idempotent=Crud)
async def create(viewer: Claimant, body: CrudDraft) -> Raw:
    """It lives for its `ttl` and is gone."""

    async def post() -> Created:
        crud = await service.post(conn, viewer, body)
        return Created(crud, activity_uuid=crud.uuid)

    call = idempotent_call(viewer, body)
    async with writing(resources().database, call) as conn:
        return await run_once(conn, call, post)


@activities.handle(
    "POST",
    "/api/activities/<uuid:uuid>/reply",
    summary="Reply to a crud",
    idempotent=Crud,
    errors={404: ["not_found"]},
)
async def reply(viewer: Claimant, uuid: UUID, body: ReplyDraft) -> Raw:
    """The reply goes when its crud goes. A notification's uuid replies to its subject; a
    message is answered by a message."""

    async def post() -> Created:
        crud = await service.reply(conn, viewer, uuid, body)
        if crud.expires_at is None:
            return Created(crud, message_uuid=crud.uuid)
        return Created(crud, activity_uuid=crud.uuid)

    call = idempotent_call(viewer, body)
    async with writing(resources().database, call) as conn:
        return await run_once(conn, call, post)


@activities.handle(
    "DELETE",
    "/api/activities/<uuid:uuid>",
    summary="Delete one's own crud or reply",
    errors={404: ["not_found"]},
)
async def delete(viewer: Viewer, uuid: UUID) -> Deleted:
    """Its replies, likes, reposts and notifications go with it."""
    async with resources().database.writing() as conn:
        return await service.delete(conn, viewer, uuid)


def _wants_profile(query: ProfilePaging) -> bool:
    pinned = resources().settings.profile_shape
    shape = query.shape or (None if pinned == "auto" else pinned)
    if shape is None:
        return "Authorization" in request.headers or request.is_json
    return shape == "profile"
