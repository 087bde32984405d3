"""Signed proofs that a suspended user has passed a sign-in, except for the suspension."""

from uuid import UUID

from itsdangerous import BadData, TimestampSigner

from cruddur.errors import UnauthenticatedError
from cruddur.identity.keys import Secrets

PROOF_SECONDS = 15 * 60
"""Lifetime of a proof, which is that of an access token."""


class SuspensionProofs:
    """Signs and verifies proofs.

    A proof is valid on every replica, and does not show whether its user is still suspended.
    """

    def __init__(self, secrets: Secrets) -> None:
        """Set the secrets, which are the same on every replica."""
        self._secrets = secrets

    def sign(self, user_uuid: UUID) -> str:
        """Return a proof for a user."""
        return self._signer().sign(user_uuid.hex).decode()

    def read(self, proof: str) -> UUID:
        """Verify a proof and return its user.

        Raises:
            UnauthenticatedError: the signature is wrong, or it is older than PROOF_SECONDS.
        """
        try:
            return UUID(self._signer().unsign(proof, max_age=PROOF_SECONDS).decode())
        except (BadData, ValueError) as error:
            raise UnauthenticatedError from error

    def _signer(self) -> TimestampSigner:
        return TimestampSigner([*reversed(self._secrets())], salt="suspension")
