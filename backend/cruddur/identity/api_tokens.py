"""Issue API tokens, and verify them with a cache, so that most requests need no lookup."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from cruddur.db import api_tokens as db
from cruddur.db.api_tokens import ApiTokenIdentity
from cruddur.db.pool import Database
from cruddur.errors import UnauthenticatedError
from cruddur.identity.token_cache import TokenCache

PREFIX = "cruddur_"
"""The start of every API token. People and secret scanners recognize one by it."""

TOKEN_BYTES = 20
"""Random bytes of a token, written as hexadecimal digits."""

LOOKUP_SECONDS = 3600
"""Time after which a token is looked up again, which also records that it is in use."""

_TOKEN = re.compile(rf"{PREFIX}[0-9a-f]{{{2 * TOKEN_BYTES}}}")


@dataclass(frozen=True, slots=True)
class _Verified:
    """A verified token, and when to look it up again, by the monotonic clock."""

    token: ApiTokenIdentity
    lookup_at: float

    def is_current(self) -> bool:
        """Return whether the token has not expired and needs no lookup."""
        return monotonic() < self.lookup_at and datetime.now(UTC) < self.token.expires_at


class ApiTokenVerifier:
    """Verifies API tokens.

    The cache does not show whether a token was revoked since. The statement that acts for the
    viewer checks that, as it does for the session of an access token.
    """

    def __init__(self, database: Database) -> None:
        """Set the database, which holds the digests of the tokens."""
        self._database = database
        self._verified: TokenCache[_Verified] = TokenCache()

    async def verify(self, token: str) -> ApiTokenIdentity:
        """Return the user, the session and the scopes of a token.

        Raises:
            UnauthenticatedError: the token is malformed, unknown, revoked or expired.
            DatabaseUnavailableError: as `Database.writing` does.
        """
        if not _TOKEN.fullmatch(token):
            raise UnauthenticatedError
        digest = api_token_digest(token)
        cached = self._verified.get(digest)
        if cached is not None and cached.is_current():
            return cached.token
        self._verified.evict(digest)
        async with self._database.writing() as conn:
            found = await db.update_used(conn, token_hash=digest)
        if found is None:
            raise UnauthenticatedError
        self._verified.put(digest, _Verified(found, monotonic() + LOOKUP_SECONDS))
        return found

    def cached(self, token: str) -> ApiTokenIdentity | None:
        """Return a token that is in the cache and has not expired, or None."""
        cached = self._verified.get(api_token_digest(token))
        return cached.token if cached is not None and cached.is_current() else None

    def evict(self, token: str) -> None:
        """Evict a token, whose session has perhaps ended."""
        self._verified.evict(api_token_digest(token))


def is_api_token(token: str) -> bool:
    """Return whether a token is an API token, valid or not."""
    return token.startswith(PREFIX)


def new_api_token() -> str:
    """Return a new token."""
    return PREFIX + secrets.token_hex(TOKEN_BYTES)


def api_token_digest(token: str) -> bytes:
    """Return the digest of a token, which is stored. The token is random, so no key is needed."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
