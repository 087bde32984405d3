"""A bounded queue per sink, with a delivery thread and exact counts.

A producer puts an item into the queue and continues. A sink that is missing, slow or silent
never delays a request.
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
"""Maximum length of the stored last error of a sink."""


class ExportError(Exception):
    """A sink did not accept a batch; the message has the reason."""


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """The state of a sink. Counts are of items since the start of the process.

    Attributes:
        sink: the name of the sink.
        queued: items in the queue; `capacity` is the maximum.
        sent: items that the sink accepted.
        failed: items that the sink did not accept.
        dropped: items that were not sent because the queue was full or closed.
        delivering_since: the start of the delivery in progress, if there is one.
        last_sent: the time of the last success; `last_failed`: that of the last failure.
        last_error: the message of the last failure.
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
    """Delivers items to one sink, in batches, from its own thread.

    A full queue drops its oldest item, because recent items matter more.
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
        """Configure the queue; `start` begins to deliver.

        Args:
            sink: the name in the log and on the health page.
            deliver: sends a batch. It may block, and raises ExportError, or any exception, if the
                sink did not accept the batch. It is called from one thread only, and its
                outgoing calls are not traced.
            capacity: maximum number of items in the queue.
            batch: maximum number of items of a delivery. A full batch is delivered at once.
            delay: seconds between deliveries of smaller batches.
            abort: called by `close` to end a delivery that waits for a retry.
        """
        self.sink = sink
        self._deliver = deliver
        self._abort = abort
        self._queue: deque[T] = deque(maxlen=capacity)
        self._capacity = capacity
        self._batch = min(batch, capacity)
        self._delay = delay
        self._wake = threading.Event()
        self._stopped = threading.Event()  # set when the thread has ended
        self._lock = threading.Lock()
        self._is_closing = False
        self._is_abandoned = False
        self._in_flight = 0
        self._delivering_since: datetime | None = None
        self._sent = self._failed = self._dropped = 0
        self._last_sent: datetime | None = None
        self._last_failed: datetime | None = None
        self._is_healthy = True
        self._last_error: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"export {sink}", daemon=True)

    def start(self) -> None:
        """Start the thread. Items that were queued before are delivered, too."""
        self._thread.start()

    def put(self, item: T) -> None:
        """Queue an item. Never waits for the sink, and never raises."""
        with self._lock:
            if self._is_closing:
                self._dropped += 1
                return
            self._dropped += len(self._queue) == self._capacity
            self._queue.append(item)
            is_batch = len(self._queue) >= self._batch
        if is_batch and not self._wake.is_set():
            self._wake.set()

    @property
    def is_half_full(self) -> bool:
        """Whether at least half of the queue is in use."""
        return 2 * len(self._queue) >= self._capacity

    def close(self, seconds: float) -> bool:
        """Deliver the remaining items within a number of seconds, and end the thread.

        Blocks, so call it from a thread. Returns whether all items were delivered.
        """
        deadline = time.monotonic() + seconds
        self._is_closing = True
        self._wake.set()
        if self._thread.is_alive():
            self._stopped.wait(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._is_abandoned = True
            self._dropped += len(self._queue) + self._in_flight
            self._queue.clear()
        if self._abort is not None:
            self._abort()
        return self._stopped.is_set()

    def status(self) -> ExportStatus:
        """Return the state of the sink."""
        with self._lock:
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

    def _run(self) -> None:
        with suppress_instrumentation():
            while not self._is_closing:
                is_batch = self._wake.wait(self._delay)
                self._wake.clear()
                # After a full batch, the rest waits for more items: small deliveries are
                # inefficient.
                self._deliver_batches(
                    down_to=self._batch - 1 if is_batch and not self._is_closing else 0
                )
            self._deliver_batches(down_to=0)
        self._stopped.set()

    def _deliver_batches(self, down_to: int) -> None:
        while batch := self._take(down_to):
            reason: str | None = None
            try:
                self._deliver(batch)
            except BaseException as error:  # the next batch may succeed
                reason = _first_line(error)
            with self._lock:
                self._in_flight, self._delivering_since = 0, None
                if self._is_abandoned:  # the items are counted as dropped already
                    return
                was_healthy, self._is_healthy = self._is_healthy, reason is None
                if reason is None:
                    self._sent += len(batch)
                    self._last_sent = datetime.now(UTC)
                else:
                    self._failed += len(batch)
                    self._last_failed = datetime.now(UTC)
                    self._last_error = reason
            if was_healthy and reason is not None:
                logger.warning("%s does not accept items: %s", self.sink, reason)
            elif not was_healthy and reason is None:
                logger.warning("%s accepts items again", self.sink)

    def _take(self, down_to: int) -> list[T]:
        """Return the next batch, or an empty list if at most `down_to` items are queued."""
        with self._lock:
            if len(self._queue) <= down_to or self._is_abandoned:
                return []
            count = min(self._batch, len(self._queue))
            self._in_flight, self._delivering_since = count, datetime.now(UTC)
            return [self._queue.popleft() for _ in range(count)]


def _first_line(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:MAX_ERROR_CHARS]
