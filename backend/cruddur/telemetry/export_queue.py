"""The way of every sink: a bounded queue, one thread that empties it, and honest counts.

Whoever has something to send puts it into the queue and goes on; nothing about a sink,
neither its absence nor its silence, is ever in a request's way.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from opentelemetry.instrumentation.utils import suppress_instrumentation

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_ERROR_CHARS = 200
"""Characters of a sink's last error that are kept."""


class ExportError(Exception):
    """A sink did not take what it was given; the message says why."""


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """How a sink is doing. Counts are of items since the start of the process.

    Attributes:
        sink: its name.
        queued: items that wait now; `capacity` is how many may.
        sent: items that were taken.
        failed: items that were given up because the sink did not take them.
        dropped: items that never reached it because the queue was full or closed.
        delivering_since: when the delivery in progress began, if there is one.
        last_sent: when it last took something; `last_failed`: when it last did not.
        last_error: what the last failure said.
    """

    sink: str
    queued: int
    capacity: int
    sent: int
    failed: int
    dropped: int
    delivering_since: datetime | None
    last_sent: datetime | None
    last_failed: datetime | None
    last_error: str | None


class ExportQueue(Generic[T]):
    """Brings items to one sink, in batches, from a thread of its own.

    When the queue is full the oldest item is dropped: what happens now matters more.
    """

    def __init__(
        self,
        sink: str,
        deliver: Callable[[Sequence[T]], None],
        *,
        capacity: int = 2048,
        batch: int = 512,
        delay: float = 5.0,
        abort: Callable[[], None] | None = None,
    ) -> None:
        """Take what to call with each batch.

        Args:
            sink: the name in the log and on the health page.
            deliver: sends a batch; may block; raises DeliveryError (or anything) when it
                was not taken. It is called from one thread only, and its own outgoing
                calls are not traced.
            capacity: items that may wait.
            batch: items per delivery at most; as many waiting start one at once.
            delay: seconds between deliveries otherwise.
            abort: makes a delivery that waits for a retry give up; called at the end.
        """
        self.sink = sink
        self._deliver = deliver
        self._abort = abort
        self._queue: deque[T] = deque(maxlen=capacity)
        self._capacity = capacity
        self._batch = min(batch, capacity)
        self._delay = delay
        self._wake = threading.Event()
        self._idle = threading.Event()  # set when the thread has ended
        self._lock = threading.Lock()
        self._closing = False
        self._given_up = False
        self._in_flight = 0
        self._delivering_since: datetime | None = None
        self._sent = self._failed = self._dropped = 0
        self._last_sent: datetime | None = None
        self._last_failed: datetime | None = None
        self._is_well = True
        self._last_error: str | None = None
        self._thread = threading.Thread(target=self._work, name=f"export {sink}", daemon=True)

    def start(self) -> None:
        """Begin to deliver; what was put before is kept."""
        self._thread.start()

    def put(self, item: T) -> None:
        """Queue an item; never waits for the sink and never raises."""
        with self._lock:
            if self._closing:
                self._dropped += 1
                return
            self._dropped += len(self._queue) == self._capacity
            self._queue.append(item)
            is_batch = len(self._queue) >= self._batch
        if is_batch and not self._wake.is_set():
            self._wake.set()

    def close(self, seconds: float) -> bool:
        """Deliver what waits and end, within so many seconds; whether all was delivered.

        Blocks: call it from a thread.
        """
        deadline = time.monotonic() + seconds
        self._closing = True
        self._wake.set()
        if self._thread.is_alive():
            self._idle.wait(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._given_up = True
            self._dropped += len(self._queue) + self._in_flight
            self._queue.clear()
        if self._abort is not None:
            self._abort()
        return self._idle.is_set()

    def status(self) -> ExportStatus:
        """How the sink is doing."""
        return ExportStatus(
            sink=self.sink,
            queued=len(self._queue),
            capacity=self._capacity,
            sent=self._sent,
            failed=self._failed,
            dropped=self._dropped,
            delivering_since=self._delivering_since,
            last_sent=self._last_sent,
            last_failed=self._last_failed,
            last_error=self._last_error,
        )

    def _work(self) -> None:
        with suppress_instrumentation():
            while not self._closing:
                is_batch = self._wake.wait(self._delay)
                self._wake.clear()
                # What is left of a full batch waits for more: small deliveries cost most.
                self._empty(down_to=self._batch - 1 if is_batch and not self._closing else 0)
            self._empty(down_to=0)
        self._idle.set()

    def _empty(self, down_to: int) -> None:
        while batch := self._take(down_to):
            error: BaseException | None = None
            try:
                self._deliver(batch)
            except BaseException as failure:  # whatever it is, the next batch may do better
                error = failure
            with self._lock:
                self._in_flight, self._delivering_since = 0, None
                if self._given_up:  # these are counted as dropped
                    return
                self._failed += len(batch) if error else 0
                self._sent += 0 if error else len(batch)
            if error:
                self._note_failure(str(error) or type(error).__name__)
            else:
                self._note_success()

    def _take(self, down_to: int) -> list[T]:
        """The next batch; nothing when only so many wait."""
        with self._lock:
            if len(self._queue) <= down_to or self._given_up:
                return []
            count = min(self._batch, len(self._queue))
            self._in_flight, self._delivering_since = count, datetime.now(UTC)
            return [self._queue.popleft() for _ in range(count)]

    def _note_failure(self, reason: str) -> None:
        self._last_failed = datetime.now(UTC)
        self._last_error = reason.splitlines()[0][:MAX_ERROR_CHARS]
        if self._is_well:
            logger.warning("%s does not take what it is sent: %s", self.sink, self._last_error)
        self._is_well = False

    def _note_success(self) -> None:
        self._last_sent = datetime.now(UTC)
        if not self._is_well:
            logger.warning("%s takes what it is sent again", self.sink)
        self._is_well = True
