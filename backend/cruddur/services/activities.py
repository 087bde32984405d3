"""Cruds, replies and the feeds they are read in."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cruddur.db import activities as db
from cruddur.db import notifications as notifications_db
from cruddur.db.statements import Connection
from cruddur.errors import NotFoundError, UnauthenticatedError
from cruddur.identity.viewer import Claimant, Viewer, proven
from cruddur.services import messages, notifications, text, users
from cruddur.services.paging import Page, page, read_cursor, time_cursor
from cruddur.telemetry.operation import current_operation, span
from cruddur.wire import (
    Crud,
    CrudDraft,
    CrudPage,
    Deleted,
    MessageDraft,
    Paging,
    ProfileFeed,
    ReplyDraft,
    Search,
    Ttl,
)

LIFETIMES: dict[Ttl, timedelta] = {
    "30-days": timedelta(days=30),
    "7-days": timedelta(days=7),
    "3-days": timedelta(days=3),
    "1-day": timedelta(days=1),
    "12-hours": timedelta(hours=12),
    "3-hours": timedelta(hours=3),
    "1-hour": timedelta(hours=1),
}

_TERM = re.compile(r'-?"[^"]*"|\S+')
# A hyphen outside a word would be a negation to PostgreSQL; we take those apart ourselves.
_LOOSE_HYPHEN = re.compile(r"(?<!\w)-|-(?!\w)")


async def home(conn: Connection, viewer: Viewer | None, paging: Paging) -> Page[Crud]:
    """The newest cruds of everybody, in the span that the course gave them."""
    before_at, before_uuid = time_cursor(paging.cursor)
    with span("home-activities", {"app.now": datetime.now(UTC).isoformat()}) as home_span:
        listed = await db.select_home(
            conn,
            viewer=_uuid(viewer),
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
        page = _cruds(listed, paging.limit)
        home_span.set_attribute("app.result_length", len(page.items))
    return page


async def profile_feed(
    conn: Connection, viewer: Viewer | None, handle: str, paging: Paging
) -> tuple[ProfileFeed, str | None]:
    """A profile with a page of its feed, and the next page's cursor.

    Raises:
        NotFoundError: nobody has that handle.
    """
    profile = await users.profile(conn, handle)
    before_at, before_uuid = time_cursor(paging.cursor)
    listed = await db.select_profile_feed(
        conn,
        user_uuid=profile.uuid,
        handle=profile.handle,
        viewer=_uuid(viewer),
        before_at=before_at,
        before_uuid=before_uuid,
        limit=paging.limit + 1,
    )
    found = _cruds(listed, paging.limit)
    return ProfileFeed(profile, found.items), found.cursor


async def search(conn: Connection, viewer: Viewer | None, query: Search) -> Page[Crud]:
    """Cruds and replies that match, the best first.

    `#tag` finds that tag and `@handle` that person's cruds; a single bare word finds
    all three: the word, the tag and the person. `-word` leaves out what holds it.
    """
    terms = _TERM.findall(query.term)
    words = [term for term in terms if not term.startswith("-")]
    unwanted = [_LOOSE_HYPHEN.sub(" ", term) for term in terms if term.startswith("-")]
    tags = [text.fold_tag(word[1:]) for word in words if word.startswith("#")]
    handles = [word[1:].lower() for word in words if word.startswith("@")]
    plain = [word for word in words if not word.startswith(("#", "@"))]
    if len(words) == len(plain) == 1:
        tags, handles = [text.fold_tag(plain[0])], [plain[0].lower()]
    cursor = read_cursor(query.cursor)
    listed = await db.search_activities(
        conn,
        words=_LOOSE_HYPHEN.sub(" ", " ".join(plain)),
        unwanted=" or ".join(term for term in unwanted if term.strip()),
        tags=tags,
        handles=handles,
        viewer=_uuid(viewer),
        before_rank=cursor.position if cursor else None,
        before_uuid=cursor.uuid if cursor else None,
        limit=query.limit + 1,
    )
    return _cruds(listed, query.limit)


async def show(
    conn: Connection, viewer: Viewer | None, handle: str | None, uuid: UUID, paging: Paging
) -> tuple[CrudPage, str | None]:
    """A crud with a page of its replies, and the next page's cursor.

    The uuid may be a notification's: it shows the crud that the notification is about,
    and, to its recipient, a message in the form of a crud. `handle` must be that of the
    author, or of the person whom the notification names; None accepts any.

    Raises:
        NotFoundError: there is no such live crud.
    """
    activity = await db.select_activity(conn, uuid=uuid, viewer=_uuid(viewer))
    names = {activity.handle} if activity else set()
    if activity is None:
        note = await notifications_db.select_notification(conn, uuid=uuid, viewer=_uuid(viewer))
        if note is None:
            raise NotFoundError
        names = {note.handle}
        if note.activity_uuid is None:
            activity = notifications.as_crud(note)
        else:
            activity = await db.select_activity(conn, uuid=note.activity_uuid, viewer=_uuid(viewer))
            names |= {activity.handle} if activity else set()
    if activity is None or (handle is not None and handle.lower() not in names):
        raise NotFoundError
    after_at, after_uuid = time_cursor(paging.cursor)
    listed = await db.select_replies(
        conn,
        uuid=activity.uuid,
        viewer=_uuid(viewer),
        after_at=after_at,
        after_uuid=after_uuid,
        limit=paging.limit + 1,
    )
    replies = _cruds(listed, paging.limit)
    return CrudPage(activity, replies.items), replies.cursor


async def post(conn: Connection, viewer: Claimant, draft: CrudDraft) -> Crud:
    """A new crud that lives for the draft's ttl.

    Raises:
        UnauthenticatedError: the viewer is gone, or their session is not open.
    """
    created = await db.insert_activity(
        conn,
        user_uuid=viewer.uuid,
        session_uuid=viewer.session_uuid,
        message=draft.message,
        lifetime=LIFETIMES[draft.ttl],
        tags=text.tags(draft.message),
        mentions=text.mentions(draft.message),
    )
    if created is None:
        raise UnauthenticatedError
    current_operation().count("app.cruds.created", attributes={"app.kind": "crud"})
    return created


async def reply(conn: Connection, claimant: Claimant, uuid: UUID, draft: ReplyDraft) -> Crud:
    """A reply to a crud, or to what a notification is about: a crud, or a message.

    Raises:
        NotFoundError: there is nothing live to reply to.
        UnauthenticatedError: no reply to a crud came of it, and the claimant is no viewer.
    """
    created = await _reply(conn, claimant, uuid, draft)
    if created is not None:
        return created
    viewer = proven(claimant)
    note = await notifications_db.select_notification(conn, uuid=uuid, viewer=viewer.uuid)
    if note is None:
        raise NotFoundError
    if note.activity_uuid is not None:
        created = await _reply(conn, viewer, note.activity_uuid, draft)
        if created is None:
            raise NotFoundError
        return created
    sent = await messages.send(
        conn,
        viewer,
        MessageDraft(message=draft.message, message_group_uuid=note.message_group_uuid),
    )
    return notifications.message_as_crud(sent)


async def delete(conn: Connection, viewer: Viewer, uuid: UUID) -> Deleted:
    """Remove one's own crud or reply, with all that hangs on it.

    Raises:
        NotFoundError: there is no such live crud of the viewer's.
    """
    if not await db.delete_activity(conn, uuid=uuid, user_uuid=viewer.uuid):
        raise NotFoundError
    return Deleted(uuid)


async def _reply(conn: Connection, viewer: Claimant, uuid: UUID, draft: ReplyDraft) -> Crud | None:
    created = await db.insert_reply(
        conn,
        user_uuid=viewer.uuid,
        session_uuid=viewer.session_uuid,
        parent_uuid=uuid,
        message=draft.message,
        tags=text.tags(draft.message),
        mentions=text.mentions(draft.message),
    )
    if created is not None:
        current_operation().count("app.cruds.created", attributes={"app.kind": "reply"})
    return created


def _cruds(listed: list[db.Listed], limit: int) -> Page[Crud]:
    found = page(listed, limit, lambda item: (item.position, item.crud.uuid))
    return Page([item.crud for item in found.items], found.cursor)


def _uuid(viewer: Viewer | None) -> UUID | None:
    return viewer.uuid if viewer else None
