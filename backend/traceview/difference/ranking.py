"""Rank the keys of a sample by how much they differ."""

import math
from bisect import bisect_right
from collections.abc import Iterable

from msgspec import Struct

from traceview.difference.measure import common, contribution, divergence, score
from traceview.difference.model import Bin, KeyDifference, Share
from traceview.difference.sample import Sample
from traceview.difference.tally import Counts, Fact, JsonText, Part, Total
from traceview.query.fields import FIELDS, ROOT, TRACES, Attribute, Field, resolve
from traceview.query.model import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Dataset,
    Duration,
    Instant,
    Not,
    QueryError,
    Value,
)
from traceview.query.printer import print_condition

FEW = 5
"""Fewer traces on one side than this are no sample."""

SAME = 0.95
"""From this symmetric uncertainty on, two keys have the same information."""

NEAR = 0.05
"""Keys with the same information have divergences that differ by less than this."""

PRESENCE = 0.95
"""If rows with and without a key explain this share of its divergence, its values do not matter."""

MIN_SCORE = 0.01
"""Keys with a lower score are left out."""

SHOWN_KEYS = 30
"""Maximum number of keys in the ranking."""

SHOWN_VALUES = 10
"""Maximum number of values of a key."""

CONDITION_CHARS = 1_000
"""A condition that is longer is left out."""

VALUE_CHARS = 300
"""Maximum length of a shown value."""

_FAMILIES = (
    frozenset(
        {
            *("error", "status", "status_message", "status_code", "error.type"),
            *("exception.type", "exception.message"),
        }
    ),
    frozenset({"severity", "severity_number", "error"}),
)
"""Keys that say the same about a row: a selection by one is a selection by all."""

_GENERAL = frozenset({"name", "kind", "scope", "method", "service", "root", "logger"})
"""Keys that are less specific than another one with the same information."""

_OF_PROCESSES = frozenset({"resource.process.pid", "resource.service.instance.id"})
"""Keys that number processes. Another key with the same information says what they are."""


class Ranking(Struct):
    """The keys that differ: ranked, with the same information as one of those, and implied."""

    ranked: list[KeyDifference]
    same: list[KeyDifference]
    implied: list[KeyDifference]
    keys: int
    """How many keys were compared."""


def rank(sample: Sample, dataset: Dataset, defining: frozenset[str]) -> Ranking:
    """Rank the keys of a sample.

    Args:
        sample: the rows of both sides.
        dataset: whose rows they are.
        defining: the keys that define the selection; see keys_of.
    """
    if min(sample.total.selection_traces, sample.total.rest_traces) < FEW:
        return Ranking([], [], [], 0)
    compared = [
        _Compared(key, field, counts, sample.total)
        for key, counts in sample.tally.counts.items()
        if (field := _resolved(dataset, key)) is not None
    ]
    differing = sorted((one for one in compared if one.score >= MIN_SCORE), key=_order)
    ranking = Ranking([], [], [], len(compared))
    heads: list[_Compared] = []
    for one in differing:
        if _canonical(dataset, one.key) in defining:
            ranking.implied.append(one.shown())
        elif head := next((kept for kept in heads if kept.is_like(one, sample)), None):
            ranking.same.append(one.shown(same_as=head.key))
        elif len(heads) < SHOWN_KEYS:
            heads.append(one)
            ranking.ranked.append(one.shown())
    return ranking


