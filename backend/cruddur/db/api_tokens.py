"""Queries for API tokens and their sessions. Tokens are stored as SHA-256 digests."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.db.viewers import ViewerIds, parameters, private_rows
from cruddur.wire import ApiToken, Scope

_CREATE = load("api_tokens.create")
_LIST = load("api_tokens.list")
_REVOKE = load("api_tokens.revoke")
_USE = load("api_tokens.use")


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """The session of a new token, and its times."""

    uuid: UUID
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ApiTokenIdentity:
    """The fields of a token that authentication needs."""

    user_uuid: UUID
    handle: str
    issuer: str
    subject: str
    session_uuid: UUID
    expires_at: datetime
    scopes: Sequence[Scope]


async def insert_token(
    conn: Connection,
    *,
    viewer: ViewerIds,
    name: str,
    scopes: Sequence[Scope],
    address: str,
    token_hash: bytes,
    lifetime: timedelta,
    max_tokens: int,
) -> CreatedToken | None:
    """Insert a token of the viewer with its session.

    Returns:
        None if the viewer has `max_tokens`, or if their own session is not open.
    """
    row = await _CREATE.row(
        conn,
        name=name,
        scopes=list(scopes),
        address=address,
        token_hash=token_hash,
        lifetime=lifetime,
        max_tokens=max_tokens,
        **parameters(viewer),
    )
    return CreatedToken(**row) if row else None


async def select_tokens(conn: Connection, *, viewer: ViewerIds) -> list[ApiToken] | None:
    """Return the viewer's tokens, the newest first; None if their own session is not open."""
    rows = await private_rows(_LIST, conn, viewer)
    return None if rows is None else [ApiToken(**row) for row in rows]


async def delete_token(conn: Connection, *, uuid: UUID, viewer: ViewerIds) -> bool:
    """End a token of the viewer.

    Returns:
        False if the viewer has no such token, or if their own session is not open.
    """
    return await _REVOKE.run(conn, uuid=uuid, **parameters(viewer)) > 0


async def update_used(conn: Connection, *, token_hash: bytes) -> ApiTokenIdentity | None:
    """Note that a token is used, and return its user and scopes; None if it is not valid."""
    row = await _USE.row(conn, token_hash=token_hash)
    return ApiTokenIdentity(**row) if row else None
