"""The stored types, which are also those of the JSON API: spans, log lines and metrics.

Times are nanoseconds since 1970 as decimal strings. Numbers that JavaScript would round are
strings too, so that a page shows exactly what was sent.
"""

from typing import TypeAlias

from msgspec import Struct

Value: TypeAlias = "str | bool | int | float | list[Value] | dict[str, Value] | None"
Attributes: TypeAlias = dict[str, Value]

SAFE_INTEGER = 2**53 - 1
"""The largest integer that JavaScript represents exactly."""


class Scope(Struct, frozen=True):
    """The instrumentation library and its version."""

    name: str
    version: str
    attributes: Attributes


class Origin(Struct, frozen=True):
    """The source of a batch, shared by every span and line in it."""

    resource: Attributes
    scope: Scope

    @property
    def service(self) -> str:
        """The service's name, or an empty string."""
        name = self.resource.get("service.name")
        return name if isinstance(name, str) else ""


class Event(Struct, frozen=True):
    """An event at one time of a span, such as an exception."""

    name: str
    time_ns: int
    attributes: Attributes


class Link(Struct, frozen=True):
    """A related span of this or another trace."""

    trace_id: str
    span_id: str
    attributes: Attributes


class Span(Struct, frozen=True, kw_only=True):
    """A span as received. Ids are lower-case hex; the parent of a root is `""`."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    status: str
    status_message: str
    attributes: Attributes
    events: list[Event]
    links: list[Link]
    dropped: dict[str, int]
    """How many attributes, events and links the sender dropped, if it says so."""
    origin: Origin

    @property
    def duration_ns(self) -> int:
        """The duration, never negative, even if the sender's clock was set back."""
        return max(0, self.end_ns - self.start_ns)


class LogLine(Struct, frozen=True, kw_only=True):
    """A log record. `severity` is one of OpenTelemetry's six levels, or the text that was sent."""

    trace_id: str
    span_id: str
    time_ns: int
    severity: str
    severity_number: int
    event_name: str
    body: Value
    attributes: Attributes
    origin: Origin


class Point(Struct, frozen=True, kw_only=True):
    """The latest value of a series of a metric.

    A number has a `value`. Histograms and summaries have `count`, `sum`, and `min` and `max` if
    the sender provides them.
    """

    name: str
    kind: str
    unit: str
    description: str
    temporality: str
    attributes: Attributes
    time_ns: int
    value: int | float | None
    count: int | None
    sum: float | None
    min: float | None
    max: float | None
    origin: Origin


def weigh(value: object) -> int:
    """Estimate the memory of a value in bytes, including shared parts."""
    if isinstance(value, str):
        return 56 + len(value)
    if isinstance(value, dict):
        return 128 + sum(weigh(key) + weigh(item) for key, item in value.items())
    if isinstance(value, list):
        return 64 + sum(weigh(item) + 8 for item in value)
    return 32


def weigh_origin(origin: Origin) -> int:
    """Estimate the memory of an origin in bytes."""
    return 256 + weigh(origin.resource) + weigh(origin.scope.attributes)


def weigh_span(span: Span) -> int:
    """Estimate the memory of a span in bytes, without its origin."""
    return (
        800
        + weigh(span.name)
        + weigh(span.status_message)
        + weigh(span.attributes)
        + sum(160 + weigh(event.name) + weigh(event.attributes) for event in span.events)
        + sum(280 + weigh(link.attributes) for link in span.links)
    )


def weigh_line(line: LogLine) -> int:
    """Estimate the memory of a log line in bytes, without its origin."""
    return 500 + weigh(line.body) + weigh(line.attributes)


def weigh_point(point: Point) -> int:
    """Estimate the memory of a point in bytes, without its origin."""
    texts = [point.name, point.unit, point.description]
    return 300 + weigh(texts) + weigh(point.attributes)


def exact(value: Value) -> Value:
    """Convert a value to JSON: what JavaScript would round or reject becomes text."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if value - value == 0 else _NOT_FINITE[str(value)]
    if isinstance(value, list):
        return [exact(item) for item in value]
    return {key: exact(item) for key, item in value.items()}


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
