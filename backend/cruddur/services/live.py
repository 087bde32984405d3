"""Rules for streams: their topics, their users, and the events that a client missed."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from cruddur.db import activities as activities_db
from cruddur.db import follows as follows_db
from cruddur.db import live as db
from cruddur.db import sessions as sessions_db
from cruddur.db.live import StreamUser
from cruddur.db.positions import Position, parse
from cruddur.db.statements import Connection
from cruddur.errors import InvalidError, NotFoundError, UnauthenticatedError
from cruddur.identity.viewer import Viewer, require_open_session
from cruddur.live import frames
from cruddur.live.hub import Hub
from cruddur.live.rendering import replay
from cruddur.live.stream import Stream
from cruddur.live.topics import (
    ALL,
    HOME,
    Topic,
    about,
    by_author,
    followed,
    followed_by,
    for_user,
    of_session,
    thread,
)
from cruddur.services import users
from cruddur.wire import PAGE_MAX, StreamQuery, Ticket

TICKET_LIFETIME = timedelta(seconds=30)


def stream_user(viewer: Viewer) -> StreamUser:
    """Return the viewer as the user of a stream, with the session or expiry that ends it."""
    return StreamUser(viewer.uuid, viewer.session_uuid, viewer.access_ends_at)


async def create_ticket(conn: Connection, viewer: Viewer) -> Ticket:
    """Return a ticket that opens one stream of the viewer. The database has only its digest.

    Raises:
        UnauthenticatedError: the viewer's session is not open.
    """
    ticket = secrets.token_urlsafe(32)
    require_open_session(
        await db.insert_ticket(
            conn,
            ticket_hash=_digest(ticket),
            stream_user=stream_user(viewer),
            lifetime=TICKET_LIFETIME,
        )
    )
    return Ticket(ticket)


async def redeem_ticket(conn: Connection, ticket: str) -> StreamUser:
    """Return the user of a ticket, and delete the ticket.

    Raises:
        UnauthenticatedError: there is no such ticket, or it has expired.
    """
    stream_owner = await db.redeem_ticket(conn, ticket_hash=_digest(ticket))
    if stream_owner is None:
        raise UnauthenticatedError
    return stream_owner


async def open_stream(
    conn: Connection,
    hub: Hub,
    user: StreamUser | None,
    query: StreamQuery,
    *,
    last_event_id: str | None,
    address: str,
) -> Stream:
    """Open a stream that starts with the events that the client has missed.

    Raises:
        InvalidError: more than one filter.
        NotFoundError: no user has the handle, or there is no such live crud, or the user does not
            see that person or crud.
        RateLimitedError, UnavailableError: see `Hub.open`.
        UnauthenticatedError: the session is not open, or a visitor asks for what they follow.
    """
    topics = await _topics(conn, user, query)
    now = await db.select_now(conn)
    # An unknown id does not show which events the client has received.
    last = parse(last_event_id) if last_event_id is not None else None
    if last is not None and not await db.select_is_known(conn, last):
        last = None
    seconds = None
    if user is not None and user.session_uuid is None and user.access_ends_at is not None:
        seconds = (user.access_ends_at - datetime.now(UTC)).total_seconds()
    stream = hub.open(topics, address, now, seconds=seconds)
    try:
        if query.feed == "following" and user is not None:
            # The viewer may have followed others since the topics were read. Later changes are
            # events.
            found = await follows_db.select_followed(conn, uuids=[user.uuid])
            for what in found.values():
                hub.change_followed(user.uuid, followed(what.users, what.tags))
        # This check finds a session that ended before the stream was open. If the session ends
        # later, the stream gets the event.
        if user is not None:
            require_open_session(await sessions_db.select_is_open(conn, viewer=user))
            hidden = await db.select_hidden(conn, viewers=[user.uuid])
            if stream.hidden is None:  # otherwise an event has set it since
                stream.hidden = hidden[user.uuid]
        if last_event_id is None:
            missed: list[bytes] | None = []
        elif last is None:
            missed = None
        else:
            missed = await replay(
                conn,
                topics,
                last,
                until=stream.start,
                is_shown=lambda people: stream.shows(people, now.clock),
            )
        stream.begin(_initial_frames(missed, stream.start), now.clock)
    except BaseException:
        stream.release()
        raise
    return stream


async def _topics(
    conn: Connection, user: StreamUser | None, query: StreamQuery
) -> tuple[Topic, ...]:
    if sum(part is not None for part in (query.feed, query.handle, query.crud)) > 1:
        raise InvalidError("filter_invalid")
    public = ALL
    if query.feed == "following":
        return await _followed_topics(conn, user)
    if query.feed is not None:
        public = HOME
    elif query.handle is not None:
        public = by_author((await users.short(conn, user, query.handle)).uuid)
    elif query.crud is not None:
        if not await activities_db.select_is_live(conn, viewer=user, uuid=query.crud):
            raise NotFoundError
        public = thread(query.crud)
    return (public, *_private_topics(user))


async def _followed_topics(conn: Connection, user: StreamUser | None) -> tuple[Topic, ...]:
    """Return the topics of what a user follows, and of the cruds that their feed shows."""
    if user is None:
        raise UnauthenticatedError
    found = await follows_db.select_followed(conn, uuids=[user.uuid])
    listed = await activities_db.select_following(
        conn, viewer=user, before_at=None, before_uuid=None, limit=PAGE_MAX
    )
    require_open_session(None if user.uuid not in found else listed)
    what = found[user.uuid]
    return (
        followed_by(user.uuid),
        *followed(what.users, what.tags),
        *(about(item.crud.uuid) for item in listed or ()),
        *_private_topics(user),
    )


def _private_topics(user: StreamUser | None) -> tuple[Topic, ...]:
    if user is None:
        return ()
    if user.session_uuid is None:
        return (for_user(user.uuid),)
    return (for_user(user.uuid), of_session(user.session_uuid))


def _initial_frames(missed: list[bytes] | None, position: Position) -> bytes:
    """Return the first frames: the missed events and the position, or a reset for None."""
    if missed is None:
        return frames.retry() + frames.reset(position)
    return b"".join((frames.retry(), *missed, frames.position(position)))


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
