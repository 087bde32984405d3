"""Conversations of two and their messages. Membership is part of every statement."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.wire import Message, MessageGroup, SentMessage

_OPEN_GROUP = load("messages.open_group")
_GROUP_WITH = load("messages.group_with")
_CREATE = load("messages.create")
_LIST = load("messages.list")
_READ = load("messages.read")
_GROUPS = load("messages.groups")
_UNREAD = load("messages.unread")


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A conversation and its position in the list."""

    group: MessageGroup
    position: datetime


async def upsert_message_group(conn: Connection, *, user_uuid: UUID, other_uuid: UUID) -> UUID:
    """The conversation of two people, begun if need be."""
    uuid: UUID = await _OPEN_GROUP.value(conn, user_uuid=user_uuid, other_uuid=other_uuid)
    return uuid


async def select_group_with(conn: Connection, *, user_uuid: UUID, handle: str) -> UUID | None:
    """The conversation with the person of a handle, if there is one."""
    uuid: UUID | None = await _GROUP_WITH.value(conn, user_uuid=user_uuid, handle=handle)
    return uuid


async def insert_message(
    conn: Connection, *, message_group_uuid: UUID, user_uuid: UUID, message: str
) -> SentMessage | None:
    """A message, or None when the sender is not in that conversation."""
    row = await _CREATE.row(
        conn, message_group_uuid=message_group_uuid, user_uuid=user_uuid, message=message
    )
    return SentMessage(**row) if row else None


async def select_messages(
    conn: Connection,
    *,
    message_group_uuid: UUID,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[Message]:
    """The messages before a position, the newest first."""
    rows = await _LIST.rows(
        conn,
        message_group_uuid=message_group_uuid,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=limit,
    )
    return [Message(**row) for row in rows]


async def mark_read(
    conn: Connection, *, message_group_uuid: UUID, user_uuid: UUID, newest: bool
) -> bool:
    """Mark a conversation read if its newest messages are; False for who is not in it."""
    uuid = await _READ.value(
        conn, message_group_uuid=message_group_uuid, user_uuid=user_uuid, newest=newest
    )
    return uuid is not None


async def select_message_groups(
    conn: Connection,
    *,
    user_uuid: UUID,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[ListedGroup]:
    """A person's conversations before a position, the latest message first."""
    rows = await _GROUPS.rows(
        conn, user_uuid=user_uuid, before_at=before_at, before_uuid=before_uuid, limit=limit
    )
    return [
        ListedGroup(
            MessageGroup(
                uuid=row["uuid"],
                display_name=row["display_name"],
                handle=row["handle"],
                avatar_url=row["avatar_url"],
                message=row["message"],
                created_at=row["created_at"],
                unread_count=row["unread_count"],
            ),
            row["latest_message_at"],
        )
        for row in rows
    ]


async def count_unread(conn: Connection, *, user_uuid: UUID) -> int:
    """How many messages from others the person has not read."""
    return int(await _UNREAD.value(conn, user_uuid=user_uuid))
