"""Where the time of a trace goes: self times, gaps, the critical path, and its failure.

The self time of a span is the part of its duration in which none of its children runs. A gap is a
long part of it, in a span that has children.

The critical path of a trace consists of the parts of spans for which its root waits: shortening
any other part does not shorten the root. It is found as in CRISP (Zhang et al., "CRISP: Critical
Path Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022), which Jaeger implements
too. From the end of a span backwards:

1. The path is in the span itself until the end of its last finishing child.
2. It continues in that child, until the child's start.
3. From there, the last child that had finished by then follows. Children that were still running
   are not on the path, because the next child did not wait for them.
4. Before all children, it is in the span itself.

So the lengths of the parts add up to the duration of the root. Two cases need rules:

- A child that ends after its parent is asynchronous: the parent did not wait for it, so neither it
  nor its descendants are on the path. The server span of a remote call is the exception. Its client
  did wait, but only until its own end, for example until a timeout.
- The clocks of two machines differ. A server span that does not lie within its client span is moved
  to the middle of it, with all spans of its process below it, as Jaeger does. One that is longer is
  moved to the client's start.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from traceview.model import Span
from traceview.waterfall import Placed

GAP_SHARE = 0.05
"""Minimum length of a gap, as a share of the root's duration."""

MIN_GAP_NS = 1_000_000

Part: TypeAlias = tuple[int, int]
"""A part of a span: nanoseconds from the span's start, and the length."""


class Times(NamedTuple):
    """Where the time of a span goes."""

    self_ns: int
    critical: list[Part]
    """The parts on the critical path, in the order of time."""
    gaps: list[Part]


class Failure(NamedTuple):
    """The span that failed first, and its reason."""

    span: Span
    type: str
    message: str


def analyze(tree: Sequence[Placed], root: Span | None) -> list[Times]:
    """Return the times of each span of a tree in display order; `root` represents the trace."""
    starts = _aligned_starts(tree)
    children: list[list[int]] = [[] for _ in tree]
    for place, placed in enumerate(tree):
        if placed.parent >= 0:
            children[placed.parent].append(place)
    shortest = max(MIN_GAP_NS, int(GAP_SHARE * root.duration_ns)) if root else 0
    times = []
    for place, placed in enumerate(tree):
        start, length = starts[place], placed.span.duration_ns
        if not children[place]:
            times.append(Times(length, [], []))
            continue
        below = ((starts[one], starts[one] + tree[one].span.duration_ns) for one in children[place])
        free = _uncovered(start, start + length, below)
        gaps = [part for part in free if part[1] >= shortest]
        times.append(Times(sum(part[1] for part in free), [], gaps))
    for place, placed in enumerate(tree):
        if placed.span is root:
            _follow(tree, starts, children, place, times)
    return times


def _aligned_starts(tree: Sequence[Placed]) -> list[int]:
    """Return the start of each span on the clock of the process that called its process."""
    shifts: list[int] = []
    starts: list[int] = []
    for span, _, _, parent, *_ in tree:
        shift = 0
        if parent >= 0:
            caller = tree[parent].span
            if span.origin.resource == caller.origin.resource:
                shift = shifts[parent]
            elif _is_call(caller, span):
                spare = caller.duration_ns - span.duration_ns
                early = starts[parent] - span.start_ns
                if early > 0 or early + spare < 0:
                    shift = early + max(0, spare) // 2
        shifts.append(shift)
        starts.append(span.start_ns + shift)
    return starts


def _is_call(caller: Span, span: Span) -> bool:
    return caller.kind == "CLIENT" and span.kind == "SERVER"


def _uncovered(start: int, end: int, covers: Iterable[tuple[int, int]]) -> list[Part]:
    """Return the parts of an interval, from its start, that no cover contains."""
    free = []
    at = start
    for begin, stop in sorted(covers):
        if begin >= end:
            break
        if begin > at:
            free.append((at - start, begin - at))
        at = max(at, stop)
    if at < end:
        free.append((at - start, end - at))
    return free


def _follow(
    tree: Sequence[Placed],
    starts: list[int],
    children: list[list[int]],
    root: int,
    times: list[Times],
) -> None:
    """Add the parts of the critical path to the times."""
    waiting = [(root, starts[root], starts[root] + tree[root].span.duration_ns)]
    while waiting:
        place, begin, at = waiting.pop()
        span, start = tree[place].span, starts[place]
        end = start + span.duration_ns
        parts = times[place].critical
        candidates = []
        for one in children[place]:
            child = tree[one].span
            stop = starts[one] + child.duration_ns
            if stop <= end or _is_call(span, child):
                candidates.append((-min(stop, at), max(starts[one], begin), one))
        for minus_stop, first, one in sorted(candidates):
            stop = -minus_stop
            if stop > at or stop <= first:
                continue
            if stop < at:
                parts.append((stop - start, at - stop))
            waiting.append((one, first, stop))
            at = first
        if begin < at:
            parts.append((begin - start, at - begin))
        parts.reverse()


def find_failure(tree: Sequence[Placed]) -> Failure | None:
    """Return the failed span without failed descendants that ended first, and the reason.

    One whose failure made the trace fail, through failed spans up to the top, comes before others.
    The reason is in the span, or in the nearest failed span above it that has one: an exception is
    often recorded only once, by the span of the whole unit of work.
    """
    has_failed = [placed.span.status == "ERROR" for placed in tree]
    has_cause = [False] * len(tree)
    for placed, is_failed in zip(reversed(tree), reversed(has_failed), strict=True):
        if is_failed and placed.parent >= 0:
            has_cause[placed.parent] = True
    causes: list[tuple[bool, int, int, list[Placed]]] = []
    for placed, is_failed, is_passed_on in zip(tree, has_failed, has_cause, strict=True):
        if is_failed and not is_passed_on:
            chain = list(_failed_chain(tree, placed))
            is_handled = len(chain) == 1 or chain[-1].parent >= 0
            causes.append((is_handled, placed.span.end_ns, len(causes), chain))
    if not causes:
        return None
    chain = min(causes)[-1]
    reasons = [_reason(placed.span) for placed in chain]
    kind = next((kind for kind, _ in reasons if kind), "")
    message = next((message for _, message in reasons if message), "")
    return Failure(chain[0].span, kind, message)


def _failed_chain(tree: Sequence[Placed], placed: Placed) -> Iterator[Placed]:
    """Yield a failed span, and those above it up to the first that did not fail."""
    yield placed
    while placed.parent >= 0 and tree[placed.parent].span.status == "ERROR":
        placed = tree[placed.parent]
        yield placed


def _reason(span: Span) -> tuple[str, str]:
    exception = next((one for one in reversed(span.events) if one.name == "exception"), None)
    facts = exception.attributes if exception else {}
    kind = facts.get("exception.type") or span.attributes.get("error.type") or ""
    message = facts.get("exception.message") or span.status_message
    return (kind if isinstance(kind, str) else ""), (message if isinstance(message, str) else "")
