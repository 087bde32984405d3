"""The order in which a trace is drawn: parents before children, each child by its start."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from traceview.model import Span


class Placed(NamedTuple):
    """A span in its place."""

    span: Span
    depth: int
    children: int
    parent_missing: bool
    """It names a parent, and stands at the top because that has not arrived."""


def arrange(spans: Iterable[Span]) -> list[Placed]:
    """Every span once, also those whose parents lead in a circle."""
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
    for top in [*tops, *by_start]:  # the second time only those in a circle are left
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
    """The span that stands for the trace.

    The earliest without a parent; else the earliest whose parent is not here, as when a
    browser began the trace; else, should parents lead in a circle, the earliest of all.
    """
    all_spans = list(spans)
    known = {span.span_id for span in all_spans}
    return min(
        all_spans,
        key=lambda span: (bool(span.parent_span_id), span.parent_span_id in known, span.start_ns),
        default=None,
    )
