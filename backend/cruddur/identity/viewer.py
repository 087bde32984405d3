"""The person on whose behalf a request is made."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person whose access token was verified.

    `session_uuid` is None for the demo identity and for tokens of another issuer;
    `access_token` is empty for the demo identity.
    """

    uuid: UUID
    handle: str
    issuer: str
    subject: str
    session_uuid: UUID | None
    access_token: str
