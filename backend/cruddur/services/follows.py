"""Rules for following users and tags. Following and unfollowing can be repeated without effect."""

from uuid import UUID

from cruddur.db import follows as db
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError, UnauthenticatedError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services import text
from cruddur.services.paging import Page, page, time_cursor
from cruddur.services.users import fold_handle
from cruddur.wire import FollowCounts, FollowedTag, ListedUser, Paging

MAX_FOLLOWED = 5000
"""Maximum number of users that a user follows. It bounds the work for their feed."""

MAX_TAGS = 200
"""Maximum number of tags that a user follows."""


async def follow(conn: Connection, viewer: Viewer, handle: str) -> FollowCounts:
    """Follow a user and return their counts.

    Raises:
        InvalidError: follow_self; or too_many_followed, the viewer follows MAX_FOLLOWED users.
        NotFoundError: no user has the handle.
        UnauthenticatedError: the viewer's session is not open.
    """
    change = require_open_session(
        await db.insert_follow(
            conn, viewer=viewer, handle=fold_handle(handle), max_followed=MAX_FOLLOWED
        )
    )
    if change.uuid == viewer.uuid:
        raise InvalidError("follow_self")
    counts = await _counts(conn, viewer, change.uuid)
    if change.is_refused and not counts.followed:
        raise InvalidError("too_many_followed")
    return counts


async def unfollow(conn: Connection, viewer: Viewer, handle: str) -> FollowCounts:
    """Unfollow a user and return their counts.

    Raises:
        NotFoundError: no user has the handle.
        UnauthenticatedError: the viewer's session is not open.
    """
    change = require_open_session(
        await db.delete_follow(conn, viewer=viewer, handle=fold_handle(handle))
    )
    return await _counts(conn, viewer, change.uuid)


async def listed(
    conn: Connection,
    viewer: Viewer | None,
    direction: db.Direction,
    handle: str,
    paging: Paging,
) -> Page[ListedUser]:
    """Return the followers of a user, or the users that they follow, the latest first.

    Raises:
        NotFoundError: no user has the handle.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    found = await db.select_follows(
        conn,
        direction,
        handle=fold_handle(handle),
        viewer=viewer,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=paging.limit + 1,
    )
    if found is None:
        raise NotFoundError
    result = page(found, paging.limit, lambda follow: (follow.at, follow.user.uuid))
    return Page([follow.user for follow in result.items], result.cursor)


async def follow_tag(conn: Connection, viewer: Viewer, tag: str) -> FollowedTag:
    """Follow a tag.

    Raises:
        InvalidError: tag_invalid, a text cannot have such a tag; or too_many_tags, the viewer
            follows MAX_TAGS tags.
        UnauthenticatedError: the viewer's session is not open.
    """
    folded = _fold_tag(tag)
    is_followed = await db.insert_followed_tag(conn, viewer=viewer, tag=folded, max_tags=MAX_TAGS)
    if is_followed is None:
        raise UnauthenticatedError
    if not is_followed:
        raise InvalidError("too_many_tags")
    return FollowedTag(folded, followed=True)


async def unfollow_tag(conn: Connection, viewer: Viewer, tag: str) -> FollowedTag:
    """Unfollow a tag.

    Raises:
        InvalidError: tag_invalid.
        UnauthenticatedError: the viewer's session is not open.
    """
    folded = _fold_tag(tag)
    require_open_session(await db.delete_followed_tag(conn, viewer=viewer, tag=folded))
    return FollowedTag(folded, followed=False)


async def followed_tags(conn: Connection, viewer: Viewer) -> list[str]:
    """Return the tags that the viewer follows, in alphabetical order.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    return require_open_session(await db.select_followed_tags(conn, viewer=viewer))


def _fold_tag(tag: str) -> str:
    folded = text.fold_tag(tag)
    if list(text.pointers(f"#{tag}")) != [("tag", folded)]:
        raise InvalidError("tag_invalid")
    return folded


async def _counts(conn: Connection, viewer: Viewer, uuid: UUID | None) -> FollowCounts:
    counts = None
    if uuid is not None:
        counts = await db.select_counts(conn, uuid=uuid, user_uuid=viewer.uuid)
    if counts is None:
        raise NotFoundError
    return counts
