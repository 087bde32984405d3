"""The signing keys that the database keeps, where the settings give none.

A key that is added is read by every replica within a sweep interval, and begins to sign when
it is older than that (`SETTLE`): by then everybody can verify what it signs. Those that it
replaced verify, and open what they sealed, until nothing of theirs can be good any more.
"""

from datetime import timedelta

from cruddur.db.pool import Database
from cruddur.db.signing_keys import (
    delete_replaced_signing_keys,
    insert_signing_key,
    lock_signing_keys,
    select_signing_keys,
)
from cruddur.db.statements import Connection
from cruddur.identity.keys import KeyRing, SigningKey, new_signing_key


async def load_stored_keys(database: Database) -> KeyRing:
    """The database's keys; the first who needs one makes it."""
    async with database.transaction() as conn:
        await lock_signing_keys(conn)
        if not await select_signing_keys(conn):
            await _add_key(conn)
        return KeyRing(await select_signing_keys(conn))


async def reload_stored_keys(database: Database, keys: KeyRing) -> None:
    """Hold what the database keeps now."""
    async with database.connection() as conn:
        if pems := await select_signing_keys(conn):
            keys.hold(pems)


async def rotate_key(conn: Connection, lifetime: timedelta) -> str:
    """Add a key that will sign; returns its id. The caller's transaction commits it.

    Args:
        conn: a connection in a transaction.
        lifetime: how long after its replacement something of a key may still be good.
    """
    await lock_signing_keys(conn)
    await delete_replaced_signing_keys(conn, lifetime=lifetime)
    return await _add_key(conn)


async def _add_key(conn: Connection) -> str:
    pem = new_signing_key()
    kid = SigningKey(pem).kid
    await insert_signing_key(conn, kid=kid, private_key=pem)
    return kid
