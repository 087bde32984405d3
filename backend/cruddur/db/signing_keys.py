"""Queries for the keys that sign access tokens, if the settings contain none."""

from datetime import timedelta

from cruddur.db.statements import Connection, load

_LOCK = load("signing_keys.lock")
_LIST = load("signing_keys.list")
_CREATE = load("signing_keys.create")
_DELETE = load("signing_keys.delete_replaced")

SETTLE = timedelta(minutes=5)
"""Age at which a key starts to sign: by then, every replica has loaded it."""


async def lock_signing_keys(conn: Connection) -> None:
    """Block other writers of signing keys until the transaction ends."""
    await _LOCK.run(conn)


async def select_signing_keys(conn: Connection) -> list[str]:
    """Return the private keys as PEM, the signing one first."""
    return [row["private_key"] for row in await _LIST.rows(conn, settle=SETTLE)]


async def insert_signing_key(conn: Connection, *, kid: str, private_key: str) -> None:
    """Insert a key."""
    await _CREATE.run(conn, kid=kid, private_key=private_key)


async def delete_replaced_signing_keys(conn: Connection, *, lifetime: timedelta) -> int:
    """Delete the keys whose tokens have all expired since they were replaced; return the number."""
    return await _DELETE.run(conn, lifetime=lifetime + SETTLE)
