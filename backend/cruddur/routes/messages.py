"""Routes for conversations between two users."""

from uuid import UUID

from cruddur.identity.viewer import Viewer
from cruddur.routes.endpoint import ApiBlueprint, Paged
from cruddur.services import messages as service
from cruddur.services.idempotency import Created
from cruddur.services.unit_of_work import Reading, Transaction, Writing
from cruddur.wire import Counter, Message, MessageDraft, MessageGroup, Paging, SentMessage

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
    """Each has the other user and the latest message."""
    page = await service.groups(conn, viewer, query)
    return Paged(page.items, page.cursor)


@messages.handle(
    "GET", "/api/messages/counter", summary="The number of unread messages", scopes=["message"]
)
async def counter(conn: Reading, viewer: Viewer) -> Counter:
    """Counts messages from others since the viewer last read the conversation."""
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
    errors={404: ["not_found"], 422: ["user_reciever_handle_blank", "message_to_self"]},
)
async def send(conn: Transaction, viewer: Viewer, body: MessageDraft) -> Created:
    """To a conversation by `message_group_uuid`, or to a user by either handle field."""
    message = await service.send(conn, viewer, body)
    return Created(message, message_uuid=message.uuid)
