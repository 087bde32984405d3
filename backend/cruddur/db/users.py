"""Queries for users. Handles are stored in lower case; every lookup folds its argument."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cruddur.db.follows import listed_user
from cruddur.db.ranking import Candidate, candidate
from cruddur.db.statements import Connection, load
from cruddur.db.viewers import ViewerIds, parameters, private_rows, public_rows
from cruddur.wire import ListedUser, Member, ShortUser, UpdatedProfile

_VIEWER = load("users.viewer")
_VIEWER_BY_HANDLE = load("users.viewer_by_handle")
_CREATE = load("users.create")
_IS_DELETED = load("users.is_deleted")
_DELETE = load("users.delete")
_SHORT = load("users.short")
_BY_PREFIX = load("users.by_prefix")
_SEARCH = load("users.search")
_MEMBER = load("users.member")
_UPDATE = load("users.update")
_SUGGESTED = load("users.suggested")
_SUSPENDED = load("users.suspended")
_ANY = load("users.any")
_BY_EMAIL = load("users.by_email")
_LOCK = load("users.lock")
_LINK = load("users.link")
_ACCEPT_TERMS = load("users.accept_terms")
_ACCEPTED_TERMS = load("users.accepted_terms")


_MAX_RANKED = 200
"""Maximum number of users that a search ranks."""


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """The fields of a user that authentication needs."""

    uuid: UUID
    handle: str
    issuer: str
    subject: str


async def select_viewer(conn: Connection, *, issuer: str, subject: str) -> UserIdentity | None:
    """Return the user of a token's claims."""
    row = await _VIEWER.row(conn, issuer=issuer, subject=subject)
    return UserIdentity(**row) if row else None


async def select_viewer_by_handle(conn: Connection, *, handle: str) -> UserIdentity | None:
    """Return the user with this handle."""
    row = await _VIEWER_BY_HANDLE.row(conn, handle=handle)
    return UserIdentity(**row) if row else None


async def select_suspended(conn: Connection, *, uuid: UUID) -> UserIdentity | None:
    """Return the user, if they are suspended now."""
    row = await _SUSPENDED.row(conn, uuid=uuid)
    return UserIdentity(**row) if row else None


async def insert_user(
    conn: Connection,
    *,
    uuid: UUID,
    issuer: str,
    subject: str,
    handle: str,
    display_name: str,
    email: str | None,
) -> UserIdentity | None:
    """Insert a user; return None if the handle or the subject is taken, or was deleted recently."""
    row = await _CREATE.row(
        conn,
        uuid=uuid,
        issuer=issuer,
        subject=subject,
        handle=handle,
        display_name=display_name,
        email=email,
    )
    return UserIdentity(**row) if row else None


async def is_deleted(conn: Connection, *, issuer: str, subject: str) -> bool:
    """Return whether the subject's account was deleted so recently that its tokens may be valid."""
    return bool(await _IS_DELETED.value(conn, issuer=issuer, subject=subject))


async def link_user(conn: Connection, *, uuid: UUID, issuer: str, subject: str) -> None:
    """Link a user to a subject of another issuer, and delete their local password and sessions."""
    await _LINK.run(conn, uuid=uuid, issuer=issuer, subject=subject)


async def delete_user(conn: Connection, *, uuid: UUID) -> None:
    """Delete a user with all their data, and block the subject for a day."""
    await _DELETE.run(conn, uuid=uuid)


async def select_short(
    conn: Connection, *, viewer: ViewerIds | None, handle: str
) -> ShortUser | None:
    """Return the user with this handle in short form.

    Returns:
        None if no user has the handle, or if one of this user and the viewer blocks the other.
    """
    rows = await public_rows(_SHORT, conn, viewer, handle=handle)
    columns = ShortUser.__struct_fields__
    return ShortUser(*(rows[0][name] for name in columns)) if rows else None


async def select_users_by_prefix(
    conn: Connection, *, viewer: ViewerIds, prefix: str, limit: int
) -> list[ShortUser] | None:
    """Return the users whose handle or display name starts with a text, those by handle first.

    Returns None if the viewer's session is not open.
    """
    rows = await private_rows(_BY_PREFIX, conn, viewer, prefix=prefix, limit=limit)
    return None if rows is None else [ShortUser(**row) for row in rows]


async def search_users(
    conn: Connection, *, viewer: ViewerIds | None, term: str, handle: str, limit: int
) -> list[ListedUser]:
    """Return the users whose names have words that begin with those of a text, the best first.

    Args:
        conn: a connection for reading.
        viewer: the user that the request acts for.
        term: the words.
        handle: the user with this handle is first, and those whose handle begins with it follow.
        limit: the maximum number of users.
    """
    rows = await public_rows(
        _SEARCH, conn, viewer, term=term, handle=handle, limit=limit, max_ranked=_MAX_RANKED
    )
    return [listed_user(row) for row in rows if row["uuid"] is not None]


async def select_member(
    conn: Connection, *, user_uuid: UUID, session_uuid: UUID | None
) -> Member | None:
    """Return a user's own account, or None if the session is not open."""
    row = await _MEMBER.row(conn, viewer=user_uuid, session=session_uuid)
    return Member(**row) if row else None


async def update_profile(
    conn: Connection, *, viewer: ViewerIds, display_name: str, bio: str
) -> UpdatedProfile | None:
    """Set the viewer's display name and bio. Returns None if their session is not open."""
    row = await _UPDATE.row(conn, **parameters(viewer), display_name=display_name, bio=bio)
    return UpdatedProfile(**row) if row else None


async def select_suggested(
    conn: Connection, *, limit: int, horizon: timedelta
) -> list[Candidate[ShortUser]]:
    """Return the users that can be among the first `limit` within `horizon`, by uuid."""
    rows = await _SUGGESTED.rows(conn, limit=limit, horizon=horizon)
    columns = ShortUser.__struct_fields__
    return [candidate(ShortUser(*(row[name] for name in columns)), row) for row in rows]


async def lock_users(conn: Connection) -> None:
    """Block other writers of users until the transaction ends."""
    await _LOCK.run(conn)


async def any_user(conn: Connection) -> bool:
    """Return whether there is any user."""
    return bool(await _ANY.value(conn))


async def select_user_by_email(conn: Connection, *, issuer: str, email: str) -> UUID | None:
    """Return the user with an e-mail address that this issuer has verified."""
    uuid: UUID | None = await _BY_EMAIL.value(conn, issuer=issuer, email=email)
    return uuid


async def update_terms(conn: Connection, *, viewer: ViewerIds, terms_version: int) -> bool:
    """Record that the viewer accepts the present terms.

    Returns:
        False if the terms have another version, or the viewer's session is not open.
    """
    row = await _ACCEPT_TERMS.row(conn, **parameters(viewer), terms_version=terms_version)
    return row is not None


async def update_terms_of_sign_up(
    conn: Connection, *, user_uuid: UUID, terms_version: int, accepted_at: datetime | None
) -> None:
    """Record the terms that a new user has accepted with the sign-up."""
    await _ACCEPTED_TERMS.run(
        conn, user_uuid=user_uuid, terms_version=terms_version, accepted_at=accepted_at
    )
