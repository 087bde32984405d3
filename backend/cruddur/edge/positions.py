"""Add the position in the event log to a page of cruds, for clients that ask for it.

A client that opens its stream at this position (`Last-Event-ID`) misses nothing that happened after
the page was read, so it need not read the page a second time. The position is read before the page:
an event in between is sent again, which has no further effect.
"""

from collections.abc import Callable, Collection

from werkzeug.http import parse_options_header

from cruddur.asgi_types import Application, Message, Receive, Scope, Send
from cruddur.db.page_changes import PageChanges
from cruddur.request_context import current_request
from cruddur.telemetry.operation import current_operation

PREFERENCE = "event-position"
"""The preference in the request header `Prefer` (RFC 7240), and the name of the response header."""

_PREFER = b"prefer"


class EventPositions:
    """The ASGI layer."""

    def __init__(
        self, app: Application, *, rules: Collection[str], changes: Callable[[], PageChanges]
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            rules: the rules whose responses get a position.
            changes: returns the changes on pages.
        """
        self._app = app
        self._rules = frozenset(rules)
        self._changes = changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        position = await self._position() if self._is_wanted(scope) else None
        if position is None:
            await self._app(scope, receive, send)
            return

        async def send_with_position(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                headers = [
                    (PREFERENCE.encode(), position.encode()),
                    (b"preference-applied", PREFERENCE.encode()),
                ]
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        await self._app(scope, receive, send_with_position)

    def _is_wanted(self, scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and current_request().route in self._rules
            and any(
                parse_options_header(part.decode("latin-1"))[0].strip().lower() == PREFERENCE
                for name, value in scope["headers"]
                if name == _PREFER
                for part in value.split(b",")
            )
        )

    async def _position(self) -> str | None:
        changes = self._changes()
        try:
            await changes.read(since=current_operation().started)
        except Exception:  # recorded on its span; the application will fail in the same way
            return None
        return changes.position
