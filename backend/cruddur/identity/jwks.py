"""Public keys of another issuer: fetched once, and again only for an unknown key id."""

import asyncio
import logging
import time

import httpx
import jwt
import msgspec

from cruddur.errors import UnavailableError

logger = logging.getLogger(__name__)

REFRESH_INTERVAL = 30.0
"""Minimum number of seconds between two fetches, because clients can invent key ids."""

RETRY_INTERVAL = 5.0
"""Minimum number of seconds after a failed fetch."""


class KeysUnavailableError(UnavailableError):
    """The issuer's keys were never fetched and cannot be fetched now."""


class RemoteKeySet:
    """A JWKS at one URL, cached for the life of the process."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        """Set the URL of the key set and the client that fetches it."""
        self._url = url
        self._http = http
        self._keys: dict[str, jwt.PyJWK] = {}
        self._lock = asyncio.Lock()
        self._tried_at = -REFRESH_INTERVAL
        self._failed = False

    async def find(self, kid: str) -> jwt.PyJWK | None:
        """Return the key with this id. An unknown id causes at most one fetch at a time.

        Raises:
            KeysUnavailableError: no key set could be fetched yet.
        """
        if kid in self._keys:
            return self._keys[kid]
        async with self._lock:
            wait = RETRY_INTERVAL if self._failed else REFRESH_INTERVAL
            if kid not in self._keys and time.monotonic() - self._tried_at >= wait:
                await self._fetch()
                self._tried_at = time.monotonic()
        if not self._keys:
            raise KeysUnavailableError
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        try:
            response = await self._http.get(self._url)
            response.raise_for_status()
            key_set = jwt.PyJWKSet.from_dict(msgspec.json.decode(response.content))
        except (httpx.HTTPError, msgspec.DecodeError, jwt.PyJWTError, AttributeError) as error:
            logger.warning("cannot fetch the key set from %s: %r", self._url, error)
            self._failed = True
            return
        self._failed = False
        self._keys = {key.key_id: key for key in key_set.keys if key.key_id}
