"""Drive one HTTP/1.1 connection of Hypercorn without sockets and without an event loop.

The protocol and the streams are Hypercorn's own. The application is replaced by a record: it
responds to each request as soon as the request is complete.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any

import h11
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol.h11 import H2CProtocolRequiredError, H2ProtocolAssumedError, H11Protocol
from hypercorn.typing import ConnectionState

Message = dict[str, Any]

SCOPE = ("type", "http_version", "method", "scheme", "path", "raw_path", "query_string", "headers")

CONFIG = Config()
CONFIG.include_date_header = CONFIG.include_server_header = False

NO_CONTENT: list[Message] = [
    {"type": "http.response.start", "status": 204},
    {"type": "http.response.body"},
]


class _Turn:
    """What a paused connection awaits."""

    def __await__(self) -> Generator[None]:
        yield


class _Flag:
    """Hypercorn's event, which a driven connection awaits."""

    def __init__(self) -> None:
        self._is_set = False

    async def clear(self) -> None:
        self._is_set = False

    async def set(self) -> None:
        self._is_set = True

    async def wait(self) -> None:
        while not self._is_set:
            await _Turn()

    def is_set(self) -> bool:
        return self._is_set


class _Context(WorkerContext):
    event_class = _Flag


@dataclass
class Exchange:
    """One request as the application received it."""

    scope: Message
    body: bytes = b""
    is_complete: bool = False
    is_answered: bool = False
    has_failed: bool = False
    has_ended: bool = False


@dataclass
class Connection:
    """One driven connection, and what is known of it.

    Attributes:
        exchanges: the requests that reached the application.
        written: what the server wrote.
        is_closed: whether the server closed the connection.
        switched: the protocol that the connection was handed over to, with what was passed on.
    """

    protocol_class: type[H11Protocol]
    config: Config = field(default_factory=lambda: CONFIG)
    response: list[Message] = field(default_factory=lambda: NO_CONTENT)
    exchanges: list[Exchange] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)
    is_closed: bool = False
    switched: tuple[Any, ...] | None = None

    def __post_init__(self) -> None:
        self.protocol = self.protocol_class(
            None,  # type: ignore[arg-type]  # there is no application
            self.config,
            _CONTEXT,
            self,  # type: ignore[arg-type]  # only `spawn_app` is used
            ConnectionState({}),
            False,
            ("192.0.2.1", 50000),
            ("127.0.0.1", 80),
            self._send,
        )

    async def spawn_app(
        self, _app: None, _config: Config, scope: Message, send: Callable[..., Awaitable[None]]
    ) -> Callable[[Message], Awaitable[None]]:
        """Record a request, in place of a task that runs the application."""
        exchange = Exchange({key: scope[key] for key in SCOPE if key in scope})
        self.exchanges.append(exchange)
        self.app_send = send

        async def put(message: Message) -> None:
            if message["type"] == "http.request":
                exchange.body += message["body"]
                exchange.is_complete = not message["more_body"]
            elif message["type"] == "websocket.connect":
                exchange.is_complete = True
            else:
                exchange.has_ended = True

        return put

    def feed(self, data: bytes) -> None:
        """Receive bytes, and respond to each request that they complete; b"" is the end."""
        if self.is_closed or self.switched:
            return
        received = self.protocol.handle(RawData(data))
        while not self._advance(received):
            if self.is_closed:
                received.close()
                break
            assert self._answer(), "the connection waits for a response that nothing sends"
        while not self.is_closed and self._answer():
            pass

    def _advance(self, coroutine: Coroutine[Any, Any, None]) -> bool:
        """Run until the end, or until the connection waits for the response; return which."""
        try:
            coroutine.send(None)
        except StopIteration:
            return True
        except H2CProtocolRequiredError as error:
            self.switched = ("h2c", error.data, error.headers, error.settings)
            return True
        except H2ProtocolAssumedError as error:
            self.switched = ("h2", error.data)
            return True
        return False

    def _answer(self) -> bool:
        """Respond to the request that is complete, if there is one; return whether."""
        if not self.exchanges:
            return False
        exchange = self.exchanges[-1]
        if not exchange.is_complete or exchange.is_answered:
            return False
        exchange.is_answered = True
        try:
            if exchange.scope["type"] == "websocket":
                self._run({"type": "websocket.close"})
            else:
                for message in self.response:
                    self._run(message)
        except h11.LocalProtocolError:  # the response is invalid
            exchange.has_failed = True
        self._run(None)
        return True

    def _run(self, message: Message | None) -> None:
        assert self._advance(self.app_send(message))  # type: ignore[arg-type]  # it is a coroutine

    async def _send(self, event: Event) -> None:
        if isinstance(event, RawData) and not self.is_closed:
            self.written.append(event.data)
        elif isinstance(event, Closed):
            self.is_closed = True

    @property
    def output(self) -> bytes:
        """Everything that the server wrote."""
        return b"".join(self.written)


_CONTEXT = _Context(None)
