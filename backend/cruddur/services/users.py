"""Rules for users: profiles, lookups by handle, and suggestions."""

import re
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

from cruddur.db import safety as safety_db
from cruddur.db import users as db
from cruddur.db.pool import Database
from cruddur.db.ranking import Candidate
from cruddur.db.statements import Connection
from cruddur.db.viewers import ViewerIds
from cruddur.errors import NotFoundError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services.ranking import Ranking
from cruddur.telemetry.operation import current_operation
from cruddur.wire import (
    HANDLE_PATTERN,
    ListedUser,
    Member,
    ProfileDraft,
    ShortUser,
    UpdatedProfile,
)

SUGGESTIONS = 5
CANDIDATES = 50
"""Users that suggestions are chosen from: those that the viewer follows or hides are left out."""

COMPLETIONS = 8
"""Maximum number of users that complete a name."""

FOUND = 10
"""Maximum number of users that a search finds."""

SuggestionRanking: TypeAlias = Ranking[ShortUser]
_HANDLE = re.compile(HANDLE_PATTERN)


def fold_handle(handle: str) -> str:
    """Return a handle in the form in which it is stored.

    Raises:
        NotFoundError: no user can have such a handle.
    """
    folded = handle.lower()
    if not handle.isascii() or not _HANDLE.fullmatch(folded):
        raise NotFoundError
    return folded


async def short(conn: Connection, viewer: ViewerIds | None, handle: str) -> ShortUser:
    """Return the user with this handle.

    Raises:
        NotFoundError: there is none, or one of this user and the viewer blocks the other.
    """
    user = await db.select_short(conn, viewer=viewer, handle=fold_handle(handle))
    if user is None:
        raise NotFoundError
    return user


async def by_prefix(conn: Connection, viewer: Viewer, prefix: str) -> list[ShortUser]:
    """Return users whose handle or display name starts with a text.

    Users with such a handle are first, each part in alphabetical order. Case, accents and spaces of
    display names do not matter.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    return require_open_session(
        await db.select_users_by_prefix(conn, viewer=viewer, prefix=prefix, limit=COMPLETIONS)
    )


async def search(conn: Connection, viewer: Viewer | None, term: str) -> list[ListedUser]:
    """Return users whose handle and display name have words that begin with those of a text.

    The user with this handle is first. Case and accents do not matter. A hashtag finds no one.
    """
    if term.lstrip().startswith(("#", "＃")):
        return []
    return await db.search_users(
        conn, viewer=viewer, term=term, handle=term.strip().lstrip("@＠"), limit=FOUND
    )


async def update(conn: Connection, viewer: Viewer, draft: ProfileDraft) -> UpdatedProfile:
    """Set the viewer's display name and bio.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    return require_open_session(
        await db.update_profile(
            conn, viewer=viewer, display_name=draft.display_name, bio=draft.bio or ""
        )
    )


async def member(conn: Connection, user_uuid: UUID, session_uuid: UUID | None) -> Member:
    """Return a user's own account.

    Raises:
        UnauthenticatedError: the session is not open, or the account was deleted.
    """
    return require_open_session(
        await db.select_member(conn, user_uuid=user_uuid, session_uuid=session_uuid)
    )


def suggestion_ranking(database: Database, interval: float) -> SuggestionRanking:
    """Return the ranking of users by the likes and reposts of their live cruds."""

    async def select(conn: Connection, horizon: timedelta) -> list[Candidate[ShortUser]]:
        return await db.select_suggested(conn, limit=CANDIDATES, horizon=horizon)

    return Ranking(database, select, interval)


async def suggested(
    database: Database, ranking: SuggestionRanking, viewer: Viewer | None
) -> list[ShortUser]:
    """Return the users whose live cruds have the most reactions.

    The viewer is not among them, nor anyone that the viewer follows or who is hidden from them. A
    viewer whose session is not open gets the users that everyone gets.

    Raises:
        DatabaseUnavailableError: see `Database.connection`.
    """
    users = [ranked.item for ranked in await ranking.current()]
    if viewer is not None:
        uuids = [user.uuid for user in users]
        # Not earlier: the ranking may need a connection, too.
        async with database.connection() as conn:
            excluded = await safety_db.select_not_suggested(conn, viewer=viewer, uuids=uuids)
        if excluded is None:
            current_operation().user_uuid = None
        else:
            users = [user for user in users if user.uuid not in {viewer.uuid, *excluded}]
    return users[:SUGGESTIONS]
