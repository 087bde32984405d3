"""Signed addresses that a picture may be uploaded to, once."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from itsdangerous import BadData, TimestampSigner

from cruddur.errors import ForbiddenError
from cruddur.identity.keys import Secrets

UPLOAD_SECONDS = 5 * 60
"""How long an address works; the original's."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What an address is for: one picture of one user."""

    uuid: UUID
    user_uuid: UUID


class UploadSigner:
    """Makes and checks upload tokens; each names one upload of one user."""

    def __init__(self, secrets: Secrets) -> None:
        """Take secrets that every replica shares."""
        self._secrets = secrets

    def sign(self, user_uuid: UUID) -> str:
        """Return a token with which this user's picture may be set."""
        return self._signer().sign(uuid4().hex + user_uuid.hex).decode()

    def read(self, token: str) -> Upload:
        """Return what a token is for. Whether it was used already is in the database.

        Raises:
            ForbiddenError: it is not ours, or older than UPLOAD_SECONDS.
        """
        try:
            signed = self._signer().unsign(token, max_age=UPLOAD_SECONDS).decode()
            return Upload(UUID(signed[:32]), UUID(signed[32:]))
        except (BadData, ValueError) as error:
            raise ForbiddenError from error

    def _signer(self) -> TimestampSigner:
        return TimestampSigner([*reversed(self._secrets())], salt="avatar upload")
