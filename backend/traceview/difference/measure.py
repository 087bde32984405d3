"""Measures of how much two distributions differ, and of how much two attributes have in common.

The measure is the Jensen-Shannon divergence [1] in bits: 0 for equal distributions, 1 if no value
occurs in both. It is the mutual information of the value and of the side that a row is on, if both
sides count the same.

In small samples, equal distributions diverge by chance. Under that hypothesis the divergence in
nats, times 8 / (1/m + 1/n) for samples of m and n, has a chi-squared distribution with one degree
of freedom less than there are values, as in the G-test [2]; its mean is the bias that Miller [3]
found. `score` subtracts what chance explains: the mean and CERTAINTY standard deviations.

[1] J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information
    Theory 37 (1991).
[2] R. R. Sokal, F. J. Rohlf, "Biometry", chapter 17.
[3] G. A. Miller, "Note on the bias of information estimates", Information Theory in Psychology
    (1955).
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

CERTAINTY = 4.0
"""How many standard deviations above its mean under chance a divergence has to be."""


def divergence(selection: Sequence[float], rest: Sequence[float]) -> float:
    """Return the Jensen-Shannon divergence of two distributions, in bits.

    Args:
        selection: the shares of the values on one side; their sum is 1.
        rest: those of the same values on the other side.
    """
    both = zip(selection, rest, strict=True)
    return max(0.0, sum(contribution(one, other) for one, other in both))


def contribution(one: float, other: float) -> float:
    """Return the part of the divergence that a value with these shares accounts for."""
    middle = (one + other) / 2
    return (_term(one, middle) + _term(other, middle)) / 2


def score(found: float, values: int, selection: float, rest: float) -> float:
    """Return what remains of a divergence without the part that chance explains, in bits.

    Args:
        found: the divergence in bits.
        values: the number of different values.
        selection: the number of independent observations on one side, at least 1.
        rest: the number of those on the other side, at least 1.
    """
    freedom = max(0, values - 1)
    scale = (1 / selection + 1 / rest) / (8 * math.log(2))
    return max(0.0, found - scale * (freedom + CERTAINTY * math.sqrt(2 * freedom)))


def common(one: Sequence[object], other: Sequence[object]) -> float:
    """Return the symmetric uncertainty of two attributes: 1 if each determines the other.

    Twice the mutual information over the sum of the entropies. Two constant attributes have 1.

    Args:
        one: the values of an attribute, row by row.
        other: those of another attribute in the same rows.
    """
    of_one, of_other = entropy(one), entropy(other)
    if of_one + of_other == 0:
        return 1.0
    return 2 * (of_one + of_other - entropy(zip(one, other, strict=True))) / (of_one + of_other)


def entropy(values: Iterable[object]) -> float:
    """Return the entropy of the distribution of values, in bits."""
    counts = Counter(values).values()
    total = sum(counts)
    return -sum(count / total * math.log2(count / total) for count in counts)


def _term(share: float, middle: float) -> float:
    return share * math.log2(share / middle) if share > 0 else 0.0
