"""Queries for followed users and tags. Triggers keep the counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET

from cruddur.db.statements import Connection, Row, Statement, load
from cruddur.db.viewers import ViewerIds, parameters, public_rows
from cruddur.wire import FollowCounts, ListedUser

_FOLLOW = load("follows.follow")
_UNFOLLOW = load("follows.unfollow")
_COUNTS = load("follows.counts")
_FOLLOWED = load("follows.followed")
_FOLLOW_TAG = load("follows.follow_tag")
_UNFOLLOW_TAG = load("follows.unfollow_tag")
_TAGS = load("follows.tags")

Direction: TypeAlias = Literal["followers", "following"]

_FOLLOWERS = load("follows.followers")
_FOLLOWING = load("follows.following")
_LISTS: dict[Direction, Statement] = {"followers": _FOLLOWERS, "following": _FOLLOWING}


@dataclass(frozen=True, slots=True)
class Change:
    """A follow or its end.

    Attributes:
        uuid: the user that it is about; None if no user has the handle.
        is_refused: whether the viewer followed as many users as possible.
    """

    uuid: UUID | None
    is_refused: bool


async def insert_follow(
    conn: Connection, *, viewer: ViewerIds, handle: str, max_followed: int
) -> Change | None:
    """Follow a user and notify them.

    Changes nothing if the viewer follows them already, is that user, or follows `max_followed`
    users.

    Returns:
        None if the viewer's session is not open.
    """
    row = await _FOLLOW.row(conn, **parameters(viewer), handle=handle, max_followed=max_followed)
    return _change(row)


async def delete_follow(conn: Connection, *, viewer: ViewerIds, handle: str) -> Change | None:
    """Delete a follow and its notification.

    Returns:
        None if the viewer's session is not open.
    """
    return _change(await _UNFOLLOW.row(conn, **parameters(viewer), handle=handle))


async def select_counts(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> FollowCounts | None:
    """Return the counts of a user, and whether another user follows them."""
    row = await _COUNTS.row(conn, uuid=uuid, user_uuid=user_uuid)
    return FollowCounts(**row) if row else None


@dataclass(frozen=True, slots=True)
class Followed:
    """The users and tags that a user follows."""

    users: Sequence[UUID]
    tags: Sequence[str]


@dataclass(frozen=True, slots=True)
class Follow:
    """A listed user, and when the follow began that lists them."""

    user: ListedUser
    at: datetime


async def select_follows(
    conn: Connection,
    direction: Direction,
    *,
    handle: str,
    viewer: ViewerIds | None,
    before_at: datetime | None,
    before_uuid: UUID | None,
    limit: int,
) -> list[Follow] | None:
    """Return the followers of a user, or the users that they follow, the latest first.

    Only those before a position, if there is one.

    Returns:
        None if no user has the handle.
    """
    rows = await public_rows(
        _LISTS[direction],
        conn,
        viewer,
        handle=handle,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=limit,
    )
    if not rows:
        return None
    return [Follow(listed_user(row), row["followed_at"]) for row in rows if row["uuid"] is not None]


async def select_followed(conn: Connection, *, uuids: Sequence[UUID]) -> dict[UUID, Followed]:
    """Return the users and tags that some users follow, by user."""
    rows = await _FOLLOWED.rows(conn, uuids=uuids)
    return {row["uuid"]: Followed(row["users"], row["tags"]) for row in rows}


async def insert_followed_tag(
    conn: Connection, *, viewer: ViewerIds, tag: str, max_tags: int
) -> bool | None:
    """Follow a tag, unless the viewer follows `max_tags` tags already.

    Returns:
        Whether the viewer follows it now; None if their session is not open.
    """
    is_followed: bool | None = await _FOLLOW_TAG.value(
        conn, **parameters(viewer), tag=tag, max_tags=max_tags
    )
    return is_followed


async def delete_followed_tag(conn: Connection, *, viewer: ViewerIds, tag: str) -> bool:
    """Unfollow a tag; return False if the viewer's session is not open."""
    return await _UNFOLLOW_TAG.value(conn, **parameters(viewer), tag=tag) is not None


async def select_followed_tags(conn: Connection, *, viewer: ViewerIds) -> list[str] | None:
    """Return the tags that the viewer follows; None if their session is not open."""
    rows = await _TAGS.rows(conn, **parameters(viewer))
    return [row["tag"] for row in rows if row["tag"] is not None] if rows else None


def listed_user(row: Row) -> ListedUser:
    """Convert a row to a user in a list. Without a viewer, `followed` is left out."""
    return ListedUser(
        uuid=row["uuid"],
        handle=row["handle"],
        display_name=row["display_name"],
        avatar_url=row["avatar_url"],
        followed=UNSET if row["viewer"] is None else row["followed"],
    )


def _change(row: Row | None) -> Change | None:
    return None if row is None else Change(row["uuid"], row["is_used_up"])
