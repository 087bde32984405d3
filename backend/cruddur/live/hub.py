"""The open streams of this process, and the delivery of events to them."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cruddur.db.live import Now
from cruddur.db.positions import NOTHING, Position
from cruddur.errors import RateLimitedError, UnavailableError
from cruddur.live import frames
from cruddur.live.stream import Reason, Stream
from cruddur.live.topics import EVERYONE, Topic, followed_by, for_user, is_followed, users_of
from cruddur.telemetry.operation import Instruments

HEARTBEAT_SECONDS = 15
"""Interval between two heartbeats: proxies close a connection that is idle for a minute."""

_STREAMS_PER_TURN = 200
"""Streams that are flushed before the event loop runs other tasks."""

_RETRY_AFTER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Publication:
    """An encoded event and its topics.

    Attributes:
        people: the users that it is about. A stream whose viewer does not see one of them does not
            receive it.
        size: the size of the snapshot in which the event is new; None for an expiry, which is not
            in the log.
        unless: topics whose streams do not get it, because they get the event in another form, or
            show the crud already.
        shown: the topic of the crud that it shows to streams that get it for a repost or a tag.
            They get the later events of that crud, too.
        ended: the topic of a crud that is gone. It gets no more events.
        variants: other forms of the event, for streams of other topics.
        audience: the topics of users: streams of other users do not get it; None: all do.
    """

    topics: tuple[Topic, ...]
    frame: bytes
    people: tuple[UUID, ...] = ()
    size: int | None = None
    unless: tuple[Topic, ...] = ()
    shown: Topic | None = None
    ended: Topic | None = None
    variants: tuple["Publication", ...] = ()
    audience: frozenset[Topic] | None = None

    def is_for(self, topics: Collection[Topic]) -> bool:
        """Return whether a stream with these topics is in the audience."""
        return self.audience is None or not self.audience.isdisjoint(topics)


class Hub:
    """The open streams by their topics.

    Attributes:
        position: all events before it were published here, or are being published.
        goal: the complete position at which the events in progress end; at or after `position`.
        since: the database's time when the first of the open streams was opened; None before.
        wake: set when there may be events to publish, or when the last stream has ended.
    """

    def __init__(
        self, instruments: Instruments, *, max_streams: int, max_streams_per_address: int
    ) -> None:
        """Set the maximum number of streams, in total and per client address."""
        nothing = Position(NOTHING, NOTHING, 0, datetime.fromtimestamp(0, UTC))
        self.position = self.goal = nothing
        self.since: datetime | None = None
        self.wake = asyncio.Event()
        self._instruments = instruments
        self._max_streams = max_streams
        self._max_streams_per_address = max_streams_per_address
        self._starts: list[Position] = []
        # Dictionaries serve as ordered sets.
        self._streams: dict[Stream, None] = {}
        self._topics: dict[Topic, dict[Stream, None]] = {}
        self._addresses: Counter[str] = Counter()
        self._timers: dict[Stream, asyncio.TimerHandle] = {}
        self._heartbeat_slot = 0
        self._is_closing = False

    @property
    def has_streams(self) -> bool:
        """Whether a stream is open."""
        return bool(self._streams)

    def open(
        self,
        topics: tuple[Topic, ...],
        address: str,
        now: Now,
        *,
        seconds: float | None = None,
    ) -> Stream:
        """Open a stream that receives every later event of its topics.

        Args:
            topics: the topics of its subscription, public ones among them.
            address: the address of the client.
            now: the state of the log, read a moment ago.
            seconds: maximum duration of the stream; None: no limit.

        Raises:
            UnavailableError: this process has its maximum of streams, or is stopping.
            RateLimitedError: the address has its maximum of streams.
        """
        if self._is_closing or len(self._streams) >= self._max_streams:
            raise UnavailableError
        if self._addresses[address] >= self._max_streams_per_address:
            raise RateLimitedError(_RETRY_AFTER_SECONDS)
        if not self._streams:
            # Events that were committed while no stream was open are not delivered.
            self.restart(now.position)
            self.since = now.clock
            self.wake.set()
        start = max(self.goal, now.position, key=_size)
        if start != self.goal:
            self._starts.append(start)
        stream = Stream(topics, address, start, self._heartbeat_slot, self._remove)
        self._streams[stream] = None
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._timers[stream] = loop.call_later(seconds, stream.end, "signed_out")
        self._addresses[address] += 1
        for topic in stream.topics:
            self._topics.setdefault(topic, {})[stream] = None
        return stream

    def has(self, topic: Topic) -> bool:
        """Return whether a stream subscribes to a topic."""
        return topic in self._topics

    def change_followed(self, user_uuid: UUID, topics: Collection[Topic]) -> None:
        """Replace the followed users and tags of a user's streams of what they follow."""
        for stream in tuple(self._topics.get(followed_by(user_uuid), ())):
            before = [topic for topic in stream.topics if is_followed(topic)]
            self._unsubscribe(stream, set(before).difference(topics))
            self._subscribe(stream, topics)

    def restart(self, position: Position) -> None:
        """Continue at a complete position."""
        self.position = self.goal = position
        self._starts.clear()

    def advance_goal(self, latest: Position) -> None:
        """Set where the next batch ends: at the start of a stream, or else at the latest position.

        So no stream starts in the middle of a batch, and the ids of a batch fit all of its streams.
        """
        self._starts = [start for start in self._starts if _size(start) > _size(self.goal)]
        self.goal = min([*self._starts, max(self.goal, latest, key=_size)], key=_size)

    @property
    def positions(self) -> set[Position]:
        """The positions that streams depend on."""
        return {self.position, self.goal, *self._starts}

    @property
    def users(self) -> list[UUID]:
        """The users who have open streams."""
        return users_of(self._topics)

    def hide(self, viewer: UUID, hidden: Mapping[UUID, datetime]) -> None:
        """Set which users are hidden from a viewer, each with the time until which they are."""
        for stream in self._topics.get(for_user(viewer), ()):
            stream.hidden = hidden

    async def publish(self, publications: Sequence[Publication], now: datetime) -> list[int]:
        """Deliver each publication to its streams; return the number of streams for each.

        A stream receives a publication once, even if it has several of its topics. It does not
        receive events before its start, because they were replayed when it was opened. Each stream
        is flushed once, so a larger batch costs less per event.

        Args:
            publications: the publications in their order.
            now: the time of the database, which decides whether a mute has ended.
        """
        counts = []
        reached: dict[Stream, None] = {}
        for publication in publications:
            count = 0
            for variant in (publication, *publication.variants):
                subscribed = self._enqueue(variant, now)
                reached.update(subscribed)
                count += len(subscribed)
            counts.append(count)
        for number, stream in enumerate(reached, 1):
            stream.flush()
            if number % _STREAMS_PER_TURN == 0:
                await asyncio.sleep(0)
        self._count("app.events.delivered", sum(counts))
        return counts

    def _enqueue(self, publication: Publication, now: datetime) -> dict[Stream, None]:
        """Queue a publication for its streams, and return them."""
        subscribed = dict.fromkeys(
            stream
            for topic in publication.topics
            for stream in self._subscribed(topic)
            if (publication.size is None or publication.size > stream.after)
            and (not stream.hidden or stream.shows(publication.people, now))
            and publication.is_for(stream.topics)
        )
        for topic in publication.unless:
            for stream in self._topics.get(topic, ()):
                subscribed.pop(stream, None)
        for stream in subscribed:
            if not stream.enqueue(publication.frame, publication.people):
                stream.drop(frames.reset(self.position))
            if publication.shown is not None:
                self._subscribe(stream, [publication.shown])
        if publication.ended is not None:
            for stream in tuple(self._topics.get(publication.ended, ())):
                self._unsubscribe(stream, [publication.ended])
        return subscribed

    def _subscribed(self, topic: Topic) -> Collection[Stream]:
        return self._streams if topic == EVERYONE else self._topics.get(topic, ())

    def send_position(self) -> None:
        """Send the latest position to every stream, so that clients resume after it."""
        frame = frames.position(self.position)
        for stream in tuple(self._streams):
            if _size(self.position) > stream.after:
                stream.enqueue(frame)
                stream.flush()

    def reset(self, position: Position) -> None:
        """Continue at another position: send a reset to every stream, which has missed events."""
        self.restart(position)
        for stream in tuple(self._streams):
            stream.after = position.until.size
            if stream.enqueue(frames.reset(self.position)):
                stream.flush()
            else:
                stream.drop(frames.reset(self.position))

    def end(self, topic: Topic, reason: Reason) -> None:
        """End every stream that subscribes to a topic."""
        for stream in tuple(self._topics.get(topic, ())):
            stream.end(reason)

    def close(self) -> None:
        """End all streams, each with its own reconnection delay, and refuse new ones."""
        self._is_closing = True
        for stream in tuple(self._streams):
            stream.end("server", frames.retry())

    async def send_heartbeats(self) -> None:
        """Send heartbeats until cancelled: each second to the streams of one slot."""
        while True:
            await asyncio.sleep(1)
            self._heartbeat_slot = (self._heartbeat_slot + 1) % HEARTBEAT_SECONDS
            for stream in tuple(self._streams):
                if stream.heartbeat_slot == self._heartbeat_slot:
                    stream.enqueue(frames.HEARTBEAT)
                    stream.flush()

    def _remove(self, stream: Stream) -> None:
        del self._streams[stream]
        if not self._streams:
            self.wake.set()  # the follower can stop reading events
        self._addresses[stream.address] -= 1
        if not self._addresses[stream.address]:
            del self._addresses[stream.address]
        if timer := self._timers.pop(stream, None):
            timer.cancel()
        self._unsubscribe(stream, tuple(stream.topics))
        if stream.reason == "slow":
            self._count("app.streams.dropped", 1)

    def _subscribe(self, stream: Stream, topics: Iterable[Topic]) -> None:
        if stream not in self._streams:  # it has just ended
            return
        for topic in topics:
            stream.topics[topic] = None
            self._topics.setdefault(topic, {})[stream] = None

    def _unsubscribe(self, stream: Stream, topics: Iterable[Topic]) -> None:
        for topic in topics:
            if topic not in stream.topics:
                continue
            del stream.topics[topic]
            streams = self._topics[topic]
            del streams[stream]
            if not streams:
                del self._topics[topic]

    def _count(self, metric: str, amount: int) -> None:
        if amount and (counter := self._instruments.counters.get(metric)):
            counter.add(amount)


def _size(position: Position) -> int:
    return position.until.size
