"""Rules for blocks and mutes.

Two users where one blocks the other do not exist for each other. A mute hides a user from the
muter alone, who still sees the muted user's profile and messages. Each call can be repeated without
effect.
"""

from datetime import timedelta

from cruddur.db import safety as db
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services import users
from cruddur.services.paging import Page, page, time_cursor
from cruddur.wire import BlockedUser, MuteDraft, MuteDuration, MutedUser, Paging, Relation

DURATIONS: dict[MuteDuration, timedelta] = {
    "1-hour": timedelta(hours=1),
    "1-day": timedelta(days=1),
    "7-days": timedelta(days=7),
    "30-days": timedelta(days=30),
}


async def block(conn: Connection, viewer: Viewer, handle: str) -> Relation:
    """Block a user. Follows between both users end.

    Raises:
        InvalidError: block_self.
        NotFoundError: no user has the handle.
        UnauthenticatedError: the viewer's session is not open.
    """
    changed = await db.insert_block(conn, viewer=viewer, handle=users.fold_handle(handle))
    return _relation(changed, viewer, error_code="block_self")


async def unblock(conn: Connection, viewer: Viewer, handle: str) -> Relation:
    """End a block. It does not bring follows back.

    Raises:
        InvalidError: block_self.
        NotFoundError: no user has the handle.
        UnauthenticatedError: the viewer's session is not open.
    """
    changed = await db.delete_block(conn, viewer=viewer, handle=users.fold_handle(handle))
    return _relation(changed, viewer, error_code="block_self")


async def mute(conn: Connection, viewer: Viewer, handle: str, draft: MuteDraft) -> Relation:
    """Mute a user for the draft's duration, or until further notice.

    Raises:
        InvalidError: mute_self.
        NotFoundError: no user has the handle.
        UnauthenticatedError: the viewer's session is not open.
    """
    changed = await db.insert_mute(
        conn,
        viewer=viewer,
        handle=users.fold_handle(handle),
        duration=None if draft.duration is None else DURATIONS[draft.duration],
    )
    return _relation(changed, viewer, error_code="mute_self")


async def unmute(conn: Connection, viewer: Viewer, handle: str) -> Relation:
    """End a mute.

    Raises:
        InvalidError: mute_self.
        NotFoundError: no user has the handle.
        UnauthenticatedError: the viewer's session is not open.
    """
    changed = await db.delete_mute(conn, viewer=viewer, handle=users.fold_handle(handle))
    return _relation(changed, viewer, error_code="mute_self")


async def blocks(conn: Connection, viewer: Viewer, paging: Paging) -> Page[BlockedUser]:
    """Return the users that the viewer blocks, the latest first.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    listed = require_open_session(
        await db.select_blocks(
            conn,
            viewer=viewer,
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
    )
    return page(listed, paging.limit, lambda user: (user.created_at, user.uuid))


async def mutes(conn: Connection, viewer: Viewer, paging: Paging) -> Page[MutedUser]:
    """Return the users that the viewer mutes, the latest first.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    listed = require_open_session(
        await db.select_mutes(
            conn,
            viewer=viewer,
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
    )
    return page(listed, paging.limit, lambda user: (user.created_at, user.uuid))


def _relation(changed: db.Related | None, viewer: Viewer, error_code: str) -> Relation:
    relation = require_open_session(changed).relation
    if relation is None:
        raise NotFoundError
    if relation.uuid == viewer.uuid:
        raise InvalidError(error_code)
    return relation
