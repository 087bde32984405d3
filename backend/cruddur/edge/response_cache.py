"""Cache responses that are the same for every anonymous caller, for as long as they are valid.

Each request is compared with the database first. As long as nothing was committed and nothing has
expired since the response was computed, computing it again would give the same bytes. So no
response is older than its request, in any process and whatever process writes
(docs/decisions/0007).

A cached response costs no routing, no statements except the comparison, and no encoding.

A shared response must not depend on anything that differs between two requests with the same key.
So the application receives only those headers that are part of the key: a handler that reads
another header finds it missing, and cannot use it in a shared response.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from werkzeug.http import parse_etags, unquote_etag

from cruddur.asgi_types import Application, Message, Receive, Scope, Send
from cruddur.db.snapshot import Snapshot, Snapshots
from cruddur.request_context import current_request

MAX_ENTRIES = 128
"""Cached responses per process. The least recently used one is evicted first."""

MAX_BYTES = 128 * 1024
"""Size of a response body. A page of 40 cruds has some 16,000 bytes."""

_IF_NONE_MATCH = b"if-none-match"
_UNCACHEABLE_HEADERS = frozenset({b"authorization", b"content-length", b"transfer-encoding"})

Headers: TypeAlias = list[tuple[bytes, bytes]]
Key: TypeAlias = tuple[str, str, bytes, tuple[bytes | None, ...]]


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A complete response with status 200 and an entity tag."""

    headers: Headers
    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """The value of a key.

    Attributes:
        snapshot: the database snapshot just before the response was computed.
        response: the response, or None if it cannot be cached; perhaps still pending.
    """

    snapshot: Snapshot
    response: asyncio.Future[CachedResponse | None]


class ResponseCache:
    """The ASGI layer; one per application."""

    def __init__(
        self,
        app: Application,
        *,
        rules: Collection[str],
        vary: Iterable[str],
        snapshots: Callable[[], Snapshots],
    ) -> None:
        """Wrap the application.

        Args:
            app: the application.
            rules: the rules whose anonymous responses are cached.
            vary: the request headers that change these responses, as in their `Vary`.
            snapshots: returns the reader of the current snapshot.
        """
        self._app = app
        self._rules = frozenset(rules)
        self._vary_indexes = {
            name.lower().encode(): i for i, name in enumerate(dict.fromkeys(vary))
        }
        self._snapshots = snapshots
        # None: requested only once so far, so its response is not cached.
        self._entries: OrderedDict[Key, _Entry | None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        key = self._key(scope) if scope["type"] == "http" else None
        if key is None:
            await self._app(scope, receive, send)
            return
        if not self._was_requested(key):
            await self._app(self._with_key_headers(scope, _IF_NONE_MATCH), receive, send)
            return
        try:
            snapshot = await self._snapshots().current()
        except Exception:  # recorded on its span; the application will fail in the same way
            await self._app(self._with_key_headers(scope, _IF_NONE_MATCH), receive, send)
            return
        entry = self._entries.get(key)
        if entry is not None and entry.snapshot == snapshot:
            response = await asyncio.shield(entry.response)
            if response is not None:
                await _send(response, scope, send)
                return
        await self._compute(key, snapshot, scope, receive, send)

    def _key(self, scope: Scope) -> Key | None:
        """Return the key of a request, or None if its response is not cached."""
        if scope["method"] != "GET" or current_request().route not in self._rules:
            return None
        values: list[bytes | None] = [None] * len(self._vary_indexes)
        for name, value in scope["headers"]:
            if (index := self._vary_indexes.get(name)) is not None:
                values[index] = value
            elif name in _UNCACHEABLE_HEADERS:
                return None
        return scope["scheme"], scope["path"], scope["query_string"], tuple(values)

    def _with_key_headers(self, scope: Scope, *kept: bytes) -> Scope:
        """Return the scope with the headers of the key and `kept` only, without the client."""
        headers = [
            header
            for header in scope["headers"]
            if header[0] in self._vary_indexes or header[0] in kept
        ]
        return {**scope, "headers": headers, "client": None}

    def _was_requested(self, key: Key) -> bool:
        """Return whether the key was requested before, and record this request."""
        if key in self._entries:
            self._entries.move_to_end(key)
            return True
        self._entries[key] = None
        if len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        return False

    async def _compute(
        self, key: Key, snapshot: Snapshot, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Compute the response for this request and for concurrent requests with the same key."""
        future: asyncio.Future[CachedResponse | None] = asyncio.get_running_loop().create_future()
        self._entries[key] = _Entry(snapshot, future)
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        # Without If-None-Match: other clients do not have the response yet.
        try:
            await self._app(self._with_key_headers(scope), receive, collect)
        finally:
            response = _cacheable_response(messages)
            future.set_result(response)
        if response is not None:
            await _send(response, scope, send)
            return
        for message in messages:
            await send(message)


def _cacheable_response(messages: Sequence[Message]) -> CachedResponse | None:
    """Return the response that the messages form if it is complete and can be cached."""
    if len(messages) < 2 or messages[0]["status"] != 200 or messages[-1].get("more_body"):
        return None
    headers: Headers = list(messages[0]["headers"])
    body = b"".join(message.get("body", b"") for message in messages[1:])
    etag = dict(headers).get(b"etag")
    if etag is None or len(body) > MAX_BYTES:
        return None
    return CachedResponse(headers, body, unquote_etag(etag.decode())[0] or "")


async def _send(response: CachedResponse, scope: Scope, send: Send) -> None:
    """Send the response, or 304 if the client has it already."""
    status, headers, body = 200, response.headers, response.body
    for name, value in scope["headers"]:
        if name == _IF_NONE_MATCH and parse_etags(value.decode("latin-1")).contains_weak(
            response.etag
        ):
            status, body = 304, b""
            headers = [header for header in headers if header[0] != b"content-length"]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
