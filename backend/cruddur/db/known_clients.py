"""Clients that a person has signed in from, as keyed digests of device tokens and addresses."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cruddur.db.statements import Connection, load

_FIND = load("known_clients.find")
_REMEMBER = load("known_clients.remember")

MOST = 100
"""Clients of one person that are remembered."""


@dataclass(frozen=True, slots=True)
class Found:
    """The person of a login, and what they know of the client that shows it."""

    uuid: UUID
    knows_device: bool
    knows_address: bool


async def find_person(
    conn: Connection, *, login: str, device_hashes: Sequence[bytes], address_hashes: Sequence[bytes]
) -> Found | None:
    """Return the person of a handle or an e-mail address, in lower case."""
    row = await _FIND.row(
        conn, login=login, device_hashes=device_hashes, address_hashes=address_hashes
    )
    return Found(**row) if row else None


async def remember_clients(conn: Connection, *, user_uuid: UUID, hashes: Sequence[bytes]) -> None:
    """Make clients familiar to a person."""
    await _REMEMBER.run(conn, user_uuid=user_uuid, hashes=hashes, most=MOST - len(hashes))
