"""Access tokens: ours are issued here, and those of every configured issuer verified."""

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

ISSUER = "cruddur"
"""The `iss` of our tokens and of the people with local accounts."""

CLIENT = "cruddur"
"""The `client_id` of our tokens."""

ACCESS_TOKEN_SECONDS = 15 * 60

LEEWAY_SECONDS = 10
"""How far an issuer's clock may be from ours: a token that was just issued must be good."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says."""

    issuer: str
    subject: str
    username: str
    session_uuid: UUID | None
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are accepted, and how they must be made.

    `find_key` takes a `kid` and returns a public key, or None for an unknown one.
    """

    name: str
    algorithm: str
    client_id: str
    find_key: Callable[[str], Awaitable[Any]]


def own_issuer(keys: KeyRing) -> Issuer:
    """The issuer that we are."""

    async def find_key(kid: str) -> Any:
        return keys.find(kid)

    return Issuer(name=ISSUER, algorithm="ES256", client_id=CLIENT, find_key=find_key)


def cognito_issuer(name: str, client_id: str, keys: RemoteKeySet) -> Issuer:
    """A Cognito user pool; `name` is its URL."""
    return Issuer(name=name, algorithm="RS256", client_id=client_id, find_key=keys.find)


def issue(keys: KeyRing, *, user_uuid: UUID, handle: str, session_uuid: UUID) -> str:
    """A new access token of ours, good for ACCESS_TOKEN_SECONDS."""
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


class Verifier:
    """Verifies access tokens without a network call, save for an unknown key id."""

    def __init__(self, issuers: list[Issuer]) -> None:
        """Take every issuer whose tokens are good here."""
        self._issuers = {issuer.name: issuer for issuer in issuers}

    async def verify(self, token: str) -> Claims:
        """Check signature, algorithm, issuer, times, use and client.

        Raises:
            UnauthenticatedError: the token is not good, whatever the reason.
            KeysUnavailableError: its issuer's keys cannot be had at the moment.
        """
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
            return _read(issuer, claims)
        except (jwt.PyJWTError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
            raise UnauthenticatedError from error


def _read(issuer: Issuer, claims: Mapping[str, Any]) -> Claims:
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
        # Every token of ours names its session: otherwise nothing could end it.
        session_uuid=UUID(str(claims.get("sid"))) if issuer.name == ISSUER else None,
        ends_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
    )
