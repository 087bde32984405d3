"""People: who they are, what they say of themselves, and who is worth reading."""

import re
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from cruddur.db import users as db
from cruddur.db.pool import Database
from cruddur.db.ranking import Candidate
from cruddur.db.statements import Connection
from cruddur.errors import NotFoundError, UnauthenticatedError
from cruddur.identity.viewer import Viewer
from cruddur.services.ranking import Ranking
from cruddur.wire import (
    HANDLE_PATTERN,
    Member,
    Profile,
    ProfileDraft,
    ShortUser,
    UpdatedProfile,
)

SUGGESTIONS = 5

SuggestionRanking: TypeAlias = Ranking[ShortUser]
_HANDLE = re.compile(HANDLE_PATTERN)


def fold_handle(handle: str) -> str:
    """A handle as it is stored.

    Raises:
        NotFoundError: nobody can have such a handle.
    """
    folded = handle.lower()
    if not handle.isascii() or not _HANDLE.fullmatch(folded):
        raise NotFoundError
    return folded


async def short(conn: Connection, handle: str) -> ShortUser:
    """Who a handle is. Raises NotFoundError when nobody is."""
    found = await db.select_short(conn, handle=fold_handle(handle))
    if found is None:
        raise NotFoundError
    return found


async def profile(conn: Connection, handle: str) -> Profile:
    """The head of a profile page. Raises NotFoundError when nobody has the handle."""
    found = await db.select_profile(conn, handle=fold_handle(handle))
    if found is None:
        raise NotFoundError
    return found


async def update(conn: Connection, viewer: Viewer, draft: ProfileDraft) -> UpdatedProfile:
    """Set the viewer's display name and bio."""
    updated = await db.update_profile(
        conn, uuid=viewer.uuid, display_name=draft.display_name, bio=draft.bio or ""
    )
    if updated is None:
        raise UnauthenticatedError  # deleted a moment ago
    return updated


async def member(conn: Connection, uuid: UUID) -> Member:
    """A person as they see themselves. Raises UnauthenticatedError when they are gone."""
    found = await db.select_member(conn, uuid=uuid)
    if found is None:
        raise UnauthenticatedError
    return found


def suggestion_ranking(database: Database, interval: float) -> SuggestionRanking:
    """Rank people by the likes and reposts of their live cruds."""

    async def select(conn: Connection, horizon: timedelta) -> list[Candidate[ShortUser]]:
        # One more than is shown: the viewer may be among them.
        return await db.select_suggested(conn, limit=SUGGESTIONS + 1, horizon=horizon)

    return Ranking(database, select, interval)


async def suggested(ranking: SuggestionRanking, viewer: Viewer | None) -> list[ShortUser]:
    """Return the people whose live cruds are liked most, without the viewer."""
    own_uuid = None if viewer is None else viewer.uuid
    people = [ranked.item for ranked in await ranking.current()]
    return [person for person in people if person.uuid != own_uuid][:SUGGESTIONS]
