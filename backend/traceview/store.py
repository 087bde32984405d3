"""The stored traces, in memory and with limits."""

from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct

from traceview.model import (
    LogLine,
    Origin,
    Span,
    SpanKey,
    weigh_line,
    weigh_origin,
    weigh_span,
)


class Bounds(Struct, frozen=True, kw_only=True):
    """The limits. A single trace can use half of the bytes."""

    traces: int = 500
    total_bytes: int = 64 * 1024 * 1024
    spans_per_trace: int = 20_000
    lines_per_trace: int = 2_000


def bounds_of(traces: int) -> Bounds:
    """Return the limits for a number of traces; above the default number, bytes grow with it."""
    usual = Bounds()
    share = max(1.0, traces / usual.traces)
    return Bounds(traces=traces, total_bytes=round(usual.total_bytes * share))


class Trace:
    """The data of a trace received so far."""

    def __init__(self, trace_id: str) -> None:
        """Take the trace's id, in hex."""
        self.trace_id = trace_id
        self.spans: dict[SpanKey, Span] = {}
        self.lines: list[LogLine] = []
        self.omitted_spans = 0
        self.omitted_lines = 0
        self.weight = 1_000
        self.revision = 0
        """Changes whenever data arrives; no two traces ever have the same revision."""
        self._origins: dict[int, Origin] = {}

    def add_span(self, span: Span, bounds: Bounds) -> None:
        """Store a span, replacing an earlier one with its id and kind."""
        earlier = self.spans.get(span.key)
        if earlier is None and len(self.spans) >= bounds.spans_per_trace:
            self.omitted_spans += 1
            return
        weight = weigh_span(span) - (weigh_span(earlier) if earlier else 0)
        if self._take(weight, span.origin, bounds):
            self.spans[span.key] = span
        else:
            self.omitted_spans += 1

    def add_line(self, line: LogLine, bounds: Bounds) -> None:
        """Store a log line."""
        if len(self.lines) < bounds.lines_per_trace and self._take(
            weigh_line(line), line.origin, bounds
        ):
            self.lines.append(line)
        else:
            self.omitted_lines += 1

    def copy(self) -> "Trace":
        """Return a copy that does not change when data arrives."""
        copied = Trace(self.trace_id)
        copied.spans, copied.lines = dict(self.spans), list(self.lines)
        copied.omitted_spans, copied.omitted_lines = self.omitted_spans, self.omitted_lines
        return copied

    def _take(self, weight: int, origin: Origin, bounds: Bounds) -> bool:
        """Add the weight of an item, and of its origin once for all that share it, if it fits."""
        if id(origin) not in self._origins:
            weight += weigh_origin(origin)
        if weight > 0 and self.weight + weight > bounds.total_bytes // 2:
            return False
        self.weight += weight
        self._origins[id(origin)] = origin
        return True


class Store:
    """The most recently updated traces."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        """Take the limits; the defaults if None."""
        self._bounds = bounds or Bounds()
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._revision = 0
        self.weight = 0
        """Estimated bytes of all traces."""

    def __len__(self) -> int:
        """The number of traces."""
        return len(self._traces)

    def __iter__(self) -> Iterator[Trace]:
        """Yield the traces, the most recently updated last."""
        return iter(self._traces.values())

    def get(self, trace_id: str) -> Trace | None:
        """Return the trace with an id, or None."""
        return self._traces.get(trace_id)

    def add(self, item: Span | LogLine) -> None:
        """Store a span or a log line."""
        if isinstance(item, Span):
            self.add_span(item)
        else:
            self.add_line(item)

    def add_span(self, span: Span) -> None:
        """Store a span, and evict the oldest traces if necessary."""
        trace = self._touch(span.trace_id)
        before = trace.weight
        trace.add_span(span, self._bounds)
        self._settle(trace.weight - before)

    def add_line(self, line: LogLine) -> None:
        """Store a log line with its trace; ignore one without a trace."""
        if not line.trace_id:
            return
        trace = self._touch(line.trace_id)
        before = trace.weight
        trace.add_line(line, self._bounds)
        self._settle(trace.weight - before)

    def clear(self) -> int:
        """Delete all traces and return how many there were."""
        count = len(self._traces)
        self._traces.clear()
        self.weight = 0
        return count

    def _touch(self, trace_id: str) -> Trace:
        trace = self._traces.get(trace_id)
        if trace is None:
            trace = self._traces[trace_id] = Trace(trace_id)
            self.weight += trace.weight
        self._traces.move_to_end(trace_id)
        self._revision += 1
        trace.revision = self._revision
        return trace

    def _settle(self, gained: int) -> None:
        self.weight += gained
        bounds = self._bounds
        while self._traces and (
            len(self._traces) > bounds.traces or self.weight > bounds.total_bytes
        ):
            _, oldest = self._traces.popitem(last=False)
            self.weight -= oldest.weight
