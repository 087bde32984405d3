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

Secrets = Callable[[], Sequence[bytes]]
"""The secrets for one purpose as they are now: the first is used, all are understood."""

_PEM = re.compile(r"-----BEGIN [^-]*-----.*?-----END [^-]*-----", re.DOTALL)


class SigningKeyError(Exception):
    """A configured key is not a private key on the curve P-256."""


class SigningKey:
    """One private key; `kid` is a digest of its public half, so it needs no storage."""

    def __init__(self, pem: str) -> None:
        """Take a PEM text.

        Raises:
            SigningKeyError: it is not an EC P-256 private key.
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
        """The public half in the form of RFC 7517."""
        fields: dict[str, Any] = ECAlgorithm.to_jwk(self.public, as_dict=True)
        return {**fields, "kid": self.kid, "use": "sig", "alg": "ES256"}

    def secret(self, purpose: str) -> bytes:
        """32 bytes for one purpose, derived from the key."""
        raw = self.private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return HKDF(hashes.SHA256(), 32, salt=None, info=purpose.encode()).derive(raw)


class KeyRing:
    """All keys of this deployment: the first signs, every one verifies."""

    def __init__(self, pems: Sequence[str]) -> None:
        """Take the private keys as PEM texts, the signing one first.

        Raises:
            SigningKeyError: as `SigningKey` says.
        """
        self._pems: Sequence[str] = ()
        self.hold(pems)

    def hold(self, pems: Sequence[str]) -> None:
        """Hold these keys from now on, instead of those before."""
        if pems == self._pems:
            return
        self._pems = pems
        self._keys = {key.kid: key for key in map(SigningKey, pems)}
        self._signing = next(iter(self._keys.values()))
        self._secrets: dict[str, tuple[bytes, ...]] = {}

    def sign(self, claims: dict[str, Any]) -> str:
        """A signed JWT of these claims."""
        return jwt.encode(
            claims, self._signing.private, algorithm="ES256", headers={"kid": self._signing.kid}
        )

    def find(self, kid: str) -> ec.EllipticCurvePublicKey | None:
        """The public key of that id."""
        key = self._keys.get(kid)
        return key.public if key else None

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The key set that others verify our tokens with."""
        return {"keys": [key.jwk() for key in self._keys.values()]}

    def secrets(self, purpose: str) -> tuple[bytes, ...]:
        """32 bytes of each key for one purpose, the same on every replica; the signing key's first.

        What was made with the secret of a key that has been replaced is good as long as the
        key is held.
        """
        if purpose not in self._secrets:
            keys = self._keys.values()
            self._secrets[purpose] = tuple(key.secret(purpose) for key in keys)
        return self._secrets[purpose]


class Sealer:
    """Encrypts what must be stored and read back (AES-256-GCM)."""

    def __init__(self, secrets: Secrets) -> None:
        """Take secrets of 32 bytes."""
        self._secrets = secrets

    def seal(self, text: str) -> bytes:
        """The text, encrypted; the nonce comes first."""
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self._secrets()[0]).encrypt(nonce, text.encode(), None)

    def open(self, sealed: bytes) -> str:
        """The text again.

        Raises:
            cryptography.exceptions.InvalidTag: sealed with none of the secrets.
        """
        for secret in self._secrets():
            with suppress(InvalidTag):
                return AESGCM(secret).decrypt(sealed[:12], sealed[12:], None).decode()
        raise InvalidTag


def configured_keys(text: str) -> list[str]:
    r"""The PEM texts of CRUDDUR_SIGNING_KEY, of which there may be several; else the text itself.

    A line break may be written `\n`, as an env file of Docker has one line for a variable.
    """
    text = text.replace(r"\n", "\n")
    return _PEM.findall(text) or [text]


def new_signing_key() -> str:
    """A new EC P-256 private key, as PEM."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )
