"""People: how they enter, what they say of themselves, and who is worth reading."""

import re
import secrets
from uuid import UUID, uuid4

from cruddur.db import users as db
from cruddur.db.statements import Connection
from cruddur.errors import NotFoundError, UnauthenticatedError
from cruddur.identity.provider import Attributes
from cruddur.identity.viewer import Viewer
from cruddur.wire import (
    DISPLAY_NAME_CHARS,
    Member,
    Profile,
    ProfileDraft,
    ShortUser,
    UpdatedProfile,
)

SUGGESTIONS = 5
_NOT_IN_HANDLES = re.compile(r"[^a-z0-9_]+")
_HANDLE = re.compile(r"[a-z0-9_]{2,30}")


async def enter(
    conn: Connection, *, issuer: str, subject: str, attributes: Attributes
) -> db.KnownUser | None:
    """A person who comes with another issuer's token for the first time.

    The handle they have there is kept if it can be; one that is taken or malformed is
    completed. Two requests at once enter the person once: uniqueness is the database's.
    None when the account was deleted while the token was still good.
    """
    wish = _NOT_IN_HANDLES.sub("_", attributes.handle.lower())[:30]
    candidate = wish if _HANDLE.fullmatch(wish) else f"cruddur_{secrets.token_hex(3)}"
    name = attributes.display_name.replace("\x00", "").strip()[:DISPLAY_NAME_CHARS]
    for _ in range(10):
        created = await db.insert_user(
            conn,
            uuid=uuid4(),
            issuer=issuer,
            subject=subject,
            handle=candidate,
            display_name=name or candidate,
            email=attributes.email,
        )
        if created is not None:
            return created
        known = await db.select_viewer(conn, issuer=issuer, subject=subject, session_uuid=None)
        if known is not None:
            return known
        if await db.is_deleted(conn, issuer=issuer, subject=subject):
            return None
        candidate = f"{wish[:23]}_{secrets.token_hex(3)}"
    raise RuntimeError("ten random handles in a row were taken")


def fold_handle(handle: str) -> str:
    """A handle as it is stored.

    Raises:
        NotFoundError: nobody can have such a handle.
    """
    folded = handle.lower()
    if not _HANDLE.fullmatch(folded):
        raise NotFoundError
    return folded


async def short(conn: Connection, handle: str) -> ShortUser:
    """Who a handle is. Raises NotFoundError when nobody is."""
    found = await db.select_short(conn, handle=fold_handle(handle))
    if found is None:
        raise NotFoundError
    return found


async def profile(conn: Connection, handle: str) -> Profile:
    """The head of a profile page. Raises NotFoundError when nobody has the handle."""
    found = await db.select_profile(conn, handle=fold_handle(handle))
    if found is None:
        raise NotFoundError
    return found


async def update(conn: Connection, viewer: Viewer, draft: ProfileDraft) -> UpdatedProfile:
    """Set the viewer's display name and bio."""
    updated = await db.update_profile(
        conn, uuid=viewer.uuid, display_name=draft.display_name, bio=draft.bio or ""
    )
    if updated is None:
        raise UnauthenticatedError  # deleted a moment ago
    return updated


async def member(conn: Connection, uuid: UUID) -> Member:
    """A person as they see themselves. Raises UnauthenticatedError when they are gone."""
    found = await db.select_member(conn, uuid=uuid)
    if found is None:
        raise UnauthenticatedError
    return found


async def suggested(conn: Connection, viewer: Viewer | None) -> list[ShortUser]:
    """People whose live cruds are liked most."""
    return await db.select_suggested(
        conn, viewer=viewer.uuid if viewer else None, limit=SUGGESTIONS
    )
