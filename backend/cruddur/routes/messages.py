"""Routes for conversations between two users."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, Paged
from cruddur.services import messages as service
from cruddur.services.idempotency import Created
from cruddur.services.unit_of_work import Reading, Transaction, Writing
from cruddur.wire import (
    Counter,
    Message,
    MessageDraft,
    MessageGroup,
    MessageLifetime,
    MessageLifetimeDraft,
    MessagePolicyDraft,
    MessageSettings,
    Paging,
    RequestChange,
    SentMessage,
)

messages = ApiBlueprint("messages")


@messages.handle(
    "GET",
    "/api/message_groups",
    summary="The viewer's conversations",
    scopes=["message"],
    cached=True,
    errors={422: ["cursor_invalid"]},
)
async def groups(conn: Reading, viewer: Viewer, query: Paging) -> Paged[list[MessageGroup]]:
    """Each has the other user and the latest message. Requests are not listed."""
    page = await service.groups(conn, viewer, query)
    return Paged(page.items, page.cursor)


@messages.handle(
    "GET",
    "/api/message_requests",
    summary="The viewer's message requests",
    scopes=["message"],
    cached=True,
    errors={422: ["cursor_invalid"]},
)
async def requests(conn: Reading, viewer: Viewer, query: Paging) -> Paged[list[MessageGroup]]:
    """Conversations that the viewer has neither accepted nor written in, with users that the viewer
    does not follow."""
    page = await service.groups(conn, viewer, query, are_requests=True)
    return Paged(page.items, page.cursor)


@messages.handle(
    "PUT",
    "/api/message_requests/<uuid:message_group_uuid>",
    summary="Accept a message request",
    scopes=["message"],
    errors={404: ["not_found"]},
)
async def accept(conn: Writing, viewer: Viewer, message_group_uuid: UUID) -> RequestChange:
    """Idempotent. Writing in the conversation accepts it, too."""
    return await service.accept(conn, viewer, message_group_uuid)


@messages.handle(
    "DELETE",
    "/api/message_requests/<uuid:message_group_uuid>",
    summary="Delete a message request",
    scopes=["message"],
    errors={404: ["not_found"]},
)
async def delete_request(conn: Writing, viewer: Viewer, message_group_uuid: UUID) -> RequestChange:
    """Its messages until now are not shown to the viewer any more. The sender notices nothing."""
    return await service.delete_request(conn, viewer, message_group_uuid)


@messages.handle(
    "GET", "/api/messages/policy", summary="Who may message the viewer", scopes=["message"]
)
async def policy(conn: Reading, viewer: Viewer) -> MessageSettings:
    """By default, everyone."""
    return await service.settings(conn, viewer)


@messages.handle(
    "PUT", "/api/messages/policy", summary="Choose who may message you", scopes=["message"]
)
async def set_policy(conn: Writing, viewer: Viewer, body: MessagePolicyDraft) -> MessageSettings:
    """Conversations that the viewer has accepted continue."""
    return await service.set_policy(conn, viewer, body.policy)


@messages.handle(
    "GET", "/api/messages/counter", summary="The number of unread messages", scopes=["message"]
)
async def counter(conn: Reading, viewer: Viewer) -> Counter:
    """Counts messages from others since the viewer last read the conversation, without requests."""
    return await service.unread(conn, viewer)


@messages.handle(
    "GET",
    "/api/messages/@<handle>",
    summary="The conversation with a user",
    scopes=["message"],
    cached=True,
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def conversation_with(
    conn: Writing, viewer: Viewer, handle: str, query: Paging
) -> Paged[list[Message]]:
    """The oldest message is first; empty if there is none. Reading it marks it read."""
    page = await service.conversation_with(conn, viewer, handle, query)
    return Paged(page.items, page.cursor)


@messages.handle(
    "GET",
    "/api/messages/@<handle>/lifetime",
    summary="The lifetime of the next messages to a user",
    scopes=["message"],
    errors={404: ["not_found"]},
)
async def lifetime(conn: Reading, viewer: Viewer, handle: str) -> MessageLifetime:
    """The same for both users. By default, messages do not expire."""
    return await service.lifetime(conn, viewer, handle)


@messages.handle(
    "PUT",
    "/api/messages/@<handle>/lifetime",
    summary="Set the lifetime of the next messages to and from a user",
    scopes=["message"],
    checks_session=True,
    errors={403: ["messages_not_accepted"], 404: ["not_found"], 422: ["message_to_self"]},
)
async def set_lifetime(
    conn: Transaction, viewer: Viewer, handle: str, body: MessageLifetimeDraft
) -> MessageLifetime:
    """Idempotent. Each message keeps the expiry that it was sent with. A line of the kind
    `lifetime` in the conversation says who set it to what."""
    return await service.set_lifetime(conn, viewer, handle, body.ttl)


@messages.handle(
    "DELETE",
    "/api/messages/@<handle>/lifetime",
    summary="Let the next messages to and from a user not expire",
    scopes=["message"],
    checks_session=True,
    errors={403: ["messages_not_accepted"], 404: ["not_found"], 422: ["message_to_self"]},
)
async def remove_lifetime(conn: Transaction, viewer: Viewer, handle: str) -> MessageLifetime:
    """Idempotent. Messages that were sent before still expire."""
    return await service.set_lifetime(conn, viewer, handle, None)


@messages.handle(
    "GET",
    "/api/messages/<uuid:message_group_uuid>",
    summary="A conversation",
    scopes=["message"],
    cached=True,
    errors={404: ["not_found"], 422: ["cursor_invalid"]},
)
async def conversation(
    conn: Writing, viewer: Viewer, message_group_uuid: UUID, query: Paging
) -> Paged[list[Message]]:
    """The newest page, its oldest message first, for members only. Reading it marks it read."""
    page = await service.conversation(conn, viewer, message_group_uuid, query)
    return Paged(page.items, page.cursor)


@messages.handle(
    "POST",
    "/api/messages",
    summary="Send a message",
    scopes=["message"],
    idempotent=SentMessage,
    errors={
        403: ["messages_not_accepted"],
        404: ["not_found"],
        422: ["user_reciever_handle_blank", "message_to_self"],
    },
)
async def send(conn: Transaction, viewer: Viewer, body: MessageDraft) -> Created:
    """To a conversation by `message_group_uuid`, or to a user by either handle field."""
    message = await service.send(conn, viewer, body)
    return Created(message, message_uuid=message.uuid)
