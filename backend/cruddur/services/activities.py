"""Rules for cruds, replies, and the feeds that list them."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from cruddur.db import activities as db
from cruddur.db import instance as instance_db
from cruddur.db import notifications as notifications_db
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.services import crud_pictures, messages, notifications, text, users
from cruddur.services.paging import Page, page, read_cursor, time_cursor
from cruddur.services.previews import Previews
from cruddur.services.reports import Reports
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

MAX_ANCESTORS = 100
"""Cruds above a crud on its page, the nearest ones. The first one leads to those above it."""

MAX_NESTED = 3
"""Replies to each reply on the page of a crud, the oldest ones."""

_QUOTES = str.maketrans(dict.fromkeys("“”„‟\N{FULLWIDTH QUOTATION MARK}", '"'))
"""Keyboards of phones type these for a quotation mark."""
_TERM = re.compile(r'-?"[^"]*"|\S+')


async def home(conn: Connection, viewer: Viewer | None, paging: Paging) -> Page[Crud]:
    """Return the newest cruds of all users, in the span `home-activities` of the course."""
    before_at, before_uuid = time_cursor(paging.cursor)
    with span("home-activities", {"app.now": datetime.now(UTC).isoformat()}) as home_span:
        listed = await db.select_home(
            conn,
            viewer=viewer,
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
        page = _cruds(listed, paging.limit)
        home_span.set_attribute("app.result_length", len(page.items))
    return page


async def following(conn: Connection, viewer: Viewer, paging: Paging) -> Page[Crud]:
    """Return the newest cruds that the viewer follows.

    These are cruds and reposts of followed users, and cruds with followed tags; each crud once.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    listed = require_open_session(
        await db.select_following(
            conn,
            viewer=viewer,
            before_at=before_at,
            before_uuid=before_uuid,
            limit=paging.limit + 1,
        )
    )
    return _cruds(listed, paging.limit)


