"""Idempotency keys and what was answered for them."""

from dataclasses import dataclass
from uuid import UUID

from cruddur.db.statements import Connection, load

_CLAIM = load("idempotency.claim")
_SHOW = load("idempotency.show")
_KEEP = load("idempotency.keep")


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """What is known of a key that was used; no answer when what it quotes is gone."""

    body_digest: bytes
    answer: bytes | None


async def insert_key(
    conn: Connection, *, member: str, route: str, key: str, body_digest: bytes
) -> UUID | None:
    """Take a key; None when it was taken before. Waits for one who is just taking it."""
    uuid: UUID | None = await _CLAIM.value(
        conn, member=member, route=route, key=key, body_digest=body_digest
    )
    return uuid


async def select_key(
    conn: Connection, *, member: str, route: str, key: str
) -> StoredResponse | None:
    """What a key was used for."""
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
    """Keep the first answer, for as long as the crud or message that it quotes."""
    await _KEEP.run(
        conn,
        key_uuid=key_uuid,
        activity_uuid=activity_uuid,
        message_uuid=message_uuid,
        answer=answer,
    )
