"""Answers that are the same for everybody are stored, and sent again while they are true.

Each request is compared with the database first: as long as nothing was committed and nothing
has expired since the answer was made, to make it anew would give the same bytes. So no answer
is older than its request, in any process, whoever writes (docs/decisions/0007).

This layer is around Quart, and saves its routing, the statements and the encoding.

A shared answer must not depend on anything that differs between two requests. So the
application is given a request with the headers that the key holds, and no others: a handler that
reads another one finds it missing, and cannot put it into an answer that others get.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from werkzeug.http import parse_etags, unquote_etag

from cruddur.db.snapshot import Snapshot, Snapshots
from cruddur.telemetry.server import Application, Message, Receive, Scope, Send

MOST = 128
"""Stored answers at most; the least asked for is given up first."""

LONGEST = 128 * 1024
"""Bytes of an answer at most. A page of 40 cruds has some 16,000."""

_CONDITION = b"if-none-match"
_PERSONAL = frozenset({b"authorization", b"content-length", b"transfer-encoding"})

Headers: TypeAlias = list[tuple[bytes, bytes]]
Key: TypeAlias = tuple[str, str, bytes, tuple[bytes | None, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer with status 200 and an entity tag."""

    headers: Headers
    body: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is stored under a key.

    Attributes:
        snapshot: what could be seen just before the answer was made.
        answer: it, or None where there was none that can be stored; perhaps still to come.
    """

    snapshot: Snapshot
    answer: asyncio.Future[Answer | None]


class StoredAnswers:
    """The layer; one per application."""

    def __init__(
        self,
        app: Application,
        *,
        rules: Collection[str],
        varying: Iterable[str],
        snapshots: Callable[[], Snapshots],
    ) -> None:
        """Wrap the application.

        Args:
            app: the application.
            rules: the rules whose anonymous answers are stored.
            varying: the request headers that change these answers, as their `Vary` names them.
            snapshots: returns what reads the present snapshot.
        """
        self._app = app
        self._rules = frozenset(rules)
        self._varying = {name.lower().encode(): i for i, name in enumerate(dict.fromkeys(varying))}
        self._snapshots = snapshots
        # None: it was asked for once, which is not worth the place.
        self._entries: OrderedDict[Key, _Entry | None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        key = self._key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        if not self._is_known(key):
            await self._app(self._reduced(scope, _CONDITION), receive, send)
            return
        try:
            snapshot = await self._snapshots().current()
        except Exception:  # it has its span, and will stop the application as well
            await self._app(self._reduced(scope, _CONDITION), receive, send)
            return
        entry = self._entries.get(key)
        if entry is not None and entry.snapshot == snapshot:
            answer = await asyncio.shield(entry.answer)
            if answer is not None:
                await _send(answer, scope, send)
                return
        await self._make(key, snapshot, scope, receive, send)

    def _key(self, scope: Scope) -> Key | None:
        """What tells answers apart, or None for a request whose answer is not stored."""
        if scope.get("cruddur.route") not in self._rules or scope["method"] != "GET":
            return None
        varying: list[bytes | None] = [None] * len(self._varying)
        for name, value in scope["headers"]:
            if (place := self._varying.get(name)) is not None:
                if varying[place] is not None:  # which of the two counts is open to doubt
                    return None
                varying[place] = value
            elif name in _PERSONAL:
                return None
        return scope["scheme"], scope["path"], scope["query_string"], tuple(varying)

    def _reduced(self, scope: Scope, *others: bytes) -> Scope:
        """Return the scope with what its key holds, and with `others` of its headers."""
        headers = [one for one in scope["headers"] if one[0] in self._varying or one[0] in others]
        return {**scope, "headers": headers, "client": None}

    def _is_known(self, key: Key) -> bool:
        """Whether it was asked for before; from now on it was."""
        if key in self._entries:
            self._entries.move_to_end(key)
            return True
        self._entries[key] = None
        if len(self._entries) > MOST:
            self._entries.popitem(last=False)
        return False

    async def _make(
        self, key: Key, snapshot: Snapshot, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Have the answer made, for this request and for those that wait for it."""
        made: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._entries[key] = _Entry(snapshot, made)
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        # Whole, whatever this caller has of it already: others have nothing.
        try:
            await self._app(self._reduced(scope), receive, keep)
        finally:
            answer = _answer(messages)
            made.set_result(answer)
        if answer is not None:
            await _send(answer, scope, send)
            return
        for message in messages:
            await send(message)


def _answer(messages: Sequence[Message]) -> Answer | None:
    """The answer, if it is complete and one to be stored."""
    if len(messages) < 2 or messages[0]["status"] != 200 or messages[-1].get("more_body"):
        return None
    headers: Headers = list(messages[0]["headers"])
    body = b"".join(message.get("body", b"") for message in messages[1:])
    etag = dict(headers).get(b"etag")
    if etag is None or len(body) > LONGEST:
        return None
    return Answer(headers, body, unquote_etag(etag.decode())[0] or "")


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    """The answer, or that the caller has it already."""
    status, headers, body = 200, answer.headers, answer.body
    for name, value in scope["headers"]:
        if name == _CONDITION and parse_etags(value.decode("latin-1")).contains_weak(answer.etag):
            status, body = 304, b""
            headers = [header for header in headers if header[0] != b"content-length"]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
