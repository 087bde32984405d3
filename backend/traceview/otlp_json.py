"""OTLP in JSON: its items, and their messages with the attribute names of protobuf's classes.

So one parser (traceview.otlp) serves both formats. msgspec decodes them in C: json_format of
protobuf takes seven times as long, and reads ids as base64. The rules are those of ProtoJSON: a
null field is unset, numbers may be text, enums may be names, and unknown fields are ignored. Ids
and bytes stay text here: OTLP/JSON has ids in hex, and bytes in either alphabet of base64.
"""

import re
from collections.abc import Iterator
from typing import ClassVar, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from traceview.errors import MalformedError, TooLargeError, UnusableError

OBJECTS = 1_000_000
"""Maximum number of objects in a body; each takes some hundred bytes when decoded."""

M = TypeVar("M")


class JsonMessage(Struct, rename="camel"):
    """The methods that protobuf's classes have in addition to their fields."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {}

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802  # protobuf's own name
        """Return the name of the field of a group that was sent."""
        return next((name for name in self.oneofs[group] if self.HasField(name)), None)

    def HasField(self, name: str) -> bool:  # noqa: N802  # protobuf's own name
        """Whether an optional field was sent."""
        return getattr(self, name) is not None


class AnyValue(JsonMessage):
    """A value of any type."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {
        "value": (
            "string_value",
            "bool_value",
            "int_value",
            "double_value",
            "array_value",
            "kvlist_value",
            "bytes_value",
        )
    }

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | None = None
    double_value: float | None = None
    array_value: "ArrayValue | None" = None
    kvlist_value: "KeyValueList | None" = None
    bytes_value: str | None = None


class ArrayValue(JsonMessage):
    """Several values."""

    values: list[AnyValue | None] | None = None


class KeyValue(JsonMessage):
    """An attribute."""

    key: str | None = ""
    value: AnyValue | None = None


class KeyValueList(JsonMessage):
    """Attributes inside a value."""

    values: list[KeyValue | None] | None = None


class Resource(JsonMessage):
    """The sender."""

    attributes: list[KeyValue | None] | None = None


class Scope(JsonMessage):
    """The instrumentation library."""

    name: str | None = ""
    version: str | None = ""
    attributes: list[KeyValue | None] | None = None


class Event(JsonMessage):
    """An event of a span."""

    time_unix_nano: int | None = 0
    name: str | None = ""
    attributes: list[KeyValue | None] | None = None


class Link(JsonMessage):
    """A link to another span."""

    trace_id: str | None = ""
    span_id: str | None = ""
    attributes: list[KeyValue | None] | None = None


class Status(JsonMessage):
    """The status of a span."""

    message: str | None = ""
    code: int | str | None = 0


class Span(JsonMessage):
    """A span."""

    trace_id: str | None = ""
    span_id: str | None = ""
    parent_span_id: str | None = None
    name: str | None = ""
    kind: int | str | None = 0
    start_time_unix_nano: int | None = 0
    end_time_unix_nano: int | None = 0
    attributes: list[KeyValue | None] | None = None
    dropped_attributes_count: int | None = 0
    events: list[Event | None] | None = None
    dropped_events_count: int | None = 0
    links: list[Link | None] | None = None
    dropped_links_count: int | None = 0
    status: Status | None = None


class LogRecord(JsonMessage):
    """A log record."""

    time_unix_nano: int | None = 0
    observed_time_unix_nano: int | None = 0
    severity_number: int | str | None = 0
    severity_text: str | None = ""
    event_name: str | None = ""
    body: AnyValue | None = None
    attributes: list[KeyValue | None] | None = None
    trace_id: str | None = None
    span_id: str | None = None


class Exemplar(JsonMessage):
    """A measurement, with the span during which it was made."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {"value": ("as_int", "as_double")}

    filtered_attributes: list[KeyValue | None] | None = None
    time_unix_nano: int | None = 0
    as_int: int | None = None
    as_double: float | None = None
    span_id: str | None = ""
    trace_id: str | None = ""


class Buckets(JsonMessage):
    """The buckets on one side of zero of an exponential histogram."""

    offset: int | None = 0
    bucket_counts: list[int | None] | None = None


class DataPoint(JsonMessage):
    """A point of any kind of metric."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {"value": ("as_int", "as_double")}

    attributes: list[KeyValue | None] | None = None
    start_time_unix_nano: int | None = 0
    time_unix_nano: int | None = 0
    as_int: int | None = None
    as_double: float | None = None
    count: int | None = 0
    sum: float | None = None
    min: float | None = None
    max: float | None = None
    explicit_bounds: list[float | None] | None = None
    bucket_counts: list[int | None] | None = None
    scale: int | None = 0
    zero_count: int | None = 0
    zero_threshold: float | None = 0
    positive: Buckets | None = None
    negative: Buckets | None = None
    exemplars: list[Exemplar | None] | None = None


