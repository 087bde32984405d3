"""Queries for conversations and messages; every statement checks that the viewer is a member."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from cruddur.db.statements import Connection, Row, load
from cruddur.db.viewers import ViewerIds, parameters, private_rows
from cruddur.wire import (
    Message,
    MessageGroup,
    MessageLifetime,
    MessagePolicy,
    MessageTtl,
    SentMessage,
)

_OPEN_GROUP = load("messages.open_group")
_CREATE = load("messages.create")
_LIST = load("messages.list")
_GROUPS = load("messages.groups")
_UNREAD = load("messages.unread")
_ACCEPT_REQUEST = load("messages.accept_request")
_DELETE_REQUEST = load("messages.delete_request")
_POLICY = load("messages.policy")
_SET_POLICY = load("messages.set_policy")
_LIFETIME = load("messages.lifetime")
_SET_LIFETIME = load("messages.set_lifetime")

LIFETIMES: dict[MessageTtl, timedelta] = {
    "30-days": timedelta(days=30),
    "7-days": timedelta(days=7),
    "1-day": timedelta(days=1),
    "1-hour": timedelta(hours=1),
}
_TTLS: dict[timedelta | None, MessageTtl] = {lifetime: ttl for ttl, lifetime in LIFETIMES.items()}


@dataclass(frozen=True, slots=True)
class Conversation:
    """A page of messages; `uuid` is None if there is no such conversation of the viewer."""

    uuid: UUID | None
    messages: list[Message]


@dataclass(frozen=True, slots=True)
class ListedConversation:
    """A conversation and its position in the list."""

    group: MessageGroup
    position: datetime


async def upsert_message_group(conn: Connection, *, user_uuid: UUID, other_uuid: UUID) -> UUID:
    """Return the uuid of the conversation of two users, creating it if there is none."""
    uuid: UUID = await _OPEN_GROUP.value(conn, user_uuid=user_uuid, other_uuid=other_uuid)
    return uuid


async def insert_message(
    conn: Connection, *, message_group_uuid: UUID, viewer: ViewerIds, message: str
) -> SentMessage | Literal["refused"] | None:
    """Insert a message.

    Returns:
        "refused" if the other user does not accept messages from the viewer. None if the viewer is
        not in that conversation, if one of its members blocks the other, or if the viewer's session
        is not open.
    """
    row = await _CREATE.row(
        conn, message_group_uuid=message_group_uuid, **parameters(viewer), message=message
    )
    if row is None:
        return None
    return "refused" if row["uuid"] is None else sent_message(row)


async def select_messages(
    conn: Connection,
    *,
    message_group_uuid: UUID | None = None,
    handle: str | None = None,
    viewer: ViewerIds,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> Conversation | None:
    """Return the messages before a position, the newest first.

    The newest page marks the conversation read, up to the newest message that is returned.

    Args:
        conn: a connection for writing.
        message_group_uuid: the conversation, or
        handle: the other user in it.
        viewer: a member of the conversation.
        before_at: the time of the position; None for the newest page.
        before_uuid: the message at the position.
        limit: the largest number of messages.

    Returns:
        None if the viewer's session is not open.
    """
    rows = await _LIST.rows(
        conn,
        **parameters(viewer),
        message_group_uuid=message_group_uuid,
        handle=handle,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=limit,
    )
    if not rows:
        return None
    return Conversation(
        rows[0]["message_group_uuid"],
        [Message(**_sender_and_content(row)) for row in rows if row["uuid"] is not None],
    )


async def select_message_groups(
    conn: Connection,
    *,
    viewer: ViewerIds,
    are_requests: bool,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[ListedConversation] | None:
    """Return the viewer's conversations before a position, the latest message first.

    Args:
        conn: a connection for reading.
        viewer: a member of the conversations.
        are_requests: select the message requests instead of the conversations.
        before_at: the time of the position; None for the newest page.
        before_uuid: the conversation at the position.
        limit: the largest number of conversations.

    Returns:
        None if the viewer's session is not open.
    """
    rows = await private_rows(
        _GROUPS,
        conn,
        viewer,
        are_requests=are_requests,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=limit,
    )
    if rows is None:
        return None
    return [
        ListedConversation(
            MessageGroup(**_sender_and_content(row), unread_count=row["unread_count"]),
            row["created_at"],
        )
        for row in rows
    ]


async def count_unread(conn: Connection, *, viewer: ViewerIds) -> int | None:
    """Count the messages from others that the viewer has not read, without those of requests.

    Returns:
        None if the viewer's session is not open.
    """
    count: int | None = await _UNREAD.value(conn, **parameters(viewer))
    return count


async def accept_request(conn: Connection, *, viewer: ViewerIds, message_group_uuid: UUID) -> bool:
    """Move a request to the viewer's conversations; return False if there is no such one."""
    found = await _ACCEPT_REQUEST.value(
        conn, **parameters(viewer), message_group_uuid=message_group_uuid
    )
    return found is not None


