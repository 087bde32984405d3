"""Signed URLs for uploading one picture."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from itsdangerous import BadData, TimestampSigner

from cruddur.errors import ForbiddenError
from cruddur.identity.keys import Secrets

UPLOAD_SECONDS = 5 * 60
"""Lifetime of an upload URL, as in the original project."""


@dataclass(frozen=True, slots=True)
class Upload:
    """The content of an upload token: one picture of one user."""

    uuid: UUID
    user_uuid: UUID


class UploadSigner:
    """Signs and verifies upload tokens; each is for one upload of one user."""

    def __init__(self, secrets: Secrets) -> None:
        """Set the secrets, which are the same on every replica."""
        self._secrets = secrets

    def sign(self, user_uuid: UUID) -> str:
        """Return a token that allows one upload of this user's picture."""
        return self._signer().sign(uuid4().hex + user_uuid.hex).decode()

    def read(self, token: str) -> Upload:
        """Verify a token and return its upload, which may have been used before.

        Raises:
            ForbiddenError: the signature is wrong, or it is older than UPLOAD_SECONDS.
        """
        try:
            signed = self._signer().unsign(token, max_age=UPLOAD_SECONDS).decode()
            return Upload(UUID(signed[:32]), UUID(signed[32:]))
        except (BadData, ValueError) as error:
            raise ForbiddenError from error

    def _signer(self) -> TimestampSigner:
        return TimestampSigner([*reversed(self._secrets())], salt="avatar upload")
