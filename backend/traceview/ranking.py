"""The rank of each span of a trace among the spans of the same service, name and kind."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from traceview.model import Span
from traceview.storage.database import Database

RANGE_NS = 6 * 3_600 * 10**9
"""The spans that are compared start at most so long before or after the trace."""

MIN_SPANS = 10
"""Minimum number of spans for a rank."""

MAX_NAMES = 500
"""Maximum number of names of a trace that are compared."""

_SHARES = [share / 100 for share in range(101)]

_SQL = """
    SELECT service, name, kind, count(*), quantile_disc(duration_ns, $shares)
    FROM spans
    WHERE time_ns BETWEEN $since AND $until AND name IN (SELECT unnest($names))
    GROUP BY service, name, kind
    HAVING count(*) >= $least
"""

_Group: TypeAlias = tuple[str, str, str]


class Peers(Struct, frozen=True):
    """The spans of a service, a name and a kind."""

    service: str
    name: str
    kind: str
    count: int
    p50_ms: float
    p95_ms: float


class Ranking(Struct, frozen=True):
    """The groups of spans, and for each span of a trace its group and its percentile.

    The keys of `spans` are the id and the kind of a span, with a space between them.
    """

    hours: float
    peers: list[Peers]
    spans: dict[str, tuple[int, int]]
    reason: str = ""
    """Why nothing is ranked."""


def rank_spans(database: Database, spans: Iterable[Span]) -> Ranking:
    """Return the rank of each span that has at least MIN_SPANS peers.

    Raises:
        StatementError: the query failed, or took too long.
    """
    spans = [span for span in spans if span.start_ns]
    first = min((span.start_ns for span in spans), default=0)
    names = sorted({span.name for span in spans})[:MAX_NAMES]
    rows = database.select(
        _SQL,
        {
            "shares": _SHARES,
            "names": names,
            "since": min(max(0, first - RANGE_NS), 2**63 - 1),
            "until": min(first + RANGE_NS, 2**63 - 1),
            "least": MIN_SPANS,
        },
    )
    wanted = {_group_of(span) for span in spans}
    rows = [row for row in rows if row[:3] in wanted]
    places = {row[:3]: place for place, row in enumerate(rows)}
    ranked = {}
    for span in spans:
        place = places.get(_group_of(span))
        if place is not None:
            percentile = percentile_of(span.duration_ns, rows[place][4])
            ranked[f"{span.span_id} {span.kind}"] = (place, percentile)
    peers = [
        Peers(service, name, kind, count, shares[50] / 1e6, shares[95] / 1e6)
        for service, name, kind, count, shares in rows
    ]
    return Ranking(RANGE_NS / 3_600e9, peers, ranked)


def _group_of(span: Span) -> _Group:
    return span.origin.service, span.name, span.kind


def percentile_of(value: int, percentiles: Sequence[int]) -> int:
    """Return the percentile of a value, given the percentiles 0 to 100 of all values.

    Among equal values it is the one in the middle: a span that takes as long as all others is not
    slow.
    """
    lowest = bisect_left(percentiles, value)
    highest = bisect_right(percentiles, value) - 1
    return max(0, min(100, (lowest + highest) // 2))
