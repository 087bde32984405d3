"""Signing keys in the database, used if the settings contain none.

Every replica reads a new key within one sweep interval. The key signs only after that time
(`SETTLE`), when every replica can verify it. A replaced key still verifies tokens and decrypts data
until everything that it signed or encrypted has expired.
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
    """Load the keys from the database. The first worker that finds none creates one."""
    async with database.transaction() as conn:
        await lock_signing_keys(conn)
        if not await select_signing_keys(conn):
            await _add_key(conn)
        return KeyRing(await select_signing_keys(conn))


async def reload_stored_keys(database: Database, keys: KeyRing) -> None:
    """Replace the keys with those in the database."""
    async with database.connection() as conn:
        if pems := await select_signing_keys(conn):
            keys.replace_keys(pems)


async def rotate_key(conn: Connection, lifetime: timedelta) -> str:
    """Add a new signing key and return its id. The caller commits.

    Args:
        conn: a connection in a transaction.
        lifetime: how long data of a key may be valid after the key is replaced.
    """
    await lock_signing_keys(conn)
    await delete_replaced_signing_keys(conn, lifetime=lifetime)
    return await _add_key(conn)


async def _add_key(conn: Connection) -> str:
    pem = new_signing_key()
    kid = SigningKey(pem).kid
    await insert_signing_key(conn, kid=kid, private_key=pem)
    return kid
