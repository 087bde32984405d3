"""What live cruds are about."""

from cruddur.db.statements import Connection, load
from cruddur.wire import Tag

_TAGS = load("trends.tags")


async def select_tags(conn: Connection, *, limit: int) -> list[Tag]:
    """The tags that most live cruds carry."""
    return [Tag(**row) for row in await _TAGS.rows(conn, limit=limit)]
