"""Routes for notes."""

from uuid import UUID

from ..services import notes as service
from ..wire import Note, NoteDraft, NotesPage, NotesQuery
from .endpoint import ApiBlueprint, Created, resources

notes = ApiBlueprint("notes")


@notes.handle("GET", "/api/notes", summary="The notes, the newest first")
async def list_notes(query: NotesQuery) -> NotesPage:
    """Pages follow from ids, so none is skipped or repeated while others are created."""
    return await service.list_notes(resources().database, query)


@notes.handle("POST", "/api/notes", summary="Create a note")
async def create(body: NoteDraft) -> Created[Note]:
    """The webhook, if there is one, is called before the response."""
    note = await service.create(resources().database, resources().webhook, body)
    return Created(note, f"/api/notes/{note.id}")


@notes.handle("GET", "/api/notes/<uuid:note_id>", summary="A note")
async def read(note_id: UUID) -> Note:
    """404 if it does not exist."""
    return await service.read(resources().database, note_id)


@notes.handle("DELETE", "/api/notes/<uuid:note_id>", summary="Delete a note")
async def delete(note_id: UUID) -> None:
    """404 if it does not exist."""
    await service.delete(resources().database, note_id)
