"""One open stream: a bounded queue of frames, and the ASGI answer that empties it."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from cruddur.asgi_types import Receive, Send
from cruddur.live.topics import Topic
from cruddur.telemetry.error_reporting import report

Reason: TypeAlias = Literal["client", "failed", "server", "signed_out", "slow"]

QUEUE_FRAMES = 256
"""Frames that wait for a reader, at most: what a busy service says in some ten seconds."""

_AT_ONCE: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}
"""Only who has to wait for a slow reader needs the event loop."""

SLOW_SECONDS = 10.0
"""How long a reader that fell behind may take to read that it did."""


class Stream:
    """What one reader wants to hear, and what it has not read yet.

    An idle stream is one task that waits for its reader to leave; who has something to say
    starts another, which ends when everything is said.

    Attributes:
        topics: what it is told of.
        address: where its reader comes from.
        after: the event up to which it was told otherwise, or does not want to be told.
        turn: whose signs of life it shares.
        sent: how many frames were handed to the server.
        reason: why it ended.
    """

    __slots__ = (
        "_frames",
        "_is_abandoned",
        "_is_ending",
        "_on_end",
        "_reader",
        "_send",
        "_writer",
        "address",
        "after",
        "reason",
        "sent",
        "topics",
        "turn",
    )

    def __init__(
        self,
        topics: tuple[Topic, ...],
        address: str,
        after: int,
        turn: int,
        on_end: Callable[["Stream"], None],
    ) -> None:
        """Take what it is told of, and what to call when it has ended, exactly once."""
        self.topics = topics
        self.address = address
        self.after = after
        self.turn = turn
        self.sent = 0
        self.reason: Reason = "failed"
        self._on_end: Callable[[Stream], None] | None = on_end
        self._frames: list[bytes] = []
        self._is_ending = False
        self._is_abandoned = False
        self._send: Send | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._writer: asyncio.Task[None] | None = None

    def offer(self, frame: bytes) -> bool:
        """Have something to say at the next `write`, unless the stream is ending. False: the
        reader is too far behind."""
        if self._is_ending:
            return True
        if len(self._frames) >= QUEUE_FRAMES:
            return False
        self._frames.append(frame)
        return True

    def drop(self, reset: bytes) -> None:
        """Send a reader away that fell behind, so that it holds no memory: `reset` instead of
        all that it has not read."""
        self._frames.clear()
        self.end("slow", reset)
        asyncio.get_running_loop().call_later(SLOW_SECONDS, self._abandon)

    def end(self, reason: Reason, *last: bytes) -> None:
        """Say what is still to be said, then something last, and end."""
        if self._is_ending:
            return
        self._is_ending = True
        self.reason = reason
        self._frames += last
        self.write()

    def release(self) -> None:
        """Have it forgotten by who speaks to it; a stream that was never run, too."""
        if self._on_end is not None:
            on_end, self._on_end = self._on_end, None
            on_end(self)

    def begin(self, first: bytes) -> None:
        """Say something before all that was said since the stream was opened."""
        self._frames.insert(0, first)

    async def run(self, receive: Receive, send: Send) -> None:
        """Answer until the reader leaves or the stream ends. The headers are sent already."""
        self._reader = asyncio.current_task()
        self._send = send
        self.write()
        try:
            # A server says so as well when an answer is complete.
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not self._is_abandoned:
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

    def write(self) -> None:
        """Say what there is to say."""
        if self._writer is None and self._send is not None:
            saying = self._empty(self._send)
            writer = asyncio.Task(saying, loop=asyncio.get_running_loop(), **_AT_ONCE)
            if not writer.done():
                self._writer = writer

    async def _empty(self, send: Send) -> None:
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
            self._abandon()
        finally:
            self._writer = None

    def _abandon(self) -> None:
        """End without the reader's help, who does not even read that it is over."""
        if self._on_end is not None and self._reader is not None:
            self._is_abandoned = True
            self._reader.cancel()
