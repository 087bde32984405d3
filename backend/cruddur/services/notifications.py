"""Notifications, in words and in the form of a crud."""

from msgspec import structs

from cruddur.db import notifications as db
from cruddur.db.statements import Connection
from cruddur.identity.viewer import Viewer
from cruddur.services.paging import Page, page, time_cursor
from cruddur.wire import Counter, Crud, Message, Notification, Paging

_WORDS = {"like": "liked your crud: “{}”", "repost": "reposted your crud: “{}”"}


async def recent(conn: Connection, viewer: Viewer, paging: Paging) -> Page[Notification]:
    """What happened to the viewer, the newest first.

    `message` holds what the person of `handle` wrote, or says what they did. Reading the
    newest page marks them read: up to the newest that is shown and not up to now, so that
    one which is being written meanwhile is still to be read.
    """
    before_at, before_uuid = time_cursor(paging.cursor)
    found = await db.select_notifications(
        conn,
        viewer=viewer.uuid,
        before_at=before_at,
        before_uuid=before_uuid,
        limit=paging.limit + 1,
    )
    if before_at is None and found:
        await db.mark_read(conn, user_uuid=viewer.uuid, read_at=found[0].created_at)
    for note in found:
        set_text(note)
    return page(found, paging.limit, lambda note: (note.created_at, note.uuid))


def set_text(note: Notification) -> None:
    """Have `message` say what somebody did, where they wrote nothing."""
    if note.kind in _WORDS:
        note.message = _WORDS[note.kind].format(note.message)


async def unread(conn: Connection, viewer: Viewer) -> Counter:
    """How many notifications wait for the viewer, messages aside."""
    return Counter(await db.count_unread(conn, user_uuid=viewer.uuid))


def as_crud(note: Notification) -> Crud:
    """A notification without what only notifications have."""
    return Crud(**{name: getattr(note, name) for name in Crud.__struct_fields__})


def message_as_crud(message: Message) -> Crud:
    """A message in the form of a crud; it does not expire."""
    return Crud(
        **structs.asdict(
            Message(**{name: getattr(message, name) for name in Message.__struct_fields__})
        ),
        expires_at=None,
        replies_count=0,
        reposts_count=0,
        likes_count=0,
        reply_to_activity_uuid=None,
    )
