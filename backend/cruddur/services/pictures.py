"""Check and convert uploaded pictures, with limits on their number and their cost."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from cruddur.concurrency.child_process import ChildProcessFailedError, ChildProcessQueue
from cruddur.concurrency.thread_pool import BoundedThreadPool
from cruddur.errors import InvalidError, OverloadedError, RateLimitedError
from cruddur.pictures.formats import split
from cruddur.pictures.parts import UnreadablePictureError
from cruddur.pictures.targets import Encoded, Target
from cruddur.process import picture
from cruddur.telemetry.operation import span

PICTURE_BYTES = 8 * 1024 * 1024
"""Maximum size of an uploaded picture."""

MAX_UPLOADS = 8
"""Maximum number of uploads in progress per worker: being received, waiting, or being decoded. Each
holds the bytes of its picture in memory."""

DECODE_SECONDS = 10.0
"""Seconds that converting one picture may take on a busy machine."""

MAX_BYTES_PER_PIXEL = 4
"""Maximum size of the results, for each pixel of their targets; noise takes about one byte."""


class PictureConverter:
    """Converts pictures one at a time, each in its own process, and limits the number that wait.

    One converter serves all kinds of pictures, so that the limits hold for all of them together.
    The caller names the error code of its kind.
    """

    def __init__(self) -> None:
        """Create the queues; threads and processes start when they are needed."""
        self._checks = BoundedThreadPool("picture headers", threads=1, waiting=MAX_UPLOADS)
        self._decoders = ChildProcessQueue("picture decoder", waiting=MAX_UPLOADS)
        self._uploading: set[UUID] = set()

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

    async def check(self, data: bytes, error_code: str) -> None:
        """Check the headers of a picture, which takes milliseconds.

        Args:
            data: the uploaded file.
            error_code: the code of the error.

        Raises:
            InvalidError: it is not a picture of a supported format, or decoding it is too
                expensive.
        """
        try:
            await self._checks.run(split, data)
        except UnreadablePictureError as error:
            raise InvalidError(error_code) from error

    async def convert(
        self, data: bytes, targets: Sequence[Target], error_code: str
    ) -> list[Encoded]:
        """Decode a picture once, and encode it for each target, upright, in sRGB and without
        metadata. If the caller is cancelled, the process is killed.

        Args:
            data: a JPEG, PNG, GIF or WebP, at most PICTURE_BYTES. Of several pictures in a file,
                the first one counts.
            targets: sizes and formats, at least one.
            error_code: the code of the error.

        Returns:
            The results in the order of the targets.

        Raises:
            InvalidError: it cannot be decoded, or decoding it is too expensive.
            OverloadedError: too many pictures wait, or the process cannot be started.
        """
        try:
            with span("convert picture", {"app.picture.bytes": len(data)}):
                output = await self._decoders.run(
                    picture.__name__,
                    *picture.to_arguments(targets),
                    data=data,
                    seconds=DECODE_SECONDS,
                    max_bytes=sum(_max_bytes(target) for target in targets),
                )
                return picture.from_output(output)
        except ChildProcessFailedError as error:
            if error.code >= 0 and error.code != picture.REFUSED:
                raise
            raise InvalidError(error_code) from error

    def close(self) -> None:
        """Kill the running process and drop the pictures that wait."""
        self._checks.close()
        self._decoders.close()


def _max_bytes(target: Target) -> int:
    return 4096 + MAX_BYTES_PER_PIXEL * target.width * target.height
