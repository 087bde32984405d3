"""The reading side of `make bench-streams`: thousands of streams in a process of its own.

It speaks just enough HTTP/1.1 and server-sent events to see which of the bench's cruds came
when, so that half a core reads what the service's whole core can write. Processes of one
machine share the monotonic clock: it takes the time of arrival, and is told those of sending.
"""

import multiprocessing
import re
import selectors
import socket
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

REQUEST = b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
CRUD = re.compile(rb'^event: crud$.*"message":"Crud (\d+)"', re.MULTILINE | re.DOTALL)
RESET = re.compile(rb"^event: reset$", re.MULTILINE)

WAVE = 50
"""Streams that are opened at once; Hypercorn lets 100 wait at its door."""
PATIENCE = 15.0
"""Seconds without anything new after which what has not come counts as lost."""
AFTERMATH = 0.25
"""Seconds in which what comes twice comes again."""
LOOK_SECONDS = 0.01
"""Seconds from one look at all streams to the next."""
RECEIVE_BYTES = 1 << 16


class ReaderError(Exception):
    """A stream was not opened; the message is what the service said."""


@dataclass
class Report:
    """What came of the cruds that were sent, over all streams.

    Attributes:
        expected: how many deliveries there should be.
        lost, doubled: deliveries that are missing, and those that are too many.
        disordered: streams that got them in another order than the first one.
        broken: streams that ended, or were told to refetch everything.
        delays: seconds from sending to arrival, of every delivery, sorted.
    """

    expected: int
    lost: int
    doubled: int
    disordered: int
    broken: int
    delays: Sequence[float]

    @property
    def is_sound(self) -> bool:
        """Whether every stream got everything once, in the same order."""
        return not (self.lost or self.doubled or self.disordered or self.broken)


class Stream:
    """One open stream, and the cruds that came over it."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.is_begun = False
        self.is_broken = False
        self.numbers = array("l")
        self.times = array("d")
        self._raw = b""  # of the head, and then of a chunk, what has come so far
        self._block = b""
        self._is_in_body = False

    def take(self, data: bytes, moment: float) -> None:
        """Take what came; nothing means that the service ended the stream."""
        if not data:
            self.is_broken = True
            return
        self._raw += data
        if not self._is_in_body and not self._pass_head():
            return
        *blocks, self._block = (self._block + self._dechunk()).split(b"\n\n")
        for block in blocks:
            self.is_begun = True
            if found := CRUD.search(block):
                self.numbers.append(int(found[1]))
                self.times.append(moment)
            elif RESET.search(block):
                self.is_broken = True

    def _pass_head(self) -> bool:
        head, end, rest = self._raw.partition(b"\r\n\r\n")
        if end and (b" 200 " not in head[:15] or b"chunked" not in head.lower()):
            raise ReaderError(head.decode("latin-1"))
        if end:
            self._is_in_body, self._raw = True, rest
        return self._is_in_body

    def _dechunk(self) -> bytes:
        raw, at, parts = self._raw, 0, []
        while (end := raw.find(b"\r\n", at)) >= 0:
            start = end + 2
            stop = start + int(raw[at:end], 16)
            if len(raw) < stop + 2:
                break
            self.is_broken |= start == stop  # the last chunk
            parts.append(raw[start:stop])
            at = stop + 2
        self._raw = raw[at:]
        return b"".join(parts)


class Reader:
    """All streams. Each public method is a command, and its result the answer."""

    def __init__(self, commands: Connection) -> None:
        self._commands = commands
        self._streams: list[Stream] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(commands, selectors.EVENT_READ)

    def run(self) -> None:
        """Read, and do as told, until the other end of the pipe is closed."""
        while True:
            while not self._commands.poll():
                self._read(None)
            try:
                command, *arguments = self._commands.recv()
            except EOFError:
                return
            self._commands.send(getattr(self, command)(*arguments))

    def open(self, host: str, port: int, count: int) -> float:
        """Open so many streams more, and tell how many seconds that took."""
        start = time.monotonic()
        for first in range(0, count, WAVE):
            wave = [self._connect(host, port) for _ in range(first, min(first + WAVE, count))]
            self._read_until(lambda wave=wave: all(stream.is_begun for stream in wave))
            if not all(stream.is_begun for stream in wave):
                raise ReaderError("a stream did not begin")
        return time.monotonic() - start

    def collect(self, sent: Mapping[int, float]) -> Report:
        """Wait until everything is there, or cannot be expected any more; and forget it."""
        streams = self._streams
        expected = len(streams) * len(sent)
        before, came = -1, self._came()
        while before < came < expected:
            self._read_until(lambda: self._came() >= expected)
            before, came = came, self._came()
        self._read_until(lambda: False, AFTERMATH)
        delays: list[float] = []
        lost = doubled = 0
        for stream in streams:
            times = dict(zip(stream.numbers, stream.times, strict=True))
            lost += len(sent.keys() - times.keys())
            # One of an earlier time came twice as well, if late.
            doubled += len(stream.numbers) - len(sent.keys() & times.keys())
            delays += [times[number] - sent[number] for number in sent.keys() & times.keys()]
        report = Report(
            expected=expected,
            lost=lost,
            doubled=doubled,
            disordered=sum(stream.numbers != streams[0].numbers for stream in streams),
            broken=sum(stream.is_broken for stream in streams),
            delays=array("d", sorted(delays)),
        )
        for stream in streams:
            stream.numbers, stream.times = array("l"), array("d")
        return report

    def close(self) -> None:
        """Close all streams."""
        for stream in self._streams:
            if stream.socket in self._selector.get_map():
                self._selector.unregister(stream.socket)
            stream.socket.close()
        self._streams.clear()

    def cpu(self) -> float:
        """CPU seconds of this process so far."""
        return time.process_time()

    def _came(self) -> int:
        return sum(len(stream.numbers) for stream in self._streams)

    def _connect(self, host: str, port: int) -> Stream:
        sock = socket.create_connection((host, port))
        sock.sendall(REQUEST)
        sock.setblocking(False)
        stream = Stream(sock)
        self._streams.append(stream)
        self._selector.register(sock, selectors.EVENT_READ, stream)
        return stream

    def _read_until(self, is_done: Callable[[], bool], seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not is_done() and (now := time.monotonic()) < deadline:
            # Looking at every stream after every one that has something would cost more
            # than the reading.
            pause = now + LOOK_SECONDS
            while (left := pause - time.monotonic()) > 0:
                self._read(left)

    def _read(self, seconds: float | None) -> None:
        """Take what is there: first all of it with its moment, and only then apart."""
        came = []
        for key, _ in self._selector.select(seconds):
            if key.data is not None:
                try:
                    data = key.data.socket.recv(RECEIVE_BYTES)
                except ConnectionError:
                    data = b""
                came.append((key.data, data, time.monotonic()))
        for stream, data, moment in came:
            if not data:
                self._selector.unregister(stream.socket)
            stream.take(data, moment)


@contextmanager
def reading() -> Iterator[Callable[..., Any]]:
    """A reader in a process of its own; yields what takes a command and gives its answer."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(theirs,))
    process.start()
    theirs.close()  # or the end of the reader would not be the end of the pipe

    def ask(command: str, *arguments: Any) -> Any:
        ours.send((command, *arguments))
        return ours.recv()

    try:
        yield ask
    finally:
        ours.close()
        process.join(10)


def _run(commands: Connection) -> None:
    Reader(commands).run()
