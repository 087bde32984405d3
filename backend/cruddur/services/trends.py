"""What live cruds are about."""

from cruddur.db import trends as db
from cruddur.db.statements import Connection
from cruddur.wire import Tag

TAGS = 10


async def trending(conn: Connection) -> list[Tag]:
    """The tags that most live cruds carry, the commonest first."""
    return await db.select_tags(conn, limit=TAGS)
