"""Queries for likes and reposts. A user can like or repost a crud once; triggers keep the counts.

Each change returns False if the viewer's session is not open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from cruddur.db.page_changes import PageChanges
from cruddur.db.statements import Connection, Statement, load
from cruddur.db.viewers import ViewerIds, parameters
from cruddur.wire import Counts

_LIKE = load("reactions.like")
_UNLIKE = load("reactions.unlike")
_REPOST = load("reactions.repost")
_UNREPOST = load("reactions.unrepost")
_COUNTS = load("reactions.counts")
_MARKS = load("reactions.marks")


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of a viewer on the cruds and users of a page.

    Attributes:
        viewer: the viewer, or None if their session is not open.
        liked: those that the viewer liked.
        reposted: those that the viewer reposted.
        followed: the users that the viewer follows.
        hidden: the handles of users who are hidden from the viewer.
    """

    viewer: UUID | None
    liked: frozenset[UUID]
    reposted: frozenset[UUID]
    followed: frozenset[UUID]
    hidden: frozenset[str]


async def insert_like(conn: Connection, *, uuid: UUID, viewer: ViewerIds) -> bool:
    """Like a crud; changes nothing if it is already liked or not live."""
    return await _change(_LIKE, conn, uuid, viewer)


async def delete_like(conn: Connection, *, uuid: UUID, viewer: ViewerIds) -> bool:
    """Delete a like and its notification."""
    return await _change(_UNLIKE, conn, uuid, viewer)


async def insert_repost(conn: Connection, *, uuid: UUID, viewer: ViewerIds) -> bool:
    """Repost a crud; changes nothing if it is already reposted or not live."""
    return await _change(_REPOST, conn, uuid, viewer)


async def delete_repost(conn: Connection, *, uuid: UUID, viewer: ViewerIds) -> bool:
    """Delete a repost and its notification."""
    return await _change(_UNREPOST, conn, uuid, viewer)


async def select_counts(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> Counts | None:
    """Return the counts of a live crud, and whether this user liked and reposted it."""
    row = await _COUNTS.row(conn, uuid=uuid, user_uuid=user_uuid)
    return Counts(**row) if row else None


async def select_marks(
    conn: Connection,
    changes: PageChanges,
    *,
    viewer: ViewerIds,
    uuids: Sequence[UUID],
    users: Sequence[UUID],
    handles: Sequence[str],
    is_public_feed: bool,
) -> Marks:
    """Return the marks of a viewer on a page, and add to `changes` what has changed until then.

    Args:
        conn: a connection for reading.
        changes: the changes on pages.
        viewer: the user that the request acts for.
        uuids: the cruds on the page.
        users: the users that the page is about.
        handles: the handles of all users on the page.
        is_public_feed: whether limited users are hidden on the page.
    """
    began = monotonic()
    [row] = await _MARKS.rows(
        conn,
        **parameters(viewer),
        uuids=uuids,
        users=users,
        handles=handles,
        is_public_feed=is_public_feed,
        **changes.parameters(),
    )
    changes.apply(row, began)
    return Marks(
        row["viewer"],
        frozenset(row["liked"]),
        frozenset(row["reposted"]),
        frozenset(row["followed"]),
        frozenset(row["hidden"]),
    )


async def _change(statement: Statement, conn: Connection, uuid: UUID, viewer: ViewerIds) -> bool:
    return await statement.value(conn, uuid=uuid, **parameters(viewer)) is not None
