"""Queries for the previews of links: their queue, their contents and their pictures."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from cruddur.db.statements import Connection, load

_ASSIGN = load("previews.assign")
_CLAIM = load("previews.claim")
_PICTURE = load("previews.picture")
_POSTPONE = load("previews.postpone")
_SAVE = load("previews.save")


@dataclass(frozen=True, slots=True)
class ClaimedPreview:
    """A preview whose page this process is to fetch.

    Attributes:
        uuid: the preview.
        url: the page.
        attempts: the number of attempts, with this one.
        traceparent: the trace context of the request that first posted the link, or None.
    """

    uuid: UUID
    url: str
    attempts: int
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class PreviewPicture:
    """A JPEG, and for how many seconds it may be shown at least."""

    jpeg: bytes
    seconds_left: int


async def update_new_links(conn: Connection, *, limit: int) -> int:
    """Give new links of live cruds their previews, and return their number."""
    return await _ASSIGN.run(conn, limit=limit)


async def update_due_previews(
    conn: Connection, *, limit: int, lease: timedelta, max_attempts: int
) -> list[ClaimedPreview]:
    """Claim previews whose pages are to be fetched now.

    Args:
        conn: a connection for writing.
        limit: the maximum number of previews.
        lease: the time after which another process may fetch them.
        max_attempts: the maximum number of attempts, including those of processes that died.
    """
    rows = await _CLAIM.rows(conn, limit=limit, lease=lease, max_attempts=max_attempts)
    return [ClaimedPreview(**row) for row in rows]


async def update_preview(
    conn: Connection, *, uuid: UUID, title: str, description: str, site: str, picture: bytes | None
) -> None:
    """Store what a page says about itself; `picture` is a JPEG or None."""
    await _SAVE.run(
        conn, uuid=uuid, title=title, description=description, site=site, picture=picture
    )


async def update_failed_preview(conn: Connection, *, uuid: UUID, pause: timedelta | None) -> None:
    """Fetch the page again after a pause, or never."""
    await _POSTPONE.run(conn, uuid=uuid, pause=pause)


async def select_picture(conn: Connection, *, uuid: UUID) -> PreviewPicture | None:
    """Return the picture of a preview if a live crud has it."""
    row = await _PICTURE.row(conn, uuid=uuid)
    return PreviewPicture(row["picture"], row["seconds_left"]) if row else None
