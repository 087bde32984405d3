"""OTLP messages in JSON, with the attribute names of protobuf's classes.

So one parser (traceview.otlp) serves both formats. msgspec decodes them in C. Ids stay the hex
text of OTLP/JSON, and 64-bit numbers may be text, as in protobuf's JSON mapping.
"""

from typing import ClassVar

import msgspec
from msgspec import Struct

from traceview.errors import MalformedError, TooLargeError

OBJECTS = 1_000_000
"""Maximum number of objects in a body; each takes some hundred bytes when decoded."""


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
    bytes_value: bytes | None = None


class ArrayValue(JsonMessage):
    """Several values."""

    values: list[AnyValue] | None = None


class KeyValue(JsonMessage):
    """An attribute."""

    key: str = ""
    value: AnyValue | None = None


class KeyValueList(JsonMessage):
    """Attributes inside a value."""

    values: list[KeyValue] | None = None


class Resource(JsonMessage):
    """The sender."""

    attributes: list[KeyValue] | None = None


class Scope(JsonMessage):
    """The instrumentation library."""

    name: str = ""
    version: str = ""
    attributes: list[KeyValue] | None = None


class Event(JsonMessage):
    """An event of a span."""

    time_unix_nano: int = 0
    name: str = ""
    attributes: list[KeyValue] | None = None


class Link(JsonMessage):
    """A link to another span."""

    trace_id: str = ""
    span_id: str = ""
    attributes: list[KeyValue] | None = None


class Status(JsonMessage):
    """The status of a span."""

    message: str = ""
    code: int | str = 0


class Span(JsonMessage):
    """A span."""

    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str | None = None
    name: str = ""
    kind: int | str = 0
    start_time_unix_nano: int = 0
    end_time_unix_nano: int = 0
    attributes: list[KeyValue] | None = None
    dropped_attributes_count: int = 0
    events: list[Event] | None = None
    dropped_events_count: int = 0
    links: list[Link] | None = None
    dropped_links_count: int = 0
    status: Status | None = None


class LogRecord(JsonMessage):
    """A log record."""

    time_unix_nano: int = 0
    observed_time_unix_nano: int = 0
    severity_number: int | str = 0
    severity_text: str = ""
    event_name: str = ""
    body: AnyValue | None = None
    attributes: list[KeyValue] | None = None
    trace_id: str | None = None
    span_id: str | None = None


class DataPoint(JsonMessage):
    """A point of any kind of metric."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {"value": ("as_int", "as_double")}

    attributes: list[KeyValue] | None = None
    time_unix_nano: int = 0
    as_int: int | None = None
    as_double: float | None = None
    count: int = 0
    sum: float | None = None
    min: float | None = None
    max: float | None = None


class Data(JsonMessage):
    """The points of a metric."""

    data_points: list[DataPoint] | None = None
    aggregation_temporality: int | str = 0


class Metric(JsonMessage):
    """A metric."""

    oneofs: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("gauge", "sum", "histogram", "exponential_histogram", "summary")
    }

    name: str = ""
    unit: str = ""
    description: str = ""
    gauge: Data | None = None
    sum: Data | None = None
    histogram: Data | None = None
    exponential_histogram: Data | None = None
    summary: Data | None = None


class ScopeGroup(JsonMessage):
    """The items of one scope; the signal determines which of the lists is present."""

    scope: Scope | None = None
    spans: list[Span] | None = None
    log_records: list[LogRecord] | None = None
    metrics: list[Metric] | None = None


class ResourceGroup(JsonMessage):
    """The scopes of one resource."""

    resource: Resource | None = None
    scope_spans: list[ScopeGroup] | None = None
    scope_logs: list[ScopeGroup] | None = None
    scope_metrics: list[ScopeGroup] | None = None


class Request(JsonMessage):
    """An export request of any signal."""

    resource_spans: list[ResourceGroup] | None = None
    resource_logs: list[ResourceGroup] | None = None
    resource_metrics: list[ResourceGroup] | None = None


_decoder = msgspec.json.Decoder(Request, strict=False)  # lax, so that "5" is accepted as a number


def decode(body: bytes) -> Request:
    """Decode a request.

    Raises:
        MalformedError: it is not JSON, or does not match the OTLP schema.
        TooLargeError: it contains more than OBJECTS objects.
    """
    if body.count(b"{") > OBJECTS:
        raise TooLargeError(f"more than {OBJECTS} JSON objects")
    try:
        return _decoder.decode(body)
    except RecursionError as error:
        raise MalformedError("the JSON is nested too deeply") from error
    except ValueError as error:  # msgspec's decoding errors are ValueErrors
        raise MalformedError(f"not OTLP in JSON: {error}") from error
