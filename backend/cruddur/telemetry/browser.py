"""Pass the spans and log records of pages to the sinks of the service.

The rules for what a page may send are in `cruddur.services.telemetry`. Here the service sets the
resource, so that no span can pass for one of its own, and decides whether a trace is kept as it
does for the requests of the same trace.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.util.types import AttributeValue

from cruddur.telemetry.export_queue import ExportQueue
from cruddur.telemetry.logs import Line, log_line
from cruddur.telemetry.sampling import EdgeSampler
from cruddur.version import __version__

logger = logging.getLogger("cruddur.web")

_SCOPE = InstrumentationScope(logger.name, __version__)


@dataclass(frozen=True, slots=True)
class PageSpan:
    """A span that a page recorded, checked.

    Attributes:
        trace_id, span_id, parent_span_id: the ids; the parent is None at the start of a trace.
        name: its name.
        is_call: whether it is an HTTP call; otherwise it is work inside of the page.
        is_error: whether it failed.
        start, end: Unix nanoseconds.
        attributes: its attributes.
        events: the names and times of its events.
        links: the trace and span ids that it links to.
    """

    trace_id: int
    span_id: int
    parent_span_id: int | None
    name: str
    is_call: bool
    is_error: bool
    start: int
    end: int
    attributes: Mapping[str, AttributeValue]
    events: Sequence[tuple[str, int]]
    links: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class PageEvent:
    """A log record that a page wrote, checked.

    Attributes:
        name: the name of the event.
        level: the level of its log line.
        message: a summary.
        time: Unix nanoseconds.
        context: the trace and span ids of the span that it belongs to, or None.
        attributes: its attributes.
        stacktrace: of an exception, or empty.
    """

    name: str
    level: int
    message: str
    time: int
    context: tuple[int, int] | None
    attributes: Mapping[str, AttributeValue]
    stacktrace: str


class BrowserReceiver:
    """Queues the telemetry of pages for all sinks."""

    def __init__(
        self,
        resource: Resource,
        sampler: EdgeSampler,
        processors: Sequence[SpanProcessor],
        export_queues: Sequence[ExportQueue[object]],
    ) -> None:
        """Set what receives it.

        Args:
            resource: the resource of the service; that of the pages is derived from it.
            sampler: decides which traces are kept.
            processors: receive the spans. Log records go through `logging`.
            export_queues: the queues of the sinks.
        """
        self._resource = _page_resource(resource)
        self._sampler = sampler
        self._processors = processors
        self._export_queues = export_queues

    @property
    def is_busy(self) -> bool:
        """Whether a queue is half full. The rest is for the service's own items."""
        return any(export_queue.is_half_full for export_queue in self._export_queues)

    def add_span(self, span: PageSpan) -> None:
        """Queue a span, if its trace is kept."""
        if not self._sampler.keeps(span.trace_id):
            return
        parent = span.parent_span_id
        readable = ReadableSpan(
            name=span.name,
            context=_context(span.trace_id, span.span_id),
            parent=None if parent is None else _context(span.trace_id, parent, is_remote=True),
            resource=self._resource,
            attributes={**span.attributes, **self._sampler.attributes},
            events=[Event(name, None, time) for name, time in span.events],
            links=[Link(_context(*ids, is_remote=True)) for ids in span.links],
            kind=SpanKind.CLIENT if span.is_call else SpanKind.INTERNAL,
            status=Status(StatusCode.ERROR) if span.is_error else Status(),
            start_time=span.start,
            end_time=span.end,
            instrumentation_scope=_SCOPE,
        )
        for processor in self._processors:
            processor.on_end(readable)

    def add_event(self, event: PageEvent) -> None:
        """Write a log line about a page."""
        trace_id, span_id = event.context or (0, 0)
        is_kept = event.context is not None and self._sampler.keeps(trace_id)
        line = Line(
            created=event.time / 1e9,
            level=logging.getLevelName(event.level),
            severity=event.level,
            logger=logger.name,
            message=event.message,
            trace_id=f"{trace_id:032x}" if event.context else "",
            span_id=f"{span_id:016x}" if event.context else "",
            trace_flags=TraceFlags.SAMPLED if is_kept else TraceFlags.DEFAULT,
            stacktrace=event.stacktrace,
            fields=event.attributes,
            is_private=False,
            event_name=event.name,
            resource=self._resource,
        )
        log_line(logger, line)


def _page_resource(resource: Resource) -> Resource:
    """Return the resource of all pages of a service; `session.id` identifies each page."""
    own = resource.attributes
    return Resource(
        {
            "service.name": f"{own['service.name']!s}-web",
            "service.version": own["service.version"],
            "deployment.environment.name": own["deployment.environment.name"],
            "telemetry.sdk.language": "webjs",
        }
    )


def _context(trace_id: int, span_id: int, *, is_remote: bool = False) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote, TraceFlags(TraceFlags.SAMPLED))
