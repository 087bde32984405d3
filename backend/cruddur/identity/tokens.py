"""Issue our access tokens, and verify those of every configured issuer."""

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt

from cruddur.errors import UnauthenticatedError
from cruddur.identity.jwks import RemoteKeySet
from cruddur.identity.keys import KeyRing
from cruddur.identity.token_cache import TokenCache

ISSUER = "cruddur"
"""The `iss` of our tokens, and the issuer of users with local accounts."""

CLIENT = "cruddur"
"""The `client_id` of our tokens."""

ACCESS_TOKEN_SECONDS = 15 * 60

LEEWAY_SECONDS = 10
"""Accepted difference between an issuer's clock and ours, so that a new token is valid."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Claims:
    """The claims of a verified access token.

    Attributes:
        issuer: the issuer's name.
        subject: the user's name with that issuer.
        username: the user's handle with that issuer.
        user_uuid, session_uuid: the user and the session of a token of ours; None in tokens of
            other issuers.
        ends_at: when the token expires.
    """

    issuer: str
    subject: str
    username: str
    user_uuid: UUID | None
    session_uuid: UUID | None
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer whose tokens are accepted.

    Attributes:
        name: the `iss` of its tokens.
        algorithm: the algorithm that signs them.
        client_id: the client that they must be issued for.
        find_key: takes a `kid` and returns a public key, or None for an unknown one.
    """

    name: str
    algorithm: str
    client_id: str
    find_key: Callable[[str], Awaitable[Any]]


def own_issuer(keys: KeyRing) -> Issuer:
    """Return the issuer of our own tokens."""

    async def find_key(kid: str) -> Any:
        return keys.find(kid)

    return Issuer(name=ISSUER, algorithm="ES256", client_id=CLIENT, find_key=find_key)


def cognito_issuer(name: str, client_id: str, keys: RemoteKeySet) -> Issuer:
    """Return a Cognito user pool as an issuer; `name` is its URL."""
    return Issuer(name=name, algorithm="RS256", client_id=client_id, find_key=keys.find)


def issue(keys: KeyRing, *, user_uuid: UUID, handle: str, session_uuid: UUID) -> str:
    """Return a new access token, valid for ACCESS_TOKEN_SECONDS."""
    now = int(time.time())
    return keys.sign(
        {
            "iss": ISSUER,
            "sub": str(user_uuid),
            "sid": str(session_uuid),
            "client_id": CLIENT,
            "token_use": "access",
            "username": handle,
            "iat": now,
            "nbf": now,
            "exp": now + ACCESS_TOKEN_SECONDS,
        }
    )


@dataclass(frozen=True, slots=True)
class _Verified:
    """A verified token: its claims, its times, and the key that signed it."""

    issuer: Issuer
    kid: str
    key: Any
    claims: Claims
    not_before: int
    expires_at: int

    def is_current(self) -> bool:
        """Return whether the token is valid at this time."""
        now = time.time()
        return self.not_before <= now + LEEWAY_SECONDS and now - LEEWAY_SECONDS < self.expires_at


class Verifier:
    """Verifies access tokens without a network call, unless a key id is unknown.

    The signature of a token is checked once. Its times, and whether the issuer still has its key,
    are checked each time. The cache stores digests instead of tokens.
    """

    def __init__(self, issuers: list[Issuer]) -> None:
        """Set the issuers whose tokens are accepted."""
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._verified: TokenCache[_Verified] = TokenCache()

    async def verify(self, token: str) -> Claims:
        """Check signature, algorithm, issuer, times, use and client.

        Raises:
            UnauthenticatedError: the token is not valid, for any reason.
            KeysUnavailableError: the issuer's keys are not available.
        """
        digest = _token_digest(token)
        verified = self._verified.get(digest)
        if verified is None or verified.key is not await verified.issuer.find_key(verified.kid):
            self._verified.evict(digest)
            verified = await self._check(token)
            self._verified.put(digest, verified)
        elif not verified.is_current():
            self._verified.evict(digest)
            raise UnauthenticatedError
        return verified.claims

    def cached_claims(self, token: str) -> Claims | None:
        """Return the cached claims of a token that has not expired, or None.

        It costs one digest, so it is cheap enough to run before any rate limit.
        """
        verified = self._verified.get(_token_digest(token))
        return verified.claims if verified is not None and verified.is_current() else None

    async def _check(self, token: str) -> _Verified:
        try:
            header = jwt.get_unverified_header(token)
            unverified = jwt.decode(token, options={"verify_signature": False})
            issuer = self._issuers.get(unverified.get("iss", ""))
            kid = header.get("kid")
            if issuer is None or not isinstance(kid, str) or header.get("alg") != issuer.algorithm:
                raise UnauthenticatedError
            key = await issuer.find_key(kid)
            if key is None:
                raise UnauthenticatedError
            claims = jwt.decode(
                token,
                key,
                algorithms=[issuer.algorithm],
                issuer=issuer.name,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "sub"], "verify_aud": False},
            )
            return _Verified(
                issuer,
                kid,
                key,
                _read_claims(issuer, claims),
                not_before=max(int(claims.get("nbf", 0)), int(claims.get("iat", 0))),
                expires_at=int(claims["exp"]),
            )
        except (jwt.PyJWTError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
            raise UnauthenticatedError from error


def _token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def _read_claims(issuer: Issuer, claims: Mapping[str, Any]) -> Claims:
    if claims.get("token_use") != "access":
        raise UnauthenticatedError
    if issuer.client_id not in {claims.get("client_id"), claims.get("aud")}:
        raise UnauthenticatedError
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or not subject.isprintable():
        raise UnauthenticatedError
    return Claims(
        issuer=issuer.name,
        subject=subject,
        username=str(claims.get("username") or subject),
        user_uuid=UUID(subject) if issuer.name == ISSUER else None,
        # Each of our tokens names its session; without one it could not be revoked.
        session_uuid=UUID(str(claims.get("sid"))) if issuer.name == ISSUER else None,
        ends_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
    )
