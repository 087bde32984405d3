"""For 8 s, send three times the requests that the service can answer, whatever it responds."""

import asyncio

from attacks.target import HOME, Target
from load.open_model import Client, closed_loop, open_loop, percentile

# The service needs CRUDDUR_RATE_EXEMPT=127.0.0.1: otherwise rate limits refuse this address first.
SECONDS = 8.0


async def attack(target: Target) -> str:
    """Measure the capacity for 2 s, then send three times that rate."""
    client = Client(target.host, target.port, [f"GET {HOME} HTTP/1.1\r\nHost: x\r\n\r\n".encode()])
    try:
        await client.open()
        capacity = await closed_loop(client, 2.0)
        load = await open_loop(client, [(3 * capacity, SECONDS)])
    finally:
        client.close()
        await asyncio.sleep(0)
    return (
        f"of {len(load.samples) / SECONDS:.0f} requests/s at a capacity of {capacity:.0f}/s"
        f" {len(load.answered()) / SECONDS:.0f}/s were answered, p99"
        f" {percentile(load.answered(), 0.99):.0f} ms; {load.count(503) / SECONDS:.0f}/s were"
        f" refused, {load.count(0) / SECONDS:.0f}/s got no answer"
    )
