"""Who is listening in this process, and to what; whatever is told passes through here."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cruddur.db.live import Moment
from cruddur.errors import RateLimitedError, UnavailableError
from cruddur.live import frames
from cruddur.live.stream import Reason, Stream
from cruddur.live.topics import Topic
from cruddur.telemetry.operation import Instruments

HEARTBEAT_SECONDS = 15
"""Proxies close what is silent for a minute, and readers give up sooner."""

_FAIR = 200
"""Streams that are written to before others have their turn."""

_COME_BACK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Publication:
    """One event, ready to be sent, and who is to hear of it.

    `id` is None where the event has no place in the log: an expiry.
    """

    topics: tuple[Topic, ...]
    frame: bytes
    id: int | None = None


class Hub:
    """The open streams by what they are told of.

    Attributes:
        position: the event up to which everything was told here, or is being told.
        since: the clock of the database when somebody began to listen where nobody did; None
            before the first.
        awake: set when there may be something to tell.
    """

    def __init__(
        self, instruments: Instruments, *, max_streams: int, max_streams_per_address: int
    ) -> None:
        """Take how many streams there may be in all, and from one address."""
        self.position = 0
        self.since: datetime | None = None
        self.awake = asyncio.Event()
        self._instruments = instruments
        self._max_streams = max_streams
        self._max_streams_per_address = max_streams_per_address
        # Dictionaries for sets that keep their order.
        self._streams: dict[Stream, None] = {}
        self._topics: dict[Topic, dict[Stream, None]] = {}
        self._addresses: Counter[str] = Counter()
        self._ends: dict[Stream, asyncio.TimerHandle] = {}
        self._turn = 0
        self._is_closing = False

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._streams)

    def open(
        self,
        topics: tuple[Topic, ...],
        address: str,
        now: Moment,
        *,
        after: int = 0,
        seconds: float | None = None,
    ) -> Stream:
        """A stream that hears of everything from now on.

        Args:
            topics: what it is told of, one public topic among them.
            address: where its reader comes from.
            now: where the database was a moment ago.
            after: an event that the reader knows, which may be ahead of us.
            seconds: after which it ends, if anything limits it.

        Raises:
            UnavailableError: there are as many as this process takes, or it is stopping.
            RateLimitedError: there are as many as one address may have.
        """
        if self._is_closing or len(self._streams) >= self._max_streams:
            raise UnavailableError
        if self._addresses[address] >= self._max_streams_per_address:
            raise RateLimitedError(_COME_BACK_SECONDS)
        if not self._streams:
            # What happened while nobody listened concerns nobody.
            self.position = now.latest
            self.since = now.clock
            self.awake.set()
        position = max(after, self.position)
        stream = Stream(topics, address, position, self._turn, self._forget)
        self._streams[stream] = None
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._ends[stream] = loop.call_later(seconds, stream.end, "signed_out")
        self._addresses[address] += 1
        for topic in topics:
            self._topics.setdefault(topic, {})[stream] = None
        return stream

    async def tell(self, deliveries: Sequence[Publication]) -> list[int]:
        """Hand each to every stream that wants it; returns to how many.

        Each gets it once, as it listens to one public topic only; and none that was told of
        it otherwise while it was being opened. It is written to once, however much there is
        for it: the further behind we are, the less an event costs.
        """
        told = []
        spoken_to: dict[Stream, None] = {}
        for delivery in deliveries:
            wanting = [
                stream
                for topic in delivery.topics
                for stream in self._topics.get(topic, ())
                if delivery.id is None or delivery.id > stream.after
            ]
            for stream in wanting:
                if not stream.offer(delivery.frame):
                    stream.drop(frames.reset(self.position))
            spoken_to.update(dict.fromkeys(wanting))
            told.append(len(wanting))
        for turn, stream in enumerate(spoken_to, 1):
            stream.write()
            if turn % _FAIR == 0:
                await asyncio.sleep(0)
        self._count("app.events.delivered", sum(told))
        return told

    def mark(self) -> None:
        """Everybody was told of everything up to here, little as it may be."""
        place = frames.place(self.position)
        for stream in tuple(self._streams):
            if self.position > stream.after:
                stream.offer(place)
                stream.write()

    def reset(self) -> None:
        """Events were missed here, and cannot be had any more: everybody starts over."""
        for stream in tuple(self._streams):
            if stream.offer(frames.reset(self.position)):
                stream.write()
            else:
                stream.drop(frames.reset(self.position))

    def end(self, topic: Topic, reason: Reason) -> None:
        """End every stream that listens to a topic."""
        for stream in tuple(self._topics.get(topic, ())):
            stream.end(reason)

    def close(self) -> None:
        """End all of them, each with a time of its own to come back, and open no more."""
        self._is_closing = True
        for stream in tuple(self._streams):
            stream.end("server", frames.retry())

    async def beat(self) -> None:
        """Until cancelled: a sign of life to every stream, a part of them each second."""
        while True:
            await asyncio.sleep(1)
            self._turn = (self._turn + 1) % HEARTBEAT_SECONDS
            for stream in tuple(self._streams):
                if stream.turn == self._turn:
                    stream.offer(frames.HEARTBEAT)
                    stream.write()

    def _forget(self, stream: Stream) -> None:
        del self._streams[stream]
        if not self._streams:
            self.awake.set()  # who follows events for them can stop
        self._addresses[stream.address] -= 1
        if not self._addresses[stream.address]:
            del self._addresses[stream.address]
        if end := self._ends.pop(stream, None):
            end.cancel()
        for topic in stream.topics:
            listeners = self._topics[topic]
            del listeners[stream]
            if not listeners:
                del self._topics[topic]
        if stream.reason == "slow":
            self._count("app.streams.dropped", 1)

    def _count(self, metric: str, amount: int) -> None:
        if amount and (counter := self._instruments.counters.get(metric)):
            counter.add(amount)
