"""Normalize the client's address before any other layer reads it."""

from cruddur.services.client_addresses import plain_address
from cruddur.telemetry.server import Application, Receive, Scope, Send


class ClientAddress:
    """The ASGI layer.

    A proxy may add a port to `X-Forwarded-For`, and a socket that serves both IPv4 and IPv6
    reports IPv4 clients as mapped addresses. Spans, sessions and limits should see neither.
    """

    def __init__(self, app: Application) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        client = scope.get("client")
        if client is not None:
            scope["client"] = plain_address(client[0]), client[1]
        await self._app(scope, receive, send)
