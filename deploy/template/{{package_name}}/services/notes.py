"""The rules of notes."""

from uuid import UUID

from ..db.database import Database
from ..db.notes import delete_note, insert_note, select_note, select_notes
from ..errors import NotFoundError
from ..wire import Note, NoteDraft, NotesPage, NotesQuery
from .webhook import Webhook


async def create(database: Database, webhook: Webhook | None, draft: NoteDraft) -> Note:
    """Create a note, and announce it to the webhook if there is one."""
    async with database.connection() as conn:
        note = await insert_note(conn, title=draft.title, text=draft.text)
    # The connection is free again: it must not wait for another system.
    if webhook is not None:
        await webhook.send(note)
    return note


async def read(database: Database, note_id: UUID) -> Note:
    """Return a note.

    Raises:
        NotFoundError: it does not exist.
    """
    async with database.connection() as conn:
        note = await select_note(conn, note_id=note_id)
    if note is None:
        raise NotFoundError
    return note


async def list_notes(database: Database, query: NotesQuery) -> NotesPage:
    """Return a page of notes. One more row shows that there is a next page."""
    async with database.connection() as conn:
        notes = await select_notes(conn, before=query.before, limit=query.limit + 1)
    page = notes[: query.limit]
    return NotesPage(page, page[-1].id if len(notes) > query.limit else None)


async def delete(database: Database, note_id: UUID) -> None:
    """Delete a note.

    Raises:
        NotFoundError: it does not exist.
    """
    async with database.connection() as conn:
        if not await delete_note(conn, note_id=note_id):
            raise NotFoundError
