"""Signed addresses that a picture may be uploaded to."""

from uuid import UUID

from itsdangerous import BadData, URLSafeTimedSerializer

from cruddur.errors import ForbiddenError
from cruddur.identity.keys import Secrets

UPLOAD_SECONDS = 5 * 60
"""How long an address works; the original's."""


class UploadSigner:
    """Makes and checks upload tokens; each names one person."""

    def __init__(self, secrets: Secrets) -> None:
        """Take secrets that every replica shares."""
        self._secrets = secrets

    def sign(self, user_uuid: UUID) -> str:
        """A token with which this person's picture may be set."""
        token = self._serializer().dumps(str(user_uuid))
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str) -> UUID:
        """Whose picture a token is for.

        Raises:
            ForbiddenError: it is not ours, or older than UPLOAD_SECONDS.
        """
        try:
            return UUID(self._serializer().loads(token, max_age=UPLOAD_SECONDS))
        except (BadData, ValueError) as error:
            raise ForbiddenError from error

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer([*reversed(self._secrets())], salt="avatar upload")
