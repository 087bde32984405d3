"""Conversations of two."""

from uuid import UUID

from msgspec import Raw

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import Area, Paged, resources
from cruddur.routes.idempotency_key import idempotent_call
from cruddur.services import messages as service
from cruddur.services.idempotency import Created, run_once
from cruddur.wire import Counter, Message, MessageDraft, MessageGroup, Paging, SentMessage

messages = Area("messages")


@messages.handle(
    "GET",
    "/api/message_groups",
    summary="The viewer's conversations",
    cached=True,
    errors={422: ["cursor_invalid"]},
)
async def groups(viewer: Viewer, query: Paging) -> Paged[list[MessageGroup]]:
    """Each with the other person and the latest message."""
    async with resources().database.connection() as conn:
        found = await service.groups(conn, viewer, query)
    return Paged(found.items, found.cursor)


@messages.handle("GET", "/api/messages/counter", summary="How many messages are unread")
async def counter(viewer: Viewer) -> Counter:
    """Messages from others since the viewer last read their conversation."""
    async with resources().database.connection() as conn:
        return await service.unread(conn, viewer)


@messages.handle(
    "GET",
    "/api/messages/@<handle>",
    summary="The conversation with a person",
    cached=True,
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def conversation_with(viewer: Viewer, handle: str, query: Paging) -> Paged[list[Message]]:
    """The oldest first; empty when there is none. Reading it marks it read."""
    async with resources().database.writing() as conn:
        found = await service.conversation_with(conn, viewer, handle, query)
    return Paged(found.items, found.cursor)


@messages.handle(
    "GET",
    "/api/messages/<uuid:message_group_uuid>",
    summary="A conversation",
    cached=True,
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def conversation(
    viewer: Viewer, message_group_uuid: UUID, query: Paging
) -> Paged[list[Message]]:
    """The newest page, its oldest message first; members only. Reading it marks it read."""
    async with resources().database.writing() as conn:
        found = await service.conversation(conn, viewer, message_group_uuid, query)
    return Paged(found.items, found.cursor)


@messages.handle(
    "POST",
    "/api/messages",
    summary="Send a message",
    idempotent=SentMessage,
    errors={404: ["not_found"], 422: ["user_reciever_handle_blank", "message_to_self"]},
)
async def send(viewer: Viewer, body: MessageDraft) -> Raw:
    """To a conversation by `message_group_uuid`, or to a person by either handle field."""

    async def post() -> Created:
        message = await service.send(conn, viewer, body)
        return Created(message, message_uuid=message.uuid)

    async with resources().database.transaction() as conn:
        return await run_once(conn, idempotent_call(viewer, body), post)
