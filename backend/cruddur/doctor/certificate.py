"""Check the certificate that `cruddur serve` presents: its files, dates, names and signatures."""

import os
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from cruddur.doctor.findings import Finding
from cruddur.process.tls import CertificateError, ServerCertificate
from cruddur.settings import Settings

CHECK = "certificate"

RENEWAL_DAYS = 14
"""A certificate that ends sooner should have been renewed: certbot renews 30 days before."""

RENEWAL_FRACTION = 0.25
"""The same for certificates with a short lifetime, as a fraction of it."""

# Results of verification: X509_V_ERR_* of OpenSSL.
_DATES = {9, 10}
_SELF_SIGNED = 18
_UNKNOWN_ISSUER = {19, 20, 21}
_OTHER_NAME = {62, 64}

_FLIGHTS = 3
"""Messages of each side in a handshake, at most."""


async def check_certificate(settings: Settings) -> list[Finding]:
    """Check the certificate of CRUDDUR_CERTFILE."""
    try:
        certificate = ServerCertificate.from_settings(settings)
    except CertificateError as error:
        return [Finding(CHECK, "fault", str(error), error.advice)]
    if certificate is None:
        message = "CRUDDUR_CERTFILE is not set: the service speaks HTTP, and TLS ends at a proxy"
        return [Finding(CHECK, "not configured", message)]
    chain = x509.load_pem_x509_certificates(certificate.certfile.read_bytes())
    findings = [
        *_check_mode(certificate.keyfile),
        *_check_dates(chain),
        *_check_trust(certificate, chain),
        *_check_names(settings, certificate, chain[0]),
    ]
    end = chain[0].not_valid_after_utc
    return findings or [Finding(CHECK, "ok", f"it is for {_names(chain[0])}, until {end:%F}")]


def _check_mode(keyfile: Path) -> Iterator[Finding]:
    if os.name == "posix" and keyfile.stat().st_mode & 0o004:
        message = f"every user of this machine can read the private key in {keyfile}"
        advice = (
            f"Give it to the user of the service alone: `chown USER {keyfile}` and"
            f" `chmod 600 {keyfile}`."
        )
        yield Finding(CHECK, "warning", message, advice)


def _check_dates(chain: list[x509.Certificate]) -> Iterator[Finding]:
    """Check the dates of the certificate and of those that signed it."""
    now = datetime.now(UTC)
    renew = "Renew it; a running service loads the new files within a second."
    for number, one in enumerate(chain):
        what = (
            "it" if number == 0 else f"the certificate of {_common_name(one.subject)} in its file"
        )
        begin, end = one.not_valid_before_utc, one.not_valid_after_utc
        margin = min(timedelta(days=RENEWAL_DAYS), RENEWAL_FRACTION * (end - begin))
        if begin > now:
            advice = "Check the clock of this machine, or use a certificate that is valid now."
            yield Finding(CHECK, "fault", f"{what} is not valid before {begin:%F %R} UTC", advice)
        elif end <= now:
            yield Finding(CHECK, "fault", f"{what} has expired on {end:%F %R} UTC", renew)
        elif end - now < margin:
            days = (end - now) / timedelta(days=1)
            message = f"{what} expires in {days:.1f} days, on {end:%F %R} UTC"
            yield Finding(CHECK, "warning", message, renew)


def _check_trust(
    certificate: ServerCertificate, chain: list[x509.Certificate]
) -> Iterator[Finding]:
    """Check whether clients find an authority that they know behind the signatures.

    They know those of SSL_CERT_FILE and SSL_CERT_DIR, or else those of Mozilla (certifi).
    """
    context = httpx.create_ssl_context()
    context.check_hostname = False
    error = _rejection(certificate, context)
    if error is None or error.verify_code in _DATES:
        return
    if error.verify_code == _SELF_SIGNED:
        message = "it is self-signed, so clients reject it unless it was installed there"
        advice = "Use a certificate of an authority; certbot gets one for nothing."
    elif error.verify_code in _UNKNOWN_ISSUER:
        issuer = _common_name(_missing_issuer(chain))
        message = (
            f"it is signed by {issuer}, which is neither in its file nor known to clients, so they"
            " reject it"
        )
        advice = (
            "Set CRUDDUR_CERTFILE to the file with the intermediate certificates, such as"
            f" fullchain.pem. If {issuer} is an authority of your own, install it at the clients."
        )
    else:
        message = f"clients reject it: {error.verify_message}"
        advice = "Use a certificate for servers, with a key and a signature of today's strength."
    yield Finding(CHECK, "warning", message, advice)


def _check_names(
    settings: Settings, certificate: ServerCertificate, own: x509.Certificate
) -> Iterator[Finding]:
    """Check that browsers accept the certificate at the addresses of the service."""
    if settings.trusted_hops:
        return  # browsers see the certificate of the proxy
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=own.public_bytes(Encoding.PEM).decode())
    context.verify_flags = ssl.VERIFY_X509_PARTIAL_CHAIN  # trusts the certificate itself
    urls = {"BACKEND_URL": settings.backend_origin}
    if settings.frontend_directory and settings.frontend_url.lower().startswith("https:"):
        urls["FRONTEND_URL"] = settings.frontend_url
    for variable, url in urls.items():
        parts = urlsplit(url)
        if url == "*" or not parts.hostname:
            continue
        advice = f"Set {variable} to https:// and a name of the certificate"
        if parts.scheme.lower() != "https":
            message = f"{variable} is {url}, but the service has a certificate and speaks TLS"
            yield Finding(CHECK, "fault", message, f"{advice}.")
        error = _rejection(certificate, context, parts.hostname)
        if error is not None and error.verify_code in _OTHER_NAME:
            is_set = variable != "BACKEND_URL" or bool(settings.backend_url)
            where = f"{variable} has {parts.hostname}" if is_set else f"{variable} is not set"
            yield Finding(
                CHECK,
                "fault" if is_set else "warning",
                f"it is for {_names(own)}, and {where}",
                f"{advice}, or use a certificate for {parts.hostname}." if is_set else f"{advice}.",
            )


def _rejection(
    certificate: ServerCertificate, client_context: ssl.SSLContext, host: str | None = None
) -> ssl.SSLCertVerificationError | None:
    """Connect a client to the server in memory, and return why it rejects the certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=host)
    server = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(_FLIGHTS):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                return error
    return None


def _missing_issuer(chain: list[x509.Certificate]) -> x509.Name:
    """Return the first issuer, from the certificate of the server on, that is not in the file."""
    by_subject = {one.subject: one for one in chain}
    issuer = chain[0].issuer
    while (found := by_subject.pop(issuer, None)) is not None:
        issuer = found.issuer
    return issuer


def _names(certificate: x509.Certificate) -> str:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "no name"
    return ", ".join(str(name.value) for name in found)


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()
