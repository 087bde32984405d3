"""The interface of a store of pictures."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Protocol, get_args
from uuid import UUID

from cruddur.db.crud_pictures import Size

SIZES: tuple[Size, ...] = get_args(Size)

_FILE = re.compile(
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:-thumbnail)?\.jpg(?:\.part)?"
)


class StoreError(Exception):
    """The store does not work; the message says why, without the name of a picture."""


class PictureStore(Protocol):
    """Stores the files of pictures.

    Every method can be repeated. A picture has a row in the database before its files are put, and
    the row is deleted before its files are: so a file without a row is never needed.
    """

    @property
    def name(self) -> str:
        """The kind of store, for telemetry."""

    async def put(self, uuid: UUID, size: Size, jpeg: bytes) -> None:
        """Store a file. Raises StoreError."""

    async def get(self, uuid: UUID, size: Size) -> bytes | None:
        """Return a file, or None if it is not stored. Raises StoreError."""

    async def delete(self, uuids: Sequence[UUID]) -> None:
        """Delete all files of pictures, whether or not they are stored. Raises StoreError."""

    def stored(self) -> AsyncIterator[list[UUID]]:
        """Yield, in batches, the pictures whose files can be without a row. Raises StoreError."""


def file_name(uuid: UUID, size: Size) -> str:
    """Return the name of a file."""
    return f"{uuid}.jpg" if size == "full" else f"{uuid}-{size}.jpg"


def picture_of(name: str) -> UUID | None:
    """Return the picture that a file belongs to, or None for a file of another origin."""
    match = _FILE.fullmatch(name)
    return UUID(match[1]) if match else None
