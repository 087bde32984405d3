"""Rules for the pictures of cruds: who may upload how many, who sees them, and when they end."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import UUID

from opentelemetry.util.types import AttributeValue

from cruddur.db import crud_pictures as db
from cruddur.db import throttles
from cruddur.db.crud_pictures import Size
from cruddur.db.pool import Database
from cruddur.errors import InvalidError, NotFoundError, RateLimitedError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.picture_stores.database import DatabaseStore
from cruddur.picture_stores.store import PictureStore, StoreError
from cruddur.pictures.targets import Encoded, Target
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.operation import current_operation, span
from cruddur.wire import PictureChoice, UploadedPicture

__all__ = [
    "CACHE_SECONDS",
    "CrudPictures",
    "Limits",
    "ShownPicture",
    "Size",
    "split_choices",
    "targets",
]

SIDES: dict[Size, int] = {"full": 2048, "thumbnail": 800}
"""The longest side of each file, in pixels. A thumbnail is sharp in a feed on a phone."""

UNUSED_LIFETIME = timedelta(hours=1)
"""How long a picture is kept that no crud shows: the time for writing the crud."""

CACHE_SECONDS = 60
"""How long a cache may show a picture after its crud was deleted."""

_DAY = timedelta(days=1)
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """How many pictures a member may upload in 24 hours, and may have."""

    per_day: int
    per_member: int


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A file of a picture, and for how many seconds its crud will show it, rounded down."""

    jpeg: bytes
    seconds_left: int


def targets() -> list[Target]:
    """Return what is made of an uploaded picture, the full size first."""
    return [Target(side, side, scaling="fit", format="JPEG") for side in SIDES.values()]


