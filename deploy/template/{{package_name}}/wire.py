"""What clients send and receive. Requests are validated, and documented, by these types."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

# PostgreSQL cannot store the character NUL. The pattern of a title also requires a visible one.
Title = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
Text = Annotated[str, Meta(max_length=10_000, pattern=r"^[^\x00]*$")]


class Draft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends."""


class NoteDraft(Draft, frozen=True, kw_only=True):
    """A note to create."""

    title: Title
    text: Text = ""


class NotesQuery(Draft, frozen=True, kw_only=True):
    """The page of notes to return: the newest, or those before a note."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    before: UUID | None = None


class Note(Struct, frozen=True):
    """A note."""

    id: UUID
    title: str
    text: str
    created_at: datetime


class NotesPage(Struct, frozen=True):
    """Notes, the newest first. `next` is the `before` of the next page, null on the last one."""

    notes: list[Note]
    next: UUID | None


class Health(Struct, frozen=True):
    """The answer to a probe."""

    status: Literal["ok"] = "ok"


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error (RFC 9457). `code` is stable; `trace_id` leads to the trace of the request."""

    title: str
    status: int
    code: str
    detail: str = ""
    trace_id: str = ""
