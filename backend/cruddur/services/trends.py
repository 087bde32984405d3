"""Rules for the tags of live cruds: trending ones, and completions."""

from datetime import timedelta
from typing import TypeAlias

from cruddur.db import trends as db
from cruddur.db.pool import Database
from cruddur.db.ranking import Candidate
from cruddur.db.statements import Connection
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services import text
from cruddur.services.ranking import Ranking
from cruddur.wire import Tag

TAGS = 10
COMPLETIONS = 8
"""Maximum number of tags that complete a word."""

MAX_PASSED = 100
"""Maximum number of tags that are read to find those of live cruds. Others await the sweep."""

TagRanking: TypeAlias = Ranking[str]


def tag_ranking(database: Database, interval: float) -> TagRanking:
    """Return the ranking of tags by the number of live cruds with them."""

    async def select(conn: Connection, horizon: timedelta) -> list[Candidate[str]]:
        return await db.select_tags(conn, limit=TAGS, horizon=horizon)

    return Ranking(database, select, interval)


async def trending(ranking: TagRanking) -> list[Tag]:
    """Return the most common tags of live cruds, the most common first."""
    return [Tag(ranked.item, ranked.score) for ranked in (await ranking.current())[:TAGS]]


async def tags_by_prefix(conn: Connection, viewer: Viewer, prefix: str) -> list[str]:
    """Return tags of live cruds that start with a text, in alphabetical order.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    return require_open_session(
        await db.select_tags_by_prefix(
            conn,
            viewer=viewer,
            prefix=text.fold_tag(prefix),
            limit=COMPLETIONS,
            max_passed=MAX_PASSED,
        )
    )
