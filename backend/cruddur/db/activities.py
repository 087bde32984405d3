"""Cruds and replies in the database, shown through the view live_activities only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import UNSET

from cruddur.db.statements import Connection, Row, load
from cruddur.wire import Crud

_HOME = load("activities.home")
_PROFILE = load("activities.profile")
_SHOW = load("activities.show")
_REPLIES = load("activities.replies")
_SEARCH = load("activities.search")
_CREATE = load("activities.create")
_REPLY = load("activities.reply")
_DELETE = load("activities.delete")


@dataclass(frozen=True, slots=True)
class Listed:
    """A crud and the position of its row in the list that it was read for."""

    crud: Crud
    position: datetime | int


def crud(row: Row, viewer: UUID | None) -> Crud:
    """A crud from a row; without a viewer nobody has liked or reposted it."""
    return Crud(
        uuid=row["uuid"],
        display_name=row["display_name"],
        handle=row["handle"],
        avatar_url=row["avatar_url"],
        message=row["message"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        replies_count=row["replies_count"],
        reposts_count=row["reposts_count"],
        likes_count=row["likes_count"],
        reply_to_activity_uuid=row["reply_to_activity_uuid"],
        liked=UNSET if viewer is None else row["liked"],
        reposted=UNSET if viewer is None else row["reposted"],
    )


async def select_home(
    conn: Connection,
    *,
    viewer: UUID | None,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[Listed]:
    """The newest live top-level cruds before a position."""
    rows = await _HOME.rows(
        conn, viewer=viewer, before_at=before_at, before_uuid=before_uuid, limit=limit
    )
    return [Listed(crud(row, viewer), row["created_at"]) for row in rows]


async def select_profile_feed(
    conn: Connection,
    *,
    user_uuid: UUID,
    handle: str,
    viewer: UUID | None,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[Listed]:
    """The newest live cruds of a person and those that the person, `handle`, reposted."""
    rows = await _PROFILE.rows(
        conn,
        user_uuid=user_uuid,
        viewer=viewer,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=limit,
    )
    listed = []
    for row in rows:
        item = crud(row, viewer)
        if row["is_repost"]:
            item.reposted_by = handle
        listed.append(Listed(item, row["listed_at"]))
    return listed


async def select_activity(conn: Connection, *, uuid: UUID, viewer: UUID | None) -> Crud | None:
    """A live crud or reply."""
    row = await _SHOW.row(conn, uuid=uuid, viewer=viewer)
    return crud(row, viewer) if row else None


async def select_replies(
    conn: Connection,
    *,
    uuid: UUID,
    viewer: UUID | None,
    after_at: datetime | None,
    after_uuid: UUID | None,
    limit: int,
) -> list[Listed]:
    """The live replies to a crud after a position, the oldest first."""
    rows = await _REPLIES.rows(
        conn, uuid=uuid, viewer=viewer, after_at=after_at, after_uuid=after_uuid, limit=limit
    )
    return [Listed(crud(row, viewer), row["created_at"]) for row in rows]


async def search_activities(
    conn: Connection,
    *,
    words: str,
    unwanted: str,
    tags: Sequence[str],
    handles: Sequence[str],
    viewer: UUID | None,
    before_rank: int | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[Listed]:
    """Live cruds that match, the best first; the position is the rank."""
    rows = await _SEARCH.rows(
        conn,
        words=words,
        unwanted=unwanted,
        tags=tags,
        handles=handles,
        viewer=viewer,
        before_rank=before_rank,
        before_uuid=before_uuid,
        limit=limit,
    )
    return [Listed(crud(row, viewer), row["rank"]) for row in rows]


async def insert_activity(
    conn: Connection,
    *,
    user_uuid: UUID,
    session_uuid: UUID | None,
    message: str,
    lifetime: timedelta,
    tags: Sequence[str],
    mentions: Sequence[str],
) -> Crud | None:
    """A new crud, with its tags and the notifications of those it mentions; None when the
    author is gone or the session, if there is one, not open."""
    row = await _CREATE.row(
        conn,
        user_uuid=user_uuid,
        session_uuid=session_uuid,
        message=message,
        lifetime=lifetime,
        tags=tags,
        mentions=mentions,
    )
    return crud(row, user_uuid) if row else None


async def insert_reply(
    conn: Connection,
    *,
    user_uuid: UUID,
    session_uuid: UUID | None,
    parent_uuid: UUID,
    message: str,
    tags: Sequence[str],
    mentions: Sequence[str],
) -> Crud | None:
    """A reply, or None when its parent is not live, or as `insert_activity` says."""
    row = await _REPLY.row(
        conn,
        user_uuid=user_uuid,
        session_uuid=session_uuid,
        parent_uuid=parent_uuid,
        message=message,
        tags=tags,
        mentions=mentions,
    )
    return crud(row, user_uuid) if row else None


async def delete_activity(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> bool:
    """Whether there was such a live crud of this author; it is gone now."""
    return await _DELETE.run(conn, uuid=uuid, user_uuid=user_uuid) > 0
