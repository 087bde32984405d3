"""The JSON API's responses: a trace in a list, a complete trace, a metric."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeAlias

from msgspec import Struct

from traceview.analysis import Failure, Times, analyze, find_failure
from traceview.model import (
    Attributes,
    Event,
    Link,
    LogLine,
    Numbered,
    Origin,
    Point,
    Scope,
    Span,
    Value,
    exact,
)
from traceview.query.printer import Parts
from traceview.statement_text import indent_statement
from traceview.store import Trace
from traceview.waterfall import Placed, arrange, find_root

PartView: TypeAlias = tuple[float, float]

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
    background: bool
    omitted: Omitted


class ScopeView(Struct, gc=False):
    """A scope."""

    name: str
    version: str
    attributes: Value


class EventView(Struct, gc=False):
    """An event; the offset is from the start of its span."""

    name: str
    time_ns: str
    offset_ms: float
    attributes: Value


class LinkView(Struct, gc=False):
    """A link, and whether its target is stored."""

    trace_id: str
    span_id: str
    attributes: Value
    here: bool


class SpanView(Struct, kw_only=True, gc=False):
    """A span in display order, with its place in the tree, and where its time goes.

    `critical` has the parts on the critical path, and `gaps` those in which no child runs: pairs of
    milliseconds from the start of the span, and the length. `repeat` is the number of its group in
    `repeats` of the trace.
    """

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
    self_ms: float
    critical: list[PartView]
    gaps: list[PartView]
    repeat: int | None
    status: str
    status_message: str
    service: str
    attributes: Value
    events: list[EventView]
    links: list[LinkView]
    dropped: dict[str, int]
    resource: Value
    scope: ScopeView


class LogView(Struct, kw_only=True, gc=False):
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


class RepeatView(Struct):
    """Repeated statements below one span; `name` is the statement's, or that of its spans."""

    name: str
    count: int
    total_ms: float


class StepView(Struct):
    """The spans of a service and a name on the critical path, and the longest of them there."""

    name: str
    service: str
    count: int
    critical_ms: float
    span_id: str
    kind: str


class FailureView(Struct):
    """The span that failed first, and the reason that it or a span above it has."""

    span_id: str
    kind: str
    name: str
    type: str
    message: str


class LineView(Struct, kw_only=True):
    """A log line in a list of all; `origin` is a key of `origins` in the same response."""

    id: int
    cursor: str
    trace_id: str | None
    span_id: str | None
    time_ns: str
    severity: str
    severity_number: int
    event_name: str
    body: Value
    attributes: Value
    origin: str


class OriginView(Struct):
    """The source of log lines."""

    service: str
    resource: Value
    scope: ScopeView


class LinesView(Struct, kw_only=True):
    """Log lines, the newest first.

    `parts` are the clauses of the query. New lines are those after the number `tail`.
    """

    lines: list[LineView]
    origins: dict[str, OriginView]
    parts: Parts
    tail: int
    has_older: bool
    has_newer: bool
    notes: list[str]


class TraceView(Struct):
    """A complete trace: spans in display order, log lines in time order.

    `path` has the steps that take the largest part of the critical path, the largest first.
    `statements` has an indented form for each text of a statement that is not readable as it is.
    """

    trace_id: str
    summary: Summary
    failure: FailureView | None
    path: list[StepView]
    spans: list[SpanView]
    repeats: list[RepeatView]
    statements: dict[str, str]
    logs: list[LogView]
    omitted: Omitted


class MetricInfo(Struct):
    """A metric in a time range; `keys` are attributes of its series."""

    service: str
    name: str
    kind: str
    unit: str
    description: str
    temporality: str
    is_monotonic: bool
    series: int
    keys: list[str]
    exemplars: int


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
        background=any(span.is_background for span in trace.spans.values()),
        omitted=Omitted(trace.omitted_spans, trace.omitted_lines),
    )


