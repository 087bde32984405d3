"""Render events: read the rows that they refer to, when they are published, and encode them."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from msgspec.structs import replace

from cruddur.db import instance as instance_db
from cruddur.db import live as db
from cruddur.db.live import Event, EventKind, Expiring, LiveCrud
from cruddur.db.positions import Position
from cruddur.db.statements import Connection
from cruddur.live import frames
from cruddur.live.hub import Publication
from cruddur.live.topics import (
    EVERYONE,
    PUBLIC,
    Topic,
    about,
    crud_topics,
    feed_of,
    for_user,
    is_about,
    is_followed,
    tagged,
    users_of,
)
from cruddur.wire import (
    AccountChange,
    Crud,
    FollowChange,
    Gone,
    Hidden,
    LiveCounts,
    LivePreview,
    MessageRequest,
    ShortUser,
)

T = TypeVar("T")

MAX_REPLAYED = 1000
"""Maximum number of events to replay to a reconnecting client. A client that missed more gets a
reset."""

_MARGIN = timedelta(seconds=5)
"""Expiries are published by the clock and not in the order of the log, so one may have been in
flight after the client's last event. A client may get an expiry twice."""

_CRUD_KINDS: tuple[EventKind, ...] = ("crud", "counts", "expiry", "gone", "preview")


@dataclass(slots=True)
class Rendered:
    """The result of rendering some events.

    Attributes:
        publications: what is published, each with its event.
        expiring: expiries to schedule.
        gone: deleted cruds, whose expiries are not scheduled any more.
        signed_out: sessions and users whose streams end.
        followers: users who follow other users or tags than before.
        hidden: for each viewer with a new block or mute, or one that ended, the users who are now
            hidden from them, and until when.
        has_mark: whether to send the latest position to all streams.
    """

    publications: list[tuple[Event, Publication]] = field(default_factory=list)
    expiring: list[Expiring] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    signed_out: list[UUID] = field(default_factory=list)
    followers: list[UUID] = field(default_factory=list)
    hidden: dict[UUID, dict[UUID, datetime]] = field(default_factory=dict)
    has_mark: bool = False


