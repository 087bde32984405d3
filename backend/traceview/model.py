"""The stored types, which are also those of the JSON API: spans, log lines and metrics.

Times are nanoseconds since 1970 as decimal strings. Numbers that JavaScript would round are
strings too, so that a page shows exactly what was sent.
"""

from typing import NamedTuple, TypeAlias

from msgspec import Struct

Value: TypeAlias = "str | bool | int | float | list[Value] | dict[str, Value] | None"
Attributes: TypeAlias = dict[str, Value]

SpanKey: TypeAlias = tuple[str, str]
"""The id and kind of a span: with B3 propagation, both sides of a call can have one id."""

BACKGROUND_KINDS = frozenset({"INTERNAL", "CLIENT", "PRODUCER", "UNSPECIFIED"})
"""The kinds of the first spans of background work. A server or consumer span has a caller."""

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
    def key(self) -> SpanKey:
        """What identifies the span in its trace."""
        return self.span_id, self.kind

    @property
    def duration_ns(self) -> int:
        """The duration, never negative, even if the sender's clock was set back."""
        return max(0, self.end_ns - self.start_ns)

    @property
    def is_background(self) -> bool:
        """Whether its trace is background work: it has no parent, no link and no caller or user."""
        return (
            not self.parent_span_id
            and not self.links
            and self.kind in BACKGROUND_KINDS
            and self.origin.resource.get("telemetry.sdk.language") != "webjs"  # a user's browser
        )


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


class Numbered(NamedTuple):
    """A log line, the number of its arrival, and that of its origin."""

    number: int
    origin: int
    line: LogLine


class Buckets(Struct, frozen=True, kw_only=True):
    """The buckets of a histogram.

    An explicit one has `bounds`, and one count more than bounds. An exponential one has a `scale`,
    a zero bucket, and buckets of positive and of negative values, from an offset on.
    """

    counts: list[int]
    bounds: list[float] | None = None
    scale: int | None = None
    offset: int = 0
    zero_count: int = 0
    zero_threshold: float = 0.0
    negative_counts: list[int] = []
    negative_offset: int = 0


class Exemplar(Struct, frozen=True, kw_only=True):
    """One measurement of a metric, with the span during which it was made."""

    trace_id: str
    span_id: str
    time_ns: int
    value: int | float
    attributes: Attributes
    """Those of the measurement that the point does not have."""


class Point(Struct, frozen=True, kw_only=True):
    """A value of a series of a metric.

    A number has a `value`. Histograms and summaries have `count`, `sum`, and `min` and `max` if
    the sender provides them. Cumulative and delta values cover the time from `start_ns`.
    """

    name: str
    kind: str
    unit: str
    description: str
    temporality: str
    is_monotonic: bool
    """Whether a sum can only grow."""
    attributes: Attributes
    start_ns: int
    time_ns: int
    value: int | float | None
    count: int | None
    sum: float | None
    min: float | None
    max: float | None
    buckets: Buckets | None = None
    exemplars: list[Exemplar] = []
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
    buckets = point.buckets
    numbers = len(buckets.counts) + len(buckets.negative_counts) if buckets else 0
    return (
        300
        + weigh(texts)
        + weigh(point.attributes)
        + 64 * numbers
        + sum(400 + weigh(one.attributes) for one in point.exemplars)
    )


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
    # Most values are texts, which JSON represents as they are.
    return {key: item if isinstance(item, str) else exact(item) for key, item in value.items()}


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
