"""The X-Ray daemon's UDP socket on the loopback: one segment document per datagram."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from typing import Any, Self, TypeVar

from patience import PATIENCE

T = TypeVar("T")

HEADER = b'{"format":"json","version":1}\n'
BUFFER_BYTES = 64 * 1024  # the real daemon's read buffer


class FakeXRayDaemon:
    """Never responds, like the real daemon; keeps malformed datagrams separately."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._datagrams: list[bytes] = []
        self._documents: list[dict[str, Any]] = []
        self._malformed: list[bytes] = []
        self._closing = False

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._receive, name="X-Ray daemon")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    @property
    def address(self) -> str:
        """Host and port, as in AWS_XRAY_DAEMON_ADDRESS."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The documents of the well-formed datagrams, the oldest first."""
        with self._changed:
            return list(self._documents)

    @property
    def malformed(self) -> list[bytes]:
        """Datagrams with another header, or without exactly one JSON object after it."""
        with self._changed:
            return list(self._malformed)

    @property
    def datagrams(self) -> list[bytes]:
        with self._changed:
            return list(self._datagrams)

    @property
    def raw_bytes(self) -> bytes:
        """Everything that arrived, to search for secrets."""
        return b"\n".join(self.datagrams)

    def wait_for(self, predicate: Callable[[], T], timeout: float = PATIENCE) -> T:
        """Block until the predicate is true. Raises TimeoutError after `timeout` seconds."""
        with self._changed:
            found = self._changed.wait_for(predicate, timeout)
            if not found:
                raise TimeoutError(f"not in {timeout} s; {len(self._datagrams)} datagrams arrived")
            return found

    async def arrival(self, predicate: Callable[[], T], seconds: float = PATIENCE) -> T:
        """`wait_for` without blocking the event loop."""
        return await asyncio.to_thread(self.wait_for, predicate, seconds)

    def _receive(self) -> None:
        while True:
            datagram = self._socket.recv(BUFFER_BYTES)
            if self._closing:
                return
            with self._changed:
                self._datagrams.append(datagram)
                document = _document(datagram)
                if document is None:
                    self._malformed.append(datagram)
                else:
                    self._documents.append(document)
                self._changed.notify_all()


def _document(datagram: bytes) -> dict[str, Any] | None:
    if not datagram.startswith(HEADER):
        return None
    try:
        document = json.loads(datagram.removeprefix(HEADER), parse_constant=_refuse)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
