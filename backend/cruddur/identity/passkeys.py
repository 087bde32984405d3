"""Passkeys of local accounts (WebAuthn): as the second factor, or instead of the password."""

import base64
import hashlib
import json
import logging
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import msgspec

from cruddur.db import passkeys as db
from cruddur.db import second_factors as factors_db
from cruddur.db.pool import Database
from cruddur.errors import InvalidError, NotFoundError
from cruddur.identity.second_factors import SERVICE, new_recovery_codes
from cruddur.identity.viewer import Viewer
from cruddur.wire import (
    Passkey,
    PasskeyAnswer,
    PasskeyAssertion,
    PasskeyChallenge,
    PasskeyCreation,
    PasskeyCreationOptions,
    PasskeyPurpose,
    PasskeyRegistration,
    PasskeyRequestOptions,
)

if TYPE_CHECKING:
    from fido2.server import Fido2Server

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_PASSKEYS = 20
"""Maximum number of passkeys per account."""

CHALLENGE_LIFETIME = timedelta(minutes=5)
"""The time to answer a challenge: WebAuthn recommends 5 minutes if the user has to be verified."""


@dataclass(frozen=True, slots=True)
class NewCredential:
    """The credential of a new passkey: its id, its public key with the id, and its counter."""

    id: bytes
    data: bytes
    sign_count: int


