"""The keys that sign our access tokens (ES256), and the secrets derived from them."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import jwt
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from jwt.algorithms import ECAlgorithm

from cruddur.settings import OperatorError

Secrets = Callable[[], Sequence[bytes]]
"""Returns the current secrets for one purpose: the first is for new data, all are for old data."""

_PEM = re.compile(r"-----BEGIN [^-]*-----.*?-----END [^-]*-----", re.DOTALL)


class SigningKeyError(OperatorError):
    """A configured key is not a private key on the curve P-256."""


class SigningKey:
    """A private key. Its `kid` is a digest of the public key, so it is not stored."""

    def __init__(self, pem: str) -> None:
        """Load a key from a PEM text.

        Raises:
            SigningKeyError: the text is not an EC P-256 private key.
        """
        try:
            key = serialization.load_pem_private_key(pem.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SigningKeyError(
                "CRUDDUR_SIGNING_KEY is not a readable PEM private key"
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise SigningKeyError("CRUDDUR_SIGNING_KEY is not an EC key on the curve P-256")
        self.private = key
        self.public = key.public_key()
        point = self.public.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
        )
        self.kid = base64.urlsafe_b64encode(hashlib.sha256(point).digest()[:12]).decode()

    def jwk(self) -> dict[str, Any]:
        """Return the public key as a JWK (RFC 7517)."""
        fields: dict[str, Any] = ECAlgorithm.to_jwk(self.public, as_dict=True)
        return {**fields, "kid": self.kid, "use": "sig", "alg": "ES256"}

    def secret(self, purpose: str) -> bytes:
        """Derive 32 bytes for one purpose from the key."""
        raw = self.private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(raw)


class KeyRing:
    """All keys of this deployment: the first one signs, and each one verifies."""

    def __init__(self, pems: Sequence[str]) -> None:
        """Load the private keys from PEM texts, the signing key first.

        Raises:
            SigningKeyError: as `SigningKey` says.
        """
        self._pems: Sequence[str] = ()
        self.replace_keys(pems)

    def replace_keys(self, pems: Sequence[str]) -> None:
        """Replace all keys."""
        if pems == self._pems:
            return
        self._pems = pems
        self._keys = {key.kid: key for key in map(SigningKey, pems)}
        self._signing = next(iter(self._keys.values()))
        self._secrets: dict[str, tuple[bytes, ...]] = {}

    def sign(self, claims: dict[str, Any]) -> str:
        """Return a signed JWT with these claims."""
        return jwt.encode(
            claims, self._signing.private, algorithm="ES256", headers={"kid": self._signing.kid}
        )

    def find(self, kid: str) -> ec.EllipticCurvePublicKey | None:
        """Return the public key with this id."""
        key = self._keys.get(kid)
        return key.public if key else None

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the public key set, for verifiers of our tokens."""
        return {"keys": [key.jwk() for key in self._keys.values()]}

    def secrets(self, purpose: str) -> tuple[bytes, ...]:
        """Return 32 bytes of each key for one purpose, the signing key's first.

        They are the same on every replica. Data that was signed or encrypted with the secret of a
        replaced key is valid as long as the key ring contains that key.
        """
        if purpose not in self._secrets:
            keys = self._keys.values()
            self._secrets[purpose] = tuple(key.secret(purpose) for key in keys)
        return self._secrets[purpose]


class Sealer:
    """Encrypts and decrypts stored texts (AES-256-GCM)."""

    def __init__(self, secrets: Secrets) -> None:
        """Set the secrets, of 32 bytes each."""
        self._secrets = secrets

    def key_digest(self) -> bytes:
        """Return 8 bytes that identify the key that `seal` uses."""
        return hashlib.sha256(self._secrets()[0]).digest()[:8]

    def seal(self, text: str) -> bytes:
        """Encrypt a text; the nonce is the first 12 bytes of the result."""
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self._secrets()[0]).encrypt(nonce, text.encode(), None)

    def open(self, sealed: bytes) -> str:
        """Decrypt a text.

        Raises:
            cryptography.exceptions.InvalidTag: it was not encrypted with any of the secrets.
        """
        for secret in self._secrets():
            with suppress(InvalidTag):
                return AESGCM(secret).decrypt(sealed[:12], sealed[12:], None).decode()
        raise InvalidTag


def derived_secrets(text: str, purpose: str) -> tuple[bytes, ...]:
    """Derive 32 bytes for one purpose from each secret of a text, which spaces separate."""
    return tuple(
        HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(part.encode())
        for part in text.split()
    )


def configured_keys(text: str) -> list[str]:
    r"""Split CRUDDUR_SIGNING_KEY into PEM texts; a text without PEM is returned unchanged.

    A line break may be written as `\n`, because a Docker env file has one line per variable.
    """
    text = text.replace(r"\n", "\n")
    return _PEM.findall(text) or [text]


def new_signing_key() -> str:
    """Generate an EC P-256 private key as PEM."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )
