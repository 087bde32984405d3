"""All changes that we make to Hypercorn at run time.

Hypercorn has no public hook for another connection class, so `install` replaces two names of
`hypercorn.asyncio.run`: the class of a connection and the context of a worker. `pyproject.toml`
bounds the version of Hypercorn for that reason, and tests fail when a name that we replace or
override is gone (test_hardening_02_connections.py and test_private_interfaces.py).

    connection.py        one client connection: limits, timeouts, how it is closed
    context.py           one worker: its open connections, and what happens when it stops
    http1.py             HTTP/1.1 on h11 or on httptools (hypercorn_httptools)
    http2.py             HTTP/2 on h2; frames.py limits what one client may send on it
    error_responses.py   responses that the server itself sends, in the error shape

What is wrong in Hypercorn, and where we fix it:

- A connection that the client has closed keeps its descriptor for the whole keep-alive timeout:
  the connection's task group waits for the task that watches for idleness, and only the end of
  the group stops that task. Here, timeouts are deadlines of the reading task (connection.py).
- Some states have no timeout: a refused WebSocket upgrade, HTTP/2 without streams, and an
  unfinished header block. Here, every state has one (`Phase` in phases.py).
- Closing right after a response resets the connection if the client is still sending, which can
  destroy the response. Here, only our half of the connection is closed first
  (`Connection.finish`).
- When a worker stops, idle connections are closed at once, even if a request is about to arrive.
  Here, they are served for a while, with `Connection: close` (context.py).
- Cleartext HTTP/2 is always on, useless frames are answered without limit, and some requests
  raise an exception that ends all streams of the connection (http2.py).
- HTTP/1.1 requests that two servers may parse differently are accepted (http1.py).
"""

from collections.abc import Callable
from functools import partial

import hypercorn.asyncio.run as hypercorn_run

from cruddur.edge.connections import ConnectionLimits
from cruddur.process.hypercorn.connection import Connection
from cruddur.process.hypercorn.context import Context, Timeouts
from cruddur.process.hypercorn.http1 import http1_class


def install(
    limits: ConnectionLimits,
    *,
    http1: str,
    has_h2c: bool,
    on_stop: Callable[[], None],
    refuse: Callable[[bytes], bytes | None] | None = None,
    timeouts: Timeouts | None = None,
) -> None:
    """Make Hypercorn's workers in this process use our connections.

    Args:
        limits: the limits of open connections.
        http1: the parser of HTTP/1.1, `h11` or `httptools`.
        has_h2c: whether HTTP/2 is accepted without TLS.
        on_stop: called when a worker begins to stop, before it waits for its requests.
        refuse: returns the response to a request that is refused before parsing, else None.
        timeouts: the timeouts of a connection.
    """
    hypercorn_run.WorkerContext = partial(  # type: ignore[attr-defined, assignment]  # no public way
        Context,
        limits=limits,
        timeouts=timeouts or Timeouts(),
        has_h2c=has_h2c,
        on_stop=on_stop,
        refuse=refuse,
    )
    hypercorn_run.TCPServer = partial(Connection, http1=http1_class(http1))  # type: ignore[attr-defined, assignment]  # no public way
