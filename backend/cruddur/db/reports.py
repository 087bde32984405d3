"""Queries for reports, for the evidence that they take, and for copies of deleted cruds."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from cruddur.db.statements import Connection, Row, load
from cruddur.db.viewers import ViewerIds, parameters
from cruddur.wire import EvidenceLine

_CRUDS = load("reports.cruds")
_MESSAGE = load("reports.message")
_PROFILE = load("reports.profile")
_RECENT_THREAD = load("reports.recent_thread")
_RECENT_OF_USER = load("reports.recent_of_user")
_KEEP_DELETED = load("reports.keep_deleted")
_DELETED = load("reports.deleted")
_EARLIER = load("reports.earlier")
_CREATE = load("reports.create")


class ReportedPicture(Struct):
    """A picture of a crud, and what it shows."""

    uuid: UUID
    alt: str


_LINES = msgspec.json.Decoder(list[EvidenceLine])
_SHOWN = msgspec.json.Decoder(list[ReportedPicture])


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is reported, with its author.

    Attributes:
        uuid: the crud, message or user.
        user_uuid: the author.
        avatar: the author's picture, a JPEG.
        message: the text; None for a profile.
        expires_at: None for a profile, and a message that does not expire.
        pictures: those of a crud.
        before: what comes before it, the nearest last.
        after: what comes after it, the nearest first.
    """

    uuid: UUID
    user_uuid: UUID
    handle: str
    display_name: str
    bio: str
    avatar: bytes | None
    message: str | None
    created_at: datetime
    expires_at: datetime | None = None
    pictures: Sequence[ReportedPicture] = ()
    before: Sequence[EvidenceLine] = ()
    after: Sequence[EvidenceLine] = ()


@dataclass(frozen=True, slots=True)
class SealedCopy:
    """A sealed copy of a crud that was deleted."""

    user_uuid: UUID
    digest: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class EarlierReports:
    """The viewer's report of the same subject, and the number of their reports of a day."""

    uuid: UUID | None
    reports_count: int


async def select_cruds(conn: Connection, *, uuids: Sequence[UUID]) -> list[Subject]:
    """Return those cruds and replies that are live."""
    return _cruds(await _CRUDS.rows(conn, uuids=uuids))


async def select_message(conn: Connection, *, viewer: ViewerIds, uuid: UUID) -> Subject | None:
    """Return a message of a conversation of the viewer.

    Returns:
        None if there is no such message, or if the viewer's session is not open.
    """
    row = await _MESSAGE.row(conn, **parameters(viewer), uuid=uuid)
    if row is None:
        return None
    return _subject(
        row,
        message=row["message"],
        expires_at=row["expires_at"],
        before=_lines(row["before"])[::-1],
        after=_lines(row["after"]),
    )


async def select_profile(conn: Connection, *, uuid: UUID) -> Subject | None:
    """Return a user's profile."""
    row = await _PROFILE.row(conn, uuid=uuid)
    return _subject(row, message=None) if row else None


async def select_recent_thread(
    conn: Connection, *, viewer: ViewerIds, uuid: UUID, period: timedelta, limit: int
) -> list[Subject]:
    """Return the recent cruds that are deleted together with a crud of the viewer."""
    rows = await _RECENT_THREAD.rows(
        conn, **parameters(viewer), uuid=uuid, period=period, limit=limit
    )
    return _cruds(rows)


async def select_recent_of_user(
    conn: Connection, *, user_uuid: UUID, period: timedelta, limit: int
) -> list[Subject]:
    """Return the recent cruds that are deleted together with a user."""
    rows = await _RECENT_OF_USER.rows(conn, user_uuid=user_uuid, period=period, limit=limit)
    return _cruds(rows)


async def insert_deleted(
    conn: Connection,
    *,
    cruds: Sequence[Subject],
    digests: Sequence[bytes],
    sealed: Sequence[bytes],
    period: timedelta,
) -> None:
    """Keep sealed copies of cruds for a period, or until the cruds expire."""
    await _KEEP_DELETED.run(
        conn,
        uuids=[str(crud.uuid) for crud in cruds],
        authors=[str(crud.user_uuid) for crud in cruds],
        digests=[b64encode(digest).decode() for digest in digests],
        copies=[b64encode(copy).decode() for copy in sealed],
        ends=[crud.expires_at.isoformat() for crud in cruds if crud.expires_at],
        period=period,
    )


async def select_deleted(conn: Connection, *, uuid: UUID) -> SealedCopy | None:
    """Return the sealed copy of a crud that was deleted."""
    row = await _DELETED.row(conn, uuid=uuid)
    return SealedCopy(**row) if row else None


async def select_earlier(
    conn: Connection, *, viewer: ViewerIds, kind: str, uuid: UUID
) -> EarlierReports | None:
    """Return what the viewer has reported before, or None if their session is not open."""
    row = await _EARLIER.row(conn, **parameters(viewer), kind=kind, uuid=uuid)
    return EarlierReports(**row) if row else None


async def insert_report(
    conn: Connection,
    *,
    viewer: ViewerIds,
    kind: str,
    uuid: UUID,
    user_uuid: UUID,
    category: str,
    sealed_words: bytes | None,
    digest: bytes,
    sealed: bytes,
) -> UUID | None:
    """Insert a report with its evidence, in the undecided case of its subject or in a new one.

    Args:
        conn: a connection for writing.
        viewer: the reporter.
        kind: crud, profile or message.
        uuid: the subject.
        user_uuid: the author of the subject.
        category: why it is reported.
        sealed_words: the reporter's words.
        digest: the keyed digest of the content.
        sealed: the content.

    Returns:
        The report, an earlier one if there is one; None if the viewer's session is not open.
    """
    report: UUID | None = await _CREATE.value(
        conn,
        **parameters(viewer),
        kind=kind,
        uuid=uuid,
        user_uuid=user_uuid,
        category=category,
        sealed_words=sealed_words,
        digest=digest,
        sealed=sealed,
    )
    return report


def _cruds(rows: Sequence[Row]) -> list[Subject]:
    return [
        _subject(
            row,
            message=row["message"],
            expires_at=row["expires_at"],
            pictures=_SHOWN.decode(row["pictures"]) if row["pictures"] else (),
            before=_lines(row["context"]),
        )
        for row in rows
    ]


def _subject(
    row: Row,
    *,
    message: str | None,
    expires_at: datetime | None = None,
    pictures: Sequence[ReportedPicture] = (),
    before: Sequence[EvidenceLine] = (),
    after: Sequence[EvidenceLine] = (),
) -> Subject:
    return Subject(
        uuid=row["uuid"],
        user_uuid=row["user_uuid"],
        handle=row["handle"],
        display_name=row["display_name"],
        bio=row["bio"],
        avatar=row["avatar"],
        message=message,
        created_at=row["created_at"],
        expires_at=expires_at,
        pictures=pictures,
        before=before,
        after=after,
    )


def _lines(stored: str | None) -> list[EvidenceLine]:
    return [] if stored is None else _LINES.decode(stored)
