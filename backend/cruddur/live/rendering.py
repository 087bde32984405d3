"""From events to what is sent of them: read when it is told, so never older than it is."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from cruddur.db import live as db
from cruddur.db.live import Event, EventKind, Expiring
from cruddur.db.statements import Connection
from cruddur.live import frames
from cruddur.live.hub import Publication
from cruddur.live.topics import Topic, about, meant_for
from cruddur.services.notifications import set_text
from cruddur.wire import Crud, Gone, LiveCounts

T = TypeVar("T")

REPLAYED = 1000
"""Events that a returning reader is told of at most; who missed more starts over."""

_MARGIN = timedelta(seconds=5)
"""An expiry is told by the clock and not in the order of the events, so one may have been on
its way while the reader's last event was. To hear of it twice does no harm."""

_ABOUT_CRUDS: tuple[EventKind, ...] = ("crud", "counts", "expiry", "gone")


@dataclass(slots=True)
class Reading:
    """What some events come to.

    Attributes:
        deliveries: what is told, each with the event that it is told of.
        expiring: ends of cruds that became known.
        gone: cruds that need no end any more.
        signed_out: sessions and people whose streams end.
        has_mark: whether those who hear little are told how far they have heard.
    """

    deliveries: list[tuple[Event, Publication]] = field(default_factory=list)
    expiring: list[Expiring] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    signed_out: list[UUID] = field(default_factory=list)
    has_mark: bool = False


async def read(conn: Connection, events: Sequence[Event]) -> Reading:
    """Read what events are about, each kind of it once, and encode it once for everybody."""
    reading = Reading()
    cruds = await _look_up(conn, db.select_cruds, events, ("crud", "counts", "expiry"))
    messages = await _look_up(conn, db.select_messages, events, ("message",))
    notifications = await _look_up(conn, db.select_notifications, events, ("notification",))
    deleted = {event.subject_uuid for event in events if event.kind == "gone"}
    last_counts = {event.subject_uuid: event.id for event in events if event.kind == "counts"}
    for event in events:
        uuid = event.subject_uuid
        topics: tuple[Topic, ...] = ()
        if event.kind == "gone":
            reading.gone.append(uuid)
            topics, frame = _topics(event), frames.frame("gone", Gone(uuid), event.id)
        elif event.kind == "sign_out":
            reading.signed_out.append(uuid)
        elif event.kind == "mark":
            reading.has_mark = True
        elif event.kind == "message":
            if found := messages.get(uuid):
                message, people = found
                topics = tuple(map(meant_for, people))
                frame = frames.frame("message", message, event.id)
        elif event.kind == "notification":
            if told := notifications.get(uuid):
                notification, user_uuid = told
                set_text(notification)
                topics = (meant_for(user_uuid),)
                frame = frames.frame("notification", notification, event.id)
        elif known := cruds.get(uuid):
            crud, _ = known
            reading.expiring.append(_expiring(event, crud))
            if event.kind == "crud":
                topics, frame = _topics(event), frames.frame("crud", crud, event.id)
            elif event.kind == "counts" and event.id == last_counts[uuid]:
                topics, frame = _topics(event), frames.frame("counts", _counts(crud), event.id)
        elif event.kind == "expiry" or (event.kind == "crud" and uuid not in deleted):
            # Brought forward into the past, or over before it could be told of.
            reading.expiring.append(
                Expiring(uuid, event.user_uuid, event.parent_uuid, event.created_at)
            )
        if topics:
            reading.deliveries.append((event, Publication(topics, frame, event.id)))
    return reading


def ended(items: Iterable[Expiring]) -> list[Publication]:
    """What is told of ends; they have no place in the log."""
    return [
        Publication(
            about(item.uuid, item.user_uuid, item.parent_uuid),
            frames.frame("gone", Gone(item.uuid)),
        )
        for item in items
    ]


def parents(items: Iterable[Expiring]) -> list[UUID]:
    """The cruds that lost a reply by these ends."""
    return list({item.parent_uuid: None for item in items if item.parent_uuid is not None})


async def counted(conn: Connection, uuids: Sequence[UUID]) -> list[Publication]:
    """The counts of those that are live, outside of the log."""
    if not uuids:
        return []
    cruds = await db.select_cruds(conn, uuids=uuids)
    return [
        Publication(
            about(crud.uuid, user_uuid, crud.reply_to_activity_uuid),
            frames.frame("counts", _counts(crud)),
        )
        for crud, user_uuid in cruds.values()
    ]


async def replay(
    conn: Connection, topics: Sequence[Topic], after: int, since: datetime, *, until: int
) -> list[bytes] | None:
    """What a returning reader has missed since an event, up to another; None: too much.

    Args:
        conn: a connection to read from.
        topics: what the reader is told of.
        after: the last event that it knows.
        since: when that happened.
        until: the last one that it is not told of otherwise.
    """
    events = await db.select_events(conn, after=after, until=until, limit=REPLAYED + 1)
    ends = await db.select_expiring(conn, after=since - _MARGIN, until=None, limit=REPLAYED + 1)
    if len(events) > REPLAYED or len(ends) > REPLAYED:
        return None
    wanted = set(topics)
    reading = await read(conn, [event for event in events if _may_concern(event, wanted)])
    deliveries = [delivery for _, delivery in reading.deliveries]
    deliveries += [*ended(ends), *await counted(conn, parents(ends))]
    return [delivery.frame for delivery in deliveries if not wanted.isdisjoint(delivery.topics)]


async def _look_up(
    conn: Connection,
    select: Callable[..., Awaitable[dict[UUID, T]]],
    events: Iterable[Event],
    kinds: tuple[EventKind, ...],
) -> dict[UUID, T]:
    uuids = list({event.subject_uuid: None for event in events if event.kind in kinds})
    return await select(conn, uuids=uuids) if uuids else {}


def _may_concern(event: Event, wanted: set[Topic]) -> bool:
    """Whether it is worth reading; who may read a message is known only then."""
    if event.kind in _ABOUT_CRUDS:
        return not wanted.isdisjoint(_topics(event))
    return event.kind == "message" or meant_for(event.user_uuid) in wanted


def _topics(event: Event) -> tuple[Topic, ...]:
    return about(event.subject_uuid, event.user_uuid, event.parent_uuid)


def _expiring(event: Event, crud: Crud) -> Expiring:
    assert crud.expires_at is not None  # noqa: S101  # only a message's notification has none
    return Expiring(crud.uuid, event.user_uuid, event.parent_uuid, crud.expires_at)


def _counts(crud: Crud) -> LiveCounts:
    return LiveCounts(crud.uuid, crud.replies_count, crud.reposts_count, crud.likes_count)