async def profile_feed(
    conn: Connection, viewer: Viewer | None, handle: str, paging: Paging
) -> tuple[ProfileFeed, Page[Crud]]:
    """Return a profile with a page of its feed, and that page.

    Raises:
        NotFoundError: no user has the handle, or one of this user and the viewer blocks the other.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    result = await db.select_profile_feed(
        conn,
        handle=users.fold_handle(handle),
        viewer=viewer,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=paging.limit + 1,
    )
    if result is None:
        raise NotFoundError
    profile, listed = result
    feed = _cruds(listed, paging.limit)
    if profile.muted is True:
        profile.muted = False  # for the members who share the page; the endpoint sets it again
        feed = replace(feed, hidden=feed.hidden | {profile.handle})
    return ProfileFeed(profile, feed.items), feed


async def search(conn: Connection, viewer: Viewer | None, query: Search) -> Page[Crud]:
    """Return the cruds and replies that match, the best first.

    `#tag` finds cruds with that tag and `@handle` finds cruds of that user. A single bare word
    finds all three: the word, the tag and the user. `-word` excludes cruds with that word. Case,
    accents and the forms of quotes and apostrophes do not matter.
    """
    terms = _TERM.findall(query.term.translate(_QUOTES))
    words = [term for term in terms if not term.startswith("-")]
    tags = [text.fold_tag(word[1:]) for word in words if word.startswith(("#", "＃"))]
    handles = [word[1:].lower() for word in words if word.startswith(("@", "＠"))]
    plain = [word for word in words if not word.startswith(("#", "＃", "@", "＠"))]
    if len(words) == len(plain) == 1:
        tags, handles = [text.fold_tag(plain[0])], [plain[0].lower()]
    cursor = read_cursor(query.cursor)
    listed = await db.search_activities(
        conn,
        words=["or" if word.lower() == "or" else word for word in plain],
        unwanted=[term for term in terms if term.startswith("-")],
        tags=tags,
        handles=handles,
        viewer=viewer,
        before_rank=cursor.position if cursor else None,
        before_uuid=cursor.uuid if cursor else None,
        limit=query.limit + 1,
    )
    return _cruds(listed, query.limit)


async def show(
    conn: Connection, viewer: Viewer | None, handle: str | None, uuid: UUID, paging: Paging
) -> tuple[CrudPage, Page[Crud]]:
    """Return a crud in its thread with a page of its replies, and that page.

    The uuid may be a notification's. Then the result is the crud that the notification is about
    or, for the recipient of a message or a follow, the notification in the form of a crud.

    Args:
        conn: a connection for reading.
        viewer: the user that the request acts for.
        handle: the author, or the user that the notification names; None accepts any.
        uuid: a crud or a notification.
        paging: the position in the list of replies.

    Raises:
        NotFoundError: there is no such live crud, or its author is hidden from the viewer.
    """
    after_at, after_uuid = time_cursor(paging.cursor)

    async def select(crud_uuid: UUID) -> db.Thread | None:
        return await db.select_thread(
            conn,
            uuid=crud_uuid,
            viewer=viewer,
            after_at=after_at,
            after_uuid=after_uuid,
            limit=paging.limit + 1,
            max_ancestors=MAX_ANCESTORS,
            max_nested=MAX_NESTED,
        )

    thread = await select(uuid)
    is_private = thread is None  # who sees a notification depends on more than the marks of a page
    handles = {thread.crud.handle} if thread else set()
    if thread is None:
        note = await notifications_db.select_notification(conn, uuid=uuid, viewer=viewer)
        if note is None:
            raise NotFoundError
        handles = {note.handle}
        if note.activity_uuid is None:
            thread = db.Thread(notifications.as_crud(note), [], [])
        else:
            thread = await select(note.activity_uuid)
            handles |= {thread.crud.handle} if thread else set()
    if thread is None or (handle is not None and handle.lower() not in handles):
        raise NotFoundError
    if thread.crud.handle in thread.hidden:
        raise NotFoundError
    replies = replace(
        _cruds(thread.replies, paging.limit), hidden=thread.hidden, is_private=is_private
    )
    return CrudPage(thread.crud, replies.items, thread.ancestors), replies


async def post(conn: Connection, viewer: Viewer, draft: CrudDraft, previews: Previews) -> Crud:
    """Post a crud, which expires after the draft's ttl. Its first link gets a preview later.

    Raises:
        InvalidError: ttl_too_long, the instance does not allow this lifetime; pictures_invalid, one
            of the pictures is not an unused one of the viewer.
        UnauthenticatedError: the viewer's session is not open.
    """
    link = previews.link(draft.message)
    lifetime = LIFETIMES[draft.ttl]
    pictures, alts = crud_pictures.split_choices(draft.pictures)
    inserted = await db.insert_activity(
        conn,
        viewer=viewer,
        message=draft.message,
        lifetime=lifetime,
        tags=text.tags(draft.message),
        mentions=text.mentions(draft.message),
        link=link,
        pictures=pictures,
        alts=alts,
    )
    if inserted is None:  # the endpoint checks the session
        if not await instance_db.select_allows_lifetime(conn, lifetime=lifetime):
            raise InvalidError("ttl_too_long")
        if pictures:
            raise InvalidError("pictures_invalid")
    created = require_open_session(inserted)
    if link is not None:
        previews.note_new_link()
    current_operation().count("app.cruds.created", attributes={"app.kind": "crud"})
    return created


async def reply(
    conn: Connection, viewer: Viewer, uuid: UUID, draft: ReplyDraft, previews: Previews
) -> Crud:
    """Reply to a crud, or to the crud or message that a notification is about.

    Raises:
        InvalidError: pictures_invalid, one of the pictures is not an unused one of the viewer, or
            the reply is a message, which has no pictures.
        NotFoundError: there is nothing live to reply to, or the viewer's session is not open.
    """
    created = await _reply(conn, viewer, uuid, draft, previews)
    if created is not None:
        return created
    note = await notifications_db.select_notification(conn, uuid=uuid, viewer=viewer)
    if note is None:
        raise NotFoundError
    if note.activity_uuid is not None:
        created = await _reply(conn, viewer, note.activity_uuid, draft, previews)
        if created is None:
            raise NotFoundError
        return created
    if note.message_group_uuid is None:  # a follow
        raise NotFoundError
    if draft.pictures:
        raise InvalidError("pictures_invalid")
    sent = await messages.send(
        conn,
        viewer,
        MessageDraft(message=draft.message, message_group_uuid=note.message_group_uuid),
    )
    return notifications.message_as_crud(sent)


async def delete(database: Database, reports: Reports, viewer: Viewer, uuid: UUID) -> Deleted:
    """Delete a crud or reply of the viewer. What was posted recently can still be reported.

    It opens its own unit of work, because files of pictures are read first.

    Raises:
        NotFoundError: the viewer has no such live crud, or their session is not open.
    """
    await reports.keep_thread(viewer, uuid)
    async with database.writing() as conn:
        if not await db.delete_activity(conn, uuid=uuid, viewer=viewer):
            raise NotFoundError
    return Deleted(uuid)


async def _reply(
    conn: Connection, viewer: Viewer, uuid: UUID, draft: ReplyDraft, previews: Previews
) -> Crud | None:
    link = previews.link(draft.message)
    pictures, alts = crud_pictures.split_choices(draft.pictures)
    created = await db.insert_reply(
        conn,
        viewer=viewer,
        parent_uuid=uuid,
        message=draft.message,
        tags=text.tags(draft.message),
        mentions=text.mentions(draft.message),
        link=link,
        pictures=pictures,
        alts=alts,
    )
    if created is None and pictures and await db.select_is_live(conn, viewer=viewer, uuid=uuid):
        raise InvalidError("pictures_invalid")
    if created is not None:
        if link is not None:
            previews.note_new_link()
        current_operation().count("app.cruds.created", attributes={"app.kind": "reply"})
    return created


def _cruds(listed: list[db.ListedCrud], limit: int) -> Page[Crud]:
    result = page(listed, limit, lambda item: (item.position, item.crud.uuid))
    hidden = frozenset[str]().union(*(item.hidden for item in result.items))
    return Page([item.crud for item in result.items], result.cursor, hidden)
