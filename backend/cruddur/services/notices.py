"""Rules for notices: what moderators decided, as the account sees it, and appeals."""

from uuid import UUID

from cruddur.db import moderation as moderation_db
from cruddur.db import notices as db
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.identity.viewer import Viewer, check_session, require_open_session
from cruddur.services.paging import Page, page, time_cursor
from cruddur.wire import AppealDraft, Notice, Paging


async def notices(conn: Connection, viewer: Viewer, paging: Paging) -> Page[Notice]:
    """Return the decisions about the viewer, the latest first, and mark them read.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    listed = require_open_session(
        await db.select_notices(
            conn,
            viewer=viewer,
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
    )
    return page(listed, paging.limit, lambda notice: (notice.created_at, notice.uuid))


async def appeal(conn: Connection, viewer: Viewer, uuid: UUID, draft: AppealDraft) -> None:
    """Appeal against a decision about the viewer, once, in a transaction.

    Raises:
        InvalidError: appeal_used, the viewer has appealed before.
        NotFoundError: there is no such decision, or it cannot be appealed.
        UnauthenticatedError: as `check_session`.
    """
    await check_session(conn, viewer)
    case_uuid = await db.update_with_appeal(
        conn, uuid=uuid, user_uuid=viewer.uuid, words=draft.words
    )
    if case_uuid is None:
        if await db.select_is_appealed(conn, uuid=uuid, user_uuid=viewer.uuid):
            raise InvalidError("appeal_used")
        raise NotFoundError
    await moderation_db.insert_audit_entry(
        conn,
        actor_uuid=viewer.uuid,
        action="appeal",
        case_uuid=case_uuid,
        user_uuid=viewer.uuid,
    )


async def suspension(conn: Connection, viewer: Viewer) -> Notice:
    """Return the decision that suspends the viewer now.

    Raises:
        NotFoundError: there is none.
        UnauthenticatedError: as `check_session`.
    """
    await check_session(conn, viewer)
    notice = await db.select_suspension(conn, user_uuid=viewer.uuid)
    if notice is None:
        raise NotFoundError
    return notice
