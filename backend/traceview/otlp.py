"""Parse OTLP requests, in protobuf and in JSON, into the types of traceview.model."""

import base64
import math
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from traceview import otlp_json, otlp_protobuf
from traceview.errors import UnusableError
from traceview.model import (
    Attributes,
    Buckets,
    Event,
    Exemplar,
    Link,
    LogLine,
    Origin,
    Point,
    Scope,
    Span,
    Value,
)

TEXT_CHARS = 64 * 1024
"""Maximum length of a text value; longer ones are truncated."""

VALUE_DEPTH = 24
"""Maximum nesting of a value."""

BUCKETS = 2_000
"""Maximum number of buckets of a histogram; one with more is stored without them."""

EXEMPLARS = 100
"""Maximum number of exemplars of a point; further ones are dropped."""

MAX_SCALE = 20
"""Largest scale of an exponential histogram; SDKs begin with it."""

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")
SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
TEMPORALITIES = ("", "delta", "cumulative")

# A message in either format: the JSON structs have the attribute names of protobuf's classes.
AnyValue: TypeAlias = common_pb2.AnyValue | otlp_json.AnyValue
Pairs: TypeAlias = Iterable[common_pb2.KeyValue] | Iterable[otlp_json.KeyValue | None] | None
AnySpan: TypeAlias = trace_pb2.Span | otlp_json.Span
AnyRecord: TypeAlias = logs_pb2.LogRecord | otlp_json.LogRecord
AnyMetric: TypeAlias = metrics_pb2.Metric | otlp_json.Metric

T = TypeVar("T")


class Message(NamedTuple):
    """How to parse a message in each format."""

    protobuf: type
    json: "msgspec.json.Decoder[Any]"


RESOURCE = Message(resource_pb2.Resource, otlp_json.decoder_of(otlp_json.Resource))
SCOPE = Message(common_pb2.InstrumentationScope, otlp_json.decoder_of(otlp_json.Scope))


class Signal(NamedTuple, Generic[T]):
    """One of the three signals: where its items are, and how to read each."""

    path: tuple[str, str, str]
    message: Message
    read: Callable[[Any, Origin], Iterable[T]]


def read(signal: Signal[T], body: bytes, *, is_json: bool) -> Iterator[list[T] | UnusableError]:
    """Yield the result of each item of a request, or the reason why it is unusable.

    An item is also unusable if its resource or scope is.

    Raises:
        MalformedError: the body is not such a request.
        TooLargeError: it contains too many items.
    """
    packed: Iterable[tuple[Any, Any, Any]]
    packed = otlp_json.unpack(body, signal.path) if is_json else otlp_protobuf.unpack(body)
    parse = _parse_json if is_json else _parse_protobuf
    last: tuple[Any, Any] | None = None
    origin: Origin | UnusableError = Origin({}, Scope("", "", {}))
    for resource, scope, item in packed:
        if last is None or last[0] is not resource or last[1] is not scope:
            last = (resource, scope)
            origin = _read_origin(parse, resource, scope)
        if isinstance(origin, UnusableError):
            yield origin
            continue
        try:
            yield list(signal.read(parse(signal.message, item), origin))
        except UnusableError as error:
            yield error


def _parse_json(message: Message, part: Any) -> Any:
    return otlp_json.parse(message.json, part)


def _parse_protobuf(message: Message, part: Any) -> Any:
    return otlp_protobuf.parse(message.protobuf, part)


