"""A cache of verified tokens by their digests, which evicts the least recently used one."""

from collections import OrderedDict
from typing import Generic, TypeVar

MAX_CACHED_TOKENS = 4096
"""Maximum number of verified tokens in a cache, which takes a few megabytes."""

T = TypeVar("T")


class TokenCache(Generic[T]):
    """What is known of verified tokens."""

    def __init__(self) -> None:
        """Begin with an empty cache."""
        self._entries: OrderedDict[bytes, T] = OrderedDict()

    def get(self, digest: bytes) -> T | None:
        """Return the entry of a token, which is now the most recently used one."""
        if digest not in self._entries:
            return None
        self._entries.move_to_end(digest)
        return self._entries[digest]

    def put(self, digest: bytes, entry: T) -> None:
        """Add the entry of a token that has none."""
        self._entries[digest] = entry
        if len(self._entries) > MAX_CACHED_TOKENS:
            self._entries.popitem(last=False)

    def evict(self, digest: bytes) -> None:
        """Delete the entry of a token, if there is one."""
        self._entries.pop(digest, None)
