"""Limit the request body, and end an exchange when the application has sent its response.

Quart 0.23 buffers a body of unknown length without a limit, and returns only when the server
reports that the client has disconnected. A server reports that after it has sent the response, so
a layer that holds the response back until Quart returns would wait forever. With this layer around
Quart, all supported versions behave in the same way.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from cruddur.asgi_types import Application, Message, Receive, Scope, Send


class BoundedExchange:
    """The ASGI layer around Quart."""

    def __init__(self, app: Application, body_limit: Callable[[str], int]) -> None:
        """Wrap the application.

        Args:
            app: the application.
            body_limit: returns the largest body for a path, in bytes.
        """
        self._app = app
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with a bounded body until it has sent its response."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send, scope["type"], self._body_limit(scope["path"]))
        try:
            await self._app(scope, exchange.receive, exchange.send)
            return
        except ExceptionGroup as group:
            if len(group.exceptions) > 1:
                raise
            [error] = group.exceptions
        # Quart 0.23 wraps an exception of a streamed body in a group. It is raised outside the
        # handler above, so that the group does not become its context.
        raise error


class _Exchange:
    """A request and its response, or a websocket."""

    def __init__(self, receive: Receive, send: Send, scope_type: str, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._disconnect: Message = {"type": f"{scope_type}.disconnect"}
        self._limit = limit
        self._size = 0
        self._is_body_complete = False
        self._is_response_complete = False
        self._receiver: asyncio.Task[Any] | None = None

    async def receive(self) -> Message:
        """Return the next message; a disconnect once the application has sent everything."""
        task = self._receiver = asyncio.current_task()
        try:
            while not self._is_response_complete:
                message = await self._receive()
                if message["type"] != "http.request":
                    return message
                if not self._is_body_complete:
                    return self._limit_body(message)
        except asyncio.CancelledError:
            if not self._is_response_complete or task is None:
                raise
            task.uncancel()
        finally:
            self._receiver = None
        return self._disconnect

    def _limit_body(self, message: Message) -> Message:
        """Return the message, as the last one if the body is complete or exceeds its limit."""
        self._size += len(message.get("body", b""))
        self._is_body_complete = not message.get("more_body") or self._size > self._limit
        return {**message, "more_body": not self._is_body_complete}

    async def send(self, message: Message) -> None:
        """Send the message; after the last one, wake the task that waits for the client."""
        await self._send(message)
        is_last = message["type"].endswith(".response.body") and not message.get("more_body")
        if is_last or message["type"] == "websocket.close":
            self._is_response_complete = True
            if self._receiver is not None:
                self._receiver.cancel()
