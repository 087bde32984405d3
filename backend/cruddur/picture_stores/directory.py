"""Pictures in a directory, which all processes of a deployment share."""

import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

from cruddur.concurrency.thread_pool import BoundedThreadPool
from cruddur.db.crud_pictures import Size
from cruddur.picture_stores.store import SIZES, StoreError, file_name, picture_of
from cruddur.settings import OperatorError

_THREADS = 4
_WAITING = 256
_BATCH = 1000


class DirectoryStore:
    """Stores each file of a picture as a file.

    A file is complete when it has its name: it is written under another one first. It is on the
    disk then, so a crash of the machine does not lose a picture that was confirmed.
    """

    name = "directory"

    def __init__(self, directory: Path) -> None:
        """Create the directory, if it does not exist.

        Raises:
            OperatorError: it cannot be created, or files cannot be written to it.
        """
        self._directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            is_writable = os.access(directory, os.R_OK | os.W_OK | os.X_OK)
        except OSError as error:
            raise OperatorError(
                f"CRUDDUR_PICTURE_STORE cannot be created: {directory}: {error.strerror}"
            ) from error
        if not is_writable:
            raise OperatorError(f"CRUDDUR_PICTURE_STORE cannot be written: {directory}")
        self._threads = BoundedThreadPool("picture files", threads=_THREADS, waiting=_WAITING)

    async def put(self, uuid: UUID, size: Size, jpeg: bytes) -> None:
        """Store a file."""
        try:
            await self._threads.run(self._write, file_name(uuid, size), jpeg)
        except OSError as error:
            raise StoreError(f"a file cannot be written: {error.strerror}") from error

    async def get(self, uuid: UUID, size: Size) -> bytes | None:
        """Return a file."""
        try:
            return await self._threads.run((self._directory / file_name(uuid, size)).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"a file cannot be read: {error.strerror}") from error

    async def delete(self, uuids: Sequence[UUID]) -> None:
        """Delete the files of pictures."""
        try:
            await self._threads.run(self._unlink, uuids)
        except OSError as error:
            raise StoreError(f"a file cannot be deleted: {error.strerror}") from error

    async def stored(self) -> AsyncIterator[list[UUID]]:
        """Yield the pictures in the directory."""
        try:
            names = await self._threads.run(os.listdir, self._directory)
        except OSError as error:
            raise StoreError(f"the directory cannot be read: {error.strerror}") from error
        for batch in _batches(names):
            yield batch

    def close(self) -> None:
        """Stop the threads."""
        self._threads.close()

    def _write(self, name: str, jpeg: bytes) -> None:
        path = self._directory / name
        part = path.with_name(f"{name}.part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(jpeg)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        if not hasattr(os, "O_DIRECTORY"):  # Windows has no files for directories
            return
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _unlink(self, uuids: Sequence[UUID]) -> None:
        for uuid in uuids:
            for size in SIZES:
                for suffix in ("", ".part"):
                    with contextlib.suppress(FileNotFoundError):
                        (self._directory / f"{file_name(uuid, size)}{suffix}").unlink()


def _batches(names: Sequence[str]) -> list[list[UUID]]:
    uuids = [uuid for name in names if (uuid := picture_of(name)) is not None]
    return [uuids[start : start + _BATCH] for start in range(0, len(uuids), _BATCH)]
