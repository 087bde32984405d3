"""Limit slow account calls per client address, so that no client can fill the hashing queue."""

import asyncio
from weakref import WeakValueDictionary

from cruddur.services.client_addresses import address_key

MAX_CONCURRENT_CALLS = 4
"""Slow calls of one address at a time. More calls of the same address wait."""


class ConcurrentCalls:
    """A semaphore for every address that has a slow call in progress in this process."""

    def __init__(self) -> None:
        """Start without calls."""
        # A semaphore lives as long as a call holds it or waits for it.
        self._semaphores: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, address: str) -> asyncio.Semaphore:
        """Return the semaphore to hold during a slow call of a client at this address."""
        key = address_key(address)
        semaphore = self._semaphores.get(key)
        if semaphore is None:
            self._semaphores[key] = semaphore = asyncio.Semaphore(MAX_CONCURRENT_CALLS)
        return semaphore
