"""How a person enters who comes with another issuer's token."""

import re
import secrets
from uuid import uuid4

from cruddur.db import users as db
from cruddur.db.statements import Connection
from cruddur.identity.provider import Attributes
from cruddur.wire import DISPLAY_NAME_CHARS, HANDLE_PATTERN

_NOT_IN_HANDLES = re.compile(r"[^a-z0-9_]+")


async def enter(
    conn: Connection, *, issuer: str, subject: str, attributes: Attributes
) -> db.KnownUser | None:
    """A person who comes with another issuer's token for the first time.

    The handle they have there is kept if it can be; one that is taken or malformed is
    completed. Two requests at once enter the person once: uniqueness is the database's.
    None when the account was deleted while the token was still good.
    """
    wish = _NOT_IN_HANDLES.sub("_", attributes.handle.lower())[:30]
    candidate = wish if re.fullmatch(HANDLE_PATTERN, wish) else f"cruddur_{secrets.token_hex(3)}"
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
