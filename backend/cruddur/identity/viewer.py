"""The person on whose behalf a request is made."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cruddur.errors import UnauthenticatedError


@dataclass(frozen=True, slots=True)
class Claimant:
    """A person whose access token was verified; whether its session is still open was not.

    Who takes one asks that in the statement that acts for them, or calls `proven`, and refuses
    nothing after it has written. `session_uuid` is None for the demo identity and for tokens of
    another issuer.
    """

    uuid: UUID
    session_uuid: UUID | None


@dataclass(frozen=True, slots=True)
class Viewer(Claimant):
    """A person whose access token was verified, and whose session is open.

    `access_token` is empty for the demo identity, and `access_ends_at` None: it never ends.
    """

    handle: str
    issuer: str
    subject: str
    access_token: str
    access_ends_at: datetime | None = None


def proven(claimant: Claimant) -> Viewer:
    """The viewer that a claimant is. Raises UnauthenticatedError for one who is none."""
    if not isinstance(claimant, Viewer):
        raise UnauthenticatedError
    return claimant
