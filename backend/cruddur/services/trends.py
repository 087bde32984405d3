"""Rules for trending tags."""

from datetime import timedelta
from typing import TypeAlias

from cruddur.db import trends as db
from cruddur.db.pool import Database
from cruddur.db.ranking import Candidate
from cruddur.db.statements import Connection
from cruddur.services.ranking import Ranking
from cruddur.wire import Tag

TAGS = 10

TagRanking: TypeAlias = Ranking[str]


def tag_ranking(database: Database, interval: float) -> TagRanking:
    """Return the ranking of tags by the number of live cruds with them."""

    async def select(conn: Connection, horizon: timedelta) -> list[Candidate[str]]:
        return await db.select_tags(conn, limit=TAGS, horizon=horizon)

    return Ranking(database, select, interval)


async def trending(ranking: TagRanking) -> list[Tag]:
    """Return the most common tags of live cruds, the most common first."""
    return [Tag(ranked.item, ranked.score) for ranked in (await ranking.current())[:TAGS]]
