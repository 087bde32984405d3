"""The interface of an account provider: check credentials, and change accounts.

Sessions, throttling and responses do not depend on the provider; see `cruddur.services.accounts`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

from cruddur.db.statements import Connection
from cruddur.identity.admission import Admission
from cruddur.identity.viewer import Viewer
from cruddur.wire import PasskeyAnswer, SignInMethod, SignUpDraft

SaveSignUp: TypeAlias = Callable[[Connection], Awaitable[Callable[[], None]]]
"""Saves a prepared sign-up in the caller's transaction, and returns a function that sends the code
after the commit. Raises InvalidError: handle_taken."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes that an issuer has of a user. The handle may be taken or malformed here."""

    handle: str
    display_name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """The result of a successful check of credentials. `method` names these.

    A provider that issues tokens returns its access token, with its lifetime in seconds, and its
    refresh token. For local accounts, our own session issues them.
    """

    user_uuid: UUID
    access_token: str | None = None
    expires_in: int | None = None
    refresh_token: str | None = None
    method: SignInMethod = "password"


class Provider(Protocol):
    """Stores credentials. Methods raise the CruddurError with the codes that they list."""

    async def prepare_sign_up(self, draft: SignUpDraft, admission: Admission) -> SaveSignUp:
        """Do the slow part of an admitted sign-up without holding a connection.

        Calling it twice for one sign-up is harmless. A taken address is not an error.
        """

    async def confirm(self, email: str, code: str) -> Proof | None:
        """Confirm the account. Codes: code_invalid, and those of `admission.admit`.

        Returns:
            The proof for a session, or None if only a sign-in with the password gives one.
        """

    async def resend(self, email: str) -> None:
        """Send a new code. Does nothing if there is no pending sign-up."""

    async def authenticate(
        self, login: str, password: str, code: str | None, passkey: PasskeyAnswer | None
    ) -> Proof:
        """Check credentials, and the code or the passkey if the account has a second factor.

        Codes: credentials_invalid, email_unconfirmed, code_required, passkey_required,
        code_invalid, challenge_invalid, passkey_invalid.
        """

    async def refresh(self, user_uuid: UUID, refresh_token: str | None) -> Proof:
        """Check that a session's user may continue. Codes: generic_401."""

    async def forgot(self, email: str) -> None:
        """Send a reset code. Does nothing if there is no such account."""

    async def reset(self, email: str, code: str, password: str) -> UUID | None:
        """Set a new password and return the user's uuid, if known. Codes: code_invalid."""

    async def change_password(self, viewer: Viewer, current: str, password: str) -> None:
        """Change the password. Codes: credentials_invalid, password_too_weak."""

    async def delete(self, viewer: Viewer, password: str) -> None:
        """Delete the account at the provider. Codes: credentials_invalid."""

    async def end_session(self, refresh_token: str | None) -> None:
        """Revoke the provider's refresh token of a session. Raises no error."""
