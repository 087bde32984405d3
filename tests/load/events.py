"""Server-sent events, line by line (WHATWG HTML, 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One event; `id` is the last one that was heard, and goes into `Last-Event-ID`."""

    id: str
    name: str
    data: str


def events(lines: Iterable[bytes], last_id: str = "") -> Iterator[Event]:
    """Every event with data or a new id, as it ends; what is cut off at the end is none."""
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
