"""Turns at slow account calls, so that one address cannot fill the queue for password hashes."""

import asyncio
from weakref import WeakValueDictionary

from cruddur.services.client_addresses import address_key

MAX_CONCURRENT_CALLS = 4
"""Slow calls of one address at a time. More wait for their turn, and other addresses do not
wait for them."""


class AddressConcurrency:
    """The turns of every address that has a slow call in progress, in this process."""

    def __init__(self) -> None:
        """Begin with none."""
        # A semaphore lives as long as a call holds it or waits for it.
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, address: str) -> asyncio.Semaphore:
        """Return what to hold during a slow call of a client at this address."""
        key = address_key(address)
        turns = self._turns.get(key)
        if turns is None:
            self._turns[key] = turns = asyncio.Semaphore(MAX_CONCURRENT_CALLS)
        return turns
