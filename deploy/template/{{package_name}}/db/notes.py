"""Queries for notes."""

from uuid import UUID

from ..wire import Note
from .database import Connection
from .statements import load

_CREATE = load("notes.create")
_DELETE = load("notes.delete")
_LIST = load("notes.list")
_READ = load("notes.read")


async def insert_note(conn: Connection, *, title: str, text: str) -> Note:
    """Insert a note and return it."""
    [row] = await _CREATE.rows(conn, title=title, text=text)
    return Note(**row)


async def select_note(conn: Connection, *, note_id: UUID) -> Note | None:
    """Return a note, or None if it does not exist."""
    row = await _READ.row(conn, note_id=note_id)
    return Note(**row) if row else None


async def select_notes(conn: Connection, *, before: UUID | None, limit: int) -> list[Note]:
    """Return up to `limit` notes, the newest first, from those before a note or from all."""
    return [Note(**row) for row in await _LIST.rows(conn, before=before, limit=limit)]


async def delete_note(conn: Connection, *, note_id: UUID) -> bool:
    """Delete a note; return False if it does not exist."""
    return await _DELETE.row(conn, note_id=note_id) is not None