def show_trace(trace: Trace, summary: Summary, known: Iterable[str]) -> TraceView:
    """Return a complete trace; `known` are the ids of the stored traces, for links."""
    here = set(known)
    spans = trace.spans.values()
    tree = arrange(spans)
    times = analyze(tree, find_root(spans))
    failure = find_failure(tree)
    distinct = {id(span.origin): span.origin for span in spans}
    origins = {key: _show_origin(origin) for key, origin in distinct.items()}
    shown = (
        _show_span(placed, one, origins[id(placed.span.origin)], here)
        for placed, one in zip(tree, times, strict=True)
    )
    return TraceView(
        trace.trace_id,
        summary,
        _show_failure(failure) if failure else None,
        _steps(tree, times),
        list(shown),
        _repeats(tree),
        _statements(spans),
        [_show_line(line) for line in sorted(trace.lines, key=lambda line: line.time_ns)],
        summary.omitted,
    )


def show_lines(
    lines: list[Numbered], *, parts: Parts, tail: int, has_older: bool, has_newer: bool
) -> LinesView:
    """Return log lines in a list of all."""
    origins = {one.origin: one.line.origin for one in lines}
    return LinesView(
        lines=[
            LineView(
                id=number,
                cursor=f"{line.time_ns}-{number}",
                trace_id=line.trace_id or None,
                span_id=line.span_id or None,
                time_ns=str(line.time_ns),
                severity=line.severity,
                severity_number=line.severity_number,
                event_name=line.event_name,
                body=exact(line.body),
                attributes=exact(line.attributes),
                origin=str(origin),
            )
            for number, origin, line in lines
        ],
        origins={
            str(key): OriginView(one.service, exact(one.resource), _show_scope(one.scope))
            for key, one in origins.items()
        },
        parts=parts,
        tail=tail,
        has_older=has_older,
        has_newer=has_newer,
        notes=[],
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


def _show_failure(failure: Failure) -> FailureView:
    span = failure.span
    return FailureView(span.span_id, span.kind, span.name, failure.type, failure.message)


def _steps(tree: list[Placed], times: list[Times]) -> list[StepView]:
    groups: dict[tuple[str, str], list[tuple[int, Span]]] = defaultdict(list)
    for placed, one in zip(tree, times, strict=True):
        if one.critical:
            span = placed.span
            length = sum(length for _, length in one.critical)
            groups[span.origin.service, span.name].append((length, span))
    steps = []
    for (service, name), members in groups.items():
        total = sum(length for length, _ in members)
        _, longest = max(members, key=lambda member: member[0])
        steps.append(
            StepView(name, service, len(members), _ms(total), longest.span_id, longest.kind)
        )
    return sorted(steps, key=lambda step: -step.critical_ms)[:STEPS]


STEPS = 8
"""Maximum number of steps of the critical path that are listed."""


def _repeats(tree: list[Placed]) -> list[RepeatView]:
    groups: dict[int, list[Span]] = defaultdict(list)
    for placed in tree:
        if placed.repeat >= 0:
            groups[placed.repeat].append(placed.span)
    return [
        RepeatView(
            _text(spans[0], "db.query.summary") or spans[0].name,
            len(spans),
            _ms(sum(span.duration_ns for span in spans)),
        )
        for _, spans in sorted(groups.items())
    ]


def _statements(spans: Iterable[Span]) -> dict[str, str]:
    texts = {_text(span, *STATEMENT_KEYS) for span in spans} - {None}
    indented = {text: indent_statement(text) for text in texts if text}
    return {text: shown for text, shown in indented.items() if shown != text}


STATEMENT_KEYS = ("db.query.text", "db.statement")


def _show_origin(origin: Origin) -> tuple[Value, ScopeView]:
    return exact(origin.resource), _show_scope(origin.scope)


def _show_span(
    placed: Placed, times: Times, origin: tuple[Value, ScopeView], here: set[str]
) -> SpanView:
    span = placed.span
    resource, scope = origin
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
        self_ms=_ms(times.self_ns),
        critical=[(_ms(start), _ms(length)) for start, length in times.critical],
        gaps=[(_ms(start), _ms(length)) for start, length in times.gaps],
        repeat=placed.repeat if placed.repeat >= 0 else None,
        status=span.status,
        status_message=span.status_message,
        service=span.origin.service,
        attributes=exact(span.attributes),
        events=[_show_event(event, span) for event in span.events],
        links=[_show_link(link, here) for link in span.links],
        dropped=span.dropped,
        resource=resource,
        scope=scope,
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
