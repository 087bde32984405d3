"""Evidence: copies of what members report, sealed so that only this service can read them."""

import hmac
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from cruddur.db.reports import Subject
from cruddur.identity.keys import KeyRing, Sealer, Secrets, derived_secrets
from cruddur.wire import Evidence, EvidenceLine, EvidencePicture, SubjectKind

logger = logging.getLogger(__name__)

CONTEXT = 3
"""How many messages around a message are part of the evidence."""

_EVIDENCE = msgspec.json.Decoder(Evidence)


class EvidenceSealer:
    """Encrypts evidence and the words of reporters, and decrypts them for moderators."""

    def __init__(self, keys: KeyRing, evidence_key: str) -> None:
        """Derive the secrets.

        Args:
            keys: the signing keys, which the secrets are derived from by default.
            evidence_key: the setting CRUDDUR_EVIDENCE_KEY.
        """

        def secrets(purpose: str) -> Secrets:
            if evidence_key:
                derived = derived_secrets(evidence_key, purpose)
                return lambda: derived
            return partial(keys.secrets, purpose)

        self._sealer = Sealer(secrets("sealed evidence"))
        self._digest_secrets = secrets("evidence digests")

    def seal(self, evidence: Evidence) -> tuple[bytes, bytes]:
        """Return the keyed digest of the content, without its context, and the sealed copy."""
        content = msgspec.structs.replace(evidence, context=[], was_deleted=False)
        secret = self._digest_secrets()[0]
        digest = hmac.digest(secret, msgspec.json.encode(content), "sha256")
        return digest, self._sealer.seal(msgspec.json.encode(evidence).decode())

    def open(self, sealed: bytes) -> Evidence | None:
        """Return the evidence of a sealed copy, or None if its key has been removed."""
        text = self._text(sealed)
        return None if text is None else _EVIDENCE.decode(text)

    def seal_words(self, words: str) -> bytes | None:
        """Encrypt the words of a reporter; None if there are none."""
        return self._sealer.seal(words) if words else None

    def open_words(self, sealed: bytes | None) -> str | None:
        """Return the words of a reporter, or None if their key has been removed."""
        return "" if sealed is None else self._text(sealed)

    def _text(self, sealed: bytes) -> str | None:
        try:
            return self._sealer.open(sealed)
        except InvalidTag:
            logger.warning("evidence was encrypted with a key that has been removed")
            return None


def evidence(
    kind: SubjectKind,
    subject: Subject,
    thumbnails: Mapping[UUID, bytes] | None = None,
    *,
    was_deleted: bool = False,
) -> Evidence:
    """Return a copy of what is reported.

    Args:
        kind: what the subject is.
        subject: the crud, profile or message.
        thumbnails: the pictures of a crud, by uuid.
        was_deleted: whether its author is deleting it.
    """
    return Evidence(
        kind=kind,
        uuid=subject.uuid,
        user_uuid=subject.user_uuid,
        handle=subject.handle,
        display_name=subject.display_name,
        bio=subject.bio,
        avatar=subject.avatar,
        message=subject.message,
        created_at=subject.created_at,
        expires_at=subject.expires_at,
        was_deleted=was_deleted,
        pictures=[
            EvidencePicture(picture.alt, (thumbnails or {}).get(picture.uuid))
            for picture in subject.pictures
        ],
        context=_nearest(subject.before, subject.after),
    )


def _nearest(before: Sequence[EvidenceLine], after: Sequence[EvidenceLine]) -> list[EvidenceLine]:
    """Return three lines around a subject: two before and one after, if there are enough."""
    following = max(1, CONTEXT - len(before))
    preceding = CONTEXT - min(following, len(after))
    return [*before[-preceding:], *after[:following]]
