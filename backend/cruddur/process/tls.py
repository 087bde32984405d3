"""TLS without a proxy: the certificate of the server, also when its files are replaced.

OpenSSL uses the certificate of a context for each new connection, so a new one is loaded into the
context of the running server. Connections that are open keep the old one.
"""

import asyncio
import logging
import ssl
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
    """The certificate or its key cannot be used.

    Attributes:
        advice: what to do about it, in one sentence.
    """

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class ServerCertificate:
    """The certificate that the server presents, in two files or in one.

    Attributes:
        certfile: the certificate and those that signed it, as PEM.
        keyfile: its private key, as PEM; the same file if it holds both.
        context: the context of the server, whose certificate `watch` replaces.
    """

    def __init__(self, certfile: Path, keyfile: Path) -> None:
        """Load the files.

        Raises:
            CertificateError: a file cannot be read, or is not what it should be.
        """
        self.certfile = certfile
        self.keyfile = keyfile
        self._stamp = self._read_stamp()
        self.context = self._load()

    @classmethod
    def from_settings(cls, settings: Settings) -> "ServerCertificate | None":
        """Load the certificate of the settings; return None for a server without TLS.

        Raises:
            CertificateError: a file cannot be read, or is not what it should be.
        """
        if not settings.certfile:
            return None
        return cls(Path(settings.certfile), Path(settings.keyfile or settings.certfile))

    async def watch(self) -> None:
        """Load the certificate again when a file has changed, until cancelled.

        A certificate that cannot be used is logged, and the server keeps the one that it has.
        """
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            stamp = self._read_stamp()
            if stamp == self._stamp:
                continue
            self._stamp = stamp
            try:
                self._load()  # a context that fails may have half of the new files
                self._load_into(self.context)
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
        is_encrypted = False

        def passphrase() -> str:
            nonlocal is_encrypted
            is_encrypted = True
            return ""

        try:
            for path in (self.certfile, self.keyfile):
                path.open("rb").close()  # OpenSSL does not say which file it cannot read
            context.load_cert_chain(self.certfile, self.keyfile, password=passphrase)
        except ssl.SSLError as error:
            raise self._explain(error, is_encrypted=is_encrypted) from error
        except OSError as error:
            raise CertificateError(
                f"cannot read {error.filename}: {error.strerror}",
                "Correct CRUDDUR_CERTFILE and CRUDDUR_KEYFILE, and let the user of the service"
                " read the files.",
            ) from error

    def _explain(self, error: ssl.SSLError, *, is_encrypted: bool) -> CertificateError:
        """Return the error for files that OpenSSL does not accept."""
        if is_encrypted:
            return CertificateError(
                f"the key in {self.keyfile} is encrypted with a passphrase",
                f"Decrypt it: `openssl pkey -in {self.keyfile} -out FILE`, and keep FILE private.",
            )
        if error.reason == "KEY_VALUES_MISMATCH":
            return CertificateError(
                f"the key in {self.keyfile} is not that of the certificate in {self.certfile}",
                "Set CRUDDUR_CERTFILE and CRUDDUR_KEYFILE to files of the same certificate; the"
                " certificate of the server comes before those that signed it.",
            )
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(self.certfile)
        except ssl.SSLError:
            return CertificateError(
                f"no certificate in {self.certfile}",
                "Set CRUDDUR_CERTFILE to a file with PEM certificates (BEGIN CERTIFICATE).",
            )
        return CertificateError(
            f"no private key in {self.keyfile}",
            "Set CRUDDUR_KEYFILE to a file with the private key as PEM (BEGIN PRIVATE KEY).",
        )

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
