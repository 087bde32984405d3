"""Queries for the event log, for the rows that its events refer to, and for stream tickets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from cruddur.db.activities import crud
from cruddur.db.connector import ReadOnlyServerError
from cruddur.db.messages import sent_message
from cruddur.db.notifications import notification
from cruddur.db.positions import NOTHING, Position, Snapshot
from cruddur.db.statements import Connection, Row, load
from cruddur.db.viewers import parameters
from cruddur.wire import Crud, Notification, SentMessage, ShortUser

EventKind = Literal[
    "crud",
    "counts",
    "expiry",
    "gone",
    "preview",
    "message",
    "notification",
    "sign_out",
    "mark",
    "page",
    "follow",
    "repost",
    "hidden",
    "instance",
    "account",
]

CHANNEL = "cruddur_events"
"""The channel of NOTIFY; a notification does not contain the event."""

_LISTENERS = 4567_0003
"""The advisory lock that each connection shares while it listens."""

NO_USER = UUID(int=0)
"""The nil UUID, for the user of events and expiries that have none."""

FOREVER = datetime.max.replace(tzinfo=UTC)
"""The time until which a user is hidden without an end."""

_UNSEEN_EVENTS = load("live.unseen_events")
_MORE_EVENTS = load("live.more_events")
_NOW = load("live.now")
_IS_KNOWN = load("live.is_known")
_IS_FOREIGN = load("live.is_foreign")
_DELETE_FOREIGN = load("live.delete_foreign")
_LISTEN = load("live.listen")
_UNLISTEN = load("live.unlisten")
_NOTIFY = load("live.notify")
_AUDIENCE = load("live.audience")
_CRUDS = load("live.cruds")
_USERS = load("live.users")
_MESSAGES = load("live.messages")
_HIDDEN = load("live.hidden")
_NOTIFICATIONS = load("live.notifications")
_EXPIRING = load("live.expiring")
_CREATE_TICKET = load("live.create_ticket")
_TAKE_TICKET = load("live.take_ticket")


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the event log. Migration 0003 defines what each column means by kind.

    A mark has neither a subject nor a user.

    Attributes:
        position: the position in the log after the event.
    """

    id: int
    kind: EventKind
    subject_uuid: UUID
    user_uuid: UUID
    parent_uuid: UUID | None
    traceparent: str | None
    created_at: datetime
    position: Position


@dataclass(frozen=True, slots=True)
class Now:
    """The present state of the event log.

    Attributes:
        position: the position after all events.
        clock: the time of the database's clock.
    """

    position: Position
    clock: datetime


@dataclass(frozen=True, slots=True)
class Expiring:
    """The expiry of a crud, a message or an announcement.

    Attributes:
        user_uuid: its author; NO_USER for an announcement.
        parent_uuid: the crud that it replies to.
        recipient_uuid: the user who received it, if it is a message.
    """

    uuid: UUID
    user_uuid: UUID
    parent_uuid: UUID | None
    expires_at: datetime
    recipient_uuid: UUID | None = None


@dataclass(frozen=True, slots=True)
class LiveCrud:
    """A live crud as an anonymous client sees it.

    Attributes:
        crud: the crud.
        author_uuid: its author.
        parent_author_uuid: the author of the crud that it replies to.
        tags: its tags.
        is_limited: whether its author is limited.
    """

    crud: Crud
    author_uuid: UUID
    parent_author_uuid: UUID | None
    tags: tuple[str, ...]
    is_limited: bool


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """A message.

    Attributes:
        message: the message.
        recipient: the user who received it.
        is_request: whether its conversation is a request for the recipient.
    """

    message: SentMessage
    recipient: UUID
    is_request: bool


@dataclass(frozen=True, slots=True)
class StreamUser:
    """The user of a stream. Without a session, the stream ends at `access_ends_at`."""

    uuid: UUID
    session_uuid: UUID | None
    access_ends_at: datetime | None


async def select_events(
    conn: Connection, *, after: Position, until: Position, limit: int
) -> list[Event]:
    """Return the first events between two positions, in causal order.

    Args:
        conn: a connection for reading.
        after: the position before the events.
        until: the end of the events: a complete position, which is `after.end` if `after` is not
            complete.
        limit: the maximum number of events.
    """
    snapshots = {"seen": after.seen, "until": until.until, "after_id": after.event_id}
    if after.is_complete:
        rows = await _UNSEEN_EVENTS.rows(conn, **snapshots, most=None, limit=limit)
    else:
        rows = await _MORE_EVENTS.rows(conn, **snapshots, limit=limit)
    return _events(rows, after, until, is_rest=len(rows) < limit)


async def select_missed_events(
    conn: Connection, *, after: Position, until: Position, most: int
) -> list[Event] | None:
    """Return all events between two positions, in causal order; None if they are too many.

    Args:
        conn: a connection for reading.
        after: the position before the events.
        until: as for `select_events`.
        most: the maximum number of events.
    """
    snapshots = {"seen": after.seen, "until": until.until, "after_id": after.event_id}
    limit = most + 1
    rows = await _UNSEEN_EVENTS.rows(conn, **snapshots, most=limit, limit=limit)
    return _events(rows, after, until, is_rest=True) if len(rows) <= most else None


def _events(rows: Sequence[Row], after: Position, until: Position, *, is_rest: bool) -> list[Event]:
    """Return the events of rows. The last one reaches `until` if there are no others."""
    events = [Event(**row, position=after.inside(until, row["id"])) for row in rows]
    if events and is_rest:
        events[-1] = replace(events[-1], position=until)
    return events


