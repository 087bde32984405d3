"""SQL of calculations on the series of metrics: rates, increases, last values, percentiles.

A series is what one process reports for one set of attributes. Each calculation is made for each
series first and then combined, because totals of different processes cannot be subtracted from each
other.

- Increase of a cumulative value: the difference from the previous point of its series. After a
  reset, it is the value itself. A reset is a lower value (as in Prometheus' `rate`), or a start
  time after the previous point ("Resets and gaps" in the data model of OpenTelemetry). The first
  point of a series counts if its start time is known and in the range. A delta is an increase.
- An increase is spread evenly over the time in which it happened, so that buckets of any width have
  their share of it. A rate is the increase divided by the time for which there are points.
- Percentiles are those of the increases of the buckets of histograms, as in `histogram_quantile` of
  Prometheus: linear within a bucket with explicit bounds, geometric within one of an exponential
  histogram; a first bucket begins at 0, and in the last one the result is its lower bound.
  Exponential histograms are reduced to their common scale first, which is exact. Buckets with
  different bounds are cut where others begin.
- The last value of a series is valid until the next one, for LOOKBACK at most. Those of sums are
  added, and those of gauges averaged.
"""

from collections.abc import Callable

from msgspec import Struct

from traceview.query.model import PERCENTILES, Calculation

LOOKBACK_NS = 300_000_000_000
"""How old the previous point of a series may be, as in Prometheus."""

EPSILON = 1e-6
"""Differences of counts below this are rounding errors."""


class Source(Struct, frozen=True, kw_only=True):
    """What a calculation is made from. All texts are SQL."""

    table: str
    where: str
    """Includes points before and after the range, LOOKBACK_NS each."""
    keys: tuple[str, ...]
    since: str
    until: str
    step: str
    """Width of the time buckets in nanoseconds; empty without buckets."""
    parameter: Callable[[float], str]


def results(source: Source, calculations: tuple[Calculation, ...]) -> str:
    """Return WITH clauses that define `results`: bucket, keys k0 …, values c0 …."""
    needs_buckets = bool(_percentiles(calculations))
    clauses = [
        _points(source, with_buckets=needs_buckets),
        _steps(source, with_buckets=needs_buckets),
        _spread(source),
        _numbers(source),
    ]
    parts: list[tuple[str, tuple[str, ...]]] = [("numbers", ("value", "count", "total"))]
    if needs_buckets:
        shares = [PERCENTILES[one.function] for one in _percentiles(calculations)]
        clauses += [*_parts(source), _quantiles(source, shares)]
        parts.append(("quantiles", tuple(f"q{place}" for place in range(len(shares)))))
    if any(one.function == "last" for one in calculations):
        clauses.append(_last(source))
        parts.append(("latest", ("last",)))
    values = ", ".join(
        f"{_value(source, one, calculations)} AS c{place}" for place, one in enumerate(calculations)
    )
    united = " UNION ALL BY NAME ".join(
        f"SELECT bucket{_comma(source)}, {', '.join(columns)} FROM {name}"
        for name, columns in parts
    )
    filled = ", ".join(f"max({name}) AS {name}" for _, columns in parts for name in columns)
    clauses.append(
        f"united AS (SELECT bucket{_comma(source)}, {filled} FROM ({united}) GROUP BY ALL)"
    )
    columns = ", ".join(f"c{place}" for place in range(len(calculations)))
    clauses.append(
        f"results AS (SELECT * FROM (SELECT bucket{_comma(source)}, {values} "
        f"FROM united, extent) WHERE coalesce({columns}) IS NOT NULL)"
    )
    return f"WITH {', '.join(clauses)}"


def heat_map(source: Source) -> str:
    """Return WITH clauses that define `bands`: bucket, lower, upper, n."""
    clauses = [
        _points(source, with_buckets=True),
        _steps(source, with_buckets=True),
        _spread(source),
        *_parts(source),
        "bands AS (SELECT bucket, lower, upper, n FROM pieces)",
    ]
    return f"WITH {', '.join(clauses)}"