class _Compared:
    """A key with its distributions on both sides."""

    def __init__(self, key: str, field: Field | Attribute, counts: Counts, total: Total) -> None:
        self.key = key
        self._field = field
        self._counts = counts
        self._total = total
        self._parts = counts.quantiles(total) if counts.is_quantity else counts.categories(total)
        self._divergence = _divergence(self._parts)
        self.score = score(
            self._divergence, len(self._parts), total.selection_traces, total.rest_traces
        )
        self._codes: list[int] = []

    def is_like(self, other: "_Compared", sample: Sample) -> bool:
        """Whether another key has the same information in the rows of the sample."""
        is_near = abs(self._divergence - other._divergence) < NEAR
        return is_near and common(self._coded(sample), other._coded(sample)) >= SAME

    def _coded(self, sample: Sample) -> list[int]:
        """Return which part of the distribution each row belongs to."""
        if not self._codes:
            values = (row.get(self.key) for row in sample.rows)
            presence = _divergence(self._counts.presence(self._total))
            if presence >= PRESENCE * self._divergence:
                self._codes = [int(one is None) for one in values]
            elif self._counts.is_quantity:
                lower = [part.value for part in self._parts if isinstance(part.value, int | float)]
                self._codes = [-1 if one is None else bisect_right(lower, one) for one in values]
            else:
                singles = [part.value for part in self._parts if not part.is_other]
                places = {value: place for place, value in enumerate(singles)}
                others = len(places)
                self._codes = [places.get(one, others) for one in values]
        return self._codes

    def shown(self, same_as: str = "") -> KeyDifference:
        """Return what the result has of the key."""
        is_quantity = self._counts.is_quantity
        medians = self._counts.medians() if is_quantity else (None, None)
        drawn = self._counts.histogram(self._total) if is_quantity else []
        listed = drawn if is_quantity else _largest(self._parts)
        return KeyDifference(
            key=self.key,
            unit=self._field.unit,
            score=round(self.score, 4),
            divergence=round(self._divergence, 4),
            values=[self._share(part) for part in listed if part.upper is None],
            bins=[self._bin(part) for part in drawn if part.upper is not None],
            selection_median=self._cell(medians[0]),
            rest_median=self._cell(medians[1]),
            same_as=same_as,
        )

    def _share(self, part: Part) -> Share:
        return Share(
            kind="other" if part.is_other else "missing" if part.value is None else "value",
            value=self._cell(part.value),
            selection=round(part.selection, 5),
            rest=round(part.rest, 5),
            condition=self._condition(part),
        )

    def _bin(self, part: Part) -> Bin:
        return Bin(
            lower=self._cell(part.value),
            upper=self._cell(part.upper),
            selection=round(part.selection, 5),
            rest=round(part.rest, 5),
            condition=self._condition(part),
        )

    def _cell(self, value: Fact | None) -> str | float | None:
        """Return a value as results contain it."""
        if isinstance(value, str):
            return value[:VALUE_CHARS]
        if value is None or not isinstance(self._field, Field):
            return value
        if self._field.kind == "duration":
            return value / 1e6
        return str(math.ceil(value)) if self._field.kind == "time" else value

    def _condition(self, part: Part) -> str:
        if part.is_other or isinstance(part.value, JsonText):
            return ""
        condition: Condition
        if part.value is None:
            condition = Not(Comparison(self.key, "exists"))
        elif part.upper is None:
            condition = Comparison(self.key, "=", (self._literal(part.value),))
        else:
            lower = Comparison(self.key, ">=", (self._literal(part.value),))
            upper = Comparison(self.key, "<", (self._literal(part.upper),))
            condition = AllOf((lower, upper))
        text = print_condition(condition)
        return text if len(text) <= CONDITION_CHARS else ""

    def _literal(self, value: Fact) -> Value:
        kind = self._field.kind if isinstance(self._field, Field) else ""
        if isinstance(value, str):
            is_boolean = kind in {"", "boolean"} and value in {"true", "false"}
            return value == "true" if is_boolean else value
        if kind in {"duration", "time"}:
            ns = max(0, math.ceil(value))
            return Duration(ns) if kind == "duration" else Instant(ns)
        return value


def _divergence(parts: list[Part]) -> float:
    return divergence([part.selection for part in parts], [part.rest for part in parts])


def _largest(parts: list[Part]) -> list[Part]:
    """Return the values that matter most, by their share of the selection."""
    singles = [part for part in parts if not part.is_other]
    telling = sorted(singles, key=lambda part: -contribution(part.selection, part.rest))
    shown, hidden = telling[:SHOWN_VALUES], telling[SHOWN_VALUES:]
    hidden += [part for part in parts if part.is_other]
    if hidden:
        selection = sum(part.selection for part in hidden)
        rest = sum(part.rest for part in hidden)
        shown.append(Part(None, selection, rest, is_other=True))
    return sorted(shown, key=lambda part: (part.is_other, -part.selection, -part.rest))


def _order(one: _Compared) -> tuple[float, int, int, str]:
    # Of keys with the same score, the more specific ones are first.
    is_derived = one.key in TRACES or one.key.startswith(ROOT)
    return (
        -round(one.score, 2),
        2 if is_derived else int(one.key in _GENERAL | _OF_PROCESSES),
        len(one.key),
        one.key,
    )


def keys_of(dataset: Dataset, condition: Condition) -> frozenset[str]:
    """Return the keys that a condition names, with those that say the same about a row."""
    named = {_canonical(dataset, key) for key in _named(condition)}
    related = set(named)
    for prefix in ("", ROOT):
        for family in _FAMILIES:
            if named & {prefix + key for key in family}:
                related |= {*(prefix + key for key in family), "trace.errors"}
    # What is selected by a span often holds for its root, such as a duration.
    return frozenset({*related, *(ROOT + key for key in related if not key.startswith(ROOT))})


def _named(condition: Condition) -> Iterable[str]:
    match condition:
        case Comparison(key):
            yield key
        case Not(inner):
            yield from _named(inner)
        case AllOf(conditions) | AnyOf(conditions):
            for inner in conditions:
                yield from _named(inner)


def _canonical(dataset: Dataset, key: str) -> str:
    """Return one name for all the names of a field."""
    prefix = ROOT if key.startswith(ROOT) else ""
    field = resolve(dataset, key)
    names = (prefix + name for name in FIELDS["spans" if prefix else dataset])
    return next((name for name in names if resolve(dataset, name) == field), key)


def _resolved(dataset: Dataset, key: str) -> Field | Attribute | None:
    try:
        return resolve(dataset, key)
    except QueryError:
        return None
