"""Pictures in the database. They are deleted with their rows, by a foreign key."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from cruddur.db import crud_pictures as db
from cruddur.db.crud_pictures import Size
from cruddur.db.pool import Database, DatabaseUnavailableError
from cruddur.picture_stores.store import StoreError


class DatabaseStore:
    """Stores pictures in the table `picture_files`."""

    name = "database"

    def __init__(self, database: Database) -> None:
        """Set the database."""
        self._database = database

    async def put(self, uuid: UUID, size: Size, jpeg: bytes) -> None:
        """Store a file, unless the row of the picture is gone."""
        try:
            async with self._database.writing() as conn:
                await db.insert_file(conn, uuid=uuid, size=size, jpeg=jpeg)
        except DatabaseUnavailableError as error:
            raise StoreError(str(error)) from error

    async def get(self, uuid: UUID, size: Size) -> bytes | None:
        """Return a file."""
        try:
            async with self._database.connection() as conn:
                return await db.select_file(conn, uuid=uuid, size=size)
        except DatabaseUnavailableError as error:
            raise StoreError(str(error)) from error

    async def delete(self, uuids: Sequence[UUID]) -> None:
        """Do nothing: the files went with the rows."""

    async def stored(self) -> AsyncIterator[list[UUID]]:
        """Yield nothing: no file can be without a row."""
        none: tuple[list[UUID], ...] = ()
        for batch in none:
            yield batch
