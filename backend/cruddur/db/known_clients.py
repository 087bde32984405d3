"""Queries for clients that a user has signed in from: digests of device tokens and addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cruddur.db.statements import Connection, load

_FIND = load("known_clients.find")
_REMEMBER = load("known_clients.remember")

MAX_CLIENTS = 100
"""Maximum number of known clients per user."""


@dataclass(frozen=True, slots=True)
class LoginMatch:
    """The user of a login, and whether they have signed in from this device or address before."""

    uuid: UUID
    knows_device: bool
    knows_address: bool


async def select_login(
    conn: Connection, *, login: str, device_hashes: Sequence[bytes], address_hashes: Sequence[bytes]
) -> LoginMatch | None:
    """Return the user of a handle or an email address in lower case."""
    row = await _FIND.row(
        conn, login=login, device_hashes=device_hashes, address_hashes=address_hashes
    )
    return LoginMatch(**row) if row else None


async def upsert_clients(conn: Connection, *, user_uuid: UUID, hashes: Sequence[bytes]) -> None:
    """Record clients of a user; the least recently used ones beyond MAX_CLIENTS are deleted."""
    await _REMEMBER.run(
        conn, user_uuid=user_uuid, hashes=hashes, max_kept=MAX_CLIENTS - len(hashes)
    )