def _read_origin(
    parse: Callable[[Message, Any], Any], resource: Any, scope: Any
) -> Origin | UnusableError:
    try:
        return Origin(
            read_attributes(parse(RESOURCE, resource).attributes),
            _read_scope(parse(SCOPE, scope)),
        )
    except UnusableError as error:
        return error


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
            for one in _present(span.events)
        ],
        links=[
            Link(_id(one.trace_id, 16), _id(one.span_id, 8), read_attributes(one.attributes))
            for one in _present(span.links)
        ],
        dropped={what: count for what, count in dropped.items() if count and count > 0},
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
        severity=SEVERITIES[(number - 1) // 4] if known else _cut(record.severity_text)[:20],
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
    for point in _present(data.data_points):
        is_number = kind in _NUMBERS
        yield Point(
            name=_cut(metric.name),
            kind=kind,
            unit=_cut(metric.unit),
            description=_cut(metric.description),
            temporality=_enum(temporality, TEMPORALITIES, "AGGREGATION_TEMPORALITY_").lower(),
            is_monotonic=kind == "sum" and bool(data.is_monotonic),
            attributes=read_attributes(point.attributes),
            start_ns=_unsigned(point.start_time_unix_nano),
            time_ns=_unsigned(point.time_unix_nano),
            value=_number(point) if is_number else None,
            count=None if is_number else _unsigned(point.count),
            sum=None if is_number else _optional(point, "sum"),
            min=None if is_number else _optional(point, "min"),
            max=None if is_number else _optional(point, "max"),
            buckets=_BUCKETS[kind](point) if kind in _BUCKETS else None,
            exemplars=[] if kind == "summary" else list(_exemplars(point.exemplars)),
            origin=origin,
        )


_NUMBERS = {"gauge", "sum"}


def _explicit_buckets(point: Any) -> Buckets | None:
    bounds, counts = _finite_list(point.explicit_bounds), _counts(point.bucket_counts)
    if counts is None or bounds is None or len(counts) != len(bounds) + 1:
        return None
    is_sorted = all(lower < upper for lower, upper in pairwise(bounds))
    return Buckets(counts=counts, bounds=bounds) if is_sorted else None


def _exponential_buckets(point: Any) -> Buckets | None:
    sides = (point.positive or otlp_json.Buckets(), point.negative or otlp_json.Buckets())
    (positive, negative), scale = map(_side, sides), point.scale or 0
    if positive is None or negative is None or not -MAX_SCALE <= scale <= MAX_SCALE:
        return None
    threshold = point.zero_threshold or 0.0
    return Buckets(
        counts=positive[0],
        scale=scale,
        offset=positive[1],
        zero_count=_unsigned(point.zero_count),
        zero_threshold=threshold if math.isfinite(threshold) else 0.0,
        negative_counts=negative[0],
        negative_offset=negative[1],
    )


_BUCKETS: dict[str, Callable[[Any], Buckets | None]] = {
    "histogram": _explicit_buckets,
    "exponential_histogram": _exponential_buckets,
}


def _side(side: Any) -> tuple[list[int], int] | None:
    """Return the counts and the offset of one side of zero."""
    counts, offset = _counts(side.bucket_counts), side.offset or 0
    if counts is None or not -(2**31) <= offset < 2**31:
        return None
    return counts, offset


def _counts(numbers: Iterable[int | None] | None) -> list[int] | None:
    counts = list(numbers or ())
    if len(counts) > BUCKETS or not all(one is not None and 0 <= one < 2**63 for one in counts):
        return None
    return [one for one in counts if one is not None]


def _finite_list(numbers: Iterable[float | None] | None) -> list[float] | None:
    found = list(numbers or ())
    if len(found) > BUCKETS or not all(one is not None and math.isfinite(one) for one in found):
        return None
    return [one for one in found if one is not None]


def _exemplars(exemplars: Any) -> Iterator[Exemplar]:
    """Read the exemplars that lead to a trace."""
    for one in islice(_present(exemplars), EXEMPLARS):
        value = _number(one)
        try:
            trace_id, span_id = _id(one.trace_id, 16), _id(one.span_id, 8)
            attributes = read_attributes(one.filtered_attributes)
        except UnusableError:
            continue
        if trace_id and value is not None and math.isfinite(value):
            yield Exemplar(
                trace_id=trace_id,
                span_id=span_id,
                time_ns=_unsigned(one.time_unix_nano),
                value=value,
                attributes=attributes,
            )


TRACES = Signal(
    ("resource_spans", "scope_spans", "spans"),
    Message(trace_pb2.Span, otlp_json.decoder_of(otlp_json.Span)),
    read_span,
)
LOGS = Signal(
    ("resource_logs", "scope_logs", "log_records"),
    Message(logs_pb2.LogRecord, otlp_json.decoder_of(otlp_json.LogRecord)),
    read_record,
)
METRICS = Signal(
    ("resource_metrics", "scope_metrics", "metrics"),
    Message(metrics_pb2.Metric, otlp_json.decoder_of(otlp_json.Metric)),
    read_metric,
)


def read_attributes(pairs: Pairs, depth: int = 0) -> Attributes:
    """Return attributes by name; the last of a name wins."""
    return {_cut(pair.key): read_value(pair.value, depth) for pair in _present(pairs)}


def read_value(value: AnyValue | None, depth: int = 0) -> Value:
    """Return a value in its type. Bytes become base64; a value that is too deep, an ellipsis.

    Raises:
        UnusableError: an integer of more than 64 bits, or bytes that are not base64; only JSON
            can contain either.
    """
    kind = value.WhichOneof("value") if value is not None else None
    if value is None or kind is None:
        return None
    if depth >= VALUE_DEPTH:
        return "…"
    if kind == "string_value":
        return _cut(value.string_value)
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
        raise UnusableError("an integer of more than 64 bits")
    return number


def _values(holder: Any) -> Iterable[Any]:
    values: Iterable[Any] | None = holder.values
    return values or ()


def _present(items: Iterable[Any] | None) -> Iterator[Any]:
    """Yield the items of a list, without the nulls that JSON can contain."""
    return (item for item in items or () if item is not None)


def _base64(data: bytes | str) -> str:
    """Return bytes as base64. JSON has base64 already, in either alphabet, padded or not."""
    if isinstance(data, str):
        digits = data.translate(_STANDARD).rstrip("=")
        try:
            data = base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
        except ValueError as error:
            raise UnusableError(f"bytes that are not base64: {error}") from error
    return base64.b64encode(data[: TEXT_CHARS // 4 * 3]).decode("ascii")


_STANDARD = str.maketrans("-_", "+/")


def _cut(text: str | bytes | None) -> str:
    text = text.decode(errors="replace") if isinstance(text, bytes) else text or ""
    if len(text) <= TEXT_CHARS:
        return text
    return f"{text[:TEXT_CHARS]}… ({len(text)} characters)"


def _unsigned(number: int | None) -> int:
    """Return a time or a count; a missing value or one beyond 64 bits is 0."""
    return number if number is not None and 0 <= number < 2**64 else 0


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


def _enum(raw: int | str | None, names: tuple[str, ...], prefix: str) -> str:
    """Return the name of an enum value, which JSON may contain as a number or a name."""
    if raw is None:
        return names[0]
    if isinstance(raw, str) and not (raw.isascii() and raw.isdecimal() and len(raw) < 10):
        return raw.removeprefix(prefix)[:40]
    number = int(raw)
    return names[number] if 0 <= number < len(names) else f"{prefix}{number}"


def _severity_number(raw: int | str | None) -> int:
    if isinstance(raw, int) or raw is None:
        return raw or 0
    match = _SEVERITY.fullmatch(raw)
    if match is None:
        return int(raw) if raw.isascii() and raw.isdecimal() and len(raw) < 4 else 0
    return 4 * SEVERITIES.index(match[1]) + int(match[2] or 1)


_SEVERITY = re.compile(rf"SEVERITY_NUMBER_({'|'.join(SEVERITIES)})([2-4])?")
