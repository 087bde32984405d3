"""The second factor of local accounts: codes of an app (RFC 6238) and recovery codes."""

import base64
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from cruddur.db import second_factors as db
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.identity.keys import Sealer

logger = logging.getLogger(__name__)

now = time.time
"""The clock of the codes, in seconds since 1970."""

SERVICE = "Cruddur"
"""The name of the service in authenticator apps, and for passkeys."""

STEP_SECONDS = 30
DIGITS = 6
SECRET_BYTES = 20  # RFC 4226, section 4, R6

SKEW_STEPS = 1
"""How far the clock of the app may differ from ours, in time steps."""

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
"""Random bytes of a recovery code: 16 letters and digits, too many to guess from a digest."""

_IGNORED = re.compile(r"[\s-]")
_APP_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")


@dataclass(frozen=True, slots=True)
class NewSecret:
    """The secret of a second factor for the app: as base32 text, and as an `otpauth` URI."""

    secret: str
    uri: str


class SecondFactors:
    """Stores and checks second factors. Secrets are encrypted; recovery codes are digests."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        """Set the dependencies; `sealer` encrypts the secrets."""
        self._database = database
        self._sealer = sealer
        self._resealed_with = b""

    async def begin(self, user_uuid: UUID, handle: str) -> NewSecret:
        """Create the secret of a second factor, which `confirm` turns on.

        Raises:
            InvalidError: second_factor_on.
        """
        secret = secrets.token_bytes(SECRET_BYTES)
        text = base64.b32encode(secret).decode()
        async with self._database.writing() as conn:
            if not await db.upsert_secret(
                conn,
                user_uuid=user_uuid,
                sealed_secret=self._sealer.seal(text),
                key_digest=self._sealer.key_digest(),
            ):
                raise InvalidError("second_factor_on")
        return NewSecret(text, _totp(text).get_provisioning_uri(handle, SERVICE))

    async def confirm(self, user_uuid: UUID, code: str) -> list[str]:
        """Turn the second factor on with its first code.

        Returns:
            New recovery codes if the user has none.

        Raises:
            InvalidError: code_invalid, second_factor_on.
            NotFoundError: `begin` was not called.
        """
        async with self._database.connection() as conn:
            stored = await db.select_secret(conn, user_uuid=user_uuid)
        if stored is None:
            raise NotFoundError
        if stored.is_confirmed:
            raise InvalidError("second_factor_on")
        secret = self._open(stored.sealed_secret)
        step = None if secret is None else _matching_step(secret, _IGNORED.sub("", code))
        if step is None:
            raise InvalidError("code_invalid")
        async with self._database.transaction() as conn:
            await db.lock_second_factors(conn, user_uuid=user_uuid)
            if not await db.update_confirmed(
                conn, user_uuid=user_uuid, sealed_secret=stored.sealed_secret, step=step
            ):
                raise InvalidError("code_invalid")  # there is another secret since
            return await new_recovery_codes(conn, user_uuid)

    async def check(self, user_uuid: UUID, code: str) -> None:
        """Use up a code of the app or a recovery code.

        Raises:
            InvalidError: code_invalid, also for a code that was used before.
        """
        code = _IGNORED.sub("", code)
        is_valid = (
            await self._use_app_code(user_uuid, code)
            if _APP_CODE.fullmatch(code)
            else await self._use_recovery_code(user_uuid, code)
        )
        if not is_valid:
            raise InvalidError("code_invalid")

    async def remove(self, user_uuid: UUID) -> None:
        """Turn the second factor off. Raises NotFoundError if it is not on."""
        async with self._database.transaction() as conn:
            await db.lock_second_factors(conn, user_uuid=user_uuid)
            if not await db.delete_second_factor(conn, user_uuid=user_uuid):
                raise NotFoundError
            await db.delete_recovery_codes(conn, user_uuid=user_uuid)

    async def reseal(self) -> None:
        """Encrypt the secrets with the present key, once after it has changed.

        Without that, codes would not work any more after the removal of a replaced key.

        Raises:
            DatabaseUnavailableError: as `Database.writing` does.
        """
        key_digest = self._sealer.key_digest()
        if key_digest == self._resealed_with:
            return
        async with self._database.connection() as conn:
            sealed = await db.select_sealed_before(conn, key_digest=key_digest)
        opened = {uuid: self._open(secret) for uuid, secret in sealed.items()}
        new = {uuid: self._sealer.seal(text) for uuid, text in opened.items() if text is not None}
        if new:
            async with self._database.writing() as conn:
                await db.update_sealed(
                    conn, old_secrets=sealed, new_secrets=new, key_digest=key_digest
                )
        self._resealed_with = key_digest

    async def _use_app_code(self, user_uuid: UUID, code: str) -> bool:
        async with self._database.connection() as conn:
            stored = await db.select_secret(conn, user_uuid=user_uuid)
        secret = None if stored is None else self._open(stored.sealed_secret)
        if secret is None:
            return False
        step = _matching_step(secret, code)
        if step is None:
            return False
        async with self._database.writing() as conn:
            return await db.update_used_step(conn, user_uuid=user_uuid, step=step)

    async def _use_recovery_code(self, user_uuid: UUID, code: str) -> bool:
        async with self._database.writing() as conn:
            return await db.delete_recovery_code(conn, user_uuid=user_uuid, code_hash=_digest(code))

    def _open(self, sealed_secret: bytes) -> str | None:
        """Decrypt a secret. Returns None if its signing key has been removed."""
        try:
            return self._sealer.open(sealed_secret)
        except InvalidTag:
            logger.warning(
                "a second factor was encrypted with a signing key that has been removed:"
                " its user can sign in with a recovery code only"
            )
            return None


async def new_recovery_codes(conn: Connection, user_uuid: UUID) -> list[str]:
    """Store new recovery codes for a user who has none, and return them; otherwise none.

    Args:
        conn: a transaction with the lock of `lock_second_factors`.
        user_uuid: the user.
    """
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    is_stored = await db.insert_recovery_codes(
        conn, user_uuid=user_uuid, code_hashes=[_digest(code) for code in codes]
    )
    return codes if is_stored else []


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303  # the only one that all apps support


def _matching_step(secret: str, code: str) -> int | None:
    """Return the latest time step near the present whose code this is, or None."""
    totp = _totp(secret)
    matching = [
        step
        for step in _steps()
        if hmac.compare_digest(totp.generate(step * STEP_SECONDS), code.encode())
    ]
    return max(matching, default=None)


def _steps() -> Iterator[int]:
    present = int(now()) // STEP_SECONDS
    yield from range(present - SKEW_STEPS, present + SKEW_STEPS + 1)


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _digest(code: str) -> bytes:
    return hashlib.sha256(_IGNORED.sub("", code).lower().encode()).digest()
