"""The keys that sign access tokens, where the settings give none."""

from datetime import timedelta

from cruddur.db.statements import Connection, load

_LOCK = load("signing_keys.lock")
_LIST = load("signing_keys.list")
_CREATE = load("signing_keys.create")
_DELETE = load("signing_keys.delete_replaced")

SETTLE = timedelta(minutes=5)
"""How old a key is when it begins to sign: every replica has read it by then."""


async def lock_signing_keys(conn: Connection) -> None:
    """Keep other makers of keys out until the transaction ends."""
    await _LOCK.run(conn)


async def select_signing_keys(conn: Connection) -> list[str]:
    """The private keys as PEM, the one that signs first."""
    return [row["private_key"] for row in await _LIST.rows(conn, settle=SETTLE)]


async def insert_signing_key(conn: Connection, *, kid: str, private_key: str) -> None:
    """Keep one more key."""
    await _CREATE.run(conn, kid=kid, private_key=private_key)


async def delete_replaced_signing_keys(conn: Connection, *, lifetime: timedelta) -> int:
    """Forget the keys that were replaced so long ago that nothing of theirs is good; how many."""
    return await _DELETE.run(conn, lifetime=lifetime + SETTLE)
