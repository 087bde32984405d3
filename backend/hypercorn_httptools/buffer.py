"""The bytes of a connection that were received and are not parsed yet."""

import sys

import h11


class Buffer:
    """Received bytes, which are taken from the front.

    Taking moves an index, so many pipelined requests are not copied again for each of them.
    """

    __slots__ = ("_data", "_searched", "_start")

    def __init__(self) -> None:
        self._data = b""
        self._start = 0
        self._searched = 0

    def __len__(self) -> int:
        """Return the number of bytes that are left."""
        return len(self._data) - self._start

    def append(self, data: bytes) -> None:
        """Add received bytes."""
        # An empty `bytes` plus another one is that other one, without a copy.
        self._data = self._data[self._start :] + data
        self._searched = max(0, self._searched - self._start)
        self._start = 0

    def rest(self, size: int = sys.maxsize) -> bytes:
        """Return the bytes, or the first ones, without taking them."""
        return self._data[self._start : self._start + size]

    def take(self, size: int) -> bytes:
        """Take up to `size` bytes."""
        start = self._start
        data = self._data[start : start + size]
        self._start = self._searched = start + len(data)
        return data

    def take_through(self, separator: bytes, limit: int) -> bytes | None:
        """Take the bytes up to the first separator, with it; None if it has not arrived.

        Bytes are not searched twice, so a caller must use the same separator until it is found.

        Raises:
            h11.RemoteProtocolError: if there are more bytes than `limit`.
        """
        begin = max(self._start, self._searched - len(separator) + 1)
        position = self._data.find(separator, begin)
        end = len(self._data) if position == -1 else position + len(separator)
        if end - self._start > limit:
            raise h11.RemoteProtocolError("a part of the request is too large", 431)
        if position == -1:
            self._searched = end
            return None
        return self.take(end - self._start)
