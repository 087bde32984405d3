"""Parser for server-sent events (WHATWG HTML, 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """An event; `id` is the last id received, for `Last-Event-ID`."""

    id: str
    name: str
    data: str


def events(lines: Iterable[bytes], last_id: str = "") -> Iterator[Event]:
    """Yield every complete event that has data or a new id."""
    name, data, known = "", [], last_id
    for raw in lines:
        line = raw.decode().rstrip("\r\n")
        if not line:
            if data or last_id != known:
                yield Event(last_id, name or "message", "\n".join(data))
            name, data, known = "", [], last_id
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "id":
            last_id = value
        elif key == "event":
            name = value
        elif key == "data":
            data.append(value)
