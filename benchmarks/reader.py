"""The reading side of `make bench-streams`: thousands of streams in a separate process.

It implements just enough HTTP/1.1 and server-sent events to record when each crud arrives, so
that half a core can read what a full core of the service writes. All processes of a machine
share the monotonic clock: this one records the arrival times, and receives the send times.
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
"""Streams that are opened at once; Hypercorn's listen backlog is 100."""
PATIENCE = 15.0
"""Seconds without a new arrival after which missing deliveries count as lost."""
AFTERMATH = 0.25
"""Seconds to wait for duplicate deliveries."""
LOOK_SECONDS = 0.01
"""Seconds between two checks of all streams."""
RECEIVE_BYTES = 1 << 16


class ReaderError(Exception):
    """A stream could not be opened; the message is the service's."""


@dataclass
class Report:
    """The deliveries of the cruds that were sent, over all streams.

    Attributes:
        expected: the expected number of deliveries.
        lost, doubled: the numbers of missing and of duplicate deliveries.
        disordered: the number of streams with another order than the first one.
        broken: the number of streams that ended or received a reset.
        delays: the seconds from sending to arrival of every delivery, sorted.
    """

    expected: int
    lost: int
    doubled: int
    disordered: int
    broken: int
    delays: Sequence[float]

    @property
    def is_sound(self) -> bool:
        """Whether every stream received everything once, in the same order."""
        return not (self.lost or self.doubled or self.disordered or self.broken)


class Stream:
    """One open stream and the cruds that it received."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.is_begun = False
        self.is_broken = False
        self.numbers = array("l")
        self.times = array("d")
        self._raw = b""  # the incomplete head or chunk so far
        self._block = b""
        self._is_in_body = False

    def take(self, data: bytes, moment: float) -> None:
        """Process received data; no data means that the service ended the stream."""
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
    """All streams. Each public method is a command, and its return value is the reply."""

    def __init__(self, commands: Connection) -> None:
        self._commands = commands
        self._streams: list[Stream] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(commands, selectors.EVENT_READ)

    def run(self) -> None:
        """Read, and execute commands, until the pipe is closed."""
        while True:
            while not self._commands.poll():
                self._read(None)
            try:
                command, *arguments = self._commands.recv()
            except EOFError:
                return
            self._commands.send(getattr(self, command)(*arguments))

    def open(self, host: str, port: int, count: int) -> float:
        """Open more streams and return the seconds that took."""
        start = time.monotonic()
        for first in range(0, count, WAVE):
            wave = [self._connect(host, port) for _ in range(first, min(first + WAVE, count))]
            self._read_until(lambda wave=wave: all(stream.is_begun for stream in wave))
            if not all(stream.is_begun for stream in wave):
                raise ReaderError("a stream did not start")
        return time.monotonic() - start

    def collect(self, sent: Mapping[int, float]) -> Report:
        """Wait until all deliveries have arrived or are overdue; report and forget them."""
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
            # A delivery of an earlier round is a late duplicate.
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
        """Return the CPU seconds of this process so far."""
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
            # A check of every stream after each arrival would cost more than the reading itself.
            pause = now + LOOK_SECONDS
            while (left := pause - time.monotonic()) > 0:
                self._read(left)

    def _read(self, seconds: float | None) -> None:
        """Read all available data with its arrival time first, and parse it afterwards."""
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
    """Run a reader in its own process; yield a function that sends it commands."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(theirs,))
    process.start()
    theirs.close()  # otherwise the pipe would stay open after the reader exits

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
