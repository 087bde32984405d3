"""Everything that we change in Hypercorn, from outside.

Hypercorn has no public place for another connection class, so `install` replaces two names of
`hypercorn.asyncio.run`: the class of a connection and the context of a worker. `pyproject.toml`
bounds the version of Hypercorn for that reason, and `test_hardening_02_hypercorn.py` fails when
a name that we replace or override is gone.

    connection.py   one client connection: limits, timeouts, how it is closed
    context.py      one worker: its open connections, and what happens when it stops
    http1.py        HTTP/1.1 on h11
    http2.py        HTTP/2 on h2; frames.py limits what one client may send on it
    refusals.py     responses that the server itself sends, in the error shape

What was wrong, and where it is fixed:

- A connection that the client had closed kept its descriptor for the whole keep-alive timeout:
  the connection's task group waited for the task that watches for idleness, and only the end of
  the group stopped that task. Timeouts are deadlines of the reading task now (connection.py).
- Some states had no timeout at all: a refused WebSocket upgrade, HTTP/2 without streams, and
  an unfinished header block. Every state has one now (`Phase` in connection.py).
- Closing right after a response resets the connection if the client is still sending, which can
  destroy the response. Half of the connection is closed first (`Connection.finish`).
- When a worker stopped, idle connections were closed at once, in the face of requests that were
  on their way. They are served for a while, with `Connection: close` (context.py).
- HTTP/2 in clear text was always on, frames without any use were answered without limit, and
  some requests raised an exception that ended all streams of the connection (http2.py).
- HTTP/1.1 requests that two servers may understand differently were accepted (http1.py).
"""

from collections.abc import Callable
from functools import partial

import hypercorn.asyncio.run as hypercorn_run

from cruddur.edge.connections import ConnectionLimits
from cruddur.process.hypercorn.connection import Connection
from cruddur.process.hypercorn.context import Context, Timeouts


def install(
    limits: ConnectionLimits,
    *,
    has_h2c: bool,
    on_stop: Callable[[], None],
    refuse: Callable[[bytes], bytes | None] | None = None,
    timeouts: Timeouts | None = None,
) -> None:
    """Make Hypercorn's workers in this process use our connections.

    Args:
        limits: of open connections.
        has_h2c: whether HTTP/2 is accepted without TLS.
        on_stop: called when a worker begins to stop, before it waits for its requests.
        refuse: returns the response to a request that is refused unparsed, else None.
        timeouts: of a connection, if not the default ones.
    """
    hypercorn_run.WorkerContext = partial(  # type: ignore[attr-defined, assignment]  # no public way
        Context,
        limits=limits,
        timeouts=timeouts or Timeouts(),
        has_h2c=has_h2c,
        on_stop=on_stop,
        refuse=refuse,
    )
    hypercorn_run.TCPServer = Connection  # type: ignore[attr-defined, assignment]  # no public way
