"""The event loop of the tests closes the connections that a closing server has accepted."""

import asyncio
import socket

from patience import PATIENCE


class ClosingListener(socket.socket):
    """A listener whose server closes as soon as a connection has been accepted."""

    server: asyncio.Server

    def accept(self) -> tuple[socket.socket, object]:
        accepted = super().accept()
        self.server.close()
        return accepted


async def test_a_connection_that_a_closing_server_has_accepted_is_closed() -> None:
    listener = ClosingListener()
    listener.bind(("127.0.0.1", 0))
    address = listener.getsockname()
    listener.server = await asyncio.start_server(lambda *_: None, sock=listener, backlog=1)
    reader, writer = await asyncio.open_connection(*address)
    async with asyncio.timeout(PATIENCE):
        assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
