"""Rules for conversations between two users.

A user who is not in a conversation gets the same answer as if it did not exist.
"""

from typing import Literal
from uuid import UUID

from cruddur.db import messages as db
from cruddur.db.statements import Connection
from cruddur.errors import ForbiddenError, InvalidError, NotFoundError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services import users
from cruddur.services.paging import Page, page, time_cursor
from cruddur.telemetry.operation import current_operation
from cruddur.wire import (
    Counter,
    Message,
    MessageDraft,
    MessageGroup,
    MessageLifetime,
    MessagePolicy,
    MessageSettings,
    MessageTtl,
    Paging,
    RequestChange,
    SentMessage,
)

_LINES: dict[MessageTtl | None, str] = {
    "30-days": "New messages now disappear after 30 days.",
    "7-days": "New messages now disappear after 7 days.",
    "1-day": "New messages now disappear after 1 day.",
    "1-hour": "New messages now disappear after 1 hour.",
    None: "New messages no longer disappear.",
}
"""What the line about a lifetime says to clients that do not know its kind."""


async def groups(
    conn: Connection, viewer: Viewer, paging: Paging, *, are_requests: bool = False
) -> Page[MessageGroup]:
    """Return the viewer's conversations, or the requests for them, the latest message first.

    A conversation is a request for a user who has neither accepted it nor written in it, and who
    does not follow the other one.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    listed = require_open_session(
        await db.select_message_groups(
            conn,
            viewer=viewer,
            are_requests=are_requests,
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
    )
    result = page(listed, paging.limit, lambda item: (item.position, item.group.uuid))
    return Page([item.group for item in result.items], result.cursor)


async def conversation(
    conn: Connection, viewer: Viewer, message_group_uuid: UUID, paging: Paging
) -> Page[Message]:
    """Return a page of a conversation, its oldest message first; later pages go back in time.

    Reading the newest page marks the conversation read.

    Raises:
        NotFoundError: there is no such conversation, or the viewer is not in it.
        UnauthenticatedError: the viewer's session is not open.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    result = require_open_session(
        await db.select_messages(
            conn,
            message_group_uuid=message_group_uuid,
            viewer=viewer,
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
    )
    if result.uuid is None:
        raise NotFoundError
    return _page(result, paging)


async def conversation_with(
    conn: Connection, viewer: Viewer, handle: str, paging: Paging
) -> Page[Message]:
    """Return a page of the conversation with a user; it is empty if there is none.

    Raises:
        NotFoundError: no user can have such a handle.
        UnauthenticatedError: the viewer's session is not open.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    result = require_open_session(
        await db.select_messages(
            conn,
            handle=users.fold_handle(handle),
            viewer=viewer,
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
    )
    return _page(result, paging)


async def send(conn: Connection, viewer: Viewer, draft: MessageDraft) -> SentMessage:
    """Send a message; the first message to a user creates the conversation.

    Raises:
        ForbiddenError: messages_not_accepted, the recipient does not accept the viewer's messages.
        InvalidError: there is no recipient, or it is the viewer.
        NotFoundError: there is no such user or conversation, one of both users blocks the other, or
            the viewer's session is not open.
    """
    group = draft.message_group_uuid
    if group is None:
        group = await _group_with(conn, viewer, draft.handle or draft.user_receiver_handle)
    sent = await db.insert_message(
        conn, message_group_uuid=group, viewer=viewer, message=draft.message
    )
    if sent is None:
        raise NotFoundError
    if sent == "refused":
        raise ForbiddenError("messages_not_accepted")
    current_operation().count("app.messages.sent")
    return sent


async def accept(conn: Connection, viewer: Viewer, message_group_uuid: UUID) -> RequestChange:
    """Move a request to the viewer's conversations. Repeating it has no further effect.

    Raises:
        NotFoundError: the viewer has no such conversation, or their session is not open.
    """
    if not await db.accept_request(conn, viewer=viewer, message_group_uuid=message_group_uuid):
        raise NotFoundError
    return RequestChange(message_group_uuid, "accepted")


async def delete_request(
    conn: Connection, viewer: Viewer, message_group_uuid: UUID
) -> RequestChange:
    """Delete a request for the viewer. The other user still sees the conversation.

    Raises:
        NotFoundError: the viewer has no such request, or their session is not open.
    """
    if not await db.delete_request(conn, viewer=viewer, message_group_uuid=message_group_uuid):
        raise NotFoundError
    return RequestChange(message_group_uuid, "deleted")


async def settings(conn: Connection, viewer: Viewer) -> MessageSettings:
    """Return who may start a conversation with the viewer.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    return MessageSettings(require_open_session(await db.select_policy(conn, viewer=viewer)))


async def set_policy(conn: Connection, viewer: Viewer, policy: MessagePolicy) -> MessageSettings:
    """Set who may start a conversation with the viewer.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    updated = await db.update_policy(conn, viewer=viewer, policy=policy)
    return MessageSettings(require_open_session(updated))


async def lifetime(conn: Connection, viewer: Viewer, handle: str) -> MessageLifetime:
    """Return the lifetime of the next messages between the viewer and another user.

    Raises:
        NotFoundError: there is no such user, or one of both users blocks the other.
        UnauthenticatedError: the viewer's session is not open.
    """
    found: MessageLifetime | Literal["unknown"] = require_open_session(
        await db.select_lifetime(conn, viewer=viewer, handle=users.fold_handle(handle))
    )
    if found == "unknown":
        raise NotFoundError
    return found


async def set_lifetime(
    conn: Connection, viewer: Viewer, handle: str, ttl: MessageTtl | None
) -> MessageLifetime:
    """Set the lifetime of the next messages between the viewer and another user.

    Messages that were sent before keep theirs. A line in the conversation says who set it to what.
    Setting it to what it is changes nothing.

    Args:
        conn: a connection in a transaction.
        viewer: a member of the conversation, which is created if there is none.
        handle: the other user.
        ttl: the lifetime; None: the messages do not expire.

    Raises:
        ForbiddenError: messages_not_accepted, the other user does not accept the viewer's messages.
        InvalidError: the other user is the viewer.
        NotFoundError: there is no such user, one of both users blocks the other, or the viewer's
            session is not open.
    """
    group = await _group_with(conn, viewer, handle)
    updated = await db.update_lifetime(
        conn, viewer=viewer, message_group_uuid=group, ttl=ttl, message=_LINES[ttl]
    )
    if updated is None:
        raise NotFoundError
    if updated == "refused":
        raise ForbiddenError("messages_not_accepted")
    return MessageLifetime(ttl)


async def unread(conn: Connection, viewer: Viewer) -> Counter:
    """Count the viewer's unread messages, without those of requests.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    return Counter(require_open_session(await db.count_unread(conn, viewer=viewer)))


def _page(result: db.Conversation, paging: Paging) -> Page[Message]:
    cut = page(result.messages, paging.limit, lambda message: (message.created_at, message.uuid))
    return Page(cut.items[::-1], cut.cursor)


async def _group_with(conn: Connection, viewer: Viewer, handle: str | None) -> UUID:
    if not handle or not handle.strip():
        raise InvalidError("user_reciever_handle_blank")
    other = await users.short(conn, viewer, handle)
    if other.uuid == viewer.uuid:
        raise InvalidError("message_to_self")
    return await db.upsert_message_group(conn, user_uuid=viewer.uuid, other_uuid=other.uuid)
