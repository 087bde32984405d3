"""Combine repeated request headers, so that every reader sees the same single value.

Where a header comes twice, one reader would take the first value and another the last. RFC 9110,
5.3, allows a recipient to join them with commas. A header that may have one value only, such as
`Authorization` or `Origin`, then has a value that no handler accepts.
"""

from typing import TypeAlias

from cruddur.telemetry.server import Application, Receive, Scope, Send

Headers: TypeAlias = list[tuple[bytes, bytes]]


class CombinedHeaders:
    """The ASGI layer around Quart."""

    def __init__(self, app: Application) -> None:
        """Wrap the application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with each header once."""
        headers = scope.get("headers", ())
        if len({name for name, _ in headers}) < len(headers):
            scope = {**scope, "headers": combined(headers)}
        await self._app(scope, receive, send)


def combined(headers: Headers) -> Headers:
    """Return the headers with the values of equal names joined, in the order of their arrival.

    HTTP/2 clients split `Cookie` into several lines, which are joined by semicolons
    (RFC 9113, 8.2.3).
    """
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        separator = b"; " if name == b"cookie" else b", "
        values[name] = values[name] + separator + value if name in values else value
    return list(values.items())