def _value(source: Source, one: Calculation, calculations: tuple[Calculation, ...]) -> str:
    column = {"value": "value", "count": "count", "sum": "total"}.get(one.key, "")
    match one.function:
        case "rate":
            return f"{column} / nullif({_seconds(source)}, 0)"
        case "increase":
            return column
        case "last":
            return "last"
        case "avg":
            return f"CASE WHEN count > {EPSILON} THEN total / count END"
        case _:
            return f"q{_percentiles(calculations).index(one)}"


def _percentiles(calculations: tuple[Calculation, ...]) -> list[Calculation]:
    return [one for one in calculations if one.function in PERCENTILES]


def _seconds(source: Source) -> str:
    """Return the length of a bucket as far as there are points."""
    if not source.step:
        return "((newest_ns - oldest_ns) / 1e9)"
    end = f"least(bucket + {source.step}, newest_ns)"
    return f"(({end} - greatest(bucket, oldest_ns)) / 1e9)"


_BUCKETS = (
    "struct_pack(counts := t.counts, bounds := t.bounds, scale := t.scale, "
    "counts_from := t.counts_from, zero_count := t.zero_count, "
    "zero_threshold := t.zero_threshold, negative_counts := t.negative_counts, "
    "negative_from := t.negative_from)"
)


def _points(source: Source, *, with_buckets: bool) -> str:
    keys = "".join(f"{sql} AS k{place}, " for place, sql in enumerate(source.keys))
    buckets = f", {_BUCKETS} AS h" if with_buckets else ""
    return (
        f"points AS (SELECT {keys}t.series, t.time_ns, coalesce(t.start_ns, 0) AS start_ns, "
        f"t.kind, t.temporality = 'delta' AS is_delta, "
        f"CASE WHEN t.is_monotonic THEN t.value END AS value, t.value AS any_value, "
        f"t.count, t.sum AS total{buckets} FROM {source.table} WHERE {source.where})"
    )


def _steps(source: Source, *, with_buckets: bool) -> str:
    """Return the points with their predecessors, and from when on each has its increase."""
    names = ("time_ns", "start_ns", "value", "count", "total", *(("h",) if with_buckets else ()))
    before = ", ".join(f"lag({name}) OVER w AS {name}_0" for name in names)
    pairs = f"SELECT *, {before} FROM points WINDOW w AS (PARTITION BY series ORDER BY time_ns)"
    # A retried export can store a point twice.
    unique = f"SELECT * FROM ({pairs}) WHERE time_ns_0 IS DISTINCT FROM time_ns"
    continuing = (
        "NOT is_delta AND time_ns_0 IS NOT NULL "
        "AND NOT coalesce(coalesce(count, value) < coalesce(count_0, value_0), false) "
        "AND NOT (start_ns >= time_ns_0 AND start_ns > start_ns_0)"
    )
    known = "start_ns > 0 AND start_ns < time_ns"
    first = f"start_ns >= {source.since} - {LOOKBACK_NS}"
    begin = (
        f"CASE WHEN continues THEN time_ns_0 "
        f"WHEN is_delta THEN CASE WHEN {known} THEN start_ns "
        f"ELSE coalesce(time_ns_0, time_ns - 1) END "
        f"WHEN time_ns_0 IS NULL THEN CASE WHEN {known} AND {first} THEN start_ns END "
        f"WHEN {known} THEN greatest(start_ns, time_ns_0) ELSE time_ns_0 END"
    )
    return (
        f"steps AS (SELECT *, {begin} AS begin_ns "
        f"FROM (SELECT *, {continuing} AS continues FROM ({unique})) WHERE kind != 'gauge'), "
        f"extent AS (SELECT greatest(min(begin_ns), {source.since}) AS oldest_ns, "
        f"least(max(time_ns), {source.until}) AS newest_ns FROM steps "
        f"WHERE begin_ns < {source.until} AND time_ns > {source.since})"
    )


