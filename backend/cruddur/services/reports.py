"""Rules for reports of cruds, profiles and messages, which are copied at that instant.

A crud that is deleted within DELETED_PERIOD of its posting can still be reported for as long
again, by users who were shown it and so have its uuid. A sealed copy is kept for that time, but
never for longer than the crud would have lived.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from cruddur.db import reports as db
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError, RateLimitedError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services.crud_pictures import CrudPictures
from cruddur.services.evidence import EvidenceSealer, evidence
from cruddur.telemetry.operation import current_operation
from cruddur.wire import Report, ReportDraft

DELETED_PERIOD = timedelta(minutes=10)
"""Maximum age of a deleted crud that is copied, and how long its copy is kept."""

MAX_COPIES = 200
"""Maximum number of copies that one deletion keeps: those of the oldest cruds."""

REPORTS_PER_DAY = 50
"""Reports that a member may make in 24 hours."""

_COPIES_AT_ONCE = 10
"""Cruds that are copied together. Each may have four pictures, which are in memory meanwhile."""

_RETRY_SECONDS = 3600


class Reports:
    """Accepts reports and seals their evidence."""

    def __init__(
        self, database: Database, crud_pictures: CrudPictures, sealer: EvidenceSealer
    ) -> None:
        """Set the dependencies."""
        self._database = database
        self._crud_pictures = crud_pictures
        self._sealer = sealer

    async def create(self, viewer: Viewer, draft: ReportDraft) -> Report:
        """Report a crud, a profile or a message.

        The copy is made, and stored with the report, in one transaction. Files of pictures never
        change, and are read before it.

        Raises:
            InvalidError: report_own, the subject is the viewer's own.
            NotFoundError: there is no such subject that the viewer can have been shown.
            RateLimitedError: the viewer has made too many reports in 24 hours.
            UnauthenticatedError: the viewer's session is not open.
        """
        thumbnails: dict[UUID, bytes] = {}
        if draft.kind == "crud":
            async with self._database.connection() as conn:
                cruds = await db.select_cruds(conn, uuids=[draft.uuid])
            thumbnails = await self._thumbnails(cruds)
        async with self._database.transaction() as conn:
            earlier = require_open_session(
                await db.select_earlier(conn, viewer=viewer, kind=draft.kind, uuid=draft.uuid)
            )
            if earlier.uuid is not None:
                return Report(earlier.uuid)
            if earlier.reports_count >= REPORTS_PER_DAY:
                raise RateLimitedError(_RETRY_SECONDS)
            subject = await _find(conn, viewer, draft)
            if subject is not None:
                user_uuid = subject.user_uuid
                digest, sealed = self._sealer.seal(evidence(draft.kind, subject, thumbnails))
            elif (copy := await _find_deleted(conn, draft)) is not None:
                user_uuid, digest, sealed = copy.user_uuid, copy.digest, copy.sealed
            else:
                raise NotFoundError
            if user_uuid == viewer.uuid:
                raise InvalidError("report_own")
            uuid = require_open_session(
                await db.insert_report(
                    conn,
                    viewer=viewer,
                    kind=draft.kind,
                    uuid=draft.uuid,
                    user_uuid=user_uuid,
                    category=draft.category,
                    sealed_words=self._sealer.seal_words(draft.words.strip()),
                    digest=digest,
                    sealed=sealed,
                )
            )
            current_operation().count("app.reports.created", attributes={"app.kind": draft.kind})
        return Report(uuid)

    async def keep_thread(self, viewer: Viewer, uuid: UUID) -> None:
        """Keep copies of the recent cruds that the viewer is about to delete with a crud of theirs.

        It does nothing if the viewer has no such crud.
        """
        async with self._database.connection() as conn:
            recent = await db.select_recent_thread(
                conn, viewer=viewer, uuid=uuid, period=DELETED_PERIOD, limit=MAX_COPIES
            )
        await self._keep(recent)

    async def keep_cruds_of(self, user_uuid: UUID) -> None:
        """Keep copies of the recent cruds that are about to be deleted with an account."""
        async with self._database.connection() as conn:
            recent = await db.select_recent_of_user(
                conn, user_uuid=user_uuid, period=DELETED_PERIOD, limit=MAX_COPIES
            )
        await self._keep(recent)

    async def _keep(self, cruds: Sequence[db.Subject]) -> None:
        for start in range(0, len(cruds), _COPIES_AT_ONCE):
            part = cruds[start : start + _COPIES_AT_ONCE]
            thumbnails = await self._thumbnails(part)
            sealed = [
                self._sealer.seal(evidence("crud", crud, thumbnails, was_deleted=True))
                for crud in part
            ]
            async with self._database.writing() as conn:
                await db.insert_deleted(
                    conn,
                    cruds=part,
                    digests=[digest for digest, _ in sealed],
                    sealed=[content for _, content in sealed],
                    period=DELETED_PERIOD,
                )

    async def _thumbnails(self, cruds: Sequence[db.Subject]) -> dict[UUID, bytes]:
        pictures = [picture.uuid for crud in cruds for picture in crud.pictures]
        return await self._crud_pictures.thumbnails(pictures)


async def _find(conn: Connection, viewer: Viewer, draft: ReportDraft) -> db.Subject | None:
    if draft.kind == "profile":
        return await db.select_profile(conn, uuid=draft.uuid)
    if draft.kind == "message":
        return await db.select_message(conn, viewer=viewer, uuid=draft.uuid)
    cruds = await db.select_cruds(conn, uuids=[draft.uuid])
    return cruds[0] if cruds else None


async def _find_deleted(conn: Connection, draft: ReportDraft) -> db.SealedCopy | None:
    return await db.select_deleted(conn, uuid=draft.uuid) if draft.kind == "crud" else None
