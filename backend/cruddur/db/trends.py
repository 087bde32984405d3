"""Queries for the tags of live cruds."""

from datetime import timedelta

from cruddur.db.ranking import Candidate, candidate
from cruddur.db.statements import Connection, load
from cruddur.db.viewers import ViewerIds, parameters

_TAGS = load("trends.tags")
_BY_PREFIX = load("trends.by_prefix")


async def select_tags(conn: Connection, *, limit: int, horizon: timedelta) -> list[Candidate[str]]:
    """Return the tags that can be among the first `limit` within `horizon`, by name."""
    rows = await _TAGS.rows(conn, limit=limit, horizon=horizon)
    return [candidate(row["tag"], row) for row in rows]


async def select_tags_by_prefix(
    conn: Connection, *, viewer: ViewerIds, prefix: str, limit: int, max_passed: int
) -> list[str] | None:
    """Return the tags of live cruds that start with a folded text, in alphabetical order.

    Returns None if the viewer's session is not open.

    Args:
        conn: a connection for reading.
        viewer: the user that the request acts for.
        prefix: the beginning of a folded tag.
        limit: the maximum number of tags.
        max_passed: the maximum number of tags that are read, also those without a live crud.
    """
    rows = await _BY_PREFIX.rows(
        conn, **parameters(viewer), prefix=prefix, limit=limit, max_passed=max_passed
    )
    return [row["tag"] for row in rows if row["tag"] is not None] if rows else None
