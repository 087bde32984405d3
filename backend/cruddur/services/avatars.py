"""Rules for avatars: each picture is converted to a square JPEG of 512 pixels."""

import hashlib
from uuid import UUID

from cruddur.db import avatars as db
from cruddur.db.statements import Connection
from cruddur.errors import ForbiddenError, NotFoundError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.pictures.targets import Square, Target
from cruddur.services.uploads import UPLOAD_SECONDS, Upload
from cruddur.wire import Avatar

SIDE = 512
"""Width and height in pixels; PROCESS_WIDTH and PROCESS_HEIGHT in the original project."""


def target(square: str | None) -> Target:
    """Return what to make of an uploaded picture.

    Args:
        square: the part to show, as in `AvatarQuery`; None for the middle.
    """
    part = None if square is None else Square(*map(float, square.split(",")))
    return Target(SIDE, SIDE, "crop", "JPEG", square=part)


async def use(conn: Connection, upload: Upload) -> None:
    """Mark an upload URL as used.

    Raises:
        ForbiddenError: it was used before, or the user is suspended.
        DeletedMeanwhileError: the user was deleted.
    """
    # The row is not needed after the URL has expired. Twice that time allows for clock differences.
    if not await db.insert_used_upload(
        conn, user_uuid=upload.user_uuid, uuid=upload.uuid, seconds=2 * UPLOAD_SECONDS
    ):
        raise ForbiddenError


async def save(conn: Connection, user_uuid: UUID, jpeg: bytes) -> Avatar:
    """Store a user's picture. Raises NotFoundError if the user was deleted."""
    digest = hashlib.blake2b(jpeg, digest_size=8).hexdigest()
    url = await db.upsert_avatar(conn, user_uuid=user_uuid, jpeg=jpeg, digest=digest)
    if url is None:
        raise NotFoundError
    return Avatar(url)


async def remove(conn: Connection, viewer: Viewer) -> Avatar:
    """Remove the viewer's picture, in a transaction.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    user_uuid = require_open_session(await db.update_without_avatar(conn, viewer=viewer))
    await db.delete_avatar(conn, user_uuid=user_uuid)
    return Avatar(None)


async def show(conn: Connection, subject: str) -> db.Picture:
    """Return a user's picture. Raises NotFoundError if there is none."""
    # A path may contain a NUL character, which PostgreSQL rejects.
    stored = None if "\x00" in subject else await db.select_avatar(conn, subject=subject)
    if stored is None:
        raise NotFoundError
    return stored
