"""The keys that sign access tokens, where the settings give none."""

from cruddur.db.statements import Connection, load

_LOCK = load("signing_keys.lock")
_LIST = load("signing_keys.list")
_CREATE = load("signing_keys.create")


async def lock_signing_keys(conn: Connection) -> None:
    """Keep other makers of keys out until the transaction ends."""
    await _LOCK.run(conn)


async def select_signing_keys(conn: Connection) -> list[str]:
    """The private keys as PEM, the newest first."""
    return [row["private_key"] for row in await _LIST.rows(conn)]


async def insert_first_signing_key(conn: Connection, *, kid: str, private_key: str) -> None:
    """Keep a key unless there is one; the caller keeps two such callers apart."""
    await _CREATE.run(conn, kid=kid, private_key=private_key)
