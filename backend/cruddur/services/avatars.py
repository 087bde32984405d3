"""Rules for avatars: each picture is converted to a square JPEG of 512 pixels."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from cruddur.concurrency.child_process import ChildProcess, ChildProcessFailedError
from cruddur.concurrency.thread_pool import BoundedThreadPool
from cruddur.db import avatars as db
from cruddur.db.statements import Connection
from cruddur.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    OverloadedError,
    RateLimitedError,
)
from cruddur.process import picture
from cruddur.services.picture_headers import check_picture
from cruddur.services.uploads import UPLOAD_SECONDS, Upload
from cruddur.telemetry.operation import span
from cruddur.wire import Avatar

logger = logging.getLogger(__name__)

MAX_UPLOADS = 8
"""Maximum number of uploads in progress per worker: being received, waiting, or being decoded. Each
holds the bytes of its picture in memory."""

DECODE_SECONDS = 10.0
"""Seconds that decoding one picture may take on a busy machine."""

MAX_JPEG_BYTES = 1024 * 1024
"""Maximum size of the result; 512 by 512 pixels of noise take about 250,000 bytes."""


class Encoder:
    """Decodes pictures one at a time, each in its own process, and limits the number that wait."""

    def __init__(self) -> None:
        """Create the queues; threads and processes start when they are needed."""
        self._checks = BoundedThreadPool("picture headers", threads=1, waiting=MAX_UPLOADS)
        self._decodings = BoundedThreadPool("picture", threads=1, waiting=MAX_UPLOADS)
        self._uploading: set[UUID] = set()
        self._children: set[ChildProcess] = set()
        self._is_closed = False

    @contextmanager
    def slot(self, user_uuid: UUID) -> Iterator[None]:
        """Reserve one of the upload slots while a user uploads a picture.

        Raises:
            RateLimitedError: this user is already uploading a picture.
            OverloadedError: all slots are in use.
        """
        if user_uuid in self._uploading:
            raise RateLimitedError(1)
        if len(self._uploading) >= MAX_UPLOADS:
            raise OverloadedError
        self._uploading.add(user_uuid)
        try:
            yield
        finally:
            self._uploading.discard(user_uuid)

    async def check(self, data: bytes) -> None:
        """Check the headers of a picture, which takes milliseconds.

        Raises:
            InvalidError: avatar_invalid, it is not a picture of a supported format, or decoding it
                is too expensive.
        """
        await self._checks.run(check_picture, data)

    async def encode(self, data: bytes) -> bytes:
        """Convert a picture to a JPEG. If the caller is cancelled, the process is killed.

        Raises:
            InvalidError: avatar_invalid, it cannot be decoded, or decoding it is too expensive.
            OverloadedError: the process cannot be started.
        """
        child = ChildProcess(picture.__name__, seconds=DECODE_SECONDS, max_bytes=MAX_JPEG_BYTES)
        self._children.add(child)
        try:
            with span("encode avatar", {"app.picture.bytes": len(data)}):
                return await self._decodings.run(child.run, data)
        except OSError as error:  # no memory, or too many processes
            logger.warning("the picture decoder did not start: %s", error)
            raise OverloadedError from error
        except ChildProcessFailedError as error:
            if self._is_closed:
                raise OverloadedError from error
            if error.code < 0:  # a limit was reached, or a decoder crashed
                logger.warning("the picture decoder was killed by signal %d", -error.code)
            elif error.code != picture.REFUSED:
                raise
            raise InvalidError("avatar_invalid") from error
        finally:
            self._children.discard(child)
            child.kill()

    def close(self) -> None:
        """Kill the running process and drop the pictures that wait."""
        self._is_closed = True
        for child in self._children:
            child.kill()
        self._checks.close()
        self._decodings.close()


async def use(conn: Connection, upload: Upload) -> None:
    """Mark an upload URL as used.

    Raises:
        ForbiddenError: it was used before.
        asyncpg.ForeignKeyViolationError: the user was deleted.
    """
    # The row is not needed after the URL has expired. Twice that time allows for clock differences.
    if not await db.insert_used_upload(
        conn, user_uuid=upload.user_uuid, uuid=upload.uuid, seconds=2 * UPLOAD_SECONDS
    ):
        raise ForbiddenError


async def save(conn: Connection, user_uuid: UUID, jpeg: bytes) -> Avatar:
    """Store a user's picture. Raises NotFoundError if the user was deleted."""
    digest = hashlib.blake2b(jpeg, digest_size=8).hexdigest()
    url = await db.upsert_avatar(conn, user_uuid=user_uuid, jpeg=jpeg, digest=digest)
    if url is None:
        raise NotFoundError
    return Avatar(url)


async def show(conn: Connection, subject: str) -> db.Picture:
    """Return a user's picture. Raises NotFoundError if there is none."""
    # A path may contain a NUL character, which PostgreSQL rejects.
    stored = None if "\x00" in subject else await db.select_avatar(conn, subject=subject)
    if stored is None:
        raise NotFoundError
    return stored
