"""Cache responses that many callers share, for as long as they are valid.

Visitors share whole responses. Members share everything but their own marks, such as `liked`, which
are written into a copy for each member, without the users who are hidden from that member.

Each request first reads from the database what has changed on pages. As long as nothing that a
response shows has changed or expired since it was computed, computing it again would give the same
bytes. So no response is older than its request, in any process and whatever process writes
(docs/decisions/0015). The statement that reads a member's marks reads the changes, too.

A cached response costs no routing and no statements except this one.

A shared response must not depend on anything that differs between two requests with the same key.
So the application receives only those headers that are part of the key: a handler that reads
another header finds it missing, and cannot use it in a shared response.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias

from werkzeug.http import parse_etags, unquote_etag

from cruddur.asgi_types import Application, Message, Receive, Scope, Send
from cruddur.db.page_changes import PageChanges, Shows, Version
from cruddur.db.reactions import Marks
from cruddur.request_context import current_request
from cruddur.services.shared_pages import MarksReader, SharedPage
from cruddur.telemetry.operation import current_operation
from cruddur.wire import entity_tag

MAX_ENTRIES = 256
"""Cached responses per process. The least recently used one is evicted first."""

MAX_BYTES = 64 * 1024
"""Size of a response body. A page of 100 cruds has some 40,000 bytes. The page of a crud may have
more, with the replies to its replies."""

PAUSE_SECONDS = 1.0
"""How long members' requests of a page bypass the cache if the last response became invalid before
another request received it. While there are many changes, each comparison would be wasted."""

_IF_NONE_MATCH = b"if-none-match"
_AUTHORIZATION = b"authorization"
_UNCACHEABLE_HEADERS = frozenset({b"content-length", b"transfer-encoding"})

Headers: TypeAlias = list[tuple[bytes, bytes]]


class Key(NamedTuple):
    """What a response depends on, apart from the database and the member's marks."""

    is_member: bool
    scheme: str
    path: str
    query: bytes
    headers: tuple[bytes | None, ...]


class _SubjectHiddenError(Exception):
    """A shared page cannot be used for a member."""


@dataclass(frozen=True)
class CachedResponse:
    """A complete response with status 200 and an entity tag."""

    headers: Headers
    body: bytes
    etag: str
    subject: str | None

    @cached_property
    def page(self) -> SharedPage:
        """The cruds in the response."""
        return SharedPage(self.body, self.subject)

    def personal(self, marks: Marks) -> "CachedResponse":
        """Return the response with the marks of a member."""
        return self._with_body(self.page.render(marks))

    def without(self, hidden: Collection[str]) -> "CachedResponse":
        """Return the response without the users with some handles."""
        return self._with_body(self.page.without(hidden))

    def _with_body(self, body: bytes) -> "CachedResponse":
        etag = entity_tag(body)
        changed = {b"content-length": b"%d" % len(body), b"etag": f'W/"{etag}"'.encode()}
        headers = [(name, changed.get(name, value)) for name, value in self.headers]
        return CachedResponse(headers, body, etag, self.subject)


@dataclass(slots=True)
class _Entry:
    """A response to visitors.

    Attributes:
        version: the version that the response is valid for: at first the one just before it was
            computed.
        response: the response, or None if it cannot be cached; perhaps still pending.
    """

    version: Version
    response: asyncio.Future[CachedResponse | None] = field(default_factory=asyncio.Future)


@dataclass(slots=True)
class _MembersEntry:
    """A response that members share, apart from their marks.

    Attributes:
        version: as for visitors.
        response: the response to any member.
        is_used: whether another request has received it, or could not because of its version.
    """

    version: Version
    response: CachedResponse
    is_used: bool = False


@dataclass(slots=True)
class _Slot:
    """The value of a key, whose requests are either visitors' or members'.

    Attributes:
        shows: what appears on the page.
        is_public_feed: whether limited users are hidden on the page.
        entry: the latest response to visitors, None if there is none yet.
        members_entry: the latest response to members, None if there is none that is valid.
        paused_until: until then, by the clock of the event loop, members bypass the cache.
    """

    shows: Shows
    is_public_feed: bool
    entry: _Entry | None = None
    members_entry: _MembersEntry | None = None
    paused_until: float = 0.0


