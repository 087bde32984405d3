"""Rules for announcements, which admins make for everyone and which expire.

The audit log does not have their text, which would outlive them.
"""

from uuid import UUID

from cruddur.db import announcements as db
from cruddur.db.moderation import insert_audit_entry
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.services.activities import LIFETIMES
from cruddur.wire import Announcement, AnnouncementDraft, Deleted

MAX_ANNOUNCEMENTS = 5
"""Maximum number of announcements at a time."""


async def create(
    conn: Connection, actor_uuid: UUID | None, draft: AnnouncementDraft
) -> Announcement:
    """Announce something to everyone.

    Args:
        conn: a transaction.
        actor_uuid: the admin; None for the command line.
        draft: the announcement.

    Raises:
        InvalidError: too_many_announcements.
    """
    created = await db.insert_announcement(
        conn,
        message=draft.message,
        lifetime=LIFETIMES[draft.ttl],
        max_announcements=MAX_ANNOUNCEMENTS,
    )
    if created is None:
        raise InvalidError("too_many_announcements")
    why = f"{created.uuid}: {draft.ttl}"
    await insert_audit_entry(conn, actor_uuid=actor_uuid, action="announce", why=why)
    return created


async def delete(conn: Connection, actor_uuid: UUID | None, uuid: UUID) -> Deleted:
    """Delete an announcement.

    Raises:
        NotFoundError: there is no such announcement that has not expired.
    """
    if not await db.delete_announcement(conn, uuid=uuid):
        raise NotFoundError
    await insert_audit_entry(
        conn, actor_uuid=actor_uuid, action="delete_announcement", why=str(uuid)
    )
    return Deleted(uuid)
