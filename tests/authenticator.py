"""An authenticator in software, with the browser that it is in: it makes and uses passkeys."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

ORIGIN = "http://localhost:4567"
"""The public origin of the service under test."""

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encoded(data: bytes) -> str:
    """Encode bytes as browsers do: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Decode bytes that a browser has encoded."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _cbor(value: Any) -> bytes:
    """Encode a value as CBOR (RFC 8949)."""
    match value:
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case dict():
            pairs = b"".join(_cbor(key) + _cbor(item) for key, item in value.items())
            return _head(5, len(value)) + pairs
    raise TypeError(type(value))


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    size = 1 if number < 256 else 2
    return bytes([kind << 5 | 23 + size]) + number.to_bytes(size, "big")


@dataclass
class Authenticator:
    """An authenticator with one passkey. A test changes what the authenticator does.

    Attributes:
        origin: the origin of the page that the browser shows.
        verifies: whether the authenticator verifies its user.
        is_framed: whether the page is in a frame of another site.
        count: its counter of signatures; None if it has none.
        algorithm: the number of the algorithm that it claims for its key (COSE).
    """

    origin: str = ORIGIN
    verifies: bool = True
    is_framed: bool = False
    count: int | None = 0
    algorithm: int = -7
    credential_id: bytes = b"credential of an authenticator"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    user_handle: str = ""

    def create(self, options: dict[str, Any], **other: Any) -> dict[str, Any]:
        """Make the passkey that the options ask for, or one with other options."""
        options = {**options, **other}
        self.user_handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public_key = {
            1: 2,
            3: self.algorithm,
            -1: 1,
            -2: numbers.x.to_bytes(32, "big"),
            -3: numbers.y.to_bytes(32, "big"),
        }
        attested = (
            bytes(16)
            + len(self.credential_id).to_bytes(2, "big")
            + self.credential_id
            + _cbor(public_key)
        )
        data = self._data(options["rp"]["id"], ATTESTED) + attested
        return self._credential(
            {
                "clientDataJSON": encoded(self._client("webauthn.create", options["challenge"])),
                "attestationObject": encoded(
                    _cbor({"fmt": "none", "attStmt": {}, "authData": data})
                ),
            }
        )

    def get(self, options: dict[str, Any], **other: Any) -> dict[str, Any]:
        """Use the passkey for the challenge of the options, or for other options."""
        options = {**options, **other}
        if self.count is not None:
            self.count += 1
        client = self._client("webauthn.get", options["challenge"])
        data = self._data(options["rpId"], 0)
        signed = data + hashlib.sha256(client).digest()
        return self._credential(
            {
                "clientDataJSON": encoded(client),
                "authenticatorData": encoded(data),
                "signature": encoded(self.key.sign(signed, ec.ECDSA(SHA256()))),
                "userHandle": self.user_handle,
            }
        )

    def _client(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin}
        return json.dumps({**data, "crossOrigin": self.is_framed}).encode()

    def _data(self, domain: str, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        count = (self.count or 0).to_bytes(4, "big")
        return hashlib.sha256(domain.encode()).digest() + bytes([flags]) + count

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": encoded(self.credential_id),
            "rawId": encoded(self.credential_id),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }
