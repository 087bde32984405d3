"""Queries for passkeys and the challenges that they answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.db.viewers import ViewerIds, parameters, private_rows
from cruddur.wire import Passkey

_BEGIN = load("passkeys.begin")
_CREATE = load("passkeys.create")
_CREDENTIALS = load("passkeys.credentials")
_FIND = load("passkeys.find")
_LIST = load("passkeys.list")
_REMOVE = load("passkeys.remove")
_RENAME = load("passkeys.rename")
_TAKE = load("passkeys.take")
_USE = load("passkeys.use")


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    """A passkey with its owner. `credential` has the public key (attested credential data)."""

    uuid: UUID
    user_uuid: UUID
    handle: str
    credential: bytes


@dataclass(frozen=True, slots=True)
class CreatedPasskey:
    """The identity of a passkey that was just inserted."""

    uuid: UUID
    created_at: datetime


async def insert_challenge(
    conn: Connection,
    *,
    attempt_hash: bytes,
    purpose: str,
    state: str,
    user_uuid: UUID | None,
    session_uuid: UUID | None,
    lifetime: timedelta,
) -> None:
    """Store a challenge for an attempt, and for a user and session if there are any."""
    await _BEGIN.run(
        conn,
        attempt_hash=attempt_hash,
        purpose=purpose,
        state=state,
        user_uuid=user_uuid,
        session_uuid=session_uuid,
        lifetime=lifetime,
    )


async def delete_challenge(
    conn: Connection,
    *,
    attempt_hash: bytes,
    purpose: str,
    user_uuid: UUID | None,
    session_uuid: UUID | None,
) -> str | None:
    """Delete a challenge, which has only one answer, and return its state.

    Returns:
        None if it has expired, was answered before, or belongs to something else.
    """
    state: str | None = await _TAKE.value(
        conn,
        attempt_hash=attempt_hash,
        purpose=purpose,
        user_uuid=user_uuid,
        session_uuid=session_uuid,
    )
    return state


async def select_credential_ids(conn: Connection, *, user_uuid: UUID) -> list[bytes]:
    """Return the ids of a user's passkeys that the authenticators have chosen."""
    return [row["credential_id"] for row in await _CREDENTIALS.rows(conn, user_uuid=user_uuid)]


async def insert_passkey(
    conn: Connection,
    *,
    user_uuid: UUID,
    credential_id: bytes,
    credential: bytes,
    sign_count: int,
    name: str,
    max_passkeys: int,
) -> CreatedPasskey | None:
    """Insert a passkey.

    Returns:
        None if it is registered, or if the user has `max_passkeys` or no local account.
    """
    row = await _CREATE.row(
        conn,
        user_uuid=user_uuid,
        credential_id=credential_id,
        credential=credential,
        sign_count=sign_count,
        name=name,
        max_passkeys=max_passkeys,
    )
    return CreatedPasskey(**row) if row else None


async def select_passkey(conn: Connection, *, credential_id: bytes) -> StoredPasskey | None:
    """Return the passkey with the id that its authenticator has chosen."""
    row = await _FIND.row(conn, credential_id=credential_id)
    return StoredPasskey(**row) if row else None


async def update_sign_count(conn: Connection, *, uuid: UUID, sign_count: int) -> bool:
    """Note that a passkey was used; return False if its counter did not increase."""
    return await _USE.run(conn, uuid=uuid, sign_count=sign_count) > 0


async def select_passkeys(conn: Connection, *, viewer: ViewerIds) -> list[Passkey] | None:
    """Return the viewer's passkeys, the oldest first; None if their session is not open."""
    rows = await private_rows(_LIST, conn, viewer)
    return None if rows is None else [Passkey(**row) for row in rows]


async def update_name(
    conn: Connection, *, viewer: ViewerIds, uuid: UUID, name: str
) -> Passkey | None:
    """Rename one of the viewer's passkeys; None if there is none, or their session is not open."""
    row = await _RENAME.row(conn, uuid=uuid, name=name, **parameters(viewer))
    return Passkey(**row) if row else None


async def delete_passkey(conn: Connection, *, user_uuid: UUID, uuid: UUID) -> bool:
    """Delete one of a user's passkeys; return False if there is none."""
    return await _REMOVE.run(conn, user_uuid=user_uuid, uuid=uuid) > 0