class CrudPictures:
    """Stores and reads the pictures of cruds.

    The row of a picture is committed before its files are stored, and deleted before they are
    deleted. So a failure at any point leaves a row, whose end removes the files.
    """

    def __init__(self, database: Database, store: PictureStore, limits: Limits) -> None:
        """Set the database, the store of the files, and the limits."""
        self._database = database
        self._store = store
        self._limits = limits
        # Pictures that were uploaded before another store was configured.
        self._earlier = DatabaseStore(database)

    async def save(self, viewer: Viewer, files: Sequence[Encoded]) -> UploadedPicture:
        """Store an uploaded picture, which its member can post with a crud.

        Args:
            viewer: the member.
            files: the results for `targets()`.

        Raises:
            RateLimitedError: the member has uploaded too many pictures in 24 hours.
            InvalidError: too_many_pictures, the member has too many.
            UnauthenticatedError: the viewer's session is not open.
            StoreError: the store does not work. Then nothing is left.
        """
        full = files[0]
        async with self._database.transaction() as conn:
            uploads = await throttles.count_attempt(
                conn, bucket=f"pictures:{viewer.uuid}", period=_DAY
            )
            if uploads.attempts > self._limits.per_day:
                raise RateLimitedError(uploads.retry_after)
            inserted = require_open_session(
                await db.insert_picture(
                    conn,
                    viewer=viewer,
                    width=full.width,
                    height=full.height,
                    lifetime=UNUSED_LIFETIME,
                    most=self._limits.per_member,
                )
            )
            if inserted.uuid is None or inserted.expires_at is None:
                raise InvalidError("too_many_pictures")
        uuid = inserted.uuid
        try:
            await self._put(uuid, files)
        except BaseException:
            async with self._database.writing() as conn:
                await db.delete_picture(conn, uuid=uuid)
            raise
        async with self._database.writing() as conn:
            if await db.insert_orphans(conn, uuids=[uuid]):  # the account was deleted meanwhile
                raise NotFoundError
        current_operation().count("app.pictures.stored")
        return UploadedPicture(uuid, full.width, full.height, inserted.expires_at)

    async def show(self, uuid: UUID, size: Size, *, has_copy: bool) -> ShownPicture:
        """Return a file of a picture of a live crud.

        Args:
            uuid: the picture.
            size: which of its files.
            has_copy: whether the caller has the file, so that it is not read.

        Raises:
            NotFoundError: no live crud shows it.
            StoreError: the store does not work.
        """
        started = monotonic()
        async with self._database.connection() as conn:
            left = await db.select_time_left(conn, uuid=uuid)
        if left is None:
            raise NotFoundError
        jpeg: bytes | None = b""
        if not has_copy:
            with span("read picture", {"app.picture.store": self._store.name}):
                jpeg = await self._store.get(uuid, size) or await self._earlier.get(uuid, size)
        # The crud may have expired while the store was read.
        seconds_left = left.total_seconds() - (monotonic() - started)
        if jpeg is None or seconds_left <= 0:
            raise NotFoundError
        return ShownPicture(jpeg, int(seconds_left))

    async def file(self, uuid: UUID) -> bytes | None:
        """Return the full size of a picture, or None if it is not stored.

        Raises:
            StoreError: the store does not work.
        """
        return await self._store.get(uuid, "full") or await self._earlier.get(uuid, "full")

    async def thumbnails(self, uuids: Sequence[UUID]) -> dict[UUID, bytes]:
        """Return the thumbnails of pictures, without those that the store does not return now."""
        found: dict[UUID, bytes] = {}
        for uuid in uuids:
            try:
                stored = await self._store.get(uuid, "thumbnail")
                stored = stored or await self._earlier.get(uuid, "thumbnail")
            except StoreError as error:
                report(error, "a copy of a picture")
                break
            if stored:
                found[uuid] = stored
        return found

    async def has_removed(self) -> bool:
        """Return whether there are files of deleted pictures, which no process is deleting.

        Raises:
            DatabaseUnavailableError: as `Database.connection` does.
        """
        async with self._database.connection() as conn:
            return await db.select_has_removed(conn)

    async def sweep(self) -> int:
        """Delete the files of deleted pictures.

        Returns:
            The number of pictures whose files were deleted.

        Raises:
            DatabaseUnavailableError: as `Database.connection` does.
            StoreError: the store does not work. What it still has is deleted by a later sweep.
        """
        total = 0
        while True:
            async with self._database.writing() as conn:
                uuids = await db.claim_removed(conn, batch=_BATCH)
            if not uuids:
                return total
            try:
                await self._store.delete(uuids)
            except BaseException:
                async with self._database.writing() as conn:
                    await db.release_removed(conn, uuids=uuids)
                raise
            async with self._database.writing() as conn:
                await db.delete_removed(conn, uuids=uuids)
            total += len(uuids)

    async def sweep_orphans(self) -> int:
        """Record as removed what the store has of pictures that the database does not know.

        There are none unless the database was restored from a backup, or tables were emptied.

        Returns:
            The number of these pictures.

        Raises:
            DatabaseUnavailableError, StoreError: as `sweep`.
        """
        total = 0
        async for uuids in self._store.stored():
            async with self._database.writing() as conn:
                total += len(await db.insert_orphans(conn, uuids=uuids))
        return total

    async def _put(self, uuid: UUID, files: Sequence[Encoded]) -> None:
        attributes: dict[str, AttributeValue] = {
            "app.picture.store": self._store.name,
            "app.picture.bytes": sum(len(file.data) for file in files),
        }
        with span("store picture", attributes):
            for size, file in zip(SIDES, files, strict=True):
                await self._store.put(uuid, size, file.data)


def split_choices(choices: Sequence[PictureChoice]) -> tuple[list[UUID], list[str]]:
    """Return the pictures of a draft and their texts, composed (NFC) and without space around.

    Raises:
        InvalidError: pictures_invalid, one picture is there twice.
    """
    uuids = [choice.uuid for choice in choices]
    if len(set(uuids)) < len(uuids):
        raise InvalidError("pictures_invalid")
    return uuids, [unicodedata.normalize("NFC", choice.alt).strip() for choice in choices]
