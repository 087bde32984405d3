"""Parse OTLP requests, in protobuf and in JSON, into the types of traceview.model."""

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import (  # type: ignore[import-untyped]  # it has no stubs of its own
    DecodeError,
)
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from traceview import otlp_json
from traceview.errors import MalformedError
from traceview.model import (
    Attributes,
    Event,
    Link,
    LogLine,
    Origin,
    Point,
    Scope,
    Span,
    Value,
)
from traceview.otlp_protobuf import unpack

ITEM_BYTES = 1024 * 1024
"""Maximum protobuf size of a span, log record or metric; larger ones are rejected and counted."""

TEXT_CHARS = 64 * 1024
"""Maximum length of a text value; longer ones are truncated."""

VALUE_DEPTH = 24
"""Maximum nesting of a value."""

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")
SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
TEMPORALITIES = ("", "delta", "cumulative")

# A message in either format: the JSON structs have the attribute names of protobuf's classes.
AnyValue: TypeAlias = common_pb2.AnyValue | otlp_json.AnyValue
Pairs: TypeAlias = Iterable[common_pb2.KeyValue] | Iterable[otlp_json.KeyValue] | None
AnySpan: TypeAlias = trace_pb2.Span | otlp_json.Span
AnyRecord: TypeAlias = logs_pb2.LogRecord | otlp_json.LogRecord
AnyMetric: TypeAlias = metrics_pb2.Metric | otlp_json.Metric

T = TypeVar("T")


class UnusableError(Exception):
    """One item of a request is unusable; the others are not affected."""


class Signal(NamedTuple, Generic[T]):
    """One of the three signals: where its items are, and how to read each."""

    message: Callable[[], Any]
    path: tuple[str, str, str]
    read: Callable[[Any, Origin], Iterable[T]]


def read(signal: Signal[T], body: bytes, *, is_json: bool) -> Iterator[list[T] | UnusableError]:
    """Yield the result of each item of a request, or the reason why it is unusable.

    Raises:
        MalformedError: the body is not such a request.
        TooLargeError: it contains too many items.
    """
    items = _json_items(signal, body) if is_json else _protobuf_items(signal, body)
    for origin, item in items:
        if isinstance(item, UnusableError):
            yield item
            continue
        try:
            yield list(signal.read(item, origin))
        except UnusableError as error:
            yield error


def _json_items(signal: Signal[T], body: bytes) -> Iterator[tuple[Origin, Any]]:
    resources, scopes, items = signal.path
    for group in getattr(otlp_json.decode(body), resources) or ():
        resource = read_attributes(group.resource.attributes) if group.resource else {}
        for scoped in getattr(group, scopes) or ():
            origin = Origin(resource, _read_scope(scoped.scope or otlp_json.Scope()))
            for item in getattr(scoped, items) or ():
                yield origin, item


def _protobuf_items(signal: Signal[T], body: bytes) -> Iterator[tuple[Origin, Any]]:
    last: tuple[bytes, bytes] | None = None
    origin = Origin({}, Scope("", "", {}))
    for resource, scope, item in unpack(body):
        if last is None or last[0] is not resource or last[1] is not scope:
            last = (resource, scope)
            origin = Origin(
                read_attributes(_parse(resource_pb2.Resource, resource).attributes),
                _read_scope(_parse(common_pb2.InstrumentationScope, scope)),
            )
        if len(item) > ITEM_BYTES:
            yield origin, UnusableError(f"larger than {ITEM_BYTES} bytes")
        else:
            yield origin, _parse(signal.message, item)


def _parse(message: Callable[[], T], data: bytes) -> T:
    if len(data) > ITEM_BYTES:
        raise MalformedError(f"a resource or scope larger than {ITEM_BYTES} bytes")
    parsed: Any = message()
    try:
        parsed.ParseFromString(data)
    except DecodeError as error:
        raise MalformedError(f"not OTLP in protobuf: {error}") from error
    result: T = parsed
    return result


def _read_scope(scope: common_pb2.InstrumentationScope | otlp_json.Scope) -> Scope:
    return Scope(_cut(scope.name), _cut(scope.version), read_attributes(scope.attributes))


def read_span(span: AnySpan, origin: Origin) -> Iterator[Span]:
    """Read a span.

    Raises:
        UnusableError: its ids are missing or have the wrong length.
    """
    status = span.status or otlp_json.Status()
    dropped = {
        "attributes": span.dropped_attributes_count,
        "events": span.dropped_events_count,
        "links": span.dropped_links_count,
    }
    yield Span(
        trace_id=_required(_id(span.trace_id, 16), "trace id"),
        span_id=_required(_id(span.span_id, 8), "span id"),
        parent_span_id=_id(span.parent_span_id, 8),
        name=_cut(span.name),
        kind=_enum(span.kind, KINDS, "SPAN_KIND_"),
        start_ns=_unsigned(span.start_time_unix_nano),
        end_ns=_unsigned(span.end_time_unix_nano),
        status=_enum(status.code, STATUSES, "STATUS_CODE_"),
        status_message=_cut(status.message),
        attributes=read_attributes(span.attributes),
        events=[
            Event(_cut(one.name), _unsigned(one.time_unix_nano), read_attributes(one.attributes))
            for one in span.events or ()
        ],
        links=[
            Link(_id(one.trace_id, 16), _id(one.span_id, 8), read_attributes(one.attributes))
            for one in span.links or ()
        ],
        dropped={what: count for what, count in dropped.items() if count > 0},
        origin=origin,
    )


