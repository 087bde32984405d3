"""A client of `GET /api/stream`, as strict as the standard: WHATWG HTML, 9.2.6."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from cruddur.db.positions import Position, parse
from patience import PATIENCE


@dataclass(frozen=True)
class ReceivedEvent:
    """An event, and the last id that was known when it arrived.

    Attributes:
        has_id: whether the id is its own.
        traceparent: a field of ours, which is empty if pages send no telemetry.
    """

    event: str
    data: Any
    id: str
    has_id: bool
    traceparent: str = ""


@dataclass
class Listener:
    """An open stream.

    Attributes:
        headers: the headers of the response.
        last_id: the id to resume from.
        retry: the reconnection delay in milliseconds.
        comments: the number of comments so far.
        places: all ids so far, in a form that has their order.
    """

    headers: httpx.Headers
    lines: AsyncIterator[str]
    last_id: str = ""
    retry: int | None = None
    comments: int = 0
    places: list[tuple[int, int]] = field(default_factory=list)
    _fields: dict[str, str] = field(default_factory=dict)

    async def next(self) -> ReceivedEvent | None:
        """Return the next event, or None at the end of the stream."""
        async with asyncio.timeout(PATIENCE):
            async for line in self.lines:
                if received := self._take(line):
                    return received
        return None

    async def receive(self, *events: str) -> list[Any]:
        """Return the data of the next events, which must have these names."""
        received = []
        for expected in events:
            found = await self.next()
            assert found is not None, f"the stream ended before {expected}"
            assert found.event == expected, found
            received.append(found.data)
        return received

    async def rest(self) -> list[ReceivedEvent]:
        """Return all events up to the end of the stream."""
        received = []
        while (found := await self.next()) is not None:
            received.append(found)
        return received

    async def blank(self) -> None:
        """Read the next line, which must not end an event."""
        assert self._take(await anext(self.lines)) is None

    async def place(self) -> str:
        """Return the id with which the stream starts."""
        async with asyncio.timeout(PATIENCE):
            while not self.last_id:
                self._take(await anext(self.lines))
        return self.last_id

    def _take(self, line: str) -> ReceivedEvent | None:
        if line.startswith(":"):
            self.comments += 1
        elif line:
            name, _, value = line.partition(":")
            assert name in {"id", "event", "data", "retry", "traceparent"}, line
            assert name not in self._fields, f"{name} twice in one event"
            self._fields[name] = value.removeprefix(" ")
        else:
            fields, self._fields = self._fields, {}
            if "retry" in fields:
                self.retry = int(fields["retry"])
            self.last_id = fields.get("id", self.last_id)
            if "id" in fields:
                self.places.append(order(fields["id"]))
            if "data" in fields:
                data, traceparent = json.loads(fields["data"]), fields.get("traceparent", "")
                return ReceivedEvent(
                    fields["event"], data, self.last_id, "id" in fields, traceparent
                )
        return None


def order(event_id: str) -> tuple[int, int]:
    """Return the order of an id among the ids of the same database."""
    position = _position(event_id)
    return position.seen.size, position.event_id


def contains(event_id: str, xid: int) -> bool:
    """Return whether the position of an id contains the events of a transaction."""
    return _position(event_id).seen.has(xid)


def _position(event_id: str) -> Position:
    position = parse(event_id)
    assert position is not None, event_id
    return position


@asynccontextmanager
async def listening(
    url: str, headers: Mapping[str, str] | None = None, **query: str
) -> AsyncIterator[Listener]:
    """Open a stream and read its first id."""
    async with (
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", f"{url}/api/stream", params=query, headers=headers) as response,
    ):
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"] == "text/event-stream"
        listener = Listener(response.headers, response.aiter_lines())
        if not query.get("last_event_id") and "Last-Event-ID" not in (headers or {}):
            await listener.place()
        yield listener
