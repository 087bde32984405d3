"""What an account provider does: prove people, and carry out their account's changes.

Sessions, throttling and the shape of the answers are the same for every provider and
live in `cruddur.services.accounts`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias
from uuid import UUID

from cruddur.db.statements import Connection
from cruddur.identity.viewer import Viewer
from cruddur.wire import SignUpDraft

SaveSignUp: TypeAlias = Callable[[Connection], Awaitable[Callable[[], None]]]
"""Save a prepared sign-up in the caller's transaction. Returns what to call after the commit:
it sends the code. Refused: handle_taken."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What an issuer knows of a person, as wishes: a handle may be taken or malformed."""

    handle: str
    display_name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Proof:
    """Credentials were good.

    A provider with tokens of its own gives its access token (with its life in seconds)
    and its refresh token; for local accounts the session makes them.
    """

    user_uuid: UUID
    access_token: str | None = None
    expires_in: int | None = None
    refresh_token: str | None = None


class Provider(Protocol):
    """The keeper of credentials. Every method raises CruddurError for what is refused."""

    async def prepare_sign_up(self, draft: SignUpDraft) -> SaveSignUp:
        """Do the slow part of a sign-up without holding a connection.

        Doing it twice for one sign-up is harmless. Silent about a taken address.
        """

    async def confirm(self, email: str, code: str) -> None:
        """Open the account. Refused: code_invalid."""

    async def resend(self, email: str) -> None:
        """Send a new code; silent when nothing waits for one."""

    async def authenticate(self, login: str, password: str) -> Proof:
        """Check credentials. Refused: credentials_invalid, email_unconfirmed."""

    async def refresh(self, user_uuid: UUID, refresh_token: str | None) -> Proof:
        """Prove a session's person again. Refused: generic_401."""

    async def forgot(self, email: str) -> None:
        """Send a reset code; silent when there is no such account."""

    async def reset(self, email: str, code: str, password: str) -> UUID | None:
        """Set a new password; the person's uuid if known. Refused: code_invalid."""

    async def change_password(self, viewer: Viewer, current: str, password: str) -> None:
        """Change the password. Refused: credentials_invalid, password_too_weak."""

    async def delete(self, viewer: Viewer, password: str) -> None:
        """Close the account at the provider. Refused: credentials_invalid."""

    async def end_session(self, refresh_token: str | None) -> None:
        """Make a session's own refresh token worthless; never refuses."""
