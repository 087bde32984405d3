"""Tune the interpreter of a process that serves requests."""

import gc
import sys

GC_THRESHOLD = 5_000
"""Net allocations before the garbage collector examines the youngest objects."""

SWITCH_SECONDS = 0.001
"""How long a thread may compute while the event loop waits for the interpreter."""


async def tune_runtime() -> None:
    """Reduce the pauses that requests see (docs/performance.md, p99).

    The 94,000 objects that exist after the start live until the process ends, so the garbage
    collector ignores them. It runs when 5,000 more objects exist, instead of 700:
    otherwise, opening many streams at once would promote their objects to the oldest generation
    and cause full collections. A shorter switch interval than Python's 5 ms makes the threads that
    export telemetry yield sooner.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])
    sys.setswitchinterval(SWITCH_SECONDS)
