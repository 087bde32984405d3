"""The traces that are kept, in memory and within bounds."""

from collections import OrderedDict
from collections.abc import Iterator

from msgspec import Struct

from traceview.model import (
    LogLine,
    Origin,
    Span,
    weigh_line,
    weigh_origin,
    weigh_span,
)


class Bounds(Struct, frozen=True, kw_only=True):
    """How much is kept. A single trace may take a quarter of the bytes."""

    traces: int = 500
    total_bytes: int = 64 * 1024 * 1024
    spans_per_trace: int = 5_000
    lines_per_trace: int = 2_000


def bounds_of(traces: int) -> Bounds:
    """Bounds for so many traces; each of more than usual has as much room as usual."""
    usual = Bounds()
    share = max(1.0, traces / usual.traces)
    return Bounds(traces=traces, total_bytes=round(usual.total_bytes * share))


class Trace:
    """What has arrived of a trace so far."""

    def __init__(self, trace_id: str) -> None:
        """Take the trace's id, in hex."""
        self.trace_id = trace_id
        self.spans: dict[str, Span] = {}
        self.lines: list[LogLine] = []
        self.omitted_spans = 0
        self.omitted_lines = 0
        self.weight = 1_000
        self.revision = 0
        """Changes whenever something arrives; no two traces ever have the same."""
        self._origins: dict[int, Origin] = {}

    def add_span(self, span: Span, bounds: Bounds) -> None:
        """Keep a span, in the place of an earlier one with its id."""
        earlier = self.spans.get(span.span_id)
        if earlier is None and len(self.spans) >= bounds.spans_per_trace:
            self.omitted_spans += 1
            return
        weight = weigh_span(span) - (weigh_span(earlier) if earlier else 0)
        if self._take(weight, span.origin, bounds):
            self.spans[span.span_id] = span
        else:
            self.omitted_spans += 1

    def add_line(self, line: LogLine, bounds: Bounds) -> None:
        """Keep a log line."""
        if len(self.lines) < bounds.lines_per_trace and self._take(
            weigh_line(line), line.origin, bounds
        ):
            self.lines.append(line)
        else:
            self.omitted_lines += 1

    def _take(self, weight: int, origin: Origin, bounds: Bounds) -> bool:
        """Take on the weight, and the origin's once for all that share it, if it fits."""
        if id(origin) not in self._origins:
            weight += weigh_origin(origin)
        if weight > 0 and self.weight + weight > bounds.total_bytes // 4:
            return False
        self.weight += weight
        self._origins[id(origin)] = origin
        return True


class Store:
    """The traces that arrived last."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        """Take the bounds; without them, the usual ones."""
        self._bounds = bounds or Bounds()
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self._revision = 0
        self.weight = 0
        """About how many bytes all traces take."""

    def __len__(self) -> int:
        """How many traces are kept."""
        return len(self._traces)

    def __iter__(self) -> Iterator[Trace]:
        """The traces, the one that something arrived for last at the end."""
        return iter(self._traces.values())

    def get(self, trace_id: str) -> Trace | None:
        """The trace of an id, if it is kept."""
        return self._traces.get(trace_id)

    def add_span(self, span: Span) -> None:
        """Keep a span, and forget the oldest traces where that is too much."""
        trace = self._touch(span.trace_id)
        before = trace.weight
        trace.add_span(span, self._bounds)
        self._settle(trace.weight - before)

    def add_line(self, line: LogLine) -> None:
        """Keep a log line with its trace; one outside any trace is passed over."""
        if not line.trace_id:
            return
        trace = self._touch(line.trace_id)
        before = trace.weight
        trace.add_line(line, self._bounds)
        self._settle(trace.weight - before)

    def clear(self) -> int:
        """Forget everything and return how many traces that were."""
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
