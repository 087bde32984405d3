"""Queries for idempotency keys and their stored responses."""

from dataclasses import dataclass
from uuid import UUID

from cruddur.db.statements import Connection, load

_CLAIM = load("idempotency.claim")
_SHOW = load("idempotency.show")
_KEEP = load("idempotency.keep")


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The digest of the first request's body, and its response.

    `answer` is None if the crud or message in the response has expired or was deleted.
    """

    body_digest: bytes
    answer: bytes | None


async def insert_key(
    conn: Connection, *, member: str, route: str, key: str, body_digest: bytes
) -> UUID | None:
    """Insert a key and return its uuid, or None if it was used before.

    Waits for a concurrent transaction that inserts the same key.
    """
    uuid: UUID | None = await _CLAIM.value(
        conn, member=member, route=route, key=key, body_digest=body_digest
    )
    return uuid


async def select_key(
    conn: Connection, *, member: str, route: str, key: str
) -> StoredResponse | None:
    """Return the request and the response of a key."""
    row = await _SHOW.row(conn, member=member, route=route, key=key)
    return StoredResponse(**row) if row else None


async def insert_answer(
    conn: Connection,
    *,
    key_uuid: UUID,
    activity_uuid: UUID | None,
    message_uuid: UUID | None,
    answer: bytes,
) -> None:
    """Store the first response, for as long as the crud or message in it exists."""
    await _KEEP.run(
        conn,
        key_uuid=key_uuid,
        activity_uuid=activity_uuid,
        message_uuid=message_uuid,
        answer=answer,
    )
