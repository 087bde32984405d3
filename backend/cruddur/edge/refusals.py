"""Refuse a request before it reaches the application, in the error format of the API."""

from collections.abc import Sequence

import msgspec

from cruddur.asgi_types import Scope, Send
from cruddur.errors import CruddurError

Headers = Sequence[tuple[bytes, bytes]]


class Refusals:
    """Sends error responses that pages of the allowed origins can read."""

    def __init__(self, origins: Sequence[str], exposed: Sequence[str]) -> None:
        """Set what CORS allows.

        Args:
            origins: the origins whose pages may read responses; `*` for any.
            exposed: the response headers that they may read.
        """
        self._origins = {origin.encode() for origin in origins}
        self._exposed = ", ".join(exposed).encode()

    async def send(
        self, error: CruddurError, scope: Scope, send: Send, extra_headers: Headers = ()
    ) -> None:
        """Send a response with the error's status, codes and headers.

        Args:
            error: the reason.
            scope: the request.
            send: the ASGI callable.
            extra_headers: headers to add.
        """
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        headers, body = self.render(error, origins[0] if len(origins) == 1 else None)
        headers = [*headers, *extra_headers]
        await send({"type": "http.response.start", "status": error.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def render(self, error: CruddurError, origin: bytes | None) -> tuple[Headers, bytes]:
        """Return the headers and the body of a refusal.

        Args:
            error: the reason.
            origin: the `Origin` header of the request, or None.
        """
        body = msgspec.json.encode(error.codes)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            *((name.lower().encode(), value.encode()) for name, value in error.headers.items()),
            *self._cors(origin),
        ]
        return headers, body

    def _cors(self, origin: bytes | None) -> Headers:
        if b"*" in self._origins:
            allowed: Headers = [(b"access-control-allow-origin", b"*")]
        elif origin is not None and origin in self._origins:
            allowed = [
                (b"access-control-allow-origin", origin),
                (b"access-control-allow-credentials", b"true"),
            ]
        else:
            return [(b"vary", b"Origin")]
        exposed = (b"access-control-expose-headers", self._exposed)
        return [*allowed, exposed, (b"vary", b"Origin")]
