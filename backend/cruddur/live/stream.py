"""One open stream: a bounded queue of frames, and the ASGI response that sends them."""

import asyncio
import sys
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from cruddur.asgi_types import Receive, Send
from cruddur.db.positions import Position
from cruddur.live.topics import Topic
from cruddur.telemetry.error_reporting import report

Reason: TypeAlias = Literal["client", "failed", "server", "signed_out", "slow"]

QUEUE_FRAMES = 256
"""Maximum number of frames that wait for a client: about ten seconds of a busy service."""

_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}
"""Send at once, without a turn of the event loop, unless the client is slow."""

_SHOWN = datetime.min.replace(tzinfo=UTC)
"""The time until which a user is hidden who is not hidden at all."""

SLOW_SECONDS = 10.0
"""Time for a slow client to read the reset before its stream is aborted."""


class Stream:
    """The subscription of one client, and the frames that it has not read yet.

    An idle stream is one task that waits for the client to disconnect. Sending starts another task,
    which ends when the queue is empty.

    Attributes:
        topics: the topics of the subscription, as an ordered set. The hub changes them.
        address: the address of the client.
        start: the complete position at which the stream starts.
        after: the size of that snapshot; only events of larger ones are sent on this stream.
        heartbeat_slot: the second of the heartbeat interval in which it gets its heartbeat.
        sent: frames that were passed to the server.
        reason: why the stream ended.
        hidden: the users who are hidden from the viewer, each with the time until which they are.
            None for a visitor, and until it is known.
    """

    __slots__ = (
        "_frames",
        "_held",
        "_is_aborted",
        "_is_ending",
        "_on_end",
        "_reader",
        "_send",
        "_writer",
        "address",
        "after",
        "heartbeat_slot",
        "hidden",
        "reason",
        "sent",
        "start",
        "topics",
    )

    def __init__(
        self,
        topics: tuple[Topic, ...],
        address: str,
        start: Position,
        heartbeat_slot: int,
        on_end: Callable[["Stream"], None],
    ) -> None:
        """Set the subscription; `on_end` is called exactly once, when the stream has ended."""
        self.topics = dict.fromkeys(topics)
        self.address = address
        self.start = start
        self.after = start.until.size
        self.heartbeat_slot = heartbeat_slot
        self.sent = 0
        self.reason: Reason = "failed"
        self._on_end: Callable[[Stream], None] | None = on_end
        self.hidden: Mapping[UUID, datetime] | None = None
        self._frames: list[bytes] = []
        self._held: list[tuple[Collection[UUID], bytes]] | None = []
        self._is_ending = False
        self._is_aborted = False
        self._send: Send | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._writer: asyncio.Task[None] | None = None

    def enqueue(self, frame: bytes, people: Collection[UUID] = ()) -> bool:
        """Queue a frame for the next `flush`; return False if the queue is full.

        A stream that is ending ignores the frame.

        Args:
            frame: the frame.
            people: the users that it is about. `begin` drops it if one of them is hidden.
        """
        if self._is_ending:
            return True
        if len(self._frames if self._held is None else self._held) >= QUEUE_FRAMES:
            return False
        if self._held is None:
            self._frames.append(frame)
        else:
            self._held.append((people, frame))
        return True

    def shows(self, people: Collection[UUID], now: datetime) -> bool:
        """Return whether no user of some is known to be hidden from the viewer at a time."""
        return not self.hidden or all(self.hidden.get(uuid, _SHOWN) <= now for uuid in people)

    def drop(self, reset: bytes) -> None:
        """End the stream of a slow client: send `reset` in place of its queue, to free memory."""
        self._frames.clear()
        if self._held is not None:
            self._held.clear()
        self.end("slow", reset)
        asyncio.get_running_loop().call_later(SLOW_SECONDS, self._abort)

    def end(self, reason: Reason, *last: bytes) -> None:
        """Send the queued frames and some last frames, then end the response."""
        if self._is_ending:
            return
        self._is_ending = True
        self.reason = reason
        self._frames += last
        self.flush()

    def release(self) -> None:
        """Unsubscribe. Also call it for a stream that was never run."""
        if self._on_end is not None:
            on_end, self._on_end = self._on_end, None
            on_end(self)

    def begin(self, first: bytes, now: datetime) -> None:
        """Release the frames that were queued since the stream was opened, after a first frame.

        Args:
            first: the first frame.
            now: the time of the database. Frames about users who are hidden then are dropped.
        """
        held, self._held = self._held or (), None
        kept = [frame for people, frame in held if self.shows(people, now)]
        self._frames = [first, *kept, *self._frames]

    async def run(self, receive: Receive, send: Send) -> None:
        """Send frames until the client disconnects or the stream ends, after the headers."""
        self._reader = asyncio.current_task()
        self._send = send
        self.flush()
        try:
            # A server also sends this message when the response is complete.
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not self._is_aborted:
                raise
        finally:
            if not self._is_ending:
                self._is_ending = True
                self.reason = "client"
            if self._writer is not None:
                self._writer.cancel()
            self._send = None
            self._frames.clear()
            self.release()

    def flush(self) -> None:
        """Send the queued frames, unless they are being sent already."""
        if self._writer is None and self._send is not None:
            sending = self._send_queue(self._send)
            writer = asyncio.Task(sending, loop=asyncio.get_running_loop(), **_EAGER)
            if not writer.done():
                self._writer = writer

    async def _send_queue(self, send: Send) -> None:
        try:
            while self._frames:
                waiting, self._frames = self._frames, []
                self.sent += len(waiting)
                await send(
                    {"type": "http.response.body", "body": b"".join(waiting), "more_body": True}
                )
            if self._is_ending:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:
            report(error, "a stream")
            self.reason = "failed"
            self._abort()
        finally:
            self._writer = None

    def _abort(self) -> None:
        """End the stream without waiting for a client that does not read."""
        if self._on_end is not None and self._reader is not None:
            self._is_aborted = True
            self._reader.cancel()
