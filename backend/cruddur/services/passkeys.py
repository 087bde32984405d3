"""Rules for the passkeys of local accounts. `services/accounts.py` has the sign-ins with them."""

from dataclasses import dataclass
from uuid import UUID

from cruddur.db import passkeys as db
from cruddur.db.statements import Connection
from cruddur.errors import NotFoundError
from cruddur.identity.passkeys import Passkeys
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services.second_factors import SecondFactorSettings
from cruddur.services.throttling import Client
from cruddur.wire import (
    NewPasskey,
    Passkey,
    PasskeyChallenge,
    PasskeyCreation,
    PasskeyDraft,
    PasskeyNameDraft,
    PasskeyPurposeDraft,
    SecondFactorPasswordDraft,
    SecondFactorProofDraft,
)


@dataclass(frozen=True, slots=True)
class PasskeySettings:
    """The settings of passkeys, which are changed with the same proofs as other second factors."""

    factors: SecondFactorSettings

    @property
    def is_available(self) -> bool:
        """Whether members can have passkeys."""
        return (accounts := self.factors.accounts) is not None and accounts.passkeys.is_available

    async def passkeys(self, conn: Connection, viewer: Viewer) -> list[Passkey]:
        """Return the viewer's passkeys, the oldest first.

        Raises:
            UnauthenticatedError: the viewer's session is not open.
        """
        return require_open_session(await db.select_passkeys(conn, viewer=viewer))

    async def begin(
        self, viewer: Viewer, draft: SecondFactorPasswordDraft, client: Client
    ) -> PasskeyCreation:
        """Check the password and return a challenge for a new passkey.

        Codes: credentials_invalid, too_many_passkeys, rate_limited, not_found.
        """
        await self.factors.check_password(viewer, draft.password, client)
        return await self._passkeys().begin(viewer)

    async def add(self, viewer: Viewer, draft: PasskeyDraft) -> NewPasskey:
        """Add a passkey. Codes: challenge_invalid, passkey_invalid, not_found."""
        passkey, codes = await self._passkeys().register(
            viewer, draft.attempt, draft.name, draft.credential
        )
        return NewPasskey(passkey, codes)

    async def rename(
        self, conn: Connection, viewer: Viewer, uuid: UUID, draft: PasskeyNameDraft
    ) -> Passkey:
        """Rename a passkey.

        Raises:
            NotFoundError: the viewer has no such passkey, or their session is not open.
        """
        renamed = await db.update_name(conn, viewer=viewer, uuid=uuid, name=draft.name)
        if renamed is None:
            raise NotFoundError
        return renamed

    async def remove(
        self, viewer: Viewer, uuid: UUID, draft: SecondFactorProofDraft, client: Client
    ) -> list[Passkey]:
        """Remove a passkey, with the password or a code as proof, and list the rest. Sessions stay.

        Codes: password_blank, credentials_invalid, code_invalid, rate_limited, not_found.
        """
        async with self.factors.database.connection() as conn:
            if uuid not in {passkey.uuid for passkey in await self.passkeys(conn, viewer)}:
                raise NotFoundError
        await self.factors.check_proof(viewer, draft, client)
        await self._passkeys().remove(viewer.uuid, uuid)
        async with self.factors.database.connection() as conn:
            return await self.passkeys(conn, viewer)

    async def challenge(self, draft: PasskeyPurposeDraft) -> PasskeyChallenge:
        """Return a challenge for a sign-in. Codes: not_found."""
        return await self._passkeys().challenge(draft.purpose)

    def _passkeys(self) -> Passkeys:
        return self.factors.local_accounts().passkeys
