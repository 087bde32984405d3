"""People in the database. Handles are stored in lower case; every look-up folds its argument."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from cruddur.db.ranking import Candidate, candidate
from cruddur.db.statements import Connection, load
from cruddur.wire import Member, Profile, ShortUser, UpdatedProfile

_VIEWER = load("users.viewer")
_VIEWER_BY_HANDLE = load("users.viewer_by_handle")
_CREATE = load("users.create")
_IS_DELETED = load("users.is_deleted")
_DELETE = load("users.delete")
_SHORT = load("users.short")
_MEMBER = load("users.member")
_PROFILE = load("users.profile")
_UPDATE = load("users.update")
_SUGGESTED = load("users.suggested")
_ANY = load("users.any")
_BY_EMAIL = load("users.by_email")
_LOCK = load("users.lock")
_LINK = load("users.link")


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A person as authentication needs them."""

    uuid: UUID
    handle: str
    issuer: str
    subject: str
    session_is_open: bool


async def select_viewer(
    conn: Connection, *, issuer: str, subject: str, session_uuid: UUID | None
) -> KnownUser | None:
    """The person of a token's claims; `session_is_open` is true without a session."""
    row = await _VIEWER.row(conn, issuer=issuer, subject=subject, session_uuid=session_uuid)
    return KnownUser(**row) if row else None


async def select_viewer_by_handle(conn: Connection, *, handle: str) -> KnownUser | None:
    """The person of a handle."""
    row = await _VIEWER_BY_HANDLE.row(conn, handle=handle)
    return KnownUser(**row) if row else None


async def insert_user(
    conn: Connection,
    *,
    uuid: UUID,
    issuer: str,
    subject: str,
    handle: str,
    display_name: str,
    email: str | None,
) -> KnownUser | None:
    """A new person, or None when the handle or the subject is taken or was deleted."""
    row = await _CREATE.row(
        conn,
        uuid=uuid,
        issuer=issuer,
        subject=subject,
        handle=handle,
        display_name=display_name,
        email=email,
    )
    return KnownUser(**row) if row else None


async def is_deleted(conn: Connection, *, issuer: str, subject: str) -> bool:
    """Whether the subject's account was deleted while its tokens may still be good."""
    return bool(await _IS_DELETED.value(conn, issuer=issuer, subject=subject))


async def link_user(conn: Connection, *, uuid: UUID, issuer: str, subject: str) -> None:
    """Make a user the subject of another issuer, and end their password and sessions here."""
    await _LINK.run(conn, uuid=uuid, issuer=issuer, subject=subject)


async def delete_user(conn: Connection, *, uuid: UUID) -> None:
    """Remove a person and all that is theirs, and remember the subject for a day."""
    await _DELETE.run(conn, uuid=uuid)


async def select_short(conn: Connection, *, handle: str) -> ShortUser | None:
    """Who a handle is."""
    row = await _SHORT.row(conn, handle=handle)
    return ShortUser(**row) if row else None


async def select_member(conn: Connection, *, uuid: UUID) -> Member | None:
    """A person as they see themselves."""
    row = await _MEMBER.row(conn, uuid=uuid)
    return Member(**row) if row else None


async def select_profile(conn: Connection, *, handle: str) -> Profile | None:
    """The head of a profile page."""
    row = await _PROFILE.row(conn, handle=handle)
    return Profile(**row) if row else None


async def update_profile(
    conn: Connection, *, uuid: UUID, display_name: str, bio: str
) -> UpdatedProfile | None:
    """Set what a person says of themselves."""
    row = await _UPDATE.row(conn, uuid=uuid, display_name=display_name, bio=bio)
    return UpdatedProfile(**row) if row else None


async def select_suggested(
    conn: Connection, *, limit: int, horizon: timedelta
) -> list[Candidate[ShortUser]]:
    """Return the people that can be among the first `limit` within `horizon`, by uuid."""
    rows = await _SUGGESTED.rows(conn, limit=limit, horizon=horizon)
    columns = ShortUser.__struct_fields__
    return [candidate(ShortUser(*(row[name] for name in columns)), row) for row in rows]


async def lock_users(conn: Connection) -> None:
    """Keep other writers of people out until the transaction ends."""
    await _LOCK.run(conn)


async def any_user(conn: Connection) -> bool:
    """Whether there is anybody yet."""
    return bool(await _ANY.value(conn))


async def select_user_by_email(conn: Connection, *, issuer: str, email: str) -> UUID | None:
    """The person of an issuer's address; addresses of other issuers prove nothing."""
    uuid: UUID | None = await _BY_EMAIL.value(conn, issuer=issuer, email=email)
    return uuid
