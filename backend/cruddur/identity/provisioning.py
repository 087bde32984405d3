"""Create the user row on first sight of a token of another issuer, or link an existing user."""

import re
import secrets
import unicodedata
from uuid import UUID, uuid4

from cruddur.db import users as db
from cruddur.db.statements import Connection
from cruddur.identity.admission import admit_from_provider
from cruddur.identity.provider import Attributes
from cruddur.identity.tokens import ISSUER
from cruddur.settings import OperatorError
from cruddur.wire import DISPLAY_NAME_CHARS, HANDLE_PATTERN, VISIBLE_PATTERN


class LinkError(OperatorError):
    """A user cannot be linked to a subject; the message has the reason."""


_NOT_IN_HANDLES = re.compile(r"[^a-z0-9_]+")


async def provision_user(
    conn: Connection, *, issuer: str, subject: str, attributes: Attributes
) -> db.UserIdentity | None:
    """Create the user of another issuer's token.

    The user gets the handle that they have with the issuer. If it is taken or malformed, random
    characters are added. Two concurrent requests create one user, by a unique constraint.

    Returns:
        None if the account was deleted while the token was still valid.

    Raises:
        ForbiddenError, InvalidError: those of `admit_from_provider`.
    """
    preferred = _NOT_IN_HANDLES.sub("_", attributes.handle.lower())[:30]
    candidate = (
        preferred if re.fullmatch(HANDLE_PATTERN, preferred) else f"cruddur_{secrets.token_hex(3)}"
    )
    name = unicodedata.normalize("NFC", attributes.display_name.replace("\x00", "")).strip()
    name = name[:DISPLAY_NAME_CHARS]
    if not re.search(VISIBLE_PATTERN, name):
        name = candidate
    await admit_from_provider(conn, attributes.email)
    for _ in range(10):
        created = await db.insert_user(
            conn,
            uuid=uuid4(),
            issuer=issuer,
            subject=subject,
            handle=candidate,
            display_name=name,
            email=attributes.email,
        )
        if created is not None:
            return created
        existing = await db.select_viewer(conn, issuer=issuer, subject=subject)
        if existing is not None:
            return existing
        if await db.is_deleted(conn, issuer=issuer, subject=subject):
            return None
        candidate = f"{preferred[:23]}_{secrets.token_hex(3)}"
    raise RuntimeError("ten random handles in a row were taken")


async def link_account(conn: Connection, *, handle: str, issuer: str, subject: str) -> bool:
    """Link a local user to a subject of another issuer, inside the caller's transaction.

    Returns:
        False if they are already linked to each other.

    Raises:
        LinkError: there is no such user, one of them is linked to another one, or the subject is
            not a UUID, as Cognito's subjects are.
    """
    try:
        subject = str(UUID(subject))
    except ValueError:
        raise LinkError(f"{subject!r} is not the sub of a Cognito user, which is a UUID") from None
    await db.lock_users(conn)
    user = await db.select_viewer_by_handle(conn, handle=handle)
    if user is None:
        raise LinkError(f"there is no user {handle}")
    if (user.issuer, user.subject) == (issuer, subject):
        return False
    if user.issuer != ISSUER:
        raise LinkError(f"{user.handle} is linked to {user.subject} of {user.issuer} already")
    owner = await db.select_viewer(conn, issuer=issuer, subject=subject)
    if owner is not None:
        raise LinkError(
            f"{subject} is linked to {owner.handle} already: that account has to be deleted first"
        )
    await db.link_user(conn, uuid=user.uuid, issuer=issuer, subject=subject)
    return True
