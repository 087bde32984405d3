"""Encode spans as OTLP protobuf, at a third of the cost of the SDK's encoder.

Spans are encoded in the serving process and under its interpreter lock, which delays requests more
than recording the spans does (docs/telemetry.md, Cost). Repeated parts, such as names, keys and
SQL, are encoded once and cached. A test compares the bytes with those of the SDK's encoder.

The field numbers are those of opentelemetry-proto 1.x, trace.proto and common.proto.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext

_MAX_CACHED = 4096
"""Maximum number of encoded attributes in the cache; the least recently used are evicted."""

_MAX_CACHED_CHARS = 256
"""Maximum length of a cached text. Longer texts, except SQL, are usually unique stack traces."""

_HAS_IS_REMOTE = 0x100
_IS_REMOTE = 0x200

_fixed64 = struct.Struct("<Q").pack
_fixed32 = struct.Struct("<I").pack
_double = struct.Struct("<d").pack


def encode_spans(spans: Sequence[ReadableSpan]) -> bytes:
    """Return an ExportTraceServiceRequest with these spans, grouped by resource and scope."""
    groups: dict[int, dict[int, list[ReadableSpan]]] = {}
    for span in spans:  # by identity: hashing a resource costs more than encoding a span
        scopes = groups.setdefault(id(span.resource), {})
        scopes.setdefault(id(span.instrumentation_scope), []).append(span)
    return b"".join(_message(b"\x0a", _resource_spans([*g.values()])) for g in groups.values())


def _resource_spans(scopes: Sequence[Sequence[ReadableSpan]]) -> bytes:
    resource = scopes[0][0].resource
    return b"".join(
        (
            _message(b"\x0a", _attributes(b"\x0a", resource.attributes)),
            *(_message(b"\x12", _scope_spans(spans)) for spans in scopes),
            _text(b"\x1a", resource.schema_url),
        )
    )


def _scope_spans(spans: Sequence[ReadableSpan]) -> bytes:
    scope = spans[0].instrumentation_scope
    parts = []
    if scope is not None:
        described = (
            _text(b"\x0a", scope.name)
            + _text(b"\x12", scope.version)
            + _attributes(b"\x1a", scope.attributes)
        )
        parts.append(_message(b"\x0a", described))
    parts += [_message(b"\x12", _span(span)) for span in spans]
    if scope is not None:
        parts.append(_text(b"\x1a", scope.schema_url))
    return b"".join(parts)


def _span(span: ReadableSpan) -> bytes:
    ids, parent = span.context, span.parent
    parts = [
        b"\x0a\x10",
        ids.trace_id.to_bytes(16, "big"),
        b"\x12\x08",
        ids.span_id.to_bytes(8, "big"),
    ]
    if ids.trace_state:
        parts.append(_text(b"\x1a", _trace_state(ids)))
    if parent is not None:
        parts += (b"\x22\x08", parent.span_id.to_bytes(8, "big"))
    parts += (
        _cached_text(b"\x2a", span.name),
        b"\x30",
        _VARINTS[span.kind.value + 1],
        b"\x39",
        _fixed64(span.start_time or 0),
        b"\x41",
        _fixed64(span.end_time or 0),
        _attributes(b"\x4a", span.attributes),
        _count(b"\x50", span.dropped_attributes),
    )
    if span.events:
        parts += [_message(b"\x5a", _event(event)) for event in span.events]
        parts.append(_count(b"\x60", span.dropped_events))
    if span.links:
        parts += [_message(b"\x6a", _link(link)) for link in span.links]
    parts += (
        _count(b"\x70", span.dropped_links),
        _message(
            b"\x7a",
            _text(b"\x12", span.status.description)
            + _count(b"\x18", span.status.status_code.value),
        ),
        b"\x85\x01",
        _flags(parent),
    )
    return b"".join(parts)


def _event(event: Event) -> bytes:
    return b"".join(
        (
            b"\x09",
            _fixed64(event.timestamp),
            _text(b"\x12", event.name),
            _attributes(b"\x1a", event.attributes),
            _count(b"\x20", event.dropped_attributes),
        )
    )


def _link(link: Link) -> bytes:
    ids = link.context
    return b"".join(
        (
            b"\x0a\x10",
            ids.trace_id.to_bytes(16, "big"),
            b"\x12\x08",
            ids.span_id.to_bytes(8, "big"),
            _attributes(b"\x22", link.attributes),
            _count(b"\x28", link.dropped_attributes),
            b"\x35",
            _flags(ids),
        )
    )


def _flags(parent: SpanContext | None) -> bytes:
    is_remote = parent is not None and parent.is_remote
    return _fixed32(_HAS_IS_REMOTE | (_IS_REMOTE if is_remote else 0))


def _attributes(tag: bytes, attributes: Any) -> bytes:
    if not attributes:
        return b""
    parts = []
    # The SDK's mapping iterates slowly; its copy is a dictionary.
    for key, value in attributes.copy().items():
        kind = value.__class__
        if kind is int:
            parts.append(_cached_number(tag, key, value))
        elif kind is float:
            parts += (_before_double(tag, key), _double(value))
        elif kind is str and (len(value) <= _MAX_CACHED_CHARS or key == "db.query.text"):
            parts.append(_cached_attribute(tag, key, value))
        else:
            parts.append(_attribute(tag, key, value))
    return b"".join(parts)


def _attribute(tag: bytes, key: str, value: Any) -> bytes:
    return _message(tag, _cached_text(b"\x0a", key) + _message(b"\x12", _value(value)))


_cached_attribute = lru_cache(_MAX_CACHED)(_attribute)
_cached_number = lru_cache(_MAX_CACHED)(_attribute)  # a separate cache: 1 is equal to True


@lru_cache(_MAX_CACHED)
def _before_double(tag: bytes, key: str) -> bytes:
    """Return an encoded attribute without its last 8 bytes, the number."""
    return _attribute(tag, key, 0.0)[:-8]


def _value(value: Any) -> bytes:
    """Return an AnyValue."""
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, str):
        return _message(b"\x0a", value.encode("utf-8", "backslashreplace"))
    if isinstance(value, int):
        return b"\x18" + _varint(value & 0xFFFF_FFFF_FFFF_FFFF)
    if isinstance(value, float):
        return b"\x21" + _double(value)
    if isinstance(value, bytes):
        return _message(b"\x3a", value)
    if isinstance(value, Mapping):
        pairs = b"".join(_attribute(b"\x0a", str(k), v) for k, v in value.items())
        return _message(b"\x32", pairs)
    if isinstance(value, Iterable):
        return _message(b"\x2a", b"".join(_message(b"\x0a", _value(item)) for item in value))
    return b""


def _message(tag: bytes, content: bytes) -> bytes:
    size = len(content)
    return tag + (_VARINTS[size] if size < _CACHED_VARINTS else _varint(size)) + content


def _text(tag: bytes, text: str | None) -> bytes:
    """Return a text field; protobuf omits empty ones."""
    return _message(tag, text.encode("utf-8", "backslashreplace")) if text else b""


_cached_text = lru_cache(_MAX_CACHED)(_text)


def _count(tag: bytes, number: int) -> bytes:
    return tag + _varint(number) if number else b""


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_CACHED_VARINTS = 2048
_VARINTS = [_varint(number) for number in range(_CACHED_VARINTS)]


def _trace_state(ids: SpanContext) -> str:
    return ",".join(f"{key}={value}" for key, value in ids.trace_state.items())
