"""Queries for avatars: one JPEG per user."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.db.viewers import ViewerIds, parameters

_CLEAR = load("avatars.clear")
_DELETE = load("avatars.delete")
_SAVE = load("avatars.save")
_SHOW = load("avatars.show")
_SHOW_OF = load("avatars.show_of")
_USE = load("avatars.use")


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG and the digest in its URL."""

    jpeg: bytes
    digest: str


async def upsert_avatar(
    conn: Connection, *, user_uuid: UUID, jpeg: bytes, digest: str
) -> str | None:
    """Store a picture and return its URL, or None if the user was deleted."""
    url: str | None = await _SAVE.value(conn, user_uuid=user_uuid, jpeg=jpeg, digest=digest)
    return url


async def update_without_avatar(conn: Connection, *, viewer: ViewerIds) -> UUID | None:
    """Take the picture's URL from the viewer, and lock the user until the transaction ends.

    Returns:
        The user, or None if their session is not open.
    """
    uuid: UUID | None = await _CLEAR.value(conn, **parameters(viewer))
    return uuid


async def delete_avatar(conn: Connection, *, user_uuid: UUID) -> None:
    """Delete a user's picture. The caller has locked the user, so no upload adds it again."""
    await _DELETE.run(conn, user_uuid=user_uuid)


async def select_avatar(conn: Connection, *, subject: str) -> Picture | None:
    """Return the picture of a token's subject."""
    row = await _SHOW.row(conn, subject=subject)
    return Picture(row["jpeg"], row["avatar_digest"]) if row else None


async def select_avatar_of(conn: Connection, *, user_uuid: UUID) -> bytes | None:
    """Return the picture of a user, a JPEG, if they have one."""
    jpeg: bytes | None = await _SHOW_OF.value(conn, user_uuid=user_uuid)
    return jpeg


async def insert_used_upload(
    conn: Connection, *, user_uuid: UUID, uuid: UUID, seconds: int
) -> bool:
    """Record that an upload URL was used, for some seconds.

    Returns:
        False if it was used before, or if the user is suspended.

    Raises:
        asyncpg.ForeignKeyViolationError: the user was deleted. `Database` converts it.
    """
    lifetime = timedelta(seconds=seconds)
    return await _USE.run(conn, user_uuid=user_uuid, uuid=uuid, lifetime=lifetime) == 1
