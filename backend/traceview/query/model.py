"""The query model, shared by the page, the JSON API and the command line.

A query has a text form (traceview.query.parser, traceview.query.printer) and a translation to SQL
(traceview.query.sql). Keys are stored as written; traceview.query.fields resolves them.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

Dataset: TypeAlias = Literal["spans", "roots", "logs", "metrics", "exemplars"]
Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "contains", "in", "exists"]

DATASETS: tuple[Dataset, ...] = ("spans", "roots", "logs", "metrics", "exemplars")
MEASURED: frozenset[Dataset] = frozenset({"metrics", "exemplars"})
"""The datasets that have no background work and no errors."""

PERCENTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
WITHOUT_KEY = ("count", "rate", "errors")
OF_SERIES = ("rate", "increase", "last")
"""Calculations of the series of a metric; `rate` without a key is that of rows."""

WITH_KEY = (
    *("sum", "avg", "min", "max", *PERCENTILES, "count_distinct", "heatmap"),
    *("increase", "last"),
)
FUNCTIONS = (*WITHOUT_KEY, *WITH_KEY)

HISTOGRAM = "histogram"
"""The key that stands for the measurements of a histogram."""

MAX_KEYS = 3
MAX_CALCULATIONS = 10
MAX_LIMIT = 10_000
MAX_CHOICES = 200
"""Maximum number of values of `in`."""

MAX_DEPTH = 40
"""Maximum nesting of a condition."""


class QueryError(Exception):
    """The query is invalid.

    `position` is the offset of the mistake in the text; None if the query was not parsed.
    """

    def __init__(self, message: str, position: int | None = None) -> None:
        """Take the reason, and the position in the text."""
        super().__init__(message)
        self.position = position


class Duration(Struct, frozen=True, tag="duration"):
    """A length of time, such as `200ms`."""

    ns: int


class Instant(Struct, frozen=True, tag="instant"):
    """A point in time, in nanoseconds since 1970."""

    ns: int


Value: TypeAlias = str | bool | int | float | Duration | Instant
Time: TypeAlias = Duration | Instant
"""A time of the range: absolute, or so long ago."""


class Comparison(Struct, frozen=True, tag="comparison"):
    """A condition on one key. `in` has several values, `exists` has none, the others have one."""

    key: str
    operator: Operator
    values: tuple[Value, ...] = ()


class Not(Struct, frozen=True, tag="not"):
    """The opposite of a condition."""

    condition: "Condition"


class AllOf(Struct, frozen=True, tag="and"):
    """Two or more conditions that must all be true."""

    conditions: tuple["Condition", ...]


class AnyOf(Struct, frozen=True, tag="or"):
    """Two or more conditions; at least one must be true."""

    conditions: tuple["Condition", ...]


Condition: TypeAlias = Comparison | Not | AllOf | AnyOf


class Calculation(Struct, frozen=True, tag="calculation"):
    """A value that is computed for each group, such as `p95(duration)`."""

    function: str
    key: str = ""


class Order(Struct, frozen=True):
    """A term of ORDER BY: a calculation, or the name of a key."""

    term: Calculation | str
    descending: bool = True


class Query(Struct, frozen=True, kw_only=True):
    """A query. Without calculations and keys it lists the newest rows."""

    dataset: Dataset = "spans"
    where: Condition | None = None
    calculations: tuple[Calculation, ...] = ()
    by: tuple[str, ...] = ()
    every: Duration | None = None
    """Width of the time buckets of a series; None: one value for the whole range."""
    order: tuple[Order, ...] = ()
    limit: int | None = None
    since: Time | None = None
    until: Time | None = None
    background: bool = False
    """Whether background work, such as sweeps and polls, is included."""
