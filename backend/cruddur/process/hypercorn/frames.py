"""Limit the frames of one HTTP/2 connection before they are parsed.

Reading a frame costs the server more than sending it costs the client, and most kinds of frames
neither open nor end a stream. A client may send a burst of them, and then a number per second.
"""

import time

PREFACE_BYTES = 24
HEADER_BYTES = 9

DATA, HEADERS, CONTINUATION = 0, 1, 9
END_STREAM, END_HEADERS = 1, 4

CONTROL_BURST = 200
CONTROL_RATE = 20.0
"""Burst, and frames per second, of frames that carry no request.

These are PING, SETTINGS, PRIORITY, RST_STREAM, WINDOW_UPDATE, unknown frames, and DATA that is
almost empty. Browsers send a few per page.
"""

RESET_BURST = 100
RESET_RATE = 10.0
"""Burst, and streams per second, of streams that end without a response.

Each costs as much as a request. When the user leaves a page, the browser resets the page's streams,
at most 100.
"""

MAX_CONTINUATIONS = 16
"""CONTINUATION frames of one header block. A block of 64 kB needs four of the usual size."""

SMALL_BYTES = 256
"""DATA frames of up to this length count as control frames: they may be only padding."""

SENT_BYTES_PER_FRAME = 256
"""Response bytes that permit one more control frame: clients send WINDOW_UPDATE for them."""


class FloodError(Exception):
    """The client sends too many frames."""


class TokenBucket:
    """A rate limit with a burst."""

    def __init__(self, burst: int, rate: float) -> None:
        """Fill the bucket.

        Args:
            burst: tokens in a full bucket.
            rate: tokens that are added per second.
        """
        self._burst = burst
        self._rate = rate
        self._tokens = float(burst)
        self._time = time.monotonic()

    def spend(self) -> None:
        """Take a token. Raises FloodError if there is none."""
        now = time.monotonic()
        self.add((now - self._time) * self._rate)
        self._time = now
        if self._tokens < 1:
            raise FloodError
        self._tokens -= 1

    def add(self, tokens: float) -> None:
        """Add tokens, up to the burst."""
        self._tokens = min(self._burst, self._tokens + tokens)


class FrameLimits:
    """Counts the frames of one client.

    Attributes:
        is_in_header_block: whether a header block has begun but not ended.
    """

    def __init__(self) -> None:
        """Expect the connection preface."""
        self.is_in_header_block = False
        self._control = TokenBucket(CONTROL_BURST, CONTROL_RATE)
        self._resets = TokenBucket(RESET_BURST, RESET_RATE)
        self._continuations = 0
        self._ends_header_block = False
        self._header = b""
        self._payload = PREFACE_BYTES

    def receive(self, data: bytes) -> None:
        """Count the frames in received bytes. Raises FloodError for too many."""
        position = 0
        while position < len(data):
            if self._payload:
                step = min(self._payload, len(data) - position)
                self._payload -= step
                position += step
            else:
                step = HEADER_BYTES - len(self._header)
                self._header += data[position : position + step]
                position += step
                if len(self._header) < HEADER_BYTES:
                    return
                self._payload = int.from_bytes(self._header[:3])
                self._begin(self._header[3], self._header[4])
                self._header = b""
            if not self._payload and self._ends_header_block:
                self.is_in_header_block = self._ends_header_block = False

    def reset(self) -> None:
        """Count a stream that ended without a response. Raises FloodError for too many."""
        self._resets.spend()

    def sent(self, size: int) -> None:
        """Permit the control frames that a client sends for this many response bytes."""
        self._control.add(size / SENT_BYTES_PER_FRAME)

    def _begin(self, kind: int, flags: int) -> None:
        if kind == HEADERS:
            self.is_in_header_block = True
            self._continuations = 0
        elif kind == CONTINUATION:
            self._continuations += 1
            if self._continuations > MAX_CONTINUATIONS:
                raise FloodError
        elif kind != DATA or (self._payload <= SMALL_BYTES and not flags & END_STREAM):
            self._control.spend()
        if kind in {HEADERS, CONTINUATION} and flags & END_HEADERS:
            self._ends_header_block = True
