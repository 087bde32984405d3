"""Rules for the second factor of local accounts. Its code is checked by the sign-in."""

from dataclasses import dataclass

from cruddur.db import second_factors as db
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.identity.local import LocalAccounts
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services.concurrent_calls import ConcurrentCalls
from cruddur.services.throttling import Client, Throttle
from cruddur.wire import (
    RecoveryCodes,
    SecondFactor,
    SecondFactorCodeDraft,
    SecondFactorPasswordDraft,
    SecondFactorProofDraft,
    SecondFactorSecret,
)


@dataclass(frozen=True, slots=True)
class SecondFactorSettings:
    """The settings of second factors; `accounts` is None if another provider has the accounts."""

    database: Database
    accounts: LocalAccounts | None
    throttle: Throttle
    concurrent_calls: ConcurrentCalls

    async def state(self, conn: Connection, viewer: Viewer) -> SecondFactor:
        """Return whether the viewer's second factor is on.

        Raises:
            UnauthenticatedError: the viewer's session is not open.
        """
        state = require_open_session(await db.select_state(conn, viewer=viewer))
        if self.accounts is None or not state.has_account:
            return SecondFactor("unavailable", 0)
        return SecondFactor("on" if state.is_on else "off", state.recovery_codes_left)

    async def begin(
        self, viewer: Viewer, draft: SecondFactorPasswordDraft, client: Client
    ) -> SecondFactorSecret:
        """Check the password and return a new secret.

        Codes: credentials_invalid, second_factor_on, rate_limited; not_found with another provider.
        """
        accounts = self.local_accounts()
        await self.check_password(viewer, draft.password, client)
        new = await accounts.second_factors.begin(viewer.uuid, viewer.handle)
        return SecondFactorSecret(new.secret, new.uri)

    async def confirm(self, viewer: Viewer, draft: SecondFactorCodeDraft) -> RecoveryCodes:
        """Turn the second factor on. Codes: code_invalid, second_factor_on, not_found."""
        codes = await self.local_accounts().second_factors.confirm(viewer.uuid, draft.code)
        return RecoveryCodes(codes)

    async def remove(
        self, viewer: Viewer, draft: SecondFactorProofDraft, client: Client
    ) -> SecondFactor:
        """Turn the second factor off, with the password or a code as proof. Sessions stay.

        Codes: password_blank, credentials_invalid, code_invalid, rate_limited, not_found.
        """
        await self.check_proof(viewer, draft, client)
        await self.local_accounts().second_factors.remove(viewer.uuid)
        async with self.database.connection() as conn:
            return await self.state(conn, viewer)

    async def reseal(self) -> None:
        """Encrypt the secrets with the present key, if it has changed."""
        if self.accounts is not None:
            await self.accounts.second_factors.reseal()

    async def check_proof(
        self, viewer: Viewer, draft: SecondFactorProofDraft, client: Client
    ) -> None:
        """Check the viewer's password or a code as a proof.

        Codes: password_blank, credentials_invalid, code_invalid, rate_limited, not_found.
        """
        accounts = self.local_accounts()
        if draft.password is not None:
            await self.check_password(viewer, draft.password, client)
        elif draft.code is not None:
            async with self.throttle.counting("password", viewer.handle, client):
                await accounts.second_factors.check(viewer.uuid, draft.code)
        else:
            raise InvalidError("password_blank")

    async def check_password(self, viewer: Viewer, password: str, client: Client) -> None:
        """Check the viewer's password as a proof.

        Codes: credentials_invalid, rate_limited, not_found.
        """
        accounts = self.local_accounts()
        async with (
            self.throttle.counting("password", viewer.handle, client),
            self.concurrent_calls.of(client.address),
        ):
            await accounts.check_password(viewer, password)

    def local_accounts(self) -> LocalAccounts:
        """Return the local accounts. Raises NotFoundError with another provider."""
        if self.accounts is None:
            raise NotFoundError
        return self.accounts
