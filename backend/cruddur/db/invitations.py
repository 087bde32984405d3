"""Queries for invitations, and for the addresses that have used one at another provider."""

from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.wire import Invitation

_CREATE = load("invitations.create")
_LIST = load("invitations.list")
_DELETE = load("invitations.delete")
_USE = load("invitations.use")
_GIVE_BACK = load("invitations.give_back")
_NOTE_ADDRESS = load("invitations.note_address")
_TAKE_ADDRESS = load("invitations.take_address")


async def insert_invitation(
    conn: Connection, *, code: str, max_uses: int, days: int, max_invitations: int
) -> Invitation | None:
    """Insert an invitation; return None if there are `max_invitations` already."""
    row = await _CREATE.row(
        conn, code=code, max_uses=max_uses, days=days, max_invitations=max_invitations
    )
    return Invitation(**row) if row else None


async def select_invitations(conn: Connection) -> list[Invitation]:
    """Return all invitations that have not expired, the latest first."""
    return [Invitation(**row) for row in await _LIST.rows(conn)]


async def delete_invitation(conn: Connection, *, uuid: UUID) -> str | None:
    """Delete an invitation and return its code; None if there is none that has not expired."""
    code: str | None = await _DELETE.value(conn, uuid=uuid)
    return code


async def update_used(conn: Connection, *, uuid: UUID) -> bool:
    """Use an invitation once; return False if it has expired, was revoked, or has no uses left."""
    return await _USE.value(conn, uuid=uuid) is not None


async def update_given_back(conn: Connection, *, uuid: UUID) -> None:
    """Undo a use of an invitation."""
    await _GIVE_BACK.run(conn, uuid=uuid)


async def insert_invited_address(conn: Connection, *, email: str) -> None:
    """Note for 30 days that an address in lower case has used an invitation."""
    await _NOTE_ADDRESS.run(conn, email=email)


async def delete_invited_address(conn: Connection, *, email: str) -> bool:
    """Delete the note about an address in lower case; return False if there is none."""
    return await _TAKE_ADDRESS.value(conn, email=email) is not None