async def select_now(conn: Connection) -> Now:
    """Return the present position of the log and the time of the database.

    Raises:
        ReadOnlyServerError: the server is a standby, which does not show the transactions that are
            in progress.
    """
    row = await _NOW.row(conn)
    if row is None:
        raise ReadOnlyServerError
    snapshot, at = NOTHING, row["clock"]
    if row["newest"] is not None:
        snapshot, at = Snapshot(*row["snapshot"]).until(row["newest"]), row["newest_at"]
    return Now(Position(snapshot, snapshot, 0, at), row["clock"])


async def select_is_known(conn: Connection, position: Position) -> bool:
    """Return whether the log belongs to the position, and has all events after it."""
    is_known: bool = await _IS_KNOWN.value(
        conn, seen=position.seen.newest, newest=position.until.newest, at=position.at
    )
    return is_known


async def delete_foreign_events(conn: Connection) -> None:
    """Delete all events if a restored backup has brought some from another server.

    They name transactions that this server has yet to begin, so their order here is unknown.
    """
    if await _IS_FOREIGN.value(conn):
        await _DELETE_FOREIGN.run(conn)


async def listen(conn: Connection) -> int:
    """Count the connection as one that listens; return the id of its server process."""
    process_id: int = await _LISTEN.value(conn, lock=_LISTENERS)
    return process_id


async def unlisten(conn: Connection) -> None:
    """Undo `listen`."""
    await _UNLISTEN.value(conn, lock=_LISTENERS)


async def notify(conn: Connection, *, sender: str, own_process_id: int) -> None:
    """Notify the listening connections, if there are any except one's own."""
    await _NOTIFY.rows(
        conn, channel=CHANNEL, sender=sender, lock=_LISTENERS, own_process_id=own_process_id
    )


async def select_cruds(conn: Connection, *, uuids: Sequence[UUID]) -> dict[UUID, LiveCrud]:
    """Return those cruds that are live."""
    rows = await _CRUDS.rows(conn, uuids=uuids)
    return {
        row["uuid"]: LiveCrud(
            crud(row, None),
            row["user_uuid"],
            row["parent_user_uuid"],
            tuple(row["tags"]),
            row["is_limited"],
        )
        for row in rows
    }


async def select_audience(
    conn: Connection, *, uuids: Collection[UUID], viewers: Collection[UUID]
) -> dict[UUID, set[UUID]]:
    """Return the users among `viewers` who follow each of some users."""
    audience: dict[UUID, set[UUID]] = {uuid: set() for uuid in uuids}
    for row in await _AUDIENCE.rows(conn, uuids=list(uuids), viewers=list(viewers)):
        audience[row["followee_uuid"]].add(row["follower_uuid"])
    return audience


async def select_messages(conn: Connection, *, uuids: Sequence[UUID]) -> dict[UUID, LiveMessage]:
    """Return live messages, without those between users where one blocks the other."""
    rows = await _MESSAGES.rows(conn, uuids=uuids)
    return {
        row["uuid"]: LiveMessage(sent_message(row), row["recipient_uuid"], row["is_request"])
        for row in rows
    }


async def select_hidden(
    conn: Connection, *, viewers: Sequence[UUID]
) -> dict[UUID, dict[UUID, datetime]]:
    """Return the users who are hidden from each of some viewers, and until when."""
    hidden: dict[UUID, dict[UUID, datetime]] = {viewer: {} for viewer in viewers}
    if viewers:
        for row in await _HIDDEN.rows(conn, viewers=viewers):
            of_viewer, author = hidden[row["viewer_uuid"]], row["author_uuid"]
            until = row["until"] or FOREVER
            of_viewer[author] = max(until, of_viewer.get(author, until))
    return hidden


async def select_users(conn: Connection, *, uuids: Sequence[UUID]) -> dict[UUID, ShortUser]:
    """Return users as others see them."""
    rows = await _USERS.rows(conn, uuids=uuids)
    return {row["uuid"]: ShortUser(**row) for row in rows}


async def select_notifications(
    conn: Connection, *, uuids: Sequence[UUID]
) -> dict[UUID, tuple[Notification, UUID]]:
    """Return notifications, each with its recipient."""
    rows = await _NOTIFICATIONS.rows(conn, uuids=uuids)
    return {row["uuid"]: (notification(row, row["user_uuid"]), row["user_uuid"]) for row in rows}


async def select_expiring(
    conn: Connection, *, after: datetime, until: datetime | None, limit: int | None = None
) -> list[Expiring]:
    """Return the expiries in a range of time, by default until now, the soonest first.

    Rows that were swept since are included.
    """
    rows = await _EXPIRING.rows(conn, after=after, until=until, limit=limit)
    return [Expiring(**row) for row in rows]


async def insert_ticket(
    conn: Connection, *, ticket_hash: bytes, stream_user: StreamUser, lifetime: timedelta
) -> bool:
    """Insert a ticket; return False if the user's session is not open."""
    inserted = await _CREATE_TICKET.run(
        conn,
        ticket_hash=ticket_hash,
        **parameters(stream_user),
        access_ends_at=stream_user.access_ends_at,
        lifetime=lifetime,
    )
    return inserted > 0


async def redeem_ticket(conn: Connection, *, ticket_hash: bytes) -> StreamUser | None:
    """Delete a ticket and return its user; None if it does not exist or has expired."""
    row = await _TAKE_TICKET.row(conn, ticket_hash=ticket_hash)
    return StreamUser(**row) if row else None
