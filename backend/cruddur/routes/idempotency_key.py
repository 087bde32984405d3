"""Read the `Idempotency-Key` of the current request."""

import re
from collections.abc import Sequence

import msgspec
from quart import request

from cruddur.errors import InvalidError
from cruddur.services.idempotency import IdempotentCall

_HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def has_key() -> bool:
    """Return whether the current request has a key."""
    return _HEADER in request.headers


def idempotent_call(
    member: str, body: msgspec.Struct, secrets: Sequence[bytes]
) -> IdempotentCall | None:
    """Return the current request as a keyed call, or None if it has no key.

    Two bodies are equal if they have the same values; the bytes may differ.

    Args:
        member: the owner of the key: a user's uuid, or an e-mail address before sign-up.
        body: the parsed body.
        secrets: keys for the digest of the body; the signing key's first.

    Raises:
        InvalidError: idempotency_key_invalid, not 1 to 128 visible ASCII characters.
    """
    key = request.headers.get(_HEADER)
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidError("idempotency_key_invalid")
    return IdempotentCall(
        member=member,
        route=request.path.lower(),  # uuids and handles are case-insensitive
        key=key,
        body=msgspec.json.encode(body),
        secrets=secrets,
    )
