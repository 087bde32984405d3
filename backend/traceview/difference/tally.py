"""Count the values of every key on both sides, and turn the counts into distributions."""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

Fact: TypeAlias = str | int | float
"""A value of a key. Booleans are the texts true and false."""


class JsonText(str):
    """A list or an object, as JSON. No condition of the query language can be compared with it."""

    __slots__ = ()


MIN_TRACES = 3
"""In how many traces a value must occur to count on its own."""

MIN_SHARE = 0.01
"""The share that it must have on one side, or more if the other side has few traces.

The other values together are one.
"""

MANY = 12
"""With more different numbers than this, a key is a quantity; otherwise it has categories."""

QUANTILES = 10
"""In how many bins, with the same number of rows, two distributions of numbers are compared."""

BINS = 12
"""Maximum number of bins of a drawn histogram."""

WIDE = 50
"""From this ratio of the largest number to the smallest on, the bins grow with the numbers."""


class Total(Struct):
    """The numbers of rows and of traces on both sides."""

    selection: int = 0
    rest: int = 0
    selection_traces: int = 0
    rest_traces: int = 0


class Part(Struct, frozen=True):
    """A value, or a range of numbers, with its shares."""

    value: Fact | None
    selection: float
    rest: float
    upper: Fact | None = None
    """The end of the range, exclusive; None for a single value."""
    is_other: bool = False
    """Whether these are all values that do not count on their own."""

    @property
    def is_missing(self) -> bool:
        """Whether these are the rows without the key."""
        return self.value is None and not self.is_other


class Counts:
    """How often each value of one key occurs."""

    def __init__(self) -> None:
        """Start without values."""
        self.values: dict[Fact, list[int]] = {}
        """Of each value: selected rows, other rows, traces of both, and the last trace."""
        self._sorted: list[tuple[float, int, int]] = []

    @property
    def is_quantity(self) -> bool:
        """Whether the values are numbers that are compared by size."""
        values = self.values
        return len(values) > MANY and not any(isinstance(value, str) for value in values)

    def presence(self, total: Total) -> list[Part]:
        """Return the rows with a value and those without one."""
        selection = sum(entry[0] for entry in self.values.values())
        rest = sum(entry[1] for entry in self.values.values())
        shares = selection / total.selection, rest / total.rest
        return [Part(None, *shares, is_other=True), *_missing([selection, rest], total)]

    def categories(self, total: Total) -> list[Part]:
        """Return the values that count on their own, then the others and the rows without one."""
        parts = []
        others, present = [0, 0], [0, 0]
        # A share that a small other side is not expected to show cannot be missed there.
        of_selection = total.selection * max(MIN_SHARE, MIN_TRACES / total.rest_traces)
        of_rest = total.rest * max(MIN_SHARE, MIN_TRACES / total.selection_traces)
        for value, (selection, rest, selected_traces, rest_traces, _) in self.values.items():
            present[0] += selection
            present[1] += rest
            if (selected_traces >= MIN_TRACES and selection >= of_selection) or (
                rest_traces >= MIN_TRACES and rest >= of_rest
            ):
                parts.append(Part(value, selection / total.selection, rest / total.rest))
            else:
                others[0] += selection
                others[1] += rest
        if any(others):
            shares = others[0] / total.selection, others[1] / total.rest
            parts.append(Part(None, *shares, is_other=True))
        return [*parts, *_missing(present, total)]

    def quantiles(self, total: Total) -> list[Part]:
        """Return ranges of numbers with the same share of the rows; both sides count the same."""
        weights = [
            (number, selection / total.selection + rest / total.rest)
            for number, selection, rest in self._numbers()
        ]
        whole = sum(weight for _, weight in weights)
        edges: list[float] = []
        before = 0.0
        for number, weight in weights:
            if before >= len(edges) * whole / QUANTILES:
                edges.append(number)
            before += weight
        return self._binned(edges, total)

    def histogram(self, total: Total) -> list[Part]:
        """Return bins to draw: of equal width, or growing with the numbers if these vary widely."""
        numbers = [number for number, _, _ in self._numbers()]
        return self._binned(_edges(numbers), total)

    def medians(self) -> tuple[float | None, float | None]:
        """Return the median on each side; None without a number there."""
        numbers = self._numbers()
        return (
            _median([(number, selection) for number, selection, _ in numbers]),
            _median([(number, rest) for number, _, rest in numbers]),
        )

    def _numbers(self) -> list[tuple[float, int, int]]:
        if not self._sorted:
            self._sorted = sorted(
                (value, entry[0], entry[1])
                for value, entry in self.values.items()
                if not isinstance(value, str)
            )
        return self._sorted

    def _binned(self, edges: list[float], total: Total) -> list[Part]:
        numbers = self._numbers()
        counts = [[0, 0] for _ in edges]
        for number, selection, rest in numbers:
            place = max(0, bisect_right(edges, number) - 1)
            counts[place][0] += selection
            counts[place][1] += rest
        uppers = [*edges[1:], math.nextafter(numbers[-1][0], math.inf)]
        parts = [
            Part(lower, selection / total.selection, rest / total.rest, upper)
            for lower, upper, (selection, rest) in zip(edges, uppers, counts, strict=True)
        ]
        present = [sum(one for one, _ in counts), sum(other for _, other in counts)]
        return [*parts, *_missing(present, total)]


class Tally:
    """The counts of every key."""

    def __init__(self) -> None:
        """Start without keys."""
        self.counts: dict[str, Counts] = defaultdict(Counts)

    def add(self, facts: Mapping[str, Fact], selection: int, rest: int, trace: int) -> None:
        """Count the values of some rows of a trace that have them in common."""
        counts = self.counts
        for key, value in facts.items():
            values = counts[key].values
            entry = values.get(value)
            if entry is None:
                values[value] = [selection, rest, selection > 0, rest > 0, trace]
                continue
            entry[0] += selection
            entry[1] += rest
            if entry[4] != trace:
                entry[2] += selection > 0
                entry[3] += rest > 0
                entry[4] = trace


def _missing(present: list[int], total: Total) -> list[Part]:
    missing = total.selection - present[0], total.rest - present[1]
    if not any(missing):
        return []
    return [Part(None, missing[0] / total.selection, missing[1] / total.rest)]


def _edges(numbers: list[float]) -> list[float]:
    """Return the lower edges of the bins of sorted numbers."""
    low, high = numbers[0], numbers[-1]
    if low > 0 and high / low >= WIDE:
        ratio = high / low
        return [low * ratio ** (place / BINS) for place in range(BINS)]
    width = (high - low) / BINS
    if all(isinstance(number, int) for number in numbers):
        width = math.ceil((high - low + 1) / BINS)
        return [low + place * width for place in range((int(high - low) // width) + 1)]
    return [low + place * width for place in range(BINS)]


def _median(numbers: list[tuple[float, int]]) -> float | None:
    half = sum(count for _, count in numbers) / 2
    passed = 0
    for number, count in numbers:
        passed += count
        if count and passed >= half:
            return number
    return None
