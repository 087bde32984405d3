"""Limit the open connections of a worker, in total and per client address."""

import logging
import time
from collections import Counter

from cruddur.operating_system import max_open_files
from cruddur.services.client_addresses import address_key
from cruddur.settings import Settings

logger = logging.getLogger("cruddur.connections")

SPARE_DESCRIPTORS = 128
"""File descriptors reserved for everything except client connections and the pool."""

LOG_SECONDS = 60.0
"""Interval between two log lines about refused connections."""


class ConnectionLimits:
    """Counts the open connections of one worker."""

    def __init__(self, total: int, per_address: int | None) -> None:
        """Set the limits.

        Args:
            total: open connections of all clients.
            per_address: open connections of one address key; None for no such limit.
        """
        self._total = total
        self._per_address = per_address
        self._open = 0
        self._open_by_address: Counter[str] = Counter()
        self._refused = 0
        self._next_log = 0.0

    @classmethod
    def from_settings(cls, settings: Settings) -> "ConnectionLimits":
        """Return the limits of one worker.

        The total never exceeds what the process may open, and one address never gets more than half
        of the total. Behind trusted proxies every connection comes from a proxy, so addresses are
        not limited here.
        """
        max_files = max_open_files()
        total = settings.connections
        if max_files is not None:
            total = max(1, min(total, max_files - settings.pool_size - SPARE_DESCRIPTORS))
        if settings.trusted_hops:
            return cls(total, None)
        return cls(total, min(settings.connections_per_address, max(1, total // 2)))

    def admit(self, address: str | None) -> int | None:
        """Count a new connection, or return the status to refuse it with.

        Args:
            address: the client's address; None for a Unix socket, which counts in the total only.

        Returns:
            None if the connection is admitted (then `release` must follow), 503 if the worker
            is full, 429 if the address has too many.
        """
        key = address_key(address) if address else None
        if self._open >= self._total:
            self._log(f"the limit of {self._total} per worker is reached")
            return 503
        if key and self._per_address and self._open_by_address[key] >= self._per_address:
            self._log(f"{key} has {self._per_address} open")
            return 429
        self._open += 1
        if key:
            self._open_by_address[key] += 1
        return None

    def release(self, address: str | None) -> None:
        """Stop counting an admitted connection."""
        self._open -= 1
        if address:
            key = address_key(address)
            self._open_by_address[key] -= 1
            if not self._open_by_address[key]:
                del self._open_by_address[key]

    def _log(self, reason: str) -> None:
        self._refused += 1
        if (now := time.monotonic()) >= self._next_log:
            logger.warning("refused %d connections: %s", self._refused, reason)
            self._refused, self._next_log = 0, now + LOG_SECONDS