@dataclass(frozen=True)
class RelyingParty:
    """The service as authenticators know it, and the checks of what they sign.

    Attributes:
        domain: the domain that passkeys are for.
        origins: the origins whose pages may use them.
    """

    domain: str
    origins: Collection[str]

    def creation(self, viewer: Viewer, known: Collection[bytes]) -> tuple[Any, str]:
        """Return the options for a new passkey, and the state that `registered` needs.

        Args:
            viewer: the owner.
            known: the credential ids of the owner's other passkeys.
        """
        from fido2 import webauthn

        options, state = self._server.register_begin(
            webauthn.PublicKeyCredentialUserEntity(
                id=viewer.uuid.bytes, name=viewer.handle, display_name=viewer.handle
            ),
            [
                webauthn.PublicKeyCredentialDescriptor(
                    type=webauthn.PublicKeyCredentialType.PUBLIC_KEY, id=credential_id
                )
                for credential_id in known
            ],
            resident_key_requirement=webauthn.ResidentKeyRequirement.REQUIRED,
            user_verification=webauthn.UserVerificationRequirement.PREFERRED,
        )
        return options.public_key, json.dumps(state)

    def request(self, purpose: PasskeyPurpose) -> tuple[Any, str]:
        """Return the options for the use of a passkey, and the state that `sign_count` needs.

        Without the password, the authenticator has to verify its user.
        """
        from fido2.webauthn import UserVerificationRequirement

        options, state = self._server.authenticate_begin(
            user_verification=UserVerificationRequirement.REQUIRED
            if purpose == "sign_in"
            else UserVerificationRequirement.PREFERRED
        )
        return options.public_key, json.dumps(state)

    def registered(self, state: str, registration: PasskeyRegistration) -> NewCredential:
        """Check the answer to the options of `creation`.

        Raises:
            InvalidError: passkey_invalid.
        """
        from fido2.webauthn import RegistrationResponse

        try:
            response = RegistrationResponse.from_dict(msgspec.to_builtins(registration))
            data = self._server.register_complete(msgspec.json.decode(state), response)
            credential = data.credential_data
            if (
                credential is None
                or response.response.client_data.cross_origin
                or credential.public_key.ALGORITHM not in self._algorithms
                or credential.credential_id != response.raw_id
            ):
                raise InvalidError("passkey_invalid")
        # The library parses what the client sends, and reports faults by many kinds of exceptions.
        except Exception as error:
            raise InvalidError("passkey_invalid") from error
        return NewCredential(credential.credential_id, bytes(credential), data.counter)

    def sign_count(self, state: str, credential: bytes, assertion: PasskeyAssertion) -> int:
        """Check the answer to the options of `request`, and return the counter in it.

        Raises:
            InvalidError: passkey_invalid.
        """
        from fido2.webauthn import AttestedCredentialData, AuthenticationResponse

        try:
            response = AuthenticationResponse.from_dict(msgspec.to_builtins(assertion))
            self._server.authenticate_complete(
                msgspec.json.decode(state), [AttestedCredentialData(credential)], response
            )
            if response.response.client_data.cross_origin:
                raise InvalidError("passkey_invalid")
        except Exception as error:  # as above
            raise InvalidError("passkey_invalid") from error
        return int(response.response.authenticator_data.counter)

    @cached_property
    def _server(self) -> "Fido2Server":
        # Imported when it is needed: it costs 30 ms of CPU time, and more in development.
        from fido2.server import Fido2Server
        from fido2.webauthn import AttestationConveyancePreference, PublicKeyCredentialRpEntity

        return Fido2Server(
            PublicKeyCredentialRpEntity(id=self.domain, name=SERVICE),
            attestation=AttestationConveyancePreference.NONE,
            verify_origin=self.origins.__contains__,
        )

    @cached_property
    def _algorithms(self) -> set[int]:
        return {parameters.alg for parameters in self._server.allowed_algorithms}


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Stores and checks passkeys. `relying_party` is None where there cannot be any."""

    database: Database
    relying_party: RelyingParty | None

    @property
    def is_available(self) -> bool:
        """Whether there can be passkeys."""
        return self.relying_party is not None

    async def begin(self, viewer: Viewer) -> PasskeyCreation:
        """Return a challenge for a new passkey of the viewer, in the viewer's session.

        Raises:
            InvalidError: too_many_passkeys.
            NotFoundError: there are no passkeys here.
        """
        party = self._party()
        async with self.database.connection() as conn:
            known = await db.select_credential_ids(conn, user_uuid=viewer.uuid)
        if len(known) >= MAX_PASSKEYS:
            raise InvalidError("too_many_passkeys")
        options, state = party.creation(viewer, known)
        attempt = await self._store("registration", state, viewer)
        return PasskeyCreation(attempt, _converted(options, PasskeyCreationOptions))

    async def challenge(self, purpose: PasskeyPurpose) -> PasskeyChallenge:
        """Return a challenge for a sign-in. Raises NotFoundError: there are no passkeys here."""
        options, state = self._party().request(purpose)
        attempt = await self._store(purpose, state, None)
        return PasskeyChallenge(attempt, _converted(options, PasskeyRequestOptions))

    async def register(
        self, viewer: Viewer, attempt: str, name: str, registration: PasskeyRegistration
    ) -> tuple[Passkey, list[str]]:
        """Add the passkey that answers the challenge of `begin`.

        Returns:
            The passkey, and new recovery codes if the viewer has none.

        Raises:
            InvalidError: challenge_invalid, passkey_invalid.
            NotFoundError: there are no passkeys here.
        """
        party = self._party()
        state = await self._take("registration", attempt, viewer)
        credential = party.registered(state, registration)
        async with self.database.transaction() as conn:
            await factors_db.lock_second_factors(conn, user_uuid=viewer.uuid)
            created = await db.insert_passkey(
                conn,
                user_uuid=viewer.uuid,
                credential_id=credential.id,
                credential=credential.data,
                sign_count=credential.sign_count,
                name=name,
                max_passkeys=MAX_PASSKEYS,
            )
            if created is None:
                raise InvalidError("passkey_invalid")
            codes = await new_recovery_codes(conn, viewer.uuid)
        return Passkey(created.uuid, name, created.created_at, None), codes

    async def find(self, answer: PasskeyAnswer) -> db.StoredPasskey | None:
        """Return the passkey that an answer names. The answer is not checked yet."""
        credential_id = _bytes(answer.credential.raw_id)
        async with self.database.connection() as conn:
            return await db.select_passkey(conn, credential_id=credential_id)

    async def check(
        self, purpose: PasskeyPurpose, answer: PasskeyAnswer, passkey: db.StoredPasskey | None
    ) -> None:
        """Check that a passkey has answered a challenge with this purpose, and note its use.

        Raises:
            InvalidError: challenge_invalid, passkey_invalid.
            NotFoundError: there are no passkeys here.
        """
        party = self._party()
        state = await self._take(purpose, answer.attempt, None)
        if passkey is None:
            raise InvalidError("passkey_invalid")
        user_handle = answer.credential.response.user_handle
        if user_handle is not None and _bytes(user_handle) != passkey.user_uuid.bytes:
            raise InvalidError("passkey_invalid")
        sign_count = party.sign_count(state, passkey.credential, answer.credential)
        async with self.database.writing() as conn:
            is_newer = await db.update_sign_count(conn, uuid=passkey.uuid, sign_count=sign_count)
        if not is_newer:
            logger.warning("the counter of a passkey did not increase: there may be a copy of it")
            raise InvalidError("passkey_invalid")

    async def remove(self, user_uuid: UUID, uuid: UUID) -> None:
        """Remove a passkey of a user. Raises NotFoundError if there is none."""
        async with self.database.transaction() as conn:
            await factors_db.lock_second_factors(conn, user_uuid=user_uuid)
            if not await db.delete_passkey(conn, user_uuid=user_uuid, uuid=uuid):
                raise NotFoundError
            await factors_db.delete_recovery_codes(conn, user_uuid=user_uuid)

    def _party(self) -> RelyingParty:
        if self.relying_party is None:
            raise NotFoundError
        return self.relying_party

    async def _store(self, purpose: str, state: str, viewer: Viewer | None) -> str:
        """Store a challenge and return the token of its attempt."""
        attempt = secrets.token_urlsafe(32)
        async with self.database.writing() as conn:
            await db.insert_challenge(
                conn,
                attempt_hash=_digest(attempt),
                purpose=purpose,
                state=state,
                user_uuid=viewer.uuid if viewer else None,
                session_uuid=viewer.session_uuid if viewer else None,
                lifetime=CHALLENGE_LIFETIME,
            )
        return attempt

    async def _take(self, purpose: str, attempt: str, viewer: Viewer | None) -> str:
        """Return the state of a challenge, which cannot be answered again."""
        async with self.database.writing() as conn:
            state = await db.delete_challenge(
                conn,
                attempt_hash=_digest(attempt),
                purpose=purpose,
                user_uuid=viewer.uuid if viewer else None,
                session_uuid=viewer.session_uuid if viewer else None,
            )
        if state is None:
            raise InvalidError("challenge_invalid")
        return state


def _converted(options: Any, kind: type[T]) -> T:
    """Return options of the library, with the time to answer, as the wire type."""
    timeout = int(CHALLENGE_LIFETIME.total_seconds() * 1000)
    return msgspec.json.decode(json.dumps({**options, "timeout": timeout}), type=kind)


def _bytes(text: str) -> bytes:
    """Decode URL-safe base64; empty if the text has an impossible length."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""


def _digest(attempt: str) -> bytes:
    return hashlib.sha256(attempt.encode()).digest()