class ResponseCache:
    """The ASGI layer; one per application."""

    def __init__(
        self,
        app: Application,
        *,
        rules: Mapping[str, Shows],
        personal_rules: Collection[str],
        public_feeds: Collection[str],
        vary: Iterable[str],
        changes: Callable[[], PageChanges],
        read_marks: MarksReader,
    ) -> None:
        """Wrap the application.

        Args:
            app: the application.
            rules: the rules whose responses are cached for visitors, and what their pages show.
            personal_rules: those whose responses are about the viewer alone; not for members.
            public_feeds: those on whose pages limited users are hidden.
            vary: the request headers that change these responses, as in their `Vary`.
            changes: returns the changes on pages.
            read_marks: returns the marks of a member on a page.
        """
        self._app = app
        self._rules = rules
        self._public_feeds = frozenset(public_feeds)
        self._members_rules = frozenset(rules).difference(personal_rules)
        self._vary_indexes = {
            name.lower().encode(): i for i, name in enumerate(dict.fromkeys(vary))
        }
        self._changes = changes
        self._read_marks = read_marks
        self._slots: OrderedDict[Key, _Slot] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        key = self._key(scope) if scope["type"] == "http" else None
        if key is None:
            await self._app(scope, receive, send)
            return
        slot = self._slots.get(key)
        if slot is None:
            # Requested for the first time: not cached, so that a crawler costs no memory.
            self._note(key, current_request().route or "")
            kept = (_IF_NONE_MATCH, _AUTHORIZATION)
            await self._app(self._with_key_headers(scope, *kept), receive, send)
            return
        self._slots.move_to_end(key)
        if key.is_member:
            await self._serve_member(slot, scope, receive, send)
        else:
            await self._serve_visitor(slot, scope, receive, send)

    def _key(self, scope: Scope) -> Key | None:
        """Return the key of a request, or None if its response is not cached."""
        rule = current_request().route
        if scope["method"] != "GET" or rule not in self._rules:
            return None
        is_member = False
        values: list[bytes | None] = [None] * len(self._vary_indexes)
        for name, value in scope["headers"]:
            if (index := self._vary_indexes.get(name)) is not None:
                values[index] = value
            elif name == _AUTHORIZATION:
                is_member = True
            elif name in _UNCACHEABLE_HEADERS:
                return None
        if is_member and rule not in self._members_rules:
            return None
        return Key(is_member, scope["scheme"], scope["path"], scope["query_string"], tuple(values))

    def _with_key_headers(self, scope: Scope, *kept: bytes) -> Scope:
        """Return the scope with the headers of the key and `kept` only, without the client."""
        headers = [
            header
            for header in scope["headers"]
            if header[0] in self._vary_indexes or header[0] in kept
        ]
        return {**scope, "headers": headers, "client": None}

    def _note(self, key: Key, rule: str) -> None:
        self._slots[key] = _Slot(self._rules[rule], rule in self._public_feeds)
        if len(self._slots) > MAX_ENTRIES:
            self._slots.popitem(last=False)

    async def _serve_visitor(self, slot: _Slot, scope: Scope, receive: Receive, send: Send) -> None:
        changes = self._changes()
        try:
            await changes.read(since=current_operation().started)
        except Exception:  # recorded on its span; the application will fail in the same way
            await self._app(self._with_key_headers(scope, _IF_NONE_MATCH), receive, send)
            return
        while (entry := slot.entry) is not None and changes.is_current(entry.version):
            response = await asyncio.shield(entry.response)
            if response is not None and _is_valid(response, slot.shows, entry, changes):
                await _send(response, scope, send)
                return
            if slot.entry is entry:
                break
        # Concurrent requests with the same key wait for it.
        entry = slot.entry = _Entry(changes.version)
        response = None
        try:
            messages, response = await self._compute(self._with_key_headers(scope), receive)
        finally:
            entry.response.set_result(response)
        await _send_computed(messages, response, scope, send)

    async def _serve_member(self, slot: _Slot, scope: Scope, receive: Receive, send: Send) -> None:
        changes = self._changes()
        uncached_scope = self._with_key_headers(scope, _IF_NONE_MATCH, _AUTHORIZATION)
        if slot.paused_until > asyncio.get_running_loop().time():
            await self._app(uncached_scope, receive, send)
            return
        entry = slot.members_entry
        if entry is not None:
            try:
                response = await self._with_marks(slot, entry, scope)
            except Exception:  # a hidden subject, or a failure that is recorded on its span
                await self._app(uncached_scope, receive, send)
                return
            if response is not None:
                await _send(response, scope, send)
                return
        version = changes.version
        context = current_request()
        context.is_shared = True
        messages, response = await self._compute(
            self._with_key_headers(scope, _AUTHORIZATION), receive
        )
        context.is_shared = False
        if response is None and context.hidden:  # it is complete, and cannot be cached
            await self._app(uncached_scope, receive, send)
            return
        if response is not None:
            # Without a comparison just before, the version may be too old for the next one.
            slot.members_entry = _MembersEntry(version, response, is_used=entry is None)
            if context.hidden:
                response = response.without(context.hidden)
        await _send_computed(messages, response, scope, send)

    async def _with_marks(
        self, slot: _Slot, entry: _MembersEntry, scope: Scope
    ) -> CachedResponse | None:
        """Return a response with the marks of a member, or None if it is not valid for them.

        Raises:
            _SubjectHiddenError: the page is about a user who is hidden from the member.
        """
        [header] = (value for name, value in scope["headers"] if name == _AUTHORIZATION)
        marks = await self._read_marks(
            header.decode("latin-1"), entry.response.page, slot.is_public_feed
        )
        if marks is None:
            return None
        if entry.response.page.subject in marks.hidden:
            raise _SubjectHiddenError
        if _is_valid(entry.response, slot.shows, entry, self._changes()):
            entry.is_used = True
            return entry.response.personal(marks)
        if slot.members_entry is entry:
            slot.members_entry = None
            if not entry.is_used:
                slot.paused_until = asyncio.get_running_loop().time() + PAUSE_SECONDS
        return None

    async def _compute(
        self, scope: Scope, receive: Receive
    ) -> tuple[Sequence[Message], CachedResponse | None]:
        """Return the messages of the application, and the response if it can be cached.

        The scope is without If-None-Match: other clients do not have the response yet.
        """
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, collect)
        return messages, _cacheable_response(messages)


def _is_valid(
    response: CachedResponse, shows: Shows, entry: _Entry | _MembersEntry, changes: PageChanges
) -> bool:
    """Whether the response of an entry is still valid; notes in the entry that it is."""
    if entry.version != changes.version:
        if not changes.is_unchanged(entry.version, shows, response.page.uuids):
            return False
        entry.version = changes.version
    return True


def _cacheable_response(messages: Sequence[Message]) -> CachedResponse | None:
    """Return the response that the messages form if it is complete and can be cached."""
    if len(messages) < 2 or messages[0]["status"] != 200 or messages[-1].get("more_body"):
        return None
    headers: Headers = list(messages[0]["headers"])
    body = b"".join(message.get("body", b"") for message in messages[1:])
    etag = dict(headers).get(b"etag")
    if etag is None or len(body) > MAX_BYTES:
        return None
    subject = current_request().subject
    return CachedResponse(headers, body, unquote_etag(etag.decode())[0] or "", subject)


async def _send_computed(
    messages: Sequence[Message], response: CachedResponse | None, scope: Scope, send: Send
) -> None:
    """Send a response that was just computed; without one that can be cached, the messages."""
    if response is not None:
        await _send(response, scope, send)
        return
    for message in messages:
        await send(message)


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
