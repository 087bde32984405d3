"""A fix for a fault of asyncio's event loop in the tests. The service runs on uvloop."""

import asyncio
import socket
from typing import Any

accept: Any = asyncio.SelectorEventLoop._accept_connection2  # type: ignore[attr-defined]  # private


async def accept_unless_closed(
    loop: asyncio.SelectorEventLoop,
    protocol_factory: Any,
    conn: socket.socket,
    extra: Any,
    sslcontext: Any = None,
    server: asyncio.Server | None = None,
    *arguments: Any,
) -> None:
    """Close a connection that a server accepted just before it was closed.

    asyncio leaves it open until the garbage collector finds it and warns, in whichever test that
    happens (https://github.com/python/cpython/issues/109564). The arguments are those of
    `SelectorEventLoop._accept_connection2`, which this replaces; no public function is called
    between the two steps. test_event_loop.py fails if Python stops calling it.
    """
    if server is not None and not server.sockets:
        conn.close()
        return
    await accept(loop, protocol_factory, conn, extra, sslcontext, server, *arguments)