async def render(conn: Connection, events: Sequence[Event], viewers: Collection[UUID]) -> Rendered:
    """Read the rows of events with one statement per kind, and encode each event once.

    Args:
        conn: a connection for reading.
        events: the events.
        viewers: the users of the streams that the events are for.
    """
    rendered = Rendered()
    kinds: tuple[EventKind, ...] = ("crud", "counts", "expiry", "preview", "repost")
    cruds = await _read(conn, db.select_cruds, events, kinds)
    limited = {found.author_uuid for found in cruds.values() if found.is_limited}
    followers = await db.select_audience(conn, uuids=limited, viewers=viewers) if limited else {}
    reposters = await _read_reposters(conn, events)
    messages = await _read(conn, db.select_messages, events, ("message",))
    # The present state, also if a later change of it is not among the events yet.
    rendered.hidden = await db.select_hidden(
        conn, viewers=list({event.user_uuid for event in events if event.kind == "hidden"})
    )
    notifications = await _read(conn, db.select_notifications, events, ("notification",))
    users = await _read(conn, db.select_users, filter(_is_of_user, events), ("page", "hidden"))
    # The last of these events carries the present state.
    last_change = max((event.id for event in events if event.kind == "instance"), default=None)
    instance = None if last_change is None else await instance_db.select_instance(conn)
    deleted = {event.subject_uuid for event in events if event.kind == "gone"}
    last_counts = {event.subject_uuid: event.id for event in events if event.kind == "counts"}
    for event in events:
        uuid = event.subject_uuid
        topics: tuple[Topic, ...] = ()
        people: tuple[UUID, ...] = ()
        unless: tuple[Topic, ...] = ()
        shown, ended = None, None
        variants: tuple[Publication, ...] = ()
        if event.kind == "gone":
            rendered.gone.append(uuid)
            topics, frame = _topics(event), frames.frame("gone", Gone(uuid), event.position)
            people, ended = (event.user_uuid,), about(uuid)
        elif event.kind == "sign_out":
            rendered.signed_out.append(uuid)
        elif event.kind == "mark":
            rendered.has_mark = True
        elif event.kind == "message":
            if delivery := messages.get(uuid):
                message = delivery.message
                if message.expires_at is not None:
                    rendered.expiring.append(
                        Expiring(
                            uuid,
                            event.user_uuid,
                            None,
                            message.expires_at,
                            recipient_uuid=delivery.recipient,
                        )
                    )
                topics = (for_user(event.user_uuid), for_user(delivery.recipient))
                frame = frames.frame("message", message, event.position)
                if delivery.is_request:
                    topics = topics[:1]
                    request = MessageRequest(message.message_group_uuid)
                    rendered.publications.append(
                        (
                            event,
                            Publication(
                                (for_user(delivery.recipient),),
                                frames.frame("request", request, event.position),
                                size=event.position.until.size,
                            ),
                        )
                    )
        elif event.kind == "instance":
            if event.id == last_change and instance is not None:
                rendered.expiring += [
                    Expiring(announcement.uuid, db.NO_USER, None, announcement.expires_at)
                    for announcement in instance.announcements
                ]
                topics, frame = (EVERYONE,), frames.frame("instance", instance, event.position)
        elif event.kind == "hidden":
            if user := users.get(uuid):
                hidden = Hidden(uuid, user.handle, uuid in rendered.hidden[event.user_uuid])
                topics = (for_user(event.user_uuid),)
                frame = frames.frame("hidden", hidden, event.position)
        elif event.kind == "notification":
            if notification_and_user := notifications.get(uuid):
                notification, user_uuid = notification_and_user
                topics = (for_user(user_uuid),)
                frame = frames.frame("notification", notification, event.position)
        elif event.kind == "account":
            topics = (for_user(event.user_uuid),)
            frame = frames.frame("account", AccountChange(uuid), event.position)
        elif event.kind == "follow":
            rendered.followers.append(event.user_uuid)
            topics = (for_user(event.user_uuid),)
            frame = frames.frame("follow", FollowChange(uuid), event.position)
        elif event.kind == "page":
            if user := users.get(uuid):
                topics, frame = (EVERYONE,), frames.frame("user", user, event.position)
                people = (uuid,)
        elif found := cruds.get(uuid):
            crud = found.crud
            people = (found.author_uuid,)
            if found.parent_author_uuid is not None and event.kind in {"crud", "repost"}:
                people = (*people, found.parent_author_uuid)  # the crud names them
            if event.kind == "repost":
                reposter = reposters.get(event.user_uuid)
                if reposter is None or reposter.uuid == found.author_uuid:
                    continue
                people = (*people, reposter.uuid)
                topics, unless, shown = (feed_of(reposter.uuid),), _in_feeds(found), about(uuid)
                reposted = replace(
                    crud, reposted_by=reposter.handle, reposted_by_name=reposter.display_name
                )
                frame = frames.frame("crud", reposted, event.position)
            else:
                rendered.expiring.append(_expiring(event, crud))
            if event.kind == "crud":
                topics = tuple(topic for topic in _topics(event) if not is_about(topic))
                frame = frames.frame("crud", crud, event.position)
                variants = () if found.is_limited else tuple(_tagged(found, event))
            elif event.kind == "counts" and event.id == last_counts[uuid]:
                topics, frame = (
                    _topics(event),
                    frames.frame("counts", _counts(crud), event.position),
                )
            elif event.kind == "preview" and crud.preview:
                live_preview = LivePreview(uuid, crud.preview)
                topics = _topics(event)
                frame = frames.frame("preview", live_preview, event.position)
            if found.is_limited and topics and event.kind in {"crud", "preview"}:
                # Streams of everyone's cruds get it if their user follows the author.
                audience = {found.author_uuid, *followers[found.author_uuid]}
                variants = (
                    Publication(
                        tuple(PUBLIC.intersection(topics)),
                        frame,
                        people,
                        event.position.until.size,
                        audience=frozenset(map(for_user, audience)),
                    ),
                )
                topics = tuple(topic for topic in topics if topic not in PUBLIC)
        elif event.kind == "expiry" or (event.kind == "crud" and uuid not in deleted):
            # The expiry was moved into the past, or the crud expired before it was published.
            rendered.expiring.append(
                Expiring(uuid, event.user_uuid, event.parent_uuid, event.created_at)
            )
        if topics:
            publication = Publication(
                topics,
                frame,
                people,
                event.position.until.size,
                unless=unless,
                shown=shown,
                ended=ended,
                variants=variants,
            )
            rendered.publications.append((event, publication))
    return rendered


def render_expiries(items: Iterable[Expiring]) -> list[Publication]:
    """Encode expiries, which have no id because they are not in the log."""
    return [
        Publication(
            (EVERYONE,)
            if item.user_uuid == db.NO_USER
            else crud_topics(item.uuid, item.user_uuid, item.parent_uuid),
            frames.frame("gone", Gone(item.uuid)),
            (item.user_uuid,),
            ended=about(item.uuid),
        )
        if item.recipient_uuid is None
        else Publication(
            (for_user(item.user_uuid), for_user(item.recipient_uuid)),
            frames.frame("gone", Gone(item.uuid)),
        )
        for item in items
    ]


def parents(items: Iterable[Expiring]) -> list[UUID]:
    """Return the cruds whose replies expire."""
    return list({item.parent_uuid: None for item in items if item.parent_uuid is not None})


async def render_counts(conn: Connection, uuids: Sequence[UUID]) -> list[Publication]:
    """Read and encode the counts of live cruds, without an event."""
    if not uuids:
        return []
    cruds = await db.select_cruds(conn, uuids=uuids)
    return [
        Publication(
            crud_topics(found.crud.uuid, found.author_uuid, found.crud.reply_to_activity_uuid),
            frames.frame("counts", _counts(found.crud)),
            (found.author_uuid,),
        )
        for found in cruds.values()
    ]


