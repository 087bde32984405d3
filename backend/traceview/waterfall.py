"""Display order of a trace: parents before children, children by their start.

Repeated statements are siblings that execute the same statement; they follow the first of them, so
that a page can fold them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from traceview.model import Span, SpanKey

MIN_REPEATS = 3
"""How often a span must execute a statement for it to count as repeated."""


class Placed(NamedTuple):
    """A span with its place in the tree."""

    span: Span
    depth: int
    children: int
    parent: int
    """The place of its parent in the display order; -1 at the top."""
    parent_missing: bool
    """Whether it has a parent that has not arrived, and is shown at the top instead."""
    repeat: int
    """The number of the group of repeated statements that it is in; -1 if it is in none."""


def arrange(spans: Iterable[Span]) -> list[Placed]:
    """Return every span once, even if parents form a cycle.

    The client and the server span of a call can have one id; then the server's is shown below the
    client's.
    """
    by_start = sorted(spans, key=lambda span: (span.start_ns, -span.end_ns, span.span_id))
    by_id: dict[str, list[Span]] = defaultdict(list)
    callers: dict[SpanKey, Span] = {}
    for span in sorted(by_start, key=lambda span: span.kind not in _CALLERS):
        same = by_id[span.span_id]
        if same:
            callers[span.key] = same[-1]
        same.append(span)
    children: dict[SpanKey, list[Span]] = defaultdict(list)
    tops = []
    for span in by_start:
        parent = callers.get(span.key) or _parent(span, by_id)
        if parent is None:
            tops.append(span)
        else:
            children[parent.key].append(span)
    placed: dict[SpanKey, Placed] = {}
    depths: list[int] = []
    groups = 0
    for top in [*tops, *by_start]:  # the second pass only finds cycles
        stack = [(top, -1, -1)]
        while stack:
            span, above, repeat = stack.pop()
            if span.key in placed:
                continue
            below = [child for child in children[span.key] if child.key not in placed]
            is_orphan = bool(span.parent_span_id) and span.parent_span_id not in by_id
            place = len(placed)
            depths.append(depths[above] + 1 if above >= 0 else 0)
            placed[span.key] = Placed(span, depths[-1], len(below), above, is_orphan, repeat)
            if len(below) < MIN_REPEATS:
                stack.extend((child, place, -1) for child in reversed(below))
                continue
            ordered: list[tuple[Span, int, int]] = []
            for run in _runs([(one, _statement(one, children)) for one in below]):
                is_repeated = len(run) >= MIN_REPEATS
                number = groups if is_repeated else -1
                groups += is_repeated
                ordered.extend((child, place, number) for child in run)
            stack.extend(reversed(ordered))
    return list(placed.values())


def _runs(spans: list[tuple[Span, str]]) -> list[list[Span]]:
    """Group the spans with the same statement, at the place of the first; others stay alone."""
    counts = Counter(statement for _, statement in spans)
    runs: dict[str, list[Span]] = {}
    ordered: list[list[Span]] = []
    for span, statement in spans:
        if statement in runs:
            runs[statement].append(span)
            continue
        ordered.append([span])
        if statement and counts[statement] >= MIN_REPEATS:
            runs[statement] = ordered[-1]
    return ordered


def _statement(span: Span, children: dict[SpanKey, list[Span]]) -> str:
    """Return what the span executes in a database; empty if it must not be folded.

    A failed statement stays visible, and so does one with children.
    """
    if span.kind != "CLIENT" or span.status == "ERROR" or children.get(span.key):
        return ""
    if not any(name.startswith("db.") for name in span.attributes):
        return ""
    return f"{span.name} {span.attributes.get('db.query.summary', '')}"


_CALLERS = {"CLIENT", "PRODUCER"}


def _parent(span: Span, by_id: dict[str, list[Span]]) -> Span | None:
    """Return the parent of a span. Of two with that id, it is the one of the span's service."""
    if span.parent_span_id == span.span_id:
        return None
    parents = by_id.get(span.parent_span_id, [])
    own = (one for one in reversed(parents) if one.origin.service == span.origin.service)
    return next(own, parents[-1] if parents else None)


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
