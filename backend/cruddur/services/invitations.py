"""Rules for invitations, which admins make for new members."""

import secrets
from uuid import UUID

from cruddur.db import invitations as db
from cruddur.db.moderation import insert_audit_entry
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.wire import Invitation, InvitationDraft

MAX_INVITATIONS = 200
"""Maximum number of invitations that have not expired."""

_CODE_CHARS = 16
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without characters that look alike. A code of 16 cannot be guessed."""


async def create(conn: Connection, actor_uuid: UUID | None, draft: InvitationDraft) -> Invitation:
    """Create an invitation.

    Args:
        conn: a transaction.
        actor_uuid: the admin; None for the command line.
        draft: the invitation.

    Raises:
        InvalidError: too_many_invitations.
    """
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_CHARS))
    created = await db.insert_invitation(
        conn,
        code=code,
        max_uses=draft.max_uses,
        days=draft.days,
        max_invitations=MAX_INVITATIONS,
    )
    if created is None:
        raise InvalidError("too_many_invitations")
    why = f"{created.uuid}: {draft.max_uses} uses, {draft.days} days"
    await insert_audit_entry(conn, actor_uuid=actor_uuid, action="invite", why=why)
    return created


async def invitations(conn: Connection) -> list[Invitation]:
    """Return all invitations that have not expired, the latest first."""
    return await db.select_invitations(conn)


async def revoke(conn: Connection, actor_uuid: UUID | None, uuid: UUID) -> list[Invitation]:
    """Delete an invitation, and return the others. Sign-ups that have not been confirmed lose it.

    Raises:
        NotFoundError: there is no such invitation that has not expired.
    """
    if await db.delete_invitation(conn, uuid=uuid) is None:
        raise NotFoundError
    await insert_audit_entry(conn, actor_uuid=actor_uuid, action="revoke_invitation", why=str(uuid))
    return await db.select_invitations(conn)
