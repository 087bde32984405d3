"""Access tokens: ours are issued here, and those of every configured issuer verified."""

import hashlib
import time
from collections import OrderedDict
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

REMEMBERED = 4096
"""Tokens whose signature is not checked again, at most: some megabytes."""


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


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was good: what it says, when, and by which key."""

    issuer: Issuer
    kid: str
    key: Any
    claims: Claims
    begins: int
    ends: int

    def is_timely(self) -> bool:
        """Whether it is good by now and still is."""
        now = time.time()
        return self.begins <= now + LEEWAY_SECONDS and now - LEEWAY_SECONDS < self.ends


class Verifier:
    """Verifies access tokens without a network call, save for an unknown key id.

    The signature of a token is checked once: it cannot become wrong. Whether the token is in
    time and its key the issuer's is looked at each time. A digest stands for it, so that the
    tokens themselves lie nowhere.
    """

    def __init__(self, issuers: list[Issuer]) -> None:
        """Take every issuer whose tokens are good here."""
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    async def verify(self, token: str) -> Claims:
        """Check signature, algorithm, issuer, times, use and client.

        Raises:
            UnauthenticatedError: the token is not good, whatever the reason.
            KeysUnavailableError: its issuer's keys cannot be had at the moment.
        """
        digest = _token_digest(token)
        verified = self._verified.get(digest)
        if verified is None or verified.key is not await verified.issuer.find_key(verified.kid):
            self._verified.pop(digest, None)
            verified = await self._check(token)
            self._verified[digest] = verified
            if len(self._verified) > REMEMBERED:
                self._verified.popitem(last=False)
        elif not verified.is_timely():
            self._verified.pop(digest, None)
            raise UnauthenticatedError
        else:
            self._verified.move_to_end(digest)
        return verified.claims

    def known(self, token: str) -> Claims | None:
        """Return the claims of a token that was verified before and is still in time.

        Costs one digest, so it can be asked for every request, before any limit.
        """
        verified = self._verified.get(_token_digest(token))
        return verified.claims if verified is not None and verified.is_timely() else None

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
                _read(issuer, claims),
                begins=max(int(claims.get("nbf", 0)), int(claims.get("iat", 0))),
                ends=int(claims["exp"]),
            )
        except (jwt.PyJWTError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
            raise UnauthenticatedError from error


def _token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


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
        user_uuid=UUID(subject) if issuer.name == ISSUER else None,
        # Every token of ours names its session: otherwise nothing could end it.
        session_uuid=UUID(str(claims.get("sid"))) if issuer.name == ISSUER else None,
        ends_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
    )