def _spread(source: Source) -> str:
    """Return each increase once for each bucket that it is in, with its share of it."""
    since, until, step = source.since, source.until, source.step
    chosen = f"begin_ns < {until} AND time_ns > {since}"
    if step:
        first = f"(greatest(begin_ns, {since}) // {step}) * {step}"
        buckets = f"unnest(range({first}, least(time_ns, {until}), {step}))"
        start, end = (
            f"greatest(begin_ns, bucket, {since})",
            f"least(time_ns, bucket + {step}, {until})",
        )
    else:
        buckets = since
        start, end = f"greatest(begin_ns, {since})", f"least(time_ns, {until})"
    return (
        f"spread AS (SELECT *, ({end} - {start}) / (time_ns - begin_ns) AS share "
        f"FROM (SELECT *, {buckets} AS bucket FROM steps WHERE {chosen}))"
    )


def _numbers(source: Source) -> str:
    sums = ", ".join(
        f"sum(share * ({name} - CASE WHEN continues THEN {name}_0 ELSE 0 END)) AS {name}"
        for name in ("value", "count", "total")
    )
    return f"numbers AS (SELECT bucket{_comma(source)}, {sums} FROM spread GROUP BY ALL)"


def _parts(source: Source) -> list[str]:
    """Return clauses that define `pieces`: the increase of each bucket of the histograms."""
    keys = _comma(source)
    # An increase is linear in both points, so that their buckets need not be the same.
    signed = (
        f"signed AS (SELECT bucket{keys}, share AS weight, h FROM spread "
        f"UNION ALL SELECT bucket{keys}, -share, h_0 FROM spread WHERE continues)"
    )
    explicit = (
        f"SELECT bucket{keys}, false AS is_geometric, "
        f"CASE WHEN i > 1 THEN bounds[i - 1] WHEN bounds[1] > 0 THEN 0 ELSE bounds[1] END "
        f"AS lower, CASE WHEN i > len(bounds) THEN 'inf'::DOUBLE ELSE bounds[i] END AS upper, "
        f"weight * n AS n FROM (SELECT bucket{keys}, weight, h.bounds AS bounds, "
        f"unnest(h.counts) AS n, unnest(range(1, len(h.counts) + 1)) AS i "
        f"FROM signed WHERE h.bounds IS NOT NULL) WHERE n > 0"
    )
    zero = (
        f"SELECT bucket{keys}, false, CASE WHEN len(h.negative_counts) > 0 "
        f"THEN -h.zero_threshold ELSE 0 END, h.zero_threshold, weight * h.zero_count "
        f"FROM signed WHERE h.zero_count > 0"
    )
    sides = [
        f"SELECT bucket{keys}, true, {lower}, {upper}, weight * n FROM ("
        f"SELECT bucket{keys}, weight, n, pow(2, -common) AS width, "
        f"floor(i / pow(2, h.scale - common)) AS place FROM ("
        f"SELECT bucket{keys}, weight, h, unnest(h.{counts}) AS n, "
        f"unnest(range(len(h.{counts}))) + h.{offset} AS i FROM signed "
        f"WHERE h.scale IS NOT NULL), common_scale) WHERE n > 0"
        for counts, offset, lower, upper in (
            ("counts", "counts_from", "pow(2, place * width)", "pow(2, (place + 1) * width)"),
            (
                "negative_counts",
                "negative_from",
                "-pow(2, (place + 1) * width)",
                "-pow(2, place * width)",
            ),
        )
    ]
    together = (
        f"SELECT bucket{keys}, is_geometric, lower, upper, sum(n) AS n FROM "
        f"({' UNION ALL '.join([explicit, zero, *sides])}) GROUP BY ALL HAVING sum(n) > {EPSILON}"
    )
    edges = (
        "edges AS (SELECT coalesce(list_sort(list(DISTINCT edge)), []) AS list FROM ("
        "SELECT unnest([lower, upper]) AS edge FROM parts WHERE NOT is_geometric) "
        "WHERE isfinite(edge))"
    )
    cuts = (
        f"SELECT bucket{keys}, is_geometric, lower AS first, upper AS last, n, "
        f"CASE WHEN is_geometric OR NOT lower < upper OR NOT isfinite(upper) "
        f"THEN [lower, upper] ELSE list_concat([lower], list_filter(list, "
        f"lambda e: e > lower AND e < upper), [upper]) END AS cuts FROM parts, edges"
    )
    pieces = (
        f"SELECT bucket{keys}, is_geometric, cuts[i] AS lower, cuts[i + 1] AS upper, "
        f"CASE WHEN len(cuts) > 2 THEN n * (cuts[i + 1] - cuts[i]) / (last - first) ELSE n END "
        f"AS n FROM (SELECT *, unnest(range(1, len(cuts))) AS i FROM ({cuts}))"
    )
    merged = (
        f"pieces AS (SELECT bucket{keys}, is_geometric, lower, upper, sum(n) AS n "
        f"FROM ({pieces}) GROUP BY ALL)"
    )
    return [
        signed,
        "common_scale AS (SELECT min(h.scale) AS common FROM points)",
        f"parts AS ({together})",
        edges,
        merged,
    ]


