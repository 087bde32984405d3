"""One client connection of Hypercorn: its limits, its timeouts and how it is closed."""

import asyncio
from collections.abc import Generator
from contextlib import suppress
from ssl import SSLError
from typing import Any

from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol.h11 import H2CProtocolRequiredError, H2ProtocolAssumedError
from hypercorn.typing import AppWrapper, ConnectionState, LifespanState
from hypercorn.utils import parse_socket_addr

from cruddur.process.hypercorn.context import Context
from cruddur.process.hypercorn.error_responses import http1_error_response
from cruddur.process.hypercorn.http1 import HTTP1
from cruddur.process.hypercorn.http2 import HTTP2
from cruddur.process.hypercorn.phases import BUSY, HEAD, IDLE, Phase

READ_BYTES = 2**16

MAX_REJECTIONS = 64
"""Refused connections per worker that may stay open until the client has read the response."""


class Connection:
    """One connection, in place of `hypercorn.asyncio.tcp_server.TCPServer`."""

    def __init__(
        self,
        app: AppWrapper,
        loop: asyncio.AbstractEventLoop,
        config: Config,
        context: Context,
        state: LifespanState,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        http1: type[HTTP1],
    ) -> None:
        """Accept the arguments that Hypercorn passes, and the class of HTTP/1.1 connections."""
        self.app = app
        self.loop = loop
        self.config = config
        self.context = context
        self.state = state
        self.reader = reader
        self.writer = writer
        self._http1 = http1
        self.protocol: HTTP1 | HTTP2
        self._deadline: asyncio.Timeout | None = None
        self._phase: Phase | None = None
        self._is_finished = False
        self._write_limit = writer.transport.get_write_buffer_limits()[1]

    def __await__(self) -> Generator[Any, None, None]:
        """Serve the connection until it is closed."""
        return self.run().__await__()

    async def run(self) -> None:
        """Serve the connection until it is closed."""
        self.context.accepted += 1
        try:
            socket = self.writer.get_extra_info("socket")
            client = parse_socket_addr(socket.family, socket.getpeername())
            server = parse_socket_addr(socket.family, socket.getsockname())
        except OSError:  # the client has disconnected already
            self.writer.close()
            return
        address = client[0] if client else None
        if status := self.context.limits.admit(address):
            await self._reject(status)
            return
        self.context.connections.add(self)
        try:
            await self._serve(client, server)
        except asyncio.CancelledError:
            # Hypercorn cancels the remaining connections after the grace period, and asyncio
            # would report that as an error.
            if not self.context.terminated.is_set():
                raise
        finally:
            self.context.connections.discard(self)
            try:
                await self._close()
            finally:
                self.context.limits.release(address)

    def drain(self) -> None:
        """Serve a request that is about to arrive; close the connection if it stays idle."""
        if self._deadline is not None and self._phase is IDLE:
            self._enter(IDLE)

    async def protocol_send(self, event: Event) -> None:
        """Handle an event of the protocol: send bytes, close, or check its phase."""
        if isinstance(event, RawData):
            await self._write(event.data)
        elif isinstance(event, Updated):
            if event.idle:
                self._update_deadline()
            else:
                self._enter(BUSY)
        elif isinstance(event, Closed):
            self.finish()

    def finish(self) -> None:
        """Close the sending half, and ignore what is received.

        Closing both halves at once would reset the connection if the client is still sending, and
        the reset can overtake the response. The client gets some time to close its own half.
        """
        if self._is_finished:
            return
        self._is_finished = True
        try:
            self.writer.write_eof()
        except (NotImplementedError, OSError, RuntimeError):  # TLS has no half-close
            self.writer.close()
        self._expire_at(self.loop.time() + self.context.timeouts.linger)

    async def _serve(self, client: tuple[str, int] | None, server: tuple[str, int] | None) -> None:
        tls = self.writer.get_extra_info("ssl_object")
        async with TaskGroup(self.loop) as tasks:
            self._protocol_arguments = (
                self.app,
                self.config,
                self.context,
                tasks,
                ConnectionState(self.state),
                tls is not None,
                client,
                server,
                self.protocol_send,
            )
            is_http2 = tls is not None and tls.selected_alpn_protocol() == "h2"
            self.protocol = (
                HTTP2(*self._protocol_arguments)
                if is_http2
                else self._http1(*self._protocol_arguments)
            )
            await self.protocol.initiate()
            try:
                async with asyncio.timeout(None) as self._deadline:
                    self._update_deadline()
                    await self._read()
            except TimeoutError:
                await self._time_out()
            finally:
                self._deadline = None
            await self.protocol.handle(Closed())

    async def _read(self) -> None:
        """Pass received bytes to the protocol until the client closes."""
        while data := await self._receive():
            if self._is_finished:
                continue
            if response := self._refuse(data):
                await self._write(response)
                self._enter(IDLE)
                continue
            await self._handle(data)
            self._update_deadline()

    def _refuse(self, data: bytes) -> bytes | None:
        """Return the response to a request that an overloaded worker refuses before parsing."""
        if self.context.refuse is None or self._phase is not IDLE:
            return None
        if not isinstance(self.protocol, HTTP1) or self.context.drain_until is not None:
            return None
        return self.context.refuse(data)

    async def _receive(self) -> bytes:
        try:
            return await self.reader.read(READ_BYTES)
        except (OSError, SSLError):
            return b""

    async def _handle(self, data: bytes) -> None:
        try:
            await self.protocol.handle(RawData(data))
        except H2ProtocolAssumedError as error:
            await self._upgrade(error.data)
        except H2CProtocolRequiredError as error:
            await self._upgrade(error.data, error.headers, error.settings)

    async def _upgrade(self, data: bytes, *request: Any) -> None:
        self.protocol = HTTP2(*self._protocol_arguments)
        await self.protocol.initiate(*request)
        if data:
            await self.protocol.handle(RawData(data))

    async def _time_out(self) -> None:
        if self._is_finished:
            return
        if await self.protocol.expire():
            self.finish()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.context.timeouts.linger):
                    while await self._receive():
                        pass

    def _update_deadline(self) -> None:
        """Move the deadline if the protocol has entered another phase."""
        phase = self.protocol.phase
        if phase is not self._phase:
            self._enter(phase)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        if self._is_finished:
            return
        now, timeouts = self.loop.time(), self.context.timeouts
        if phase is BUSY:
            self._expire_at(None)
        elif phase is HEAD:
            self._expire_at(now + timeouts.head)
        elif self.context.drain_until is not None and not self.protocol.is_closing:
            self._expire_at(self.context.drain_until)
        elif self.protocol.is_closing:
            self._expire_at(now + timeouts.linger)
        else:
            self._expire_at(now + self.config.keep_alive_timeout)

    def _expire_at(self, when: float | None) -> None:
        """Move the deadline of the reading task, unless the task has ended."""
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(when)

    async def _write(self, data: bytes) -> None:
        if self._is_finished:
            return
        transport = self.writer.transport
        try:
            self.writer.write(data)
            if transport.get_write_buffer_size() <= self._write_limit:
                await self.writer.drain()
                return
            async with asyncio.timeout(self.context.timeouts.send):
                await self.writer.drain()
        except TimeoutError:
            transport.abort()
            await self.protocol.handle(Closed())
        except (ConnectionError, RuntimeError):
            await self.protocol.handle(Closed())

    async def _close(self) -> None:
        self.writer.close()
        try:
            async with asyncio.timeout(self.context.timeouts.send):
                await self.writer.wait_closed()
        except TimeoutError:
            self.writer.transport.abort()
        except (OSError, RuntimeError):
            pass  # the client closed it first

    async def _reject(self, status: int) -> None:
        """Refuse a connection that exceeds a limit, before its first request."""
        if self.context.refusing >= MAX_REJECTIONS or self.writer.get_extra_info("ssl_object"):
            self.writer.transport.abort()
            return
        self.context.refusing += 1
        try:
            self.writer.write(http1_error_response(status, self.config))
            self.finish()
            async with asyncio.timeout(self.context.timeouts.linger):
                while await self._receive():
                    pass
        except (OSError, RuntimeError):  # TimeoutError is an OSError, too
            pass
        finally:
            self.context.refusing -= 1
            self.writer.close()
