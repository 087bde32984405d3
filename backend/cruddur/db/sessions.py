"""Sessions and their families of refresh tokens. Tokens are stored as SHA-256 digests."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.db.viewers import ViewerIds, parameters, private_rows
from cruddur.wire import SignInMethod

_CREATE = load("sessions.create")
_PRESENT = load("sessions.present")
_ROTATE = load("sessions.rotate")
_SUCCESSORS = load("sessions.successors")
_OF_TOKEN = load("sessions.of_token")
_LIST = load("sessions.list")
_IS_OPEN = load("sessions.is_open")
_DELETE = load("sessions.delete")
_REVOKE = load("sessions.revoke")
_DELETE_OLDEST = load("sessions.delete_oldest")
_LOCK = load("sessions.lock")
_DELETE_OTHERS = load("sessions.delete_others")


@dataclass(frozen=True, slots=True)
class TokenSession:
    """The session of a refresh token; `is_reused` if the token was exchanged before."""

    uuid: UUID
    user_uuid: UUID
    sealed_token: bytes | None
    is_reused: bool


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session as its owner sees it."""

    uuid: UUID
    device: str
    address: str
    method: SignInMethod
    created_at: datetime
    used_at: datetime


async def insert_session(
    conn: Connection,
    *,
    user_uuid: UUID,
    device: str,
    address: str,
    method: SignInMethod,
    sealed_token: bytes | None,
    token_hash: bytes,
    lifetime: timedelta,
) -> UUID:
    """Insert a session with its first refresh token."""
    uuid: UUID = await _CREATE.value(
        conn,
        user_uuid=user_uuid,
        device=device,
        address=address,
        method=method,
        sealed_token=sealed_token,
        token_hash=token_hash,
        lifetime=lifetime,
    )
    return uuid


async def lock_sessions(conn: Connection, *, user_uuid: UUID) -> bool:
    """Serialize the sign-ins of a user until the transaction ends.

    Returns:
        Whether the user may sign in: they are not suspended.
    """
    return not await _LOCK.value(conn, user_uuid=user_uuid)


async def delete_oldest_sessions(
    conn: Connection, *, user_uuid: UUID, max_kept: int
) -> list[bytes | None]:
    """Delete the oldest sessions of a user beyond a number; return their sealed tokens.

    API tokens do not count and stay.
    """
    rows = await _DELETE_OLDEST.rows(conn, user_uuid=user_uuid, max_kept=max_kept)
    return [row["sealed_token"] for row in rows]


async def select_token_session(conn: Connection, *, token_hash: bytes) -> TokenSession | None:
    """Return the open session of a refresh token."""
    row = await _PRESENT.row(conn, token_hash=token_hash)
    return TokenSession(**row) if row else None


async def rotate_token(
    conn: Connection,
    *,
    token_hash: bytes,
    new_token_hash: bytes,
    address: str,
    sealed_token: bytes | None,
    lifetime: timedelta,
) -> bool | None:
    """Exchange a refresh token for a new one and extend the session.

    Returns None if the session has ended, and False if the token was exchanged before; then
    `select_successors` returns the chain to the session's newest token.
    """
    is_first: bool | None = await _ROTATE.value(
        conn,
        token_hash=token_hash,
        new_token_hash=new_token_hash,
        address=address,
        sealed_token=sealed_token,
        lifetime=lifetime,
    )
    return is_first


async def select_successors(conn: Connection, *, token_hash: bytes) -> list[bytes]:
    """Return the digests of the tokens that followed a refresh token, the newest last."""
    return [row["successor_hash"] for row in await _SUCCESSORS.rows(conn, token_hash=token_hash)]


async def select_session_of(conn: Connection, *, token_hash: bytes) -> UUID | None:
    """Return the session of a refresh token."""
    uuid: UUID | None = await _OF_TOKEN.value(conn, token_hash=token_hash)
    return uuid


async def select_is_open(conn: Connection, *, viewer: ViewerIds) -> bool:
    """Return whether the viewer's session is open and their account exists."""
    return bool(await _IS_OPEN.value(conn, **parameters(viewer)))


async def select_sessions(conn: Connection, *, viewer: ViewerIds) -> list[ListedSession] | None:
    """Return the viewer's open sessions, the last used first, without API tokens.

    Returns:
        None if the viewer's own session is not open.
    """
    rows = await private_rows(_LIST, conn, viewer)
    return None if rows is None else [ListedSession(**row) for row in rows]


async def delete_session(conn: Connection, *, uuid: UUID, user_uuid: UUID) -> list[bytes | None]:
    """Delete a session; return its sealed token in a list, which is empty if there is none."""
    rows = await _DELETE.rows(conn, uuid=uuid, user_uuid=user_uuid)
    return [row["sealed_token"] for row in rows]


async def revoke_session(conn: Connection, *, uuid: UUID, viewer: ViewerIds) -> list[bytes | None]:
    """End one session of the viewer and return its sealed token in a list.

    The list is empty if the viewer has no such session, or if their own session is not open.
    """
    rows = await _REVOKE.rows(conn, uuid=uuid, **parameters(viewer))
    return [row["sealed_token"] for row in rows]


async def delete_other_sessions(
    conn: Connection, *, user_uuid: UUID, kept_uuid: UUID | None, keeps_tokens: bool
) -> list[bytes | None]:
    """Delete all sessions of a user except one, and except API tokens if `keeps_tokens` is true.

    Returns:
        Their sealed tokens.
    """
    rows = await _DELETE_OTHERS.rows(
        conn, user_uuid=user_uuid, kept_uuid=kept_uuid, keeps_tokens=keeps_tokens
    )
    return [row["sealed_token"] for row in rows]
