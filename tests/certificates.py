"""Certificates of this machine for servers and clients of tests."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

SECURE_HOST = "secure.example"
"""A host of the web of tests (fakes/web.py)."""


def self_signed(directory: Path) -> Path:
    """Write a certificate of this machine and its key into one file, and return its path."""
    path = directory / "certificate.pem"
    path.write_bytes(b"".join(certificate_and_key()))
    return path


def certificate_and_key() -> tuple[bytes, bytes]:
    """Return a new certificate of this machine, and its key."""
    issued = issue("127.0.0.1", names=("127.0.0.1", SECURE_HOST))
    return issued.pem, issued.key_pem()


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self, passphrase: bytes = b"") -> bytes:
        """Return the key, encrypted if there is a passphrase."""
        encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def issue(
    name: str,
    *,
    names: tuple[str, ...] = (),
    issuer: Issued | None = None,
    begin: timedelta = timedelta(days=-1),
    end: timedelta = timedelta(days=1),
) -> Issued:
    """Issue a certificate.

    Args:
        name: its common name.
        names: host names and addresses; without any, it is the certificate of an authority.
        issuer: the authority that signs it; None: itself.
        begin, end: its dates, counted from now.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer.key if issuer else key
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begin)
        .not_valid_after(now + end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if names:
        extension: x509.ExtensionType = x509.SubjectAlternativeName(list(map(_name, names)))
    else:
        extension = x509.BasicConstraints(ca=True, path_length=None)
    builder = builder.add_extension(extension, critical=not names)
    return Issued(builder.sign(signer, hashes.SHA256()), key)


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)
