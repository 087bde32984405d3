"""Conversations of two. Who is not in one gets the same answer as if there were none."""

from uuid import UUID

from cruddur.db import messages as db
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.identity.viewer import Viewer
from cruddur.services import users
from cruddur.services.paging import Page, page, time_cursor
from cruddur.telemetry.operation import current_operation
from cruddur.wire import Counter, Message, MessageDraft, MessageGroup, Paging, SentMessage


async def groups(conn: Connection, viewer: Viewer, paging: Paging) -> Page[MessageGroup]:
    """The viewer's conversations, the latest message first."""
    before_at, before_uuid = time_cursor(paging.cursor)
    listed = await db.select_message_groups(
        conn,
        user_uuid=viewer.uuid,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=paging.limit + 1,
    )
    found = page(listed, paging.limit, lambda item: (item.position, item.group.uuid))
    return Page([item.group for item in found.items], found.cursor)


async def conversation(
    conn: Connection, viewer: Viewer, message_group_uuid: UUID, paging: Paging
) -> Page[Message]:
    """A page of a conversation, its oldest message first; later pages go back in time.

    Reading the newest page marks the conversation read.

    Raises:
        NotFoundError: there is none, or the viewer is not in it.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    if not await db.mark_read(
        conn,
        message_group_uuid=message_group_uuid,
        user_uuid=viewer.uuid,
        newest=before_at is None,
    ):
        raise NotFoundError
    listed = await db.select_messages(
        conn,
        message_group_uuid=message_group_uuid,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=paging.limit + 1,
    )
    found = page(listed, paging.limit, lambda message: (message.created_at, message.uuid))
    return Page(found.items[::-1], found.cursor)


async def conversation_with(
    conn: Connection, viewer: Viewer, handle: str, paging: Paging
) -> Page[Message]:
    """A page of the conversation with a person; empty when there is none."""
    group = await db.select_group_with(
        conn, user_uuid=viewer.uuid, handle=users.fold_handle(handle)
    )
    if group is None:
        return Page([], None)
    return await conversation(conn, viewer, group, paging)


async def send(conn: Connection, viewer: Viewer, draft: MessageDraft) -> SentMessage:
    """Send a message, beginning the conversation if it is the first.

    Raises:
        InvalidError: no recipient, or the viewer as recipient.
        NotFoundError: no such person or conversation.
    """
    group = draft.message_group_uuid
    if group is None:
        group = await _group_with(conn, viewer, draft.handle or draft.user_receiver_handle)
    sent = await db.insert_message(
        conn, message_group_uuid=group, user_uuid=viewer.uuid, message=draft.message
    )
    if sent is None:
        raise NotFoundError
    current_operation().count("app.messages.sent")
    return sent


async def unread(conn: Connection, viewer: Viewer) -> Counter:
    """How many messages wait for the viewer."""
    return Counter(await db.count_unread(conn, user_uuid=viewer.uuid))


async def _group_with(conn: Connection, viewer: Viewer, handle: str | None) -> UUID:
    if not handle or not handle.strip():
        raise InvalidError("user_reciever_handle_blank")
    other = await users.short(conn, handle)
    if other.uuid == viewer.uuid:
        raise InvalidError("message_to_self")
    return await db.upsert_message_group(conn, user_uuid=viewer.uuid, other_uuid=other.uuid)
