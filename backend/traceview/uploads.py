"""Split an uploaded file into OTLP requests.

A file has one JSON object, an array of them, or one per line, as the file exporter of the
OpenTelemetry Collector writes it. Each is the data of any signals, or a single resource of them.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from traceview import otlp_json
from traceview.errors import MalformedError, UnusableError


class Request(NamedTuple):
    """A request of one signal, and where in the file it is; empty if it is the whole file."""

    place: str
    signal: str
    body: bytes


class Document(Struct, rename="camel"):
    """An object of the file: the data of signals, or a resource with its scopes."""

    resource_spans: Raw = Raw()
    resource_logs: Raw = Raw()
    resource_metrics: Raw = Raw()
    scope_spans: Raw = Raw()
    scope_logs: Raw = Raw()
    scope_metrics: Raw = Raw()


_SIGNALS = {"traces": "Spans", "logs": "Logs", "metrics": "Metrics"}
_BOM = b"\xef\xbb\xbf"

_document = msgspec.json.Decoder(Document)
_array = msgspec.json.Decoder(list[Raw])
_anything = msgspec.json.Decoder(Raw)
T = TypeVar("T")


def split_file(data: bytes) -> Iterator[Request]:
    """Yield the requests of a file.

    Raises:
        MalformedError: it is not OTLP in JSON; the message names the place.
    """
    data = data.removeprefix(_BOM).strip()
    if not data:
        raise MalformedError("the file is empty")
    if data.startswith(b"["):
        elements: list[Raw] = _decode(_array, data, "")
        for number, raw in enumerate(elements, start=1):
            yield from _requests(bytes(raw), f"element {number}")
        return
    lines = [(number, line.strip()) for number, line in enumerate(data.split(b"\n"), start=1)]
    lines = [(number, line) for number, line in lines if line]
    if len(lines) > 1 and _is_json(lines[0][1]):
        for number, line in lines:
            yield from _requests(line, f"line {number}")
    else:
        yield from _requests(data, "")


def _requests(data: bytes, place: str) -> Iterator[Request]:
    document = _decode(_document, data, place)
    found = False
    for signal, name in _SIGNALS.items():
        if raw := bytes(getattr(document, f"resource_{name.lower()}")):
            found = True
            yield Request(place, signal, b'{"resource%b":%b}' % (name.encode(), raw))
        if bytes(getattr(document, f"scope_{name.lower()}")):
            found = True
            yield Request(place, signal, b'{"resource%b":[%b]}' % (name.encode(), data))
    if not found:
        reason = "not OTLP: it has no resourceSpans, resourceLogs or resourceMetrics"
        raise MalformedError(_at(place, reason))


def _decode(decoder: msgspec.json.Decoder[T], data: bytes, place: str) -> T:
    try:
        return otlp_json.decode(decoder, data)
    except UnusableError as error:
        raise MalformedError(_at(place, str(error))) from error


def _is_json(data: bytes) -> bool:
    try:
        _anything.decode(data)
    except msgspec.DecodeError:
        return False
    return True


def _at(place: str, message: str) -> str:
    return f"{place}: {message}" if place else message
