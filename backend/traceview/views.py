"""The JSON API's responses: a trace in a list, a complete trace, a metric."""

from collections.abc import Iterable

from msgspec import Struct

from traceview.model import (
    Attributes,
    Event,
    Link,
    LogLine,
    Point,
    Scope,
    Span,
    Value,
    exact,
)
from traceview.store import Trace
from traceview.waterfall import Placed, arrange, find_root

LOGS_ONLY = "(log lines only)"
"""The name of a trace without spans so far."""


class Omitted(Struct):
    """What was received but dropped, because the trace had grown too large."""

    spans: int
    logs: int


class Summary(Struct, kw_only=True):
    """A trace in a list. Name, route, method, status and duration are those of its root."""

    trace_id: str
    root_span_id: str | None
    root_missing: bool
    """Whether the root's own parent is in another system, or has not arrived yet."""
    name: str
    service: str
    services: list[str]
    method: str | None
    route: str | None
    status: int | None
    start_ns: str
    duration_ms: float
    spans: int
    logs: int
    errors: int
    error: bool
    omitted: Omitted


class ScopeView(Struct):
    """A scope."""

    name: str
    version: str
    attributes: Value


class EventView(Struct):
    """An event; the offset is from the start of its span."""

    name: str
    time_ns: str
    offset_ms: float
    attributes: Value


class LinkView(Struct):
    """A link, and whether its target is stored."""

    trace_id: str
    span_id: str
    attributes: Value
    here: bool


class SpanView(Struct, kw_only=True):
    """A span in display order, with its place in the tree."""

    span_id: str
    parent_span_id: str | None
    parent_missing: bool
    depth: int
    children: int
    name: str
    kind: str
    start_ns: str
    end_ns: str
    duration_ms: float
    status: str
    status_message: str
    service: str
    attributes: Value
    events: list[EventView]
    links: list[LinkView]
    dropped: dict[str, int]
    resource: Value
    scope: ScopeView


class LogView(Struct, kw_only=True):
    """A log line of the trace."""

    span_id: str | None
    time_ns: str
    severity: str
    severity_number: int
    event_name: str
    body: Value
    service: str
    attributes: Value
    resource: Value
    scope: ScopeView


class TraceView(Struct):
    """A complete trace: spans in display order, log lines in time order."""

    trace_id: str
    summary: Summary
    spans: list[SpanView]
    logs: list[LogView]
    omitted: Omitted


class MetricView(Struct, kw_only=True):
    """The latest point of a series."""

    name: str
    kind: str
    unit: str
    description: str
    temporality: str
    service: str
    attributes: Value
    time_ns: str
    value: Value
    count: Value
    sum: Value
    avg: Value
    min: Value
    max: Value
    resource: Value
    scope: ScopeView


def summarise(trace: Trace) -> Summary:
    """Return the list entry of a trace."""
    root = find_root(trace.spans.values())
    errors = sum(span.status == "ERROR" for span in trace.spans.values())
    status = _status(root.attributes) if root else None
    services = {span.origin.service for span in trace.spans.values()}
    services |= {line.origin.service for line in trace.lines}
    named = sorted(services - {""})
    starts = [root.start_ns] if root else [line.time_ns for line in trace.lines]
    return Summary(
        trace_id=trace.trace_id,
        root_span_id=root.span_id if root else None,
        root_missing=bool(root.parent_span_id) if root else True,
        name=root.name if root else LOGS_ONLY,
        service=root.origin.service if root else next(iter(named), ""),
        services=named,
        method=_text(root, "http.request.method", "http.method"),
        route=_text(root, "http.route", "url.path", "http.target"),
        status=status,
        start_ns=str(min(starts, default=0)),
        duration_ms=_ms(root.duration_ns) if root else 0.0,
        spans=len(trace.spans),
        logs=len(trace.lines),
        errors=errors,
        error=errors > 0 or (status or 0) >= 500,
        omitted=Omitted(trace.omitted_spans, trace.omitted_lines),
    )


def show_trace(trace: Trace, summary: Summary, known: Iterable[str]) -> TraceView:
    """Return a complete trace; `known` are the ids of the stored traces, for links."""
    here = set(known)
    return TraceView(
        trace.trace_id,
        summary,
        [_show_span(placed, here) for placed in arrange(trace.spans.values())],
        [_show_line(line) for line in sorted(trace.lines, key=lambda line: line.time_ns)],
        summary.omitted,
    )


def show_metric(point: Point) -> MetricView:
    """Return the latest point of a series; the average is null if the count is zero."""
    average = point.sum / point.count if point.sum is not None and point.count else None
    return MetricView(
        name=point.name,
        kind=point.kind,
        unit=point.unit,
        description=point.description,
        temporality=point.temporality,
        service=point.origin.service,
        attributes=exact(point.attributes),
        time_ns=str(point.time_ns),
        value=exact(point.value),
        count=exact(point.count),
        sum=exact(point.sum),
        avg=exact(average),
        min=exact(point.min),
        max=exact(point.max),
        resource=exact(point.origin.resource),
        scope=_show_scope(point.origin.scope),
    )


def _show_span(placed: Placed, here: set[str]) -> SpanView:
    span = placed.span
    return SpanView(
        span_id=span.span_id,
        parent_span_id=span.parent_span_id or None,
        parent_missing=placed.parent_missing,
        depth=placed.depth,
        children=placed.children,
        name=span.name,
        kind=span.kind,
        start_ns=str(span.start_ns),
        end_ns=str(span.end_ns),
        duration_ms=_ms(span.duration_ns),
        status=span.status,
        status_message=span.status_message,
        service=span.origin.service,
        attributes=exact(span.attributes),
        events=[_show_event(event, span) for event in span.events],
        links=[_show_link(link, here) for link in span.links],
        dropped=span.dropped,
        resource=exact(span.origin.resource),
        scope=_show_scope(span.origin.scope),
    )


def _show_event(event: Event, span: Span) -> EventView:
    offset = _ms(event.time_ns - span.start_ns)
    return EventView(event.name, str(event.time_ns), offset, exact(event.attributes))


def _show_link(link: Link, here: set[str]) -> LinkView:
    return LinkView(link.trace_id, link.span_id, exact(link.attributes), link.trace_id in here)


def _show_line(line: LogLine) -> LogView:
    return LogView(
        span_id=line.span_id or None,
        time_ns=str(line.time_ns),
        severity=line.severity,
        severity_number=line.severity_number,
        event_name=line.event_name,
        body=exact(line.body),
        service=line.origin.service,
        attributes=exact(line.attributes),
        resource=exact(line.origin.resource),
        scope=_show_scope(line.origin.scope),
    )


def _show_scope(scope: Scope) -> ScopeView:
    return ScopeView(scope.name, scope.version, exact(scope.attributes))


def _text(span: Span | None, *names: str) -> str | None:
    values = (span.attributes.get(name) for name in names) if span else ()
    return next((value for value in values if isinstance(value, str)), None)


def _status(attributes: Attributes) -> int | None:
    for name in ("http.response.status_code", "http.status_code"):
        value = attributes.get(name)
        if isinstance(value, int):
            return value
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 4:
            return int(value)
    return None


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1_000_000, 6)
