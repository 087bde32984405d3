"""Authenticate requests: verify the `Authorization` header and return its viewer."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from cruddur.db import users as db
from cruddur.db.pool import Database
from cruddur.errors import (
    ForbiddenError,
    InsufficientScopeError,
    InvalidError,
    UnauthenticatedError,
    UnavailableError,
)
from cruddur.identity.api_tokens import ApiTokenVerifier, is_api_token
from cruddur.identity.provider import Attributes
from cruddur.identity.provisioning import provision_user
from cruddur.identity.suspension import SuspensionProofs
from cruddur.identity.tokens import Claims, Verifier
from cruddur.identity.viewer import Viewer, check_session
from cruddur.wire import Scope

logger = logging.getLogger(__name__)

Describe = Callable[[Claims, str], Awaitable[Attributes]]
"""Returns the attributes that the issuer has of a user, for verified claims and their token."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account of a token, and whether it is an API token."""

    name: str
    has_api_token: bool


class Authenticator:
    """Verifies access tokens and API tokens, and finds their users.

    An access token of ours names its user, so it needs no lookup. The user of another issuer's
    token is looked up once per token, and inserted into our table if it is not there.
    """

    def __init__(
        self,
        database: Database,
        verifier: Verifier,
        api_tokens: ApiTokenVerifier,
        describers: Mapping[str, Describe],
        suspensions: SuspensionProofs,
        demo_handle: str,
    ) -> None:
        """Set the dependencies.

        Args:
            database: holds the users.
            verifier: verifies access tokens.
            api_tokens: verifies API tokens.
            describers: functions that return the attributes of users, by the issuer's name.
            suspensions: verifies the proofs of suspended users.
            demo_handle: the user for requests without a token; empty for none.
        """
        self._database = database
        self._verifier = verifier
        self._api_tokens = api_tokens
        self._describers = describers
        self._suspensions = suspensions
        self._demo_handle = demo_handle.lower()
        # The users of other issuers' tokens, for as long as the verifier caches the claims.
        self._users: WeakKeyDictionary[Claims, db.UserIdentity] = WeakKeyDictionary()

    def account(self, header: str) -> Account | None:
        """Return the account of a token whose claims are cached; None for any other header.

        The session may have ended since. Use the result for rate limits only: it proves nothing.
        """
        try:
            token = _bearer_token(header)
        except UnauthenticatedError:
            return None
        has_api_token = is_api_token(token)
        identity = (
            self._api_tokens.cached(token) if has_api_token else self._verifier.cached_claims(token)
        )
        if identity is None:
            return None
        return Account(f"{identity.issuer} {identity.subject}", has_api_token)

    async def require(self, header: str | None, scopes: Sequence[Scope] | None) -> Viewer:
        """Return the viewer of a header, or the demo viewer if there is no header.

        Args:
            header: the value of `Authorization`.
            scopes: the scopes that an API token needs; None if no API token is accepted.

        Raises:
            UnauthenticatedError: there is no valid token.
            InsufficientScopeError: the token is a valid API token without the scopes.
            UnavailableError: the issuer's keys or attributes are not available.
        """
        if header is None and self._demo_handle:
            return await self._demo_viewer()
        token = _bearer_token(header)
        if is_api_token(token):
            return await self._api_token_viewer(token, scopes)
        claims = await self._verifier.verify(token)
        if claims.user_uuid is not None:
            user_uuid, handle = claims.user_uuid, claims.username
        else:
            user = self._users.get(claims)
            if user is None:
                user = self._users[claims] = await self._find_or_create_user(claims, token)
            user_uuid, handle = user.uuid, user.handle
        return Viewer(
            uuid=user_uuid,
            session_uuid=claims.session_uuid,
            handle=handle,
            issuer=claims.issuer,
            subject=claims.subject,
            access_token=token,
            access_ends_at=claims.ends_at,
        )

    async def recognize(self, header: str | None, scopes: Sequence[Scope] | None) -> Viewer | None:
        """Return the viewer of a header, or None if there is no valid token.

        Raises:
            InsufficientScopeError: as `require` does.
        """
        if header is None and not self._demo_handle:
            return None
        try:
            return await self.require(header, scopes)
        except (UnauthenticatedError, UnavailableError):
            return None

    async def require_suspended(self, proof: str) -> Viewer:
        """Return the suspended user of a proof.

        Raises:
            UnauthenticatedError: the proof is not valid, the suspension is over, or the account
                was deleted.
        """
        uuid = self._suspensions.read(proof)
        async with self._database.connection() as conn:
            user = await db.select_suspended(conn, uuid=uuid)
        if user is None:
            raise UnauthenticatedError
        return _viewer_without_token(user, is_suspended=True)

    async def check_session(self, viewer: Viewer) -> None:
        """Check that a viewer's session is open.

        Raises:
            UnauthenticatedError: the session is not open, or the account was deleted.
        """
        async with self._database.connection() as conn:
            await check_session(conn, viewer)

    def evict(self, header: str | None) -> None:
        """Evict what is cached about a token, so that the next request looks it up.

        An API token may have been revoked. After an account is deleted, an operator may link its
        subject to another user.
        """
        if header is None:
            return
        token = _bearer_token(header)
        if is_api_token(token):
            self._api_tokens.evict(token)
        elif claims := self._verifier.cached_claims(token):
            self._users.pop(claims, None)

    async def _find_or_create_user(self, claims: Claims, token: str) -> db.UserIdentity:
        """Return the user of another issuer's token, inserting them on first sight.

        Raises:
            UnauthenticatedError: the account was deleted while the token was valid, or the user may
                not open one.
        """
        async with self._database.connection() as conn:
            user = await db.select_viewer(conn, issuer=claims.issuer, subject=claims.subject)
        if user is not None:
            return user
        attributes = await self._describers[claims.issuer](claims, token)
        try:
            async with self._database.transaction() as conn:
                user = await provision_user(
                    conn, issuer=claims.issuer, subject=claims.subject, attributes=attributes
                )
        except (ForbiddenError, InvalidError) as error:
            raise UnauthenticatedError from error
        if user is None:
            raise UnauthenticatedError
        return user

    async def _api_token_viewer(self, token: str, scopes: Sequence[Scope] | None) -> Viewer:
        identity = await self._api_tokens.verify(token)
        viewer = Viewer(
            uuid=identity.user_uuid,
            session_uuid=identity.session_uuid,
            handle=identity.handle,
            issuer=identity.issuer,
            subject=identity.subject,
            access_token="",
            access_ends_at=identity.expires_at,
        )
        if scopes is None or not set(scopes) <= set(identity.scopes):
            await self.check_session(viewer)  # 401 has precedence, as for every other error
            raise InsufficientScopeError("insufficient_scope", scopes=scopes or ())
        return viewer

    async def _demo_viewer(self) -> Viewer:
        async with self._database.connection() as conn:
            user = await db.select_viewer_by_handle(conn, handle=self._demo_handle)
        if user is None:
            logger.error("CRUDDUR_DEMO_HANDLE names no user: %s", self._demo_handle)
            raise UnauthenticatedError
        return _viewer_without_token(user)


def _viewer_without_token(user: db.UserIdentity, *, is_suspended: bool = False) -> Viewer:
    return Viewer(
        uuid=user.uuid,
        session_uuid=None,
        handle=user.handle,
        issuer=user.issuer,
        subject=user.subject,
        access_token="",
        is_suspended=is_suspended,
    )


def has_token(header: str | None) -> bool:
    """Return whether a header holds a JWT or an API token, valid or not.

    The published front ends send `Bearer null` after a sign-out.
    """
    return header is not None and (
        header.count(".") == 2 or is_api_token(header.rpartition(" ")[2])
    )


def _bearer_token(header: str | None) -> str:
    """Return the token of `Bearer <token>`; the scheme is case-insensitive (RFC 9110)."""
    parts = (header or "").split(" ")
    if len(parts) != 2 or parts[0].lower() != "bearer" or not parts[1]:
        raise UnauthenticatedError
    return parts[1]
