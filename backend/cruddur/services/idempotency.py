"""`Idempotency-Key`: for 24 hours, a repeated call gets the first response again."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from cruddur.db import idempotency as db
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """A call with an `Idempotency-Key`.

    Attributes:
        member: the owner of the key.
        route: the path of the request.
        key: the key.
        body: the body, parsed and encoded again, so that equal values have equal bytes.
        secrets: keys for the digest of the body; the signing key's first.
    """

    member: str
    route: str
    key: str
    body: bytes
    secrets: Sequence[bytes]

    def digest(self) -> bytes:
        """Return a digest of the body. It is keyed, because a body may contain a password."""
        return self._digest(self.secrets[0])

    def matches(self, digest: bytes) -> bool:
        """Return whether this is a digest of the body by any of the secrets."""
        return any(hmac.compare_digest(self._digest(secret), digest) for secret in self.secrets)

    def _digest(self, secret: bytes) -> bytes:
        return hmac.new(secret, self.body, hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class Created:
    """A response, and the uuid of the crud or message that it contains, if any."""

    answer: msgspec.Struct
    activity_uuid: UUID | None = None
    message_uuid: UUID | None = None


async def run_once(
    conn: Connection, call: IdempotentCall | None, create: Callable[[], Awaitable[Created]]
) -> msgspec.Raw:
    """Create something, or replay the first response.

    The key is inserted in the same transaction. So the second of two concurrent calls waits for
    the first, and a call that fails leaves its key unused.

    Raises:
        InvalidError: idempotency_key_reused, the body is different.
        NotFoundError: the created crud or message has expired or was deleted.
    """
    if call is None:
        return msgspec.Raw(msgspec.json.encode((await create()).answer))
    digest = call.digest()
    key_uuid = await db.insert_key(
        conn, member=call.member, route=call.route, key=call.key, body_digest=digest
    )
    if key_uuid is None:
        stored_response = await replay(conn, call)
        if stored_response is None:
            raise NotFoundError
        return stored_response
    created = await create()
    answer = msgspec.json.encode(created.answer)
    await db.insert_answer(
        conn,
        key_uuid=key_uuid,
        activity_uuid=created.activity_uuid,
        message_uuid=created.message_uuid,
        answer=answer,
    )
    return msgspec.Raw(answer)


async def replay(conn: Connection, call: IdempotentCall) -> msgspec.Raw | None:
    """Return the first response of a keyed call, or None if the key is unused.

    Raises:
        InvalidError: idempotency_key_reused, the body is different.
        NotFoundError: the created crud or message has expired or was deleted.
    """
    stored = await db.select_key(conn, member=call.member, route=call.route, key=call.key)
    if stored is None:
        return None
    if not call.matches(stored.body_digest):
        raise InvalidError("idempotency_key_reused")
    if stored.answer is None:
        raise NotFoundError
    return msgspec.Raw(stored.answer)
