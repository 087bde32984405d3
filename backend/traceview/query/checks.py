"""Check that the parts of a query fit the types of its keys."""

import re
from collections.abc import Iterator

from traceview.query.fields import FIELDS, Attribute, Field, resolve
from traceview.query.model import (
    DATASETS,
    FUNCTIONS,
    HISTOGRAM,
    MAX_CALCULATIONS,
    MAX_CHOICES,
    MAX_DEPTH,
    MAX_KEYS,
    MAX_LIMIT,
    MEASURED,
    OF_SERIES,
    PERCENTILES,
    WITH_KEY,
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
    Value,
)
from traceview.query.printer import print_calculation

EQUALITY = frozenset({"=", "!=", "in", "exists"})
ORDERING = frozenset({"<", "<=", ">", ">="})

_ID_DIGITS = {"trace id": 32, "span id": 16}


def check_query(query: Query) -> None:
    """Check a query that was not parsed, or the parts together.

    Raises:
        QueryError: a part does not fit.
    """
    if query.dataset not in DATASETS:
        raise QueryError(f"there is no dataset {query.dataset!r}")
    for comparison in _comparisons(query.where):
        check_comparison(query.dataset, comparison)
    for calculation in query.calculations:
        check_calculation(query.dataset, calculation)
    for key in query.by:
        resolve(query.dataset, key)
    for order in query.order:
        check_order(query, order)
    check_size(query)


def check_size(query: Query) -> None:
    """Check the numbers of keys and calculations, and their combination."""
    if len(query.by) > MAX_KEYS or len(set(query.by)) < len(query.by):
        raise QueryError(f"a query groups by up to {MAX_KEYS} different keys")
    if len(query.calculations) > MAX_CALCULATIONS:
        raise QueryError(f"a query has up to {MAX_CALCULATIONS} calculations")
    if len(set(query.calculations)) < len(query.calculations):
        raise QueryError("a calculation occurs twice")
    if query.limit is not None and not 1 <= query.limit <= MAX_LIMIT:
        raise QueryError(f"a limit is a number from 1 to {MAX_LIMIT}")
    if query.by and not query.calculations:
        raise QueryError("groups need a calculation, such as | count")
    if query.every and not query.calculations:
        raise QueryError("a series over time needs a calculation, such as | count")
    if query.every is not None and query.every.ns == 0:
        raise QueryError("the width of a time bucket cannot be 0")
    heat_maps = [one for one in query.calculations if one.function == "heatmap"]
    if len(heat_maps) > 1 or (heat_maps and (query.by or len(query.calculations) > 1)):
        raise QueryError("a heat map is the only calculation of a query and has no groups")
    if heat_maps and query.order:
        raise QueryError("a heat map has no order")
    if any(resolve(query.dataset, key) == FIELDS["metrics"][HISTOGRAM] for key in query.by):
        raise QueryError("rows cannot be grouped by their histograms")
    if len({is_of_series(query.dataset, one) for one in query.calculations}) > 1:
        raise QueryError(
            f"{_names(query, of_series=True)} is computed from series, and "
            f"{_names(query, of_series=False)} from rows; use two queries"
        )


def _names(query: Query, *, of_series: bool) -> str:
    calculation = next(
        one for one in query.calculations if is_of_series(query.dataset, one) is of_series
    )
    return print_calculation(calculation)


def _comparisons(condition: Condition | None, depth: int = 0) -> Iterator[Comparison]:
    if depth > MAX_DEPTH:
        raise QueryError(f"a condition is nested at most {MAX_DEPTH} times")
    match condition:
        case Comparison():
            yield condition
        case Not(inner):
            yield from _comparisons(inner, depth + 1)
        case AllOf(conditions) | AnyOf(conditions):
            if len(conditions) < 2:
                raise QueryError("`and` and `or` connect at least two conditions")
            for inner in conditions:
                yield from _comparisons(inner, depth + 1)


def check_comparison(dataset: Dataset, comparison: Comparison) -> None:
    """Check that the operator and the values fit the key."""
    field = resolve(dataset, comparison.key)
    operator, values = comparison.operator, comparison.values
    counts = {"exists": (0, 0), "in": (1, MAX_CHOICES)}
    least, most = counts.get(operator, (1, 1))
    if not least <= len(values) <= most:
        raise QueryError(f"{operator} takes {least} to {most} values")
    if not has_operator(field, operator):
        raise QueryError(f"{operator} does not apply to {comparison.key}, {_description(field)}")
    for value in values:
        if not _fits(field, value, operator):
            raise QueryError(f"{comparison.key} is {_description(field)}")


