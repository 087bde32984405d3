"""Queries for the event log, for the rows that its events refer to, and for stream tickets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from msgspec import convert

from cruddur.db.activities import crud
from cruddur.db.notifications import notification
from cruddur.db.statements import Connection, load
from cruddur.db.viewers import parameters
from cruddur.wire import Crud, Notification, SentMessage

EventKind = Literal[
    "crud", "counts", "expiry", "gone", "message", "notification", "sign_out", "mark"
]

CHANNEL = "cruddur_events"
"""The channel of NOTIFY; a notification does not contain the event."""

_EVENTS = load("live.events")
_NOW = load("live.now")
_HAPPENED_AT = load("live.happened_at")
_CRUDS = load("live.cruds")
_MESSAGES = load("live.messages")
_NOTIFICATIONS = load("live.notifications")
_EXPIRING = load("live.expiring")
_CREATE_TICKET = load("live.create_ticket")
_TAKE_TICKET = load("live.take_ticket")


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the event log. Migration 0003 defines what each column means by kind.

    A mark has neither a subject nor a user.
    """

    id: int
    kind: EventKind
    subject_uuid: UUID
    user_uuid: UUID
    parent_uuid: UUID | None
    traceparent: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A position in the event log and its time.

    Attributes:
        latest: the id of the latest event, 0 before the first.
        clock: the time of the database's clock.
    """

    latest: int
    clock: datetime


@dataclass(frozen=True, slots=True)
class Expiring:
    """The expiry of a crud or reply, with its author and its parent."""

    uuid: UUID
    user_uuid: UUID
    parent_uuid: UUID | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StreamUser:
    """The user of a stream. Without a session, the stream ends at `access_ends_at`."""

    uuid: UUID
    session_uuid: UUID | None
    access_ends_at: datetime | None


async def select_events(
    conn: Connection, *, after: int, until: int | None = None, limit: int
) -> list[Event]:
    """Return the events after one event and up to another, oldest first."""
    rows = await _EVENTS.rows(conn, after=after, until=until, limit=limit)
    return [Event(**row) for row in rows]


async def select_now(conn: Connection) -> LogPosition:
    """Return the position of the log and the time of the database."""
    row = await _NOW.row(conn)
    if row is None:
        raise RuntimeError("a query without a condition returned no row")
    return LogPosition(**row)


async def select_happened_at(conn: Connection, *, event_id: int) -> datetime | None:
    """Return the time of an event; None if it has left the log or never existed."""
    created_at: datetime | None = await _HAPPENED_AT.value(conn, event_id=event_id)
    return created_at


async def select_cruds(conn: Connection, *, uuids: Sequence[UUID]) -> dict[UUID, tuple[Crud, UUID]]:
    """Return those cruds that are live, as an anonymous client sees them, with their authors."""
    rows = await _CRUDS.rows(conn, uuids=uuids)
    return {row["uuid"]: (crud(row, None), row["user_uuid"]) for row in rows}


async def select_messages(
    conn: Connection, *, uuids: Sequence[UUID]
) -> dict[UUID, tuple[SentMessage, tuple[UUID, UUID]]]:
    """Return messages, each with the two users who may read it."""
    rows = await _MESSAGES.rows(conn, uuids=uuids)
    return {
        row["uuid"]: (
            convert(dict(row), SentMessage),
            (row["low_user_uuid"], row["high_user_uuid"]),
        )
        for row in rows
    }


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