async def replay(
    conn: Connection,
    topics: Sequence[Topic],
    after: Position,
    *,
    until: Position,
    is_shown: Callable[[Collection[UUID]], bool],
) -> list[bytes] | None:
    """Return the frames that a reconnecting client has missed, or None if there are too many.

    Args:
        conn: a connection for reading.
        topics: the topics of the stream.
        after: the position of the last event that the client has received.
        until: the complete position where the stream starts.
        is_shown: whether the viewer sees events about some users.
    """
    events: list[Event] = []
    for start, end in ((after, after.end), (after.end, until)):
        if start != end:
            missed = await db.select_missed_events(conn, after=start, until=end, most=MAX_REPLAYED)
            if missed is None:
                return None
            events += missed
    expired = await db.select_expiring(
        conn, after=after.at - _MARGIN, until=None, limit=MAX_REPLAYED + 1
    )
    if len(events) > MAX_REPLAYED or len(expired) > MAX_REPLAYED:
        return None
    wanted = {*topics, EVERYONE}
    rendered = await render(
        conn, [event for event in events if _may_match(event, wanted)], users_of(topics)
    )
    publications = [publication for _, publication in rendered.publications]
    publications += render_expiries(expired)
    publications += await render_counts(conn, parents(expired))
    return _select(publications, wanted, is_shown)


def _select(
    publications: Iterable[Publication],
    wanted: set[Topic],
    is_shown: Callable[[Collection[UUID]], bool],
) -> list[bytes]:
    """Return the frames of those publications that a stream with these topics gets.

    The stream may have lost what it showed because of a repost or a tag, so that is sent again.
    """
    listed = {topic for topic in wanted if is_about(topic)}
    kept = wanted - listed
    selected = []
    for publication in publications:
        for variant in (publication, *publication.variants):
            if (
                not wanted.isdisjoint(variant.topics)
                and kept.isdisjoint(variant.unless)
                and is_shown(variant.people)
                and variant.is_for(wanted)
            ):
                selected.append(variant.frame)
                if variant.shown is not None:
                    kept.add(variant.shown)
                    wanted.add(variant.shown)
                break
    return selected


async def _read(
    conn: Connection,
    select: Callable[..., Awaitable[dict[UUID, T]]],
    events: Iterable[Event],
    kinds: tuple[EventKind, ...],
) -> dict[UUID, T]:
    uuids = list({event.subject_uuid: None for event in events if event.kind in kinds})
    return await select(conn, uuids=uuids) if uuids else {}


def _may_match(event: Event, wanted: set[Topic]) -> bool:
    """Return whether an event may have a wanted topic; for a message, and for the tags of a crud,
    only the row shows that."""
    if event.kind in _CRUD_KINDS:
        return any(map(is_followed, wanted)) or not wanted.isdisjoint(_topics(event))
    if event.kind == "repost":
        return feed_of(event.user_uuid) in wanted
    return event.kind in {"instance", "message", "page"} or for_user(event.user_uuid) in wanted


def _is_of_user(event: Event) -> bool:
    """Return whether the subject is a user: other events of the kind `page` are about a crud."""
    return event.kind == "hidden" or (
        event.kind == "page" and event.subject_uuid == event.user_uuid
    )


def _tagged(found: LiveCrud, event: Event) -> Iterator[Publication]:
    """Encode a new crud for the streams of those who follow one of its tags."""
    if found.crud.reply_to_activity_uuid is None:
        uuid, size = found.crud.uuid, event.position.until.size
        for tag in found.tags:
            marked = replace(found.crud, followed_tag=tag)
            frame = frames.frame("crud", marked, event.position)
            unless = (feed_of(found.author_uuid), about(uuid))
            people = (found.author_uuid,)
            yield Publication((tagged(tag),), frame, people, size, unless=unless, shown=about(uuid))


def _in_feeds(found: LiveCrud) -> tuple[Topic, ...]:
    """Return the topics of the streams that show a crud without its repost."""
    shown = about(found.crud.uuid)
    if found.crud.reply_to_activity_uuid is not None:
        return (shown,)
    return (shown, feed_of(found.author_uuid), *map(tagged, found.tags))


async def _read_reposters(conn: Connection, events: Iterable[Event]) -> dict[UUID, ShortUser]:
    uuids = list({event.user_uuid: None for event in events if event.kind == "repost"})
    return await db.select_users(conn, uuids=uuids) if uuids else {}


def _topics(event: Event) -> tuple[Topic, ...]:
    return crud_topics(event.subject_uuid, event.user_uuid, event.parent_uuid)


def _expiring(event: Event, crud: Crud) -> Expiring:
    assert crud.expires_at is not None  # noqa: S101  # only a message's notification has none
    return Expiring(crud.uuid, event.user_uuid, event.parent_uuid, crud.expires_at)


def _counts(crud: Crud) -> LiveCounts:
    return LiveCounts(crud.uuid, crud.replies_count, crud.reposts_count, crud.likes_count)