def has_operator(field: Field | Attribute, operator: str) -> bool:
    """Whether an operator applies to the values of a key."""
    if isinstance(field, Attribute) or field.kind == "text":
        return True
    if field.kind in {"number", "duration", "time"}:
        return operator in EQUALITY | ORDERING
    if field.kind == "word":
        return operator in EQUALITY | {"contains"}
    if field.kind == "histogram":
        return operator == "exists"
    return operator in EQUALITY


def _fits(field: Field | Attribute, value: Value, operator: str) -> bool:
    if operator == "contains":
        return isinstance(value, str)
    if isinstance(field, Attribute):
        is_length = isinstance(value, Duration) and field.unit in {"ms", "s"}
        return is_length or not isinstance(value, Duration | Instant)
    match field.kind:
        case "text":
            return not isinstance(value, Duration | Instant)
        case "word":
            return isinstance(value, str)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "duration":
            return isinstance(value, Duration)
        case "time":
            return isinstance(value, Instant)
        case "trace id" | "span id":
            digits = _ID_DIGITS[field.kind]
            return isinstance(value, str) and bool(re.fullmatch(f"[0-9a-fA-F]{{{digits}}}", value))
        case "histogram":
            return False


def _description(field: Field | Attribute) -> str:
    if isinstance(field, Attribute):
        return "an attribute without a unit of time; compare it with a text or a number"
    match field.kind:
        case "text" | "number":
            return f"a {field.kind}"
        case "word":
            return "a word such as ERROR"
        case "boolean":
            return "true or false"
        case "duration":
            return "a duration and needs a unit, such as 200ms"
        case "time":
            return "a time, such as 2026-11-29T12:00:00Z"
        case "trace id" | "span id":
            return f"an id of {_ID_DIGITS[field.kind]} hexadecimal digits in quotes"
        case "histogram":
            return "the buckets of a histogram"


def check_calculation(dataset: Dataset, calculation: Calculation) -> None:
    """Check that a calculation has a key if it needs one, and that the key has numbers."""
    function = calculation.function
    if function not in FUNCTIONS:
        raise QueryError(f"{function} is not a calculation; use {', '.join(FUNCTIONS)}")
    if function in OF_SERIES and (calculation.key or function != "rate"):
        _check_series(dataset, calculation)
        return
    if function not in WITH_KEY:
        if calculation.key:
            raise QueryError(f"{function} has no key")
        if function == "errors" and dataset in MEASURED:
            raise QueryError(f"{dataset} have no errors")
        return
    field = resolve(dataset, calculation.key)
    if isinstance(field, Field) and field.kind == "histogram":
        if function not in _OF_HISTOGRAMS:
            raise QueryError(f"{function} does not apply to a histogram")
        return
    if function == "count_distinct" or isinstance(field, Attribute):
        return
    if field.kind not in {"number", "duration"}:
        raise QueryError(f"{function} needs a number, and {calculation.key} is none")


_OF_HISTOGRAMS = frozenset({"avg", "heatmap", *PERCENTILES})
_COUNTERS = ("value", "count", "sum")


def _check_series(dataset: Dataset, calculation: Calculation) -> None:
    function = calculation.function
    if dataset != "metrics":
        raise QueryError(f"{function} of a key is a calculation of metrics")
    keys = ("value",) if function == "last" else _COUNTERS
    if calculation.key not in keys:
        raise QueryError(f"{function} needs {' or '.join(keys)}")


def is_of_series(dataset: Dataset, calculation: Calculation) -> bool:
    """Whether a calculation is computed from the series of metrics, not from their rows."""
    if dataset != "metrics" or not calculation.key:
        return False
    return calculation.function in OF_SERIES or calculation.key == HISTOGRAM


def check_order(query: Query, order: Order) -> None:
    """Check that a result is ordered by one of its columns."""
    if isinstance(order.term, Calculation):
        if order.term not in query.calculations:
            raise QueryError("order by a calculation that the query has")
    elif not query.calculations and not query.by:
        resolve(query.dataset, order.term)
    elif order.term not in query.by:
        raise QueryError("order by a key that the query groups by")