def _quantiles(source: Source, shares: list[float]) -> str:
    group = f"bucket{_comma(source)}"
    ranked = (
        f"SELECT *, sum(n) OVER (PARTITION BY {group} ORDER BY upper, lower "
        f"ROWS UNBOUNDED PRECEDING) AS upto, sum(n) OVER (PARTITION BY {group}) AS everything "
        f"FROM pieces"
    )
    values = []
    for place, share in enumerate(shares):
        rank = f"{source.parameter(share)} * everything"
        fraction = f"greatest(0, least(1, ({rank} - (upto - n)) / n))"
        value = (
            f"CASE WHEN isinf(upper) THEN lower WHEN is_geometric "
            f"THEN lower * pow(upper / lower, {fraction}) "
            f"ELSE lower + (upper - lower) * {fraction} END"
        )
        values.append(
            f"arg_min({value}, upto) FILTER (WHERE upto >= {rank} * (1 - 1e-9)) AS q{place}"
        )
    return f"quantiles AS (SELECT {group}, {', '.join(values)} FROM ({ranked}) GROUP BY ALL)"


def _last(source: Source) -> str:
    since, until, step = source.since, source.until, source.step
    valid = f"least(coalesce(next_ns, {until}), time_ns + {LOOKBACK_NS}, {until})"
    pairs = (
        "SELECT *, lead(time_ns) OVER (PARTITION BY series ORDER BY time_ns) AS next_ns "
        "FROM points WHERE any_value IS NOT NULL"
    )
    if step:
        first = f"(greatest(time_ns, {since}) // {step}) * {step}"
        buckets = f"unnest(range({first}, {valid}, {step}))"
        chosen = f"time_ns < {until}"
    else:
        buckets = since
        end = f"(SELECT max(time_ns) FROM points WHERE time_ns < {until})"
        chosen = f"time_ns < {until} AND time_ns > {end} - {LOOKBACK_NS}"
    by_series = (
        f"SELECT bucket{_comma(source)}, series, kind, arg_max(any_value, time_ns) AS last "
        f"FROM (SELECT *, {buckets} AS bucket FROM ({pairs}) WHERE {chosen}) GROUP BY ALL"
    )
    return (
        f"latest AS (SELECT bucket{_comma(source)}, "
        f"CASE WHEN bool_or(kind = 'gauge') THEN avg(last) ELSE sum(last) END AS last "
        f"FROM ({by_series}) GROUP BY ALL)"
    )


def _comma(source: Source) -> str:
    return "".join(f", k{place}" for place in range(len(source.keys)))
