"""Queries for the tags of live cruds."""

from datetime import timedelta

from cruddur.db.ranking import Candidate, candidate
from cruddur.db.statements import Connection, load

_TAGS = load("trends.tags")


async def select_tags(conn: Connection, *, limit: int, horizon: timedelta) -> list[Candidate[str]]:
    """Return the tags that can be among the first `limit` within `horizon`, by name."""
    rows = await _TAGS.rows(conn, limit=limit, horizon=horizon)
    return [candidate(row["tag"], row) for row in rows]
