"""The person on whose behalf a request is made."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person whose access token was verified.

    `session_uuid` is None for the demo identity and for tokens of another issuer;
    `access_token` is empty for the demo identity, and `access_ends_at` None: it never ends.
    """

    uuid: UUID
    handle: str
    issuer: str
    subject: str
    session_uuid: UUID | None
    access_token: str
    access_ends_at: datetime | None = None
