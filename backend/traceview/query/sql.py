"""Translate a query to SQL.

The text of a statement consists of constants of this module and of traceview.query.fields.
Everything that a query contains is a parameter.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from traceview.query import series
from traceview.query.checks import check_query, is_of_series
from traceview.query.fields import FIELDS, RESOURCE, TABLES, Attribute, Field, resolve
from traceview.query.model import (
    MEASURED,
    PERCENTILES,
    AllOf,
    AnyOf,
    Calculation,
    Comparison,
    Condition,
    Dataset,
    Duration,
    Instant,
    Not,
    Order,
    Query,
    QueryError,
    Time,
    Value,
)
from traceview.query.printer import print_calculation, print_key
from traceview.query.traces import MARGIN_NS, join_part

DEFAULT_RANGE = Duration(3_600_000_000_000)
"""The range of a query without `since`: the last hour."""

DEFAULT_LIMIT = 100
MAX_BUCKETS = 2_000
"""Maximum number of time buckets of a series."""

MAX_CELLS = 50_000
"""Maximum number of rows of a series, and of cells of a heat map."""

SAMPLED_ROWS = 20_000
"""How many of the newest rows are searched for keys and values that completion offers."""

MAX_NAMES = 500
"""Maximum number of attributes, and of values, that are returned."""

HEAT_MAP_COLUMNS = 60
BANDS_PER_DOUBLING = 4
"""Resolution of a heat map: a value is at most 19 % above the lower edge of its band."""

NICE_STEPS_S = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600),
    *(900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400),
)

ColumnType: TypeAlias = Literal["text", "number", "boolean", "time"]
Parameters: TypeAlias = dict[str, str | bool | int | float]


class Column(Struct, frozen=True):
    """A column of a result; `unit` is a UCUM unit, or empty."""

    name: str
    type: ColumnType
    unit: str = ""
    key: str = ""
    """The key as a query writes it; empty for a calculation."""


class Span(Struct, frozen=True):
    """The time range of a query, in nanoseconds since 1970; the end is exclusive."""

    since_ns: int
    until_ns: int

    @property
    def seconds(self) -> float:
        """The length of the range."""
        return (self.until_ns - self.since_ns) / 1e9


class Lines(Struct, frozen=True, kw_only=True):
    """A place in the log lines, by time and number, and how many of them are wanted.

    Those before a place are the next older ones, those after it the next newer ones. Those behind
    `tail` arrived after the line with that number. Without a place, they are the newest.
    """

    limit: int
    before: tuple[int, int] | None = None
    after: tuple[int, int] | None = None
    tail: int | None = None


class Statement(Struct, frozen=True):
    """A statement that can be executed, and the columns of its result."""

    sql: str
    parameters: Parameters
    columns: tuple[Column, ...]
    step_ns: int = 0
    """The width of a time bucket; 0 without buckets."""


LISTED: dict[Dataset, tuple[str, ...]] = {
    "spans": (
        *("time", "duration", "status", "name", "service", "status_code", "user"),
        *("trace_id", "span_id"),
    ),
    "roots": (
        *("time", "duration", "status", "name", "service", "status_code", "user"),
        *("trace_id", "span_id"),
    ),
    "logs": ("time", "severity", "body", "service", "logger", "trace_id", "span_id"),
    "metrics": ("time", "name", "value", "count", "sum", "unit", "service"),
    "exemplars": ("time", "name", "value", "unit", "service", "trace_id", "span_id"),
}
"""The columns of a query without calculations."""


def range_of(query: Query, now_ns: int) -> Span:
    """Return the time range of a query.

    Raises:
        QueryError: it is empty.
    """
    return time_range(query.since, query.until, now_ns)


def time_range(
    since: Time | None, until: Time | None, now_ns: int, default: Duration | Instant = DEFAULT_RANGE
) -> Span:
    """Return the time range between two times; without the second, it ends now.

    Raises:
        QueryError: it is empty.
    """
    end_ns = now_ns + 1 if until is None else _moment(until, now_ns)
    since_ns = _moment(since or default, now_ns)
    if since_ns >= end_ns:
        raise QueryError("the time range is empty: `since` is not before `until`")
    return Span(since_ns, end_ns)


def _moment(time: Time, now_ns: int) -> int:
    return time.ns if isinstance(time, Instant) else max(0, now_ns - time.ns)


def compile_query(query: Query, span: Span) -> Statement:
    """Return the statement of a query.

    Raises:
        QueryError: the query does not fit its dataset.
    """
    check_query(query)
    return _Compiler(query, span).statement()


def compile_hidden(query: Query, span: Span) -> Statement:
    """Return the statement that counts the rows that a query leaves out as background work."""
    check_query(query)
    return _Compiler(query, span).hidden()


def compile_row_ids(query: Query, span: Span) -> Statement:
    """Return the statement that selects the ids of the rows that a query lists.

    Raises:
        QueryError: the query does not list spans or log lines.
    """
    check_query(query)
    if query.calculations or query.dataset == "metrics":
        raise QueryError("OTLP has spans and log lines: use a query of them without calculations")
    return _Compiler(query, span).row_ids()


def compile_units(query: Query, span: Span) -> Statement:
    """Return the statement that selects two different units of the metrics of a query."""
    check_query(query)
    return _Compiler(query, span).units()


def compile_field_counts(dataset: Dataset) -> Statement:
    """Return the statement that counts the values of each field in the newest rows."""
    counts = ", ".join(f"count({field.sql})" for field in FIELDS[dataset].values())
    return Statement(
        f"SELECT {counts} FROM {_newest(dataset)}",
        {"newest": SAMPLED_ROWS},
        tuple(Column(name, "number", key=print_key(name)) for name in FIELDS[dataset]),
    )


def compile_attribute_counts(dataset: Dataset) -> Statement:
    """Return the statement that counts the values of each attribute in the newest rows."""
    own = f"SELECT unnest(json_keys(t.attributes::JSON)) AS name, 1 AS n FROM {_newest(dataset)}"
    resources = (
        f"SELECT $resource || unnest(json_keys(o.resource::JSON)) AS name, c.n FROM origins AS o "
        f"JOIN (SELECT t.origin, count(*) AS n FROM {_newest(dataset)} GROUP BY 1) AS c "
        f"ON c.origin = o.id"
    )
    return Statement(
        f"SELECT name, sum(n)::BIGINT FROM ({own} UNION ALL {resources}) GROUP BY 1 "
        f"ORDER BY 2 DESC, 1 LIMIT $most",
        {"newest": SAMPLED_ROWS, "resource": RESOURCE, "most": MAX_NAMES},
        (Column("name", "text"), Column("count", "number")),
    )


def compile_values(dataset: Dataset, key: str, part: str) -> Statement:
    """Return the statement that counts the values of a key in the newest rows.

    Args:
        dataset: the dataset of the key.
        key: the key.
        part: text that the values contain, ignoring case.

    Raises:
        QueryError: the key cannot be a name.
    """
    field = resolve(dataset, key)
    parameters: Parameters = {"newest": SAMPLED_ROWS, "part": part, "most": MAX_NAMES}
    table = f"{_newest(dataset)} LEFT JOIN origins AS o ON o.id = t.origin"
    if field.part:
        table += join_part(field.part, f"s.trace_id IN (SELECT trace_id FROM {_newest(dataset)})")
    if isinstance(field, Field):
        compared, shown = field.sql, field.shown % "v"
    else:
        parameters["name"] = field.name
        compared, shown = f"variant_extract({field.source}, $name)::VARCHAR", "v"
    return Statement(
        f"SELECT {shown}, n FROM (SELECT {compared} AS v, count(*) AS n "
        f"FROM {table} GROUP BY 1) "
        f"WHERE v IS NOT NULL AND contains(lower(({shown})::VARCHAR), lower($part)) "
        f"ORDER BY n DESC, 1 LIMIT $most",
        parameters,
        (Column(key, "text", "", print_key(key)), Column("count", "number")),
    )


def _newest(dataset: Dataset) -> str:
    """Return the newest rows of a dataset, as far as completion looks."""
    table = TABLES[dataset]
    roots = " AND is_root" if dataset == "roots" else ""
    # Rows are appended, so those that arrived last have the highest numbers.
    return (
        f"(SELECT * FROM {table} WHERE rowid > (SELECT max(rowid) FROM {table}) - $newest"
        f"{roots}) AS t"
    )


def compile_sides(
    query: Query, span: Span, selection: Condition | tuple[Span, Span], size: int
) -> Statement:
    """Return the statement that counts the selected rows and the other rows, and samples both.

    Its rows have the side (true for the selection), the number of rows, and the ids of up to `size`
    of them, which are the same each time.

    Args:
        query: its calculations and groups have no effect.
        span: the time range.
        selection: a condition; or two time ranges, of the selection and of the other rows.
        size: the largest number of ids of each side.

    Raises:
        QueryError: the query or the condition does not fit the dataset.
    """
    check_query(query)
    if not isinstance(selection, tuple):
        check_query(Query(dataset=query.dataset, where=selection))
    return _Compiler(query, span).sides(selection, size)


def compile_lines(query: Query, span: Span, place: Lines) -> Statement:
    """Return the statement that selects the numbers of log lines, those next to the place first."""
    check_query(query)
    return _Compiler(query, span).lines(place)


class _Compiler:
    def __init__(self, query: Query, span: Span) -> None:
        self._query = query
        self._span = span
        self._parameters: Parameters = {}
        self._names: dict[tuple[type, str | bool | int | float], str] = {}
        self._needs_origins = False
        self._parts: set[str] = set()

    # --- statements ------------------------------------------------------------------------------

    def statement(self) -> Statement:
        query = self._query
        if not query.calculations:
            return self._rows()
        if query.calculations[0].function == "heatmap":
            return self._heat_map(query.calculations[0].key)
        if is_of_series(query.dataset, query.calculations[0]):
            return self._series()
        return self._groups()

    def hidden(self) -> Statement:
        where = self._where(background="only")
        return self._finish(
            f"SELECT count(*) FROM {self._table()} WHERE {where}",
            (Column("count", "number"),),
        )

    def units(self) -> Statement:
        where = self._where()
        return self._finish(
            f"SELECT DISTINCT t.unit FROM {self._table()} WHERE {where} LIMIT 2",
            (Column("unit", "text"),),
        )

    def sides(self, selection: Condition | tuple[Span, Span], size: int) -> Statement:
        where = self._where()
        if isinstance(selection, tuple):
            ranges = [self._within(one) for one in selection]
            side, where = ranges[0], f"{where} AND ({' OR '.join(ranges)})"
        else:
            side = self._condition(selection)
        return self._finish(
            f"SELECT side, count(*), min_by(id, hash(id), {self._parameter(size)}) "
            f"FROM (SELECT t.rowid AS id, {side} AS side FROM {self._table()} WHERE {where}) "
            "GROUP BY side",
            (),
        )

    def _within(self, span: Span) -> str:
        since, until = self._parameter(span.since_ns), self._parameter(span.until_ns)
        return f"(t.time_ns >= {since} AND t.time_ns < {until})"

    def lines(self, place: Lines) -> Statement:
        where = self._where()
        order = "t.time_ns DESC, t.id DESC"
        if place.tail is not None:
            where += f" AND t.id > {self._parameter(place.tail)}"
            order = "t.id"
        elif place.after is not None:
            where += f" AND {self._beyond('>', *place.after)}"
            order = "t.time_ns, t.id"
        elif place.before is not None:
            where += f" AND {self._beyond('<', *place.before)}"
        return self._finish(
            f"SELECT t.id FROM {self._table()} WHERE {where} "
            f"ORDER BY {order} LIMIT {self._parameter(place.limit)}",
            (Column("id", "number"),),
        )

    def _beyond(self, operator: Literal["<", ">"], time_ns: int, number: int) -> str:
        time, last = self._parameter(time_ns), self._parameter(number)
        return f"(t.time_ns {operator} {time} OR (t.time_ns = {time} AND t.id {operator} {last}))"

    def _rows(self) -> Statement:
        query = self._query
        keys = list(LISTED[query.dataset])
        keys += [
            order.term
            for order in query.order
            if isinstance(order.term, str) and order.term not in keys
        ]
        shown = [self._shown(key, self._comparable(key)) for key in keys]
        where = self._where()
        return self._finish(
            f"SELECT {', '.join(shown)} FROM {self._table()} WHERE {where} "
            f"ORDER BY {self._row_order()} LIMIT {self._limit(1)}",
            tuple(self._column(key) for key in keys),
        )

    def row_ids(self) -> Statement:
        where, order = self._where(), self._row_order()
        return self._finish(
            f"SELECT t.rowid FROM {self._table()} WHERE {where} ORDER BY {order} "
            f"LIMIT {self._limit(0)}",
            (Column("rowid", "number"),),
        )

    def _row_order(self) -> str:
        terms = [
            self._ordered(str(one.term), self._comparable(str(one.term)), one)
            for one in self._query.order
        ]
        return ", ".join([*terms, "t.time_ns DESC"])

    def _groups(self) -> Statement:
        query = self._query
        step = query.every.ns if query.every else 0
        seconds = step / 1e9 if step else self._span.seconds
        keys = [self._comparable(key) for key in query.by]
        values = [self._calculation(one, seconds) for one in query.calculations]
        order = ", ".join(map(self._order, query.order)) or _first(len(keys))
        numbered = [f"{sql} AS k{place}" for place, sql in enumerate(keys)]
        numbered += [f"{sql} AS c{place}" for place, sql in enumerate(values)]
        where = self._where()
        table = self._table()
        columns = [self._column(key) for key in query.by]
        columns += [self._calculated(one) for one in query.calculations]
        grouped = f"GROUP BY {', '.join(f'k{place}' for place in range(len(keys)))}" if keys else ""
        groups = f"SELECT {', '.join(numbered)} FROM {table} WHERE {where} {grouped}"
        # Ids and the like become text last, because there can be many more groups than rows.
        shown = [self._shown(key, f"k{place}") for place, key in enumerate(query.by)]
        shown += [f"c{place}" for place in range(len(values))]
        if not step:
            first = f"SELECT * FROM ({groups}) ORDER BY {order} LIMIT {self._limit(1)}"
            sql = f"SELECT {', '.join(shown)} FROM ({first}) ORDER BY {order}"
            return self._finish(sql, tuple(columns))
        self._check_buckets(step)
        # The limit is one of groups: each of the first groups has all its buckets.
        series = (
            f"SELECT {self._bucket(step)} AS bucket, {', '.join(numbered)} FROM {table} "
            f"WHERE {where} GROUP BY {', '.join(['bucket', *_places(len(keys))])}"
        )
        sql = f"SELECT bucket::VARCHAR, {', '.join(shown)} FROM ({series}) AS s"
        if keys:
            sql += f" SEMI JOIN ({groups} ORDER BY {order} LIMIT {self._limit(0)}) AS g ON "
            sql += _same(len(keys))
        by = ", ".join(["s.bucket", *(f"s.k{n}" for n in range(len(keys)))])
        return self._finish(
            f"{sql} ORDER BY {by} LIMIT {self._parameter(MAX_CELLS + 1)}",
            (Column("time", "time"), *columns),
            step,
        )

    def _series(self) -> Statement:
        """Return the statement of calculations on the series of metrics."""
        query = self._query
        step = query.every.ns if query.every else 0
        source = self._source(step)
        keys = len(query.by)
        order = ", ".join(map(self._order, query.order)) or _first(keys)
        shown = [self._shown(key, f"s.k{place}") for place, key in enumerate(query.by)]
        shown += [f"s.c{place}" for place in range(len(query.calculations))]
        columns = [self._column(key) for key in query.by]
        columns += [self._calculated(one) for one in query.calculations]
        sql = series.results(source, query.calculations)
        if not step:
            first = f"(SELECT * FROM results ORDER BY {order} LIMIT {self._limit(1)})"
            sql += f" SELECT {', '.join(shown)} FROM {first} AS s ORDER BY {order}"
            return self._finish(sql, tuple(columns))
        self._check_buckets(step)
        sql += f" SELECT s.bucket::VARCHAR, {', '.join(shown)} FROM results AS s"
        if keys:
            totals = ", ".join(
                f"{'sum' if one.function in _ADDED else 'avg'}(c{place}) AS c{place}"
                for place, one in enumerate(query.calculations)
            )
            by = ", ".join(_places(keys))
            groups = f"SELECT {by}, {totals} FROM results GROUP BY {by}"
            sql += f" SEMI JOIN ({groups} ORDER BY {order} LIMIT {self._limit(0)}) AS g ON "
            sql += _same(keys)
        sql += f" ORDER BY {', '.join(['s.bucket', *(f's.{one}' for one in _places(keys))])}"
        return self._finish(
            f"{sql} LIMIT {self._parameter(MAX_CELLS + 1)}",
            (Column("time", "time"), *columns),
            step,
        )

    def _source(self, step: int) -> series.Source:
        keys = tuple(self._comparable(key) for key in self._query.by)
        since, until = self._span.since_ns, self._span.until_ns
        wide = Span(since - series.LOOKBACK_NS, until + series.LOOKBACK_NS)
        where = self._where(span=wide)
        return series.Source(
            table=self._table(),
            where=where,
            keys=keys,
            since=self._parameter(since),
            until=self._parameter(until),
            step=self._parameter(step) if step else "",
            parameter=self._parameter,
        )

    def _heat_map(self, key: str) -> Statement:
        query = self._query
        step = query.every.ns if query.every else _nice_step(self._span)
        self._check_buckets(step)
        if is_of_series(query.dataset, query.calculations[0]):
            sql = series.heat_map(self._source(step))
            sql += (
                " SELECT bucket::VARCHAR, lower, CASE WHEN isinf(upper) THEN 2 * lower "
                "ELSE upper END, n FROM bands WHERE lower IS NOT NULL "
                f"ORDER BY bucket, lower LIMIT {self._parameter(MAX_CELLS + 1)}"
            )
            return self._finish(sql, self._cells(key), step)
        value = self._number(key)
        where = self._where()
        bands = self._parameter(BANDS_PER_DOUBLING)
        sql = (
            f"SELECT bucket::VARCHAR, "
            f"coalesce(pow(2, band / {bands}), 0), coalesce(pow(2, (band + 1) / {bands}), 0), n "
            f"FROM (SELECT bucket, CASE WHEN v > 0 THEN floor(log2(v) * {bands}) END AS band, "
            f"count(*) AS n FROM (SELECT {self._bucket(step)} AS bucket, {value} AS v "
            f"FROM {self._table()} WHERE {where}) WHERE v IS NOT NULL GROUP BY 1, 2) "
            f"ORDER BY 1, 2 LIMIT {self._parameter(MAX_CELLS + 1)}"
        )
        return self._finish(sql, self._cells(key), step)

    def _cells(self, key: str) -> tuple[Column, ...]:
        unit = self._unit(key)
        return (
            Column("time", "time"),
            Column("from", "number", unit, print_key(key)),
            Column("to", "number", unit, print_key(key)),
            Column("count", "number"),
        )

    def _finish(self, sql: str, columns: tuple[Column, ...], step_ns: int = 0) -> Statement:
        return Statement(sql, self._parameters, columns, step_ns)

    def _table(self) -> str:
        joined = " LEFT JOIN origins AS o ON o.id = t.origin" if self._needs_origins else ""
        if self._parts:
            since = self._parameter(max(0, self._span.since_ns - MARGIN_NS))
            until = self._parameter(self._span.until_ns + MARGIN_NS)
            among = f"s.time_ns >= {since} AND s.time_ns < {until}"
            joined += "".join(join_part(part, among) for part in sorted(self._parts))
        return f"{TABLES[self._query.dataset]} AS t{joined}"

    def _check_buckets(self, step_ns: int) -> None:
        if (self._span.until_ns - self._span.since_ns) // step_ns > MAX_BUCKETS:
            raise QueryError(f"more than {MAX_BUCKETS} time buckets; use a larger `every`")

    def _bucket(self, step_ns: int) -> str:
        step = self._parameter(step_ns)
        return f"(t.time_ns // {step}) * {step}"

    def _limit(self, more: int) -> str:
        return self._parameter((self._query.limit or DEFAULT_LIMIT) + more)

    # --- conditions ------------------------------------------------------------------------------

    def _where(
        self, background: Literal["as asked", "only"] = "as asked", span: Span | None = None
    ) -> str:
        query = self._query
        parts = [self._within(span or self._span)]
        if query.dataset == "roots":
            parts.append("t.is_root")
        if query.dataset not in MEASURED:
            traces = "(SELECT b.trace_id FROM spans AS b WHERE b.is_background)"
            if background == "only":
                parts.append(f"t.trace_id IN {traces}")
            elif not query.background:
                parts.append(f"(t.trace_id IS NULL OR t.trace_id NOT IN {traces})")
        if query.where is not None:
            parts.append(self._condition(query.where))
        return " AND ".join(parts)

    def _condition(self, condition: Condition) -> str:
        match condition:
            case AllOf(conditions):
                return f"({' AND '.join(map(self._condition, conditions))})"
            case AnyOf(conditions):
                return f"({' OR '.join(map(self._condition, conditions))})"
            case Not(inner):
                return f"(NOT {self._condition(inner)})"
            case Comparison(key, "exists"):
                return f"({self._comparable(key)} IS NOT NULL)"
            case Comparison(key, "in", values):
                return f"({' OR '.join(self._test(key, '=', value) for value in values)})"
            case Comparison(key, "!=", (value,)):
                return f"(NOT {self._test(key, '=', value)})"
            case Comparison(key, operator, (value,)):
                return self._test(key, operator, value)
            case _:
                raise QueryError("a comparison has one value")

    def _test(self, key: str, operator: str, value: Value) -> str:
        """Return a condition that is false, not null, if the key is missing."""
        left, right = self._sides(resolve(self._query.dataset, key), value)
        if operator == "contains":
            return f"coalesce(contains(lower({left}), lower({right})), false)"
        return f"coalesce({left} {OPERATORS[operator]} {right}, false)"

    def _sides(self, field: Field | Attribute, value: Value) -> tuple[str, str]:
        left = self._sql(field)
        if isinstance(field, Field):
            match field.kind:
                case "trace id":
                    return left, f"{self._parameter(str(value))}::UUID"
                case "span id":
                    return left, f"{self._parameter(int(str(value), 16))}::UBIGINT"
                case "word":
                    return left, self._parameter(str(value).upper())
                case "number" | "boolean" | "duration" | "time":
                    return left, self._parameter(_plain(value))
        if isinstance(value, bool):
            return left, self._parameter("true" if value else "false")
        if isinstance(value, str):
            return left, self._parameter(value)
        if isinstance(value, Duration):
            per_unit = 1e9 if isinstance(field, Attribute) and field.unit == "s" else 1e6
            return f"try_cast({left} AS DOUBLE)", self._parameter(value.ns / per_unit)
        return f"try_cast({left} AS DOUBLE)", self._parameter(float(_plain(value)))

    # --- expressions -----------------------------------------------------------------------------

    def _sql(self, field: Field | Attribute) -> str:
        if field.part:
            self._parts.add(field.part)
        if isinstance(field, Field):
            return field.sql
        self._needs_origins |= field.source == "o.resource"
        # The cast to text is also the fastest way to a number.
        return f"variant_extract({field.source}, {self._parameter(field.name)})::VARCHAR"

    def _comparable(self, key: str) -> str:
        return self._sql(resolve(self._query.dataset, key))

    def _shown(self, key: str, sql: str) -> str:
        field = resolve(self._query.dataset, key)
        return field.shown % sql if isinstance(field, Field) else sql

    def _number(self, key: str) -> str:
        field = resolve(self._query.dataset, key)
        if isinstance(field, Attribute):
            return f"try_cast({self._sql(field)} AS DOUBLE)"
        return field.shown % self._sql(field)

    def _calculation(self, calculation: Calculation, seconds: float) -> str:
        match calculation.function:
            case "count":
                return "count(*)"
            case "rate":
                return f"count(*) / {self._parameter(seconds)}"
            case "errors":
                return f"count(*) FILTER (WHERE {self._comparable('error')})"
            case "count_distinct":
                return f"count(DISTINCT {self._comparable(calculation.key)})"
            case "sum" | "avg" | "min" | "max":
                return f"{calculation.function}({self._number(calculation.key)})"
            case _:
                # One aggregate for all percentiles of a key sorts the values once.
                wanted = [
                    PERCENTILES[one.function]
                    for one in self._query.calculations
                    if one.key == calculation.key and one.function in PERCENTILES
                ]
                place = 1 + wanted.index(PERCENTILES[calculation.function])
                shares = ", ".join(map(self._parameter, wanted))
                return f"quantile_cont({self._number(calculation.key)}, [{shares}])[{place}]"

    def _order(self, order: Order) -> str:
        query = self._query
        if isinstance(order.term, str):
            return self._ordered(order.term, f"k{query.by.index(order.term)}", order)
        return self._direction(f"c{query.calculations.index(order.term)}", order)

    def _ordered(self, key: str, sql: str, order: Order) -> str:
        if isinstance(resolve(self._query.dataset, key), Field):
            return self._direction(sql, order)
        # The values of an attribute are text; those that are numbers are in their own order.
        number = self._direction(f"try_cast({sql} AS DOUBLE)", order)
        return f"{number}, {self._direction(sql, order)}"

    @staticmethod
    def _direction(sql: str, order: Order) -> str:
        return f"{sql} DESC NULLS LAST" if order.descending else f"{sql} NULLS LAST"

    def _column(self, key: str) -> Column:
        field = resolve(self._query.dataset, key)
        if isinstance(field, Attribute):
            return Column(key, "text", field.unit, print_key(key))
        return Column(key, _TYPES.get(field.kind, "text"), field.unit, print_key(key))

    def _calculated(self, calculation: Calculation) -> Column:
        name = print_calculation(calculation)
        if calculation.function == "rate":
            return Column(name, "number", "/s")
        if not calculation.key or calculation.function == "count_distinct":
            return Column(name, "number")
        return Column(name, "number", self._unit(calculation.key))

    def _unit(self, key: str) -> str:
        return resolve(self._query.dataset, key).unit

    def _parameter(self, value: str | bool | int | float) -> str:
        known = (type(value), value)
        if known not in self._names:
            self._names[known] = f"p{len(self._names)}"
            self._parameters[self._names[known]] = value
        return f"${self._names[known]}"


OPERATORS = {"=": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

_TYPES: dict[str, ColumnType] = {
    "number": "number",
    "duration": "number",
    "boolean": "boolean",
    "time": "time",
}


def _plain(value: Value) -> bool | int | float:
    if isinstance(value, Duration | Instant):
        return value.ns
    if isinstance(value, str):
        raise QueryError("a number is needed")
    return value


_ADDED = frozenset({"rate", "increase"})
"""Calculations whose sum over time ranks groups; of others it is the average."""


def _same(keys: int) -> str:
    return " AND ".join(f"s.k{n} IS NOT DISTINCT FROM g.k{n}" for n in range(keys))


def _places(count: int) -> list[str]:
    return [f"k{place}" for place in range(count)]


def _first(keys: int) -> str:
    return ", ".join(["c0 DESC NULLS LAST", *_places(keys)])


def _nice_step(span: Span) -> int:
    wanted = round(span.seconds / HEAT_MAP_COLUMNS, 6)  # the end of a range is one ns later
    return round(1e9 * next((s for s in NICE_STEPS_S if s >= wanted), wanted))
