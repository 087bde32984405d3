"""Add the security headers to every response, whichever layer sends it."""

from cruddur.asgi_types import Application, Message, Receive, Scope, Send

HSTS_SECONDS = 365 * 24 * 3600


class SecurityHeaders:
    """The ASGI layer.

    `nosniff` stops browsers from guessing content types. If the public origin is https, HSTS makes
    browsers use https for a year. It does not include subdomains, which may be other services.
    """

    def __init__(self, app: Application, *, is_https: bool) -> None:
        """Wrap an application; `is_https` is True if its public origin is https."""
        self._app = app
        self._headers = security_headers(is_https=is_https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._headers]}
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def security_headers(*, is_https: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers; `is_https` is True if the public origin is https."""
    headers = [(b"x-content-type-options", b"nosniff")]
    if is_https:
        headers.append((b"strict-transport-security", b"max-age=%d" % HSTS_SECONDS))
    return headers
