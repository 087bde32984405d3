"""Display order of a trace: parents before children, children by their start."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from traceview.model import Span


class Placed(NamedTuple):
    """A span with its place in the tree."""

    span: Span
    depth: int
    children: int
    parent_missing: bool
    """Whether it has a parent that has not arrived, and is shown at the top instead."""


def arrange(spans: Iterable[Span]) -> list[Placed]:
    """Return every span once, even if parents form a cycle."""
    by_start = sorted(spans, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))
    known = {span.span_id for span in by_start}
    children: dict[str, list[Span]] = defaultdict(list)
    tops = []
    for span in by_start:
        if span.parent_span_id in known and span.parent_span_id != span.span_id:
            children[span.parent_span_id].append(span)
        else:
            tops.append(span)
    placed: dict[str, Placed] = {}
    for top in [*tops, *by_start]:  # the second pass only finds cycles
        stack = [(top, 0)]
        while stack:
            span, depth = stack.pop()
            if span.span_id in placed:
                continue
            below = [child for child in children[span.span_id] if child.span_id not in placed]
            is_orphan = bool(span.parent_span_id) and span.parent_span_id not in known
            placed[span.span_id] = Placed(span, depth, len(below), is_orphan)
            stack.extend((child, depth + 1) for child in reversed(below))
    return list(placed.values())


def find_root(spans: Iterable[Span]) -> Span | None:
    """Return the span that represents the trace.

    This is the earliest span without a parent; otherwise the earliest whose parent is missing, for
    example if a browser started the trace; otherwise, if parents form a cycle, the earliest of all.
    """
    all_spans = list(spans)
    known = {span.span_id for span in all_spans}
    return min(
        all_spans,
        key=lambda span: (bool(span.parent_span_id), span.parent_span_id in known, span.start_ns),
        default=None,
    )
