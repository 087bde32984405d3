"""The open streams of this process, and the delivery of events to them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cruddur.db.live import LogPosition
from cruddur.errors import RateLimitedError, UnavailableError
from cruddur.live import frames
from cruddur.live.stream import Reason, Stream
from cruddur.live.topics import Topic
from cruddur.telemetry.operation import Instruments

HEARTBEAT_SECONDS = 15
"""Interval between two heartbeats: proxies close a connection that is idle for a minute."""

_STREAMS_PER_TURN = 200
"""Streams that are flushed before the event loop runs other tasks."""

_RETRY_AFTER_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Publication:
    """An encoded event and its topics. `id` is None for an expiry, which is not in the log."""

    topics: tuple[Topic, ...]
    frame: bytes
    id: int | None = None


class Hub:
    """The open streams by their topics.

    Attributes:
        position: the id of the latest event that was published here, or is being published.
        since: the database's time when the first of the open streams was opened; None before.
        wake: set when there may be events to publish, or when the last stream has ended.
    """

    def __init__(
        self, instruments: Instruments, *, max_streams: int, max_streams_per_address: int
    ) -> None:
        """Set the maximum number of streams, in total and per client address."""
        self.position = 0
        self.since: datetime | None = None
        self.wake = asyncio.Event()
        self._instruments = instruments
        self._max_streams = max_streams
        self._max_streams_per_address = max_streams_per_address
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
        now: LogPosition,
        *,
        after: int = 0,
        seconds: float | None = None,
    ) -> Stream:
        """Open a stream that receives every later event of its topics.

        Args:
            topics: the topics of its subscription, one public topic among them.
            address: the address of the client.
            now: the position and time of the database, read a moment ago.
            after: the id of the last event that the client has received; it may be later than
                `position`.
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
            self.position = now.latest
            self.since = now.clock
            self.wake.set()
        position = max(after, self.position)
        stream = Stream(topics, address, position, self._heartbeat_slot, self._remove)
        self._streams[stream] = None
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._timers[stream] = loop.call_later(seconds, stream.end, "signed_out")
        self._addresses[address] += 1
        for topic in topics:
            self._topics.setdefault(topic, {})[stream] = None
        return stream

    async def publish(self, publications: Sequence[Publication]) -> list[int]:
        """Deliver each publication to its streams; return the number of streams for each.

        A stream receives a publication once, because it has only one public topic. It does not
        receive events up to its `after`, because they were replayed when it was opened. Each stream
        is flushed once, so a larger batch costs less per event.
        """
        counts = []
        reached: dict[Stream, None] = {}
        for publication in publications:
            subscribed = [
                stream
                for topic in publication.topics
                for stream in self._topics.get(topic, ())
                if publication.id is None or publication.id > stream.after
            ]
            for stream in subscribed:
                if not stream.enqueue(publication.frame):
                    stream.drop(frames.reset(self.position))
            reached.update(dict.fromkeys(subscribed))
            counts.append(len(subscribed))
        for number, stream in enumerate(reached, 1):
            stream.flush()
            if number % _STREAMS_PER_TURN == 0:
                await asyncio.sleep(0)
        self._count("app.events.delivered", sum(counts))
        return counts

    def send_position(self) -> None:
        """Send the id of the latest event to every stream, so that clients resume after it."""
        frame = frames.position(self.position)
        for stream in tuple(self._streams):
            if self.position > stream.after:
                stream.enqueue(frame)
                stream.flush()

    def reset(self) -> None:
        """Send a reset to every stream: events were missed and have left the log."""
        for stream in tuple(self._streams):
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
        for topic in stream.topics:
            streams = self._topics[topic]
            del streams[stream]
            if not streams:
                del self._topics[topic]
        if stream.reason == "slow":
            self._count("app.streams.dropped", 1)

    def _count(self, metric: str, amount: int) -> None:
        if amount and (counter := self._instruments.counters.get(metric)):
            counter.add(amount)
