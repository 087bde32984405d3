"""Queries for changes of the address of a local account."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from cruddur.db.statements import Connection, load
from cruddur.db.viewers import ViewerIds, parameters

_BEGIN = load("email_changes.begin")
_CHANGE = load("email_changes.change")
_CONFIRM = load("email_changes.confirm")
_END_LATER = load("email_changes.end_later")
_SHOW = load("email_changes.show")
_STOP = load("email_changes.stop")
_WAITING = load("email_changes.waiting")


@dataclass(frozen=True, slots=True)
class Begun:
    """A change that has begun; `is_taken`: another account has the new address."""

    old_email: str
    is_taken: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits for its code."""

    uuid: UUID
    new_email: str
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class Stopped:
    """A change that was stopped; `is_confirmed`: the account has the new address."""

    user_uuid: UUID
    old_email: str
    created_at: datetime
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a user; `new_email` waits for its code."""

    email: str | None
    has_account: bool
    new_email: str | None


async def select_address(conn: Connection, *, viewer: ViewerIds) -> Address | None:
    """Return the viewer's address; None if their session is not open."""
    row = await _SHOW.row(conn, **parameters(viewer))
    return Address(**row) if row else None


async def insert_change(
    conn: Connection, *, user_uuid: UUID, email: str, code_hash: bytes, stop_hash: bytes
) -> Begun | None:
    """Begin a change, instead of one that waits for its code.

    Returns:
        None if there is no account, or while a reset of the password waits for its code.
    """
    row = await _BEGIN.row(
        conn, user_uuid=user_uuid, email=email, code_hash=code_hash, stop_hash=stop_hash
    )
    return Begun(**row) if row else None


async def select_waiting(conn: Connection, *, user_uuid: UUID) -> Waiting | None:
    """Return the change that waits for its code."""
    row = await _WAITING.row(conn, user_uuid=user_uuid)
    return Waiting(**row) if row else None


async def update_confirmed(conn: Connection, *, uuid: UUID, code_hash: bytes) -> bool:
    """Confirm a change; return False if it does not wait any more, or while a reset does."""
    return await _CONFIRM.value(conn, uuid=uuid, code_hash=code_hash) is not None


async def update_email(conn: Connection, *, user_uuid: UUID, email: str) -> bool:
    """Set the address of an account; return False if another account has it.

    The caller then rolls the transaction back: another account may get it at the same time, and a
    transaction does not continue after such an error.
    """
    try:
        return await _CHANGE.value(conn, user_uuid=user_uuid, email=email) is not None
    except asyncpg.UniqueViolationError:
        return False


async def delete_stopped(conn: Connection, *, stop_hash: bytes) -> Stopped | None:
    """Delete the change with this code for the old address, and return it."""
    row = await _STOP.row(conn, stop_hash=stop_hash)
    return Stopped(**row) if row else None


async def delete_later(conn: Connection, *, user_uuid: UUID, since_at: datetime) -> None:
    """Delete the changes of a user since a time."""
    await _END_LATER.run(conn, user_uuid=user_uuid, since_at=since_at)