class Data(JsonMessage):
    """The points of a metric."""

    data_points: list[DataPoint | None] | None = None
    aggregation_temporality: int | str | None = 0
    is_monotonic: bool | None = False


class Metric(JsonMessage):
    """A metric."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("gauge", "sum", "histogram", "exponential_histogram", "summary")
    }

    name: str | None = ""
    unit: str | None = ""
    description: str | None = ""
    gauge: Data | None = None
    sum: Data | None = None
    histogram: Data | None = None
    exponential_histogram: Data | None = None
    summary: Data | None = None


class Packed(NamedTuple):
    """An item in JSON, with its resource and scope."""

    resource: Raw
    scope: Raw
    item: bytes


class ScopeGroup(Struct, rename="camel"):
    """The items of one scope; the signal determines which of the lists is present."""

    scope: Raw = Raw()
    spans: list[Raw] | None = None
    log_records: list[Raw] | None = None
    metrics: list[Raw] | None = None


class ResourceGroup(Struct, rename="camel"):
    """The scopes of one resource."""

    resource: Raw = Raw()
    scope_spans: list[ScopeGroup | None] | None = None
    scope_logs: list[ScopeGroup | None] | None = None
    scope_metrics: list[ScopeGroup | None] | None = None


class Request(Struct, rename="camel"):
    """An export request of any signal."""

    resource_spans: list[ResourceGroup | None] | None = None
    resource_logs: list[ResourceGroup | None] | None = None
    resource_metrics: list[ResourceGroup | None] | None = None


_request = msgspec.json.Decoder(Request)


def unpack(body: bytes, path: tuple[str, str, str]) -> Iterator[Packed]:
    """Yield every item of a request; `path` names the lists of resources, scopes and items.

    Raises:
        MalformedError: the body is not JSON, or its outer structure is not that of a request.
        TooLargeError: it contains more than OBJECTS objects.
    """
    if body.count(b"{") > OBJECTS:
        raise TooLargeError(f"more than {OBJECTS} JSON objects")
    try:
        request = decode(_request, body)
    except UnusableError as error:
        raise MalformedError(str(error)) from error
    resources, scopes, items = path
    for group in getattr(request, resources) or ():
        for scoped in (getattr(group, scopes) if group else None) or ():
            for raw in (getattr(scoped, items) if scoped else None) or ():
                if (item := bytes(raw)) != b"null":
                    yield Packed(group.resource, scoped.scope, item)


def parse(decoder: msgspec.json.Decoder[M], part: Raw | bytes) -> M:
    """Decode a part of a request: a resource, a scope or an item. A missing one is empty.

    Raises:
        UnusableError: it does not match the OTLP schema.
    """
    text = bytes(part)
    return decode(decoder, b"{}" if text in {b"", b"null"} else text)


def decoder_of(message: type[M]) -> msgspec.json.Decoder[M]:
    """Return a decoder for a message; it is lax, so that "5" is accepted as a number."""
    return msgspec.json.Decoder(message, strict=False)


def decode(decoder: msgspec.json.Decoder[M], text: bytes) -> M:
    """Decode JSON; what is not Unicode in it is replaced.

    Raises:
        UnusableError: it is not JSON, or of another type.
    """
    try:
        try:
            return decoder.decode(text)
        except ValueError:  # msgspec's decoding errors are ValueErrors
            repaired = _repair(text)
            if repaired == text:
                raise
            return decoder.decode(repaired)
    except RecursionError as error:
        raise UnusableError("the JSON is nested too deeply") from error
    except ValueError as error:
        raise UnusableError(f"not OTLP in JSON: {error}") from error


def _repair(text: bytes) -> bytes:
    """Replace what is not Unicode: bytes that are not UTF-8, and escapes of a lone surrogate."""
    text = text.decode(errors="replace").encode()
    return _ESCAPE.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], text)


_HIGH, _LOW = rb"u[dD][89abAB][\da-fA-F]{2}", rb"u[dD][c-fC-F][\da-fA-F]{2}"
_ESCAPE = re.compile(rb"\\(?:%b\\%b|(%b|%b)|.)" % (_HIGH, _LOW, _HIGH, _LOW), re.DOTALL)