def read_record(record: AnyRecord, origin: Origin) -> Iterator[LogLine]:
    """Read a log record; without a trace, its trace id is empty.

    Raises:
        UnusableError: its ids have the wrong length.
    """
    number = _severity_number(record.severity_number)
    known = 1 <= number <= 4 * len(SEVERITIES)
    yield LogLine(
        trace_id=_id(record.trace_id, 16),
        span_id=_id(record.span_id, 8),
        time_ns=_unsigned(record.time_unix_nano or record.observed_time_unix_nano),
        severity=SEVERITIES[(number - 1) // 4] if known else record.severity_text[:20],
        severity_number=number if known else 0,
        event_name=_cut(record.event_name),
        body=read_value(record.body),
        attributes=read_attributes(record.attributes),
        origin=origin,
    )


def read_metric(metric: AnyMetric, origin: Origin) -> Iterator[Point]:
    """Read every point of a metric."""
    kind = metric.WhichOneof("data")
    if kind is None:
        return
    data = getattr(metric, kind)
    temporality = getattr(data, "aggregation_temporality", 0)
    for point in data.data_points or ():
        is_number = kind in {"gauge", "sum"}
        yield Point(
            name=_cut(metric.name),
            kind=kind,
            unit=_cut(metric.unit),
            description=_cut(metric.description),
            temporality=_enum(temporality, TEMPORALITIES, "AGGREGATION_TEMPORALITY_").lower(),
            attributes=read_attributes(point.attributes),
            time_ns=_unsigned(point.time_unix_nano),
            value=_number(point) if is_number else None,
            count=None if is_number else _unsigned(point.count),
            sum=None if is_number else _optional(point, "sum"),
            min=None if is_number else _optional(point, "min"),
            max=None if is_number else _optional(point, "max"),
            origin=origin,
        )


TRACES = Signal(trace_pb2.Span, ("resource_spans", "scope_spans", "spans"), read_span)
LOGS = Signal(logs_pb2.LogRecord, ("resource_logs", "scope_logs", "log_records"), read_record)
METRICS = Signal(metrics_pb2.Metric, ("resource_metrics", "scope_metrics", "metrics"), read_metric)


def read_attributes(pairs: Pairs, depth: int = 0) -> Attributes:
    """Return attributes by name; the last of a name wins."""
    return {_cut(pair.key): read_value(pair.value, depth) for pair in pairs or ()}


def read_value(value: AnyValue | None, depth: int = 0) -> Value:
    """Return a value in its type. Bytes become base64; a value that is too deep, an ellipsis.

    Raises:
        MalformedError: an integer of more than 64 bits, which only JSON can contain.
    """
    kind = value.WhichOneof("value") if value is not None else None
    if value is None or kind is None:
        return None
    if depth >= VALUE_DEPTH:
        return "…"
    if kind == "string_value":
        return _cut(value.string_value or "")
    if kind == "bytes_value":
        return _base64(value.bytes_value or b"")
    if kind == "array_value":
        return [read_value(one, depth + 1) for one in _values(value.array_value)]
    if kind == "kvlist_value":
        return read_attributes(_values(value.kvlist_value), depth + 1)
    if kind not in {"bool_value", "int_value", "double_value"}:
        return None  # a kind that only the profiles signal uses
    number: Value = getattr(value, kind)
    if isinstance(number, int) and not -(2**63) <= number < 2**64:
        raise MalformedError("an integer of more than 64 bits")
    return number


def _values(holder: Any) -> Iterable[Any]:
    values: Iterable[Any] | None = holder.values
    return values or ()


def _base64(data: bytes) -> str:
    return base64.b64encode(data[: TEXT_CHARS // 4 * 3]).decode("ascii")


def _cut(text: str) -> str:
    if len(text) <= TEXT_CHARS:
        return text
    return f"{text[:TEXT_CHARS]}… ({len(text)} characters)"


def _unsigned(number: int) -> int:
    """Return a time or a count; a value beyond 64 bits counts as missing."""
    return number if 0 <= number < 2**64 else 0


def _number(point: Any) -> int | float | None:
    kind = point.WhichOneof("value")
    value: int | float | None = getattr(point, kind) if kind else None
    return value


def _optional(point: Any, name: str) -> float | None:
    # A summary's sum is not optional in protobuf, so HasField rejects it.
    if isinstance(point, metrics_pb2.SummaryDataPoint):
        return point.sum if name == "sum" else None
    value: float | None = getattr(point, name) if point.HasField(name) else None
    return value


def _id(raw: bytes | str | None, size: int) -> str:
    """Return an id as lower-case hex, or an empty string if it is missing."""
    if not raw:
        return ""
    text = raw.hex() if isinstance(raw, bytes) else raw.lower()
    if len(text) != 2 * size or not _HEX.fullmatch(text):
        raise UnusableError(f"an id that is not {size} bytes, in hex where it is JSON")
    return text if text.strip("0") else ""


_HEX = re.compile("[0-9a-f]+")


def _required(value: str, what: str) -> str:
    if not value:
        raise UnusableError(f"a span without a {what}")
    return value


def _enum(raw: int | str, names: tuple[str, ...], prefix: str) -> str:
    """Return the name of an enum value, which JSON may contain as a number or a name."""
    if isinstance(raw, str) and not (raw.isascii() and raw.isdecimal() and len(raw) < 10):
        return raw.removeprefix(prefix)[:40]
    number = int(raw)
    return names[number] if 0 <= number < len(names) else f"{prefix}{number}"


def _severity_number(raw: int | str) -> int:
    if isinstance(raw, int):
        return raw
    match = _SEVERITY.fullmatch(raw)
    if match is None:
        return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 4 else 0
    return 4 * SEVERITIES.index(match[1]) + int(match[2] or 1)


_SEVERITY = re.compile(rf"SEVERITY_NUMBER_({'|'.join(SEVERITIES)})([2-4])?")
