"""asyncio's event loop, without a fault that leaves a connection open when a server closes."""

import asyncio
import socket
from typing import Any


class EventLoop(asyncio.SelectorEventLoop):
    """The loop of the tests. The service runs on uvloop, which does not have the fault.

    A server that is closed right after it has accepted a connection loses that connection: it
    stays open until the garbage collector warns about it, in whichever test that happens
    (https://github.com/python/cpython/issues/109564).
    """

    async def _accept_connection2(
        self,
        protocol_factory: Any,
        conn: socket.socket,
        extra: Any,
        sslcontext: Any = None,
        server: asyncio.Server | None = None,
        *arguments: Any,
    ) -> None:
        if server is not None and not server.sockets:
            conn.close()
            return
        accept: Any = super()._accept_connection2  # type: ignore[misc]  # it is not public
        await accept(protocol_factory, conn, extra, sslcontext, server, *arguments)
