"""Rules for API tokens: tokens with which programs act for a member."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from cruddur.db import api_tokens as db
from cruddur.db.sessions import lock_sessions
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.identity.api_tokens import api_token_digest, new_api_token
from cruddur.identity.viewer import Viewer, check_session, require_open_session
from cruddur.wire import SCOPES, ApiToken, ApiTokenDraft, ApiTokenRevoked, NewApiToken, TokenTtl

MAX_TOKENS = 20
"""Maximum number of API tokens per account."""

LIFETIMES: Mapping[TokenTtl, timedelta] = {
    "1-day": timedelta(days=1),
    "7-days": timedelta(days=7),
    "30-days": timedelta(days=30),
    "90-days": timedelta(days=90),
    "365-days": timedelta(days=365),
}


async def create(
    conn: Connection, viewer: Viewer, draft: ApiTokenDraft, address: str
) -> NewApiToken:
    """Create a token. The database has only its digest.

    Args:
        conn: a transaction.
        viewer: the member.
        draft: the token.
        address: the address of the client.

    Raises:
        InvalidError: too_many_tokens.
        UnauthenticatedError: the viewer's session is not open.
    """
    token = new_api_token()
    scopes = [scope for scope in SCOPES if scope in draft.scopes]
    await lock_sessions(conn, user_uuid=viewer.uuid)
    created = await db.insert_token(
        conn,
        viewer=viewer,
        name=draft.name,
        scopes=scopes,
        address=address[:64],
        token_hash=api_token_digest(token),
        lifetime=LIFETIMES[draft.ttl],
        max_tokens=MAX_TOKENS,
    )
    if created is None:
        await check_session(conn, viewer)
        raise InvalidError("too_many_tokens")
    return NewApiToken(
        uuid=created.uuid,
        name=draft.name,
        scopes=scopes,
        created_at=created.created_at,
        used_at=None,
        expires_at=created.expires_at,
        token=token,
    )


async def tokens(conn: Connection, viewer: Viewer) -> list[ApiToken]:
    """Return the viewer's tokens, the newest first.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    return require_open_session(await db.select_tokens(conn, viewer=viewer))


async def revoke(conn: Connection, viewer: Viewer, uuid: UUID) -> ApiTokenRevoked:
    """Revoke a token. Its streams end at once.

    Raises:
        NotFoundError: the viewer has no such token, or their own session is not open.
    """
    if not await db.delete_token(conn, uuid=uuid, viewer=viewer):
        raise NotFoundError
    return ApiTokenRevoked(uuid)
