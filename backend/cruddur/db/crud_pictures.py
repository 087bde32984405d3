"""Queries for the pictures of cruds, and for their files if these are in the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.db.viewers import ViewerIds, parameters

Size = Literal["full", "thumbnail"]

_CREATE = load("crud_pictures.create")
_DELETE = load("crud_pictures.delete")
_TIME_LEFT = load("crud_pictures.time_left")
_CREATE_FILE = load("crud_pictures.create_file")
_SHOW_FILE = load("crud_pictures.show_file")
_CLAIM_REMOVED = load("crud_pictures.claim_removed")
_HAS_REMOVED = load("crud_pictures.has_removed")
_DELETE_REMOVED = load("crud_pictures.delete_removed")
_RELEASE_REMOVED = load("crud_pictures.release_removed")
_REMOVE_ORPHANS = load("crud_pictures.remove_orphans")


@dataclass(frozen=True, slots=True)
class InsertedPicture:
    """A new picture, which expires unless a crud shows it.

    Both are None if the member already has too many pictures.
    """

    uuid: UUID | None
    expires_at: datetime | None


async def insert_picture(
    conn: Connection,
    *,
    viewer: ViewerIds,
    width: int,
    height: int,
    lifetime: timedelta,
    most: int,
) -> InsertedPicture | None:
    """Insert a picture that no crud shows yet.

    Args:
        conn: a connection for writing.
        viewer: the owner.
        width: in pixels.
        height: in pixels.
        lifetime: how long it is kept if no crud shows it.
        most: how many pictures the owner may have.

    Returns:
        None if the viewer's session is not open.
    """
    row = await _CREATE.row(
        conn, **parameters(viewer), width=width, height=height, lifetime=lifetime, most=most
    )
    return InsertedPicture(**row) if row else None


async def delete_picture(conn: Connection, *, uuid: UUID) -> None:
    """Delete a picture. The sweeper deletes its files."""
    await _DELETE.run(conn, uuid=uuid)


async def select_time_left(conn: Connection, *, uuid: UUID) -> timedelta | None:
    """Return how long a live crud still shows a picture, or None if there is no such crud."""
    left: timedelta | None = await _TIME_LEFT.value(conn, uuid=uuid)
    return left


async def insert_file(conn: Connection, *, uuid: UUID, size: Size, jpeg: bytes) -> None:
    """Store a file in the database, unless the picture was deleted."""
    await _CREATE_FILE.run(conn, uuid=uuid, size=size, jpeg=jpeg)


async def select_file(conn: Connection, *, uuid: UUID, size: Size) -> bytes | None:
    """Return a file that is stored in the database."""
    jpeg: bytes | None = await _SHOW_FILE.value(conn, uuid=uuid, size=size)
    return jpeg


async def select_has_removed(conn: Connection) -> bool:
    """Return whether `claim_removed` would return pictures."""
    has_removed: bool = await _HAS_REMOVED.value(conn)
    return has_removed


async def claim_removed(conn: Connection, *, batch: int) -> list[UUID]:
    """Return deleted pictures whose files are still stored, and claim them for 30 seconds."""
    return [row["uuid"] for row in await _CLAIM_REMOVED.rows(conn, batch=batch)]


async def delete_removed(conn: Connection, *, uuids: Sequence[UUID]) -> None:
    """Forget deleted pictures whose files are deleted."""
    await _DELETE_REMOVED.run(conn, uuids=uuids)


async def release_removed(conn: Connection, *, uuids: Sequence[UUID]) -> None:
    """Give up the claim on deleted pictures whose files could not be deleted."""
    await _RELEASE_REMOVED.run(conn, uuids=uuids)


async def insert_orphans(conn: Connection, *, uuids: Sequence[UUID]) -> list[UUID]:
    """Record stored pictures as removed if their rows are gone, and return these."""
    return [row["uuid"] for row in await _REMOVE_ORPHANS.rows(conn, uuids=uuids)]
