"""Export segment documents to an X-Ray daemon over UDP; needs no extra."""

import errno
import logging
import select
import socket
import time
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from cruddur.settings.checks import parse_daemon_address
from cruddur.telemetry.export_queue import ExportError
from cruddur.telemetry.xray.documents import encode, segment

logger = logging.getLogger(__name__)

HEADER = b'{"format":"json","version":1}\n'

RESOLVE_SECONDS = 60.0
"""Interval of name resolution: a restarted daemon may have another address."""

BUFFER_WAIT_SECONDS = 0.5
"""Time to wait for space in the send buffer of the socket."""


class DaemonExporter(SpanExporter):
    """Sends one datagram for each span. UDP does not report a missing daemon.

    `oversized` counts the spans that were too large for a document.
    """

    def __init__(self, address: str) -> None:
        """Set the address from the value of AWS_XRAY_DAEMON_ADDRESS.

        Raises:
            ValueError: the address is malformed.
        """
        try:
            self._host, self._port = parse_daemon_address(address)
        except ValueError as error:
            raise ValueError(f"AWS_XRAY_DAEMON_ADDRESS {error}") from None
        self.oversized = 0
        self._socket: socket.socket | None = None
        self._address: Any = None  # its form depends on the family
        self._resolved_at = 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send each span. Resolves the name, so it is called from a background thread.

        Raises:
            ExportError: the host has no address, or the system cannot send.
        """
        sender = self._open()
        for span in spans:
            document = encode(segment(span))
            if document is None:
                self._record_oversized(span)
                continue
            try:
                self._send(sender, HEADER + document)
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise ExportError(f"cannot send to {self._description}: {error}") from error
                self._record_oversized(span)
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's name
        """Return at once, because nothing is buffered."""
        return True

    @property
    def _description(self) -> str:
        return f"the X-Ray daemon at {self._host}:{self._port}"

    def _open(self) -> socket.socket:
        now = time.monotonic()
        if self._socket is not None and now - self._resolved_at < RESOLVE_SECONDS:
            return self._socket
        try:
            addresses = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        except OSError as error:
            if self._socket is not None:  # the previous address may still be right
                return self._socket
            raise ExportError(f"cannot find {self._description}: {error}") from error
        # The daemon listens on IPv4, and `localhost` often means IPv6 first.
        family, kind, protocol, _, address = min(
            addresses, key=lambda candidate: candidate[0] != socket.AF_INET
        )
        self.shutdown()
        # Not connected: otherwise the next datagram fails if no daemon received the previous one.
        self._socket = socket.socket(family, kind, protocol)
        self._socket.setblocking(False)
        self._address = address
        self._resolved_at = now
        return self._socket

    def _send(self, sender: socket.socket, datagram: bytes) -> None:
        try:
            sender.sendto(datagram, self._address)
        except BlockingIOError:
            select.select([], [sender], [], BUFFER_WAIT_SECONDS)
            sender.sendto(datagram, self._address)

    def _record_oversized(self, span: ReadableSpan) -> None:
        self.oversized += 1
        logger.warning("the span %r is too large for an X-Ray document", span.name)