async def delete_request(conn: Connection, *, viewer: ViewerIds, message_group_uuid: UUID) -> bool:
    """Hide the messages of a request from the viewer; return False if there is no such request."""
    found = await _DELETE_REQUEST.value(
        conn, **parameters(viewer), message_group_uuid=message_group_uuid
    )
    return found is not None


async def select_policy(conn: Connection, *, viewer: ViewerIds) -> MessagePolicy | None:
    """Return who may message the viewer; None if the viewer's session is not open."""
    policy: MessagePolicy | None = await _POLICY.value(conn, **parameters(viewer))
    return policy


async def update_policy(
    conn: Connection, *, viewer: ViewerIds, policy: MessagePolicy
) -> MessagePolicy | None:
    """Set who may message the viewer; return None if the viewer's session is not open."""
    updated: MessagePolicy | None = await _SET_POLICY.value(
        conn, **parameters(viewer), policy=policy
    )
    return updated


async def select_lifetime(
    conn: Connection, *, viewer: ViewerIds, handle: str
) -> MessageLifetime | Literal["unknown"] | None:
    """Return the lifetime of the next messages between the viewer and the user of a handle.

    Returns:
        "unknown" if there is no such user, or one of both blocks the other. None if the viewer's
        session is not open.
    """
    row = await _LIFETIME.row(conn, **parameters(viewer), handle=handle)
    if row is None:
        return None
    return MessageLifetime(_TTLS.get(row["lifetime"])) if row["is_known"] else "unknown"


async def update_lifetime(
    conn: Connection,
    *,
    viewer: ViewerIds,
    message_group_uuid: UUID,
    ttl: MessageTtl | None,
    message: str,
) -> Literal["set", "refused"] | None:
    """Set the lifetime of the next messages of a conversation, and insert the line that says so.

    Args:
        conn: a connection in a transaction.
        viewer: a member of the conversation.
        message_group_uuid: the conversation.
        ttl: the lifetime; None: the messages do not expire.
        message: the text of the line.

    Returns:
        "refused" if the other user does not accept messages from the viewer. None if the viewer is
        not in that conversation, if one of its members blocks the other, or if the viewer's session
        is not open.
    """
    row = await _SET_LIFETIME.row(
        conn,
        **parameters(viewer),
        message_group_uuid=message_group_uuid,
        lifetime=None if ttl is None else LIFETIMES[ttl],
        message=message,
    )
    if row is None:
        return None
    return "set" if row["accepts"] else "refused"


def sent_message(row: Row) -> SentMessage:
    """Convert a row to a message with its conversation."""
    return SentMessage(**_sender_and_content(row), message_group_uuid=row["message_group_uuid"])


def _sender_and_content(row: Row) -> dict[str, Any]:
    return {
        "uuid": row["uuid"],
        "display_name": row["display_name"],
        "handle": row["handle"],
        "avatar_url": row["avatar_url"],
        "message": row["message"],
        "created_at": row["created_at"],
        "expires_at": row["expires_at"],
        "kind": row["kind"],
        "ttl": _TTLS.get(row["lifetime"]),
    }
