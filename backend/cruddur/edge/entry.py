"""Normalize a request and open its context, before any other layer of ours handles it.

A proxy may add a port to `X-Forwarded-For`, and a socket that serves both IPv4 and IPv6 reports
IPv4 clients as mapped addresses. Spans, sessions and limits need the plain address.

If a header occurs twice, some code would use its first value and other code its last. RFC 9110,
5.3, allows a recipient to join the values with commas. A header that may have one value only, such
as `Authorization` or `Origin`, then has a value that no handler accepts.
"""

import string
from typing import TypeAlias
from urllib.parse import quote_from_bytes

from cruddur.asgi_types import Application, Receive, Scope, Send
from cruddur.edge.routing import Router
from cruddur.request_context import RequestContext, current
from cruddur.services.client_addresses import plain_address

Headers: TypeAlias = list[tuple[bytes, bytes]]


class Entry:
    """The ASGI layer."""

    def __init__(self, app: Application, router: Router) -> None:
        """Wrap an application; the router finds the route of each request."""
        self._app = app
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        normalize(scope)
        match = self._router.match(scope)
        request = RequestContext(scope, match.kind, match.route, match.redacted_path, match.private)
        token = current.set(request)
        try:
            await self._app(scope, receive, send)
        finally:
            current.reset(token)


def normalize(scope: Scope) -> None:
    """Normalize a scope in place: plain client address, unique headers, ASCII query string."""
    client = scope.get("client")
    if client is not None:
        scope["client"] = plain_address(client[0]), client[1]
    headers = scope.get("headers", ())
    if len({name for name, _ in headers}) < len(headers):
        scope["headers"] = join_duplicates(headers)
    # HTTP/2 accepts any byte, but parsers of the query string expect UTF-8.
    query = scope.get("query_string", b"")
    if not query.isascii():
        scope["query_string"] = quote_from_bytes(query, safe=string.printable).encode()


def join_duplicates(headers: Headers) -> Headers:
    """Return the headers with the values of duplicates joined, in the order received.

    HTTP/2 clients split `Cookie` into several lines, which are joined by semicolons
    (RFC 9113, 8.2.3).
    """
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        separator = b"; " if name == b"cookie" else b", "
        values[name] = values[name] + separator + value if name in values else value
    return list(values.items())
