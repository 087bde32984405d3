"""Queries for second factors and their recovery codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from cruddur.db.statements import Connection, load
from cruddur.db.viewers import ViewerIds, parameters

_BEGIN = load("second_factors.begin")
_CONFIRM = load("second_factors.confirm")
_CREATE_CODES = load("second_factors.create_codes")
_LOCK = load("second_factors.lock")
_REMOVE = load("second_factors.remove")
_REMOVE_CODES = load("second_factors.remove_codes")
_RESEAL = load("second_factors.reseal")
_SEALED_BEFORE = load("second_factors.sealed_before")
_SECRET = load("second_factors.secret")
_STATUS = load("second_factors.status")
_USE_RECOVERY_CODE = load("second_factors.use_recovery_code")
_USE_STEP = load("second_factors.use_step")


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """The secret of a second factor; sign-ins ask for a code once it is confirmed."""

    sealed_secret: bytes
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class FactorState:
    """Whether a user has a local account and a confirmed second factor."""

    has_account: bool
    is_on: bool
    recovery_codes_left: int


async def upsert_secret(
    conn: Connection, *, user_uuid: UUID, sealed_secret: bytes, key_digest: bytes
) -> bool:
    """Store the secret of a new second factor, in place of one that is not confirmed.

    `key_digest` identifies the key of the encryption.

    Returns:
        False if the user has a confirmed one, or no local account.
    """
    inserted = await _BEGIN.value(
        conn, user_uuid=user_uuid, sealed_secret=sealed_secret, key_digest=key_digest
    )
    return inserted is not None


async def select_secret(conn: Connection, *, user_uuid: UUID) -> StoredSecret | None:
    """Return the secret of a user's second factor."""
    row = await _SECRET.row(conn, user_uuid=user_uuid)
    return StoredSecret(**row) if row else None


async def update_confirmed(
    conn: Connection, *, user_uuid: UUID, sealed_secret: bytes, step: int
) -> bool:
    """Confirm a second factor with the code of a time step.

    Returns:
        False if it was confirmed before, or has another secret.
    """
    confirmed = await _CONFIRM.run(
        conn, user_uuid=user_uuid, sealed_secret=sealed_secret, step=step
    )
    return confirmed > 0


async def lock_second_factors(conn: Connection, *, user_uuid: UUID) -> None:
    """Serialize the changes of a user's second factors until the transaction ends."""
    await _LOCK.run(conn, user_uuid=user_uuid)


async def insert_recovery_codes(
    conn: Connection, *, user_uuid: UUID, code_hashes: Sequence[bytes]
) -> bool:
    """Store recovery codes; return False if the user has some."""
    return await _CREATE_CODES.run(conn, user_uuid=user_uuid, code_hashes=code_hashes) > 0


async def delete_recovery_codes(conn: Connection, *, user_uuid: UUID) -> None:
    """Delete the recovery codes of a user who has no second factor any more."""
    await _REMOVE_CODES.run(conn, user_uuid=user_uuid)


async def update_used_step(conn: Connection, *, user_uuid: UUID, step: int) -> bool:
    """Note that the code of a time step is used; return False if it cannot be used any more."""
    return await _USE_STEP.run(conn, user_uuid=user_uuid, step=step) > 0


async def select_sealed_before(conn: Connection, *, key_digest: bytes) -> dict[UUID, bytes]:
    """Return the secrets that another key than this one has encrypted, by user."""
    rows = await _SEALED_BEFORE.rows(conn, key_digest=key_digest)
    return {row["user_uuid"]: row["sealed_secret"] for row in rows}


async def update_sealed(
    conn: Connection,
    *,
    old_secrets: Mapping[UUID, bytes],
    new_secrets: Mapping[UUID, bytes],
    key_digest: bytes,
) -> None:
    """Replace encrypted secrets, unless another worker has replaced them."""
    await _RESEAL.run(
        conn,
        user_uuids=list(new_secrets),
        old_secrets=[old_secrets[uuid] for uuid in new_secrets],
        new_secrets=list(new_secrets.values()),
        key_digest=key_digest,
    )


async def delete_recovery_code(conn: Connection, *, user_uuid: UUID, code_hash: bytes) -> bool:
    """Delete a recovery code; return False if there is no such code."""
    return await _USE_RECOVERY_CODE.run(conn, user_uuid=user_uuid, code_hash=code_hash) > 0


async def delete_second_factor(conn: Connection, *, user_uuid: UUID) -> bool:
    """Delete a confirmed second factor; return False if there is none."""
    return await _REMOVE.run(conn, user_uuid=user_uuid) > 0


async def select_state(conn: Connection, *, viewer: ViewerIds) -> FactorState | None:
    """Return the state of the viewer's second factor; None if their session is not open."""
    row = await _STATUS.row(conn, **parameters(viewer))
    if row is None:
        return None
    return FactorState(row["has_account"], row["is_on"], row["recovery_codes_left"])
