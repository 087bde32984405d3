"""Queries that write announcements; `cruddur.db.instance` reads them."""

from datetime import timedelta
from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.wire import Announcement

_CREATE = load("announcements.create")
_DELETE = load("announcements.delete")


async def insert_announcement(
    conn: Connection, *, message: str, lifetime: timedelta, max_announcements: int
) -> Announcement | None:
    """Insert an announcement; return None if there are `max_announcements` already."""
    row = await _CREATE.row(
        conn, message=message, lifetime=lifetime, max_announcements=max_announcements
    )
    return Announcement(**row) if row else None


async def delete_announcement(conn: Connection, *, uuid: UUID) -> bool:
    """Delete an announcement; return False if there is none that has not expired."""
    return await _DELETE.value(conn, uuid=uuid) is not None
