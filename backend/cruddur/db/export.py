"""Queries for the parts of an export of a member's own data."""

from dataclasses import dataclass
from uuid import UUID

from cruddur.db.statements import Connection, load

PARTS = (
    "profile",
    "cruds",
    "pictures",
    "likes",
    "reposts",
    "following",
    "followers",
    "followed_tags",
    "blocks",
    "mutes",
    "conversations",
    "messages",
    "notifications",
    "sessions",
    "known_devices",
    "api_tokens",
    "second_factor",
    "passkeys",
    "email_changes",
    "notices",
    "reports",
)
"""The parts that a statement returns, in the order of the archive."""

_STATEMENTS = tuple(load(f"export.{part}") for part in PARTS)
_BY_PART = dict(zip(PARTS, _STATEMENTS, strict=True))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a part: its position in it, and what it says, as JSON."""

    position: str
    item: str


async def select_part(
    conn: Connection, part: str, *, user_uuid: UUID, after: str | None, batch: int
) -> list[Row]:
    """Return the rows of a part after a position; None: from its start.

    Args:
        conn: a connection for reading.
        part: one of PARTS.
        user_uuid: the member.
        after: the position of the last row of the batch before.
        batch: the largest number of rows.
    """
    rows = await _BY_PART[part].rows(conn, viewer=user_uuid, position=after, batch=batch)
    return [Row(row["position"], row["item"]) for row in rows]
