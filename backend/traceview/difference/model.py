"""The comparison that is asked for, and its result."""

from typing import Literal, TypeAlias

from msgspec import Struct

from traceview.query.model import Condition, Query, Time

TIMES = frozenset({"time", "root.time"})
"""The keys whose values are times."""

Cell: TypeAlias = str | bool | int | float | None


class Period(Struct, frozen=True):
    """A time range; the end is exclusive, and None is now."""

    since: Time
    until: Time | None = None


class Periods(Struct, frozen=True):
    """Two time ranges: the later rows are compared with the earlier ones."""

    before: Period
    after: Period


class Request(Struct, frozen=True):
    """The rows of a query, and which of them are selected."""

    query: Query
    selection: Condition | Periods


class Share(Struct, frozen=True, kw_only=True):
    """A value and its shares of both sides, from 0 to 1.

    `kind` is `value`, `missing` (rows without the key) or `other` (all values that are too rare to
    count on their own). `condition` selects the rows in a query; it is empty if no condition does.
    """

    kind: Literal["value", "missing", "other"]
    value: Cell = None
    selection: float
    rest: float
    condition: str


class Bin(Struct, frozen=True, kw_only=True):
    """A bin of a histogram, with its shares of both sides. Times are decimal strings."""

    lower: float | str | None
    upper: float | str | None
    selection: float
    rest: float
    condition: str


class KeyDifference(Struct, kw_only=True):
    """How a key differs between the selection and the rest.

    `score` ranks the keys, from 0 to 1: the divergence without the part that chance explains.
    """

    key: str
    unit: str
    score: float
    divergence: float
    """The Jensen-Shannon divergence in bits."""
    values: list[Share]
    """The values that differ most; only the rows without a value if there are bins."""
    bins: list[Bin]
    """The histogram, if the key is a quantity."""
    selection_median: float | str | None = None
    rest_median: float | str | None = None
    same_as: str = ""
    """The key with a higher rank that has the same information."""


class Difference(Struct, kw_only=True):
    """The keys by how much they differ."""

    query: str
    dataset: str
    selection: str
    """The condition or the two time ranges."""
    after: str
    before: str
    """The two time ranges without ages, as they were compared; empty for a condition."""
    since_ns: str
    until_ns: str
    selection_rows: int
    rest_rows: int
    selection_sampled: int
    rest_sampled: int
    margin: float
    """By how much a share can be off, with a probability of 95 %; 0 if all rows were read."""
    ranking: list[KeyDifference]
    same: list[KeyDifference]
    """Keys that have the same information as one in the ranking."""
    implied: list[KeyDifference]
    """Keys that differ because of how the selection is defined."""
    keys: int
    """How many keys were compared."""
    notes: list[str]
    took_ms: float
