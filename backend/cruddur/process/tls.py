"""TLS without a proxy: the certificate of the server, also when its files are replaced.

OpenSSL uses the certificate of a context for each new connection, so a new one is loaded into the
context of the running server. Connections that are open keep the old one.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from cruddur.settings import OperatorError, Settings

logger = logging.getLogger(__name__)

PROTOCOLS = ("h2", "http/1.1")
"""The protocols that clients choose from, by ALPN (RFC 7301)."""

WATCH_SECONDS = 1.0
"""Interval in seconds between two checks for other files."""

_Stamp: TypeAlias = tuple[tuple[int, int, int], ...]


class CertificateError(OperatorError):
    """The certificate or its key cannot be used."""


@dataclass(slots=True)
class ServerCertificate:
    """The certificate that the server presents, in two files or in one.

    Attributes:
        certfile: the certificate and those that signed it, as PEM.
        keyfile: its private key, as PEM; the same file if it holds both.
    """

    certfile: Path
    keyfile: Path
    _context: ssl.SSLContext | None = None
    _stamp: _Stamp = field(default=())

    @classmethod
    def from_settings(cls, settings: Settings) -> "ServerCertificate | None":
        """Return the certificate of the settings, or None for a server without TLS."""
        if not settings.certfile:
            return None
        return cls(Path(settings.certfile), Path(settings.keyfile or settings.certfile))

    def create_context(self) -> ssl.SSLContext:
        """Return the context of a server, whose certificate `watch` replaces.

        Raises:
            CertificateError: a file cannot be read, or is not what it should be.
        """
        self._stamp = self._read_stamp()
        self._context = self._load()
        return self._context

    async def watch(self) -> None:
        """Load the certificate again when a file has changed, until cancelled.

        A certificate that cannot be used is logged, and the server keeps the one that it has.
        """
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            stamp = self._read_stamp()
            if stamp == self._stamp or self._context is None:
                continue
            self._stamp = stamp
            try:
                self._load()  # a context that fails may have half of the new files
                self._load_into(self._context)
            except CertificateError as error:
                logger.warning("the server keeps its certificate: %s", error)
            else:
                logger.info("the server has a new certificate, from %s", self.certfile)

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9113, 9.2
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION  # RFC 9113, 9.2.1
        context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")  # of TLS 1.2: RFC 9113, 9.2.2
        context.set_alpn_protocols(PROTOCOLS)
        self._load_into(context)
        return context

    def _load_into(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self.certfile, self.keyfile, password=lambda: "")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise CertificateError(
                    f"the key in {self.keyfile} is not that of the certificate in {self.certfile}"
                ) from error
            raise CertificateError(
                f"no certificate in {self.certfile}, or no key without a passphrase in"
                f" {self.keyfile}"
            ) from error
        except OSError as error:
            files = " and ".join(dict.fromkeys(map(str, (self.certfile, self.keyfile))))
            raise CertificateError(f"cannot read {files}: {error.strerror}") from error

    def _read_stamp(self) -> _Stamp:
        """Return what differs between two versions of the files; of a missing file, nothing."""
        stamps = []
        for path in (self.certfile, self.keyfile):
            try:
                found = path.stat()
            except OSError:
                stamps.append((0, 0, 0))
            else:
                stamps.append((found.st_ino, found.st_mtime_ns, found.st_size))
        return tuple(stamps)
