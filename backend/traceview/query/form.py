"""The form of a query: what a page with controls edits.

A form has the parts of a query as plain texts and choices, so that a page needs no parser. The form
of a query that is made into a query again is an equal query.
"""

import re
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from traceview.query.checks import check_comparison, check_query
from traceview.query.fields import Field, resolve
from traceview.query.model import (
    AllOf,
    Calculation,
    Comparison,
    Condition,
    Dataset,
    Duration,
    Not,
    Operator,
    Query,
    QueryError,
    Value,
)
from traceview.query.parser import parse_condition, parse_order, parse_time, parse_values
from traceview.query.printer import (
    Parts,
    parts_of,
    print_calculation,
    print_condition,
    print_key,
    print_order_term,
    print_query,
    print_value,
)
from traceview.query.sql import LISTED

P = ParamSpec("P")
T = TypeVar("T")

OPERATORS: dict[str, tuple[Operator, bool]] = {
    **{one: (one, False) for one in ("=", "!=", ">", ">=", "<", "<=")},
    "contains": ("contains", False),
    "not contains": ("contains", True),
    "in": ("in", False),
    "not in": ("in", True),
    "exists": ("exists", False),
    "not exists": ("exists", True),
}
"""The choices of a form: the operator, and whether the comparison is negated."""

_TEXTS = frozenset({"text", "word", "trace id", "span id"})


class FormError(Exception):
    """A part of a form is invalid; `place` names it, such as `conditions.1`."""

    def __init__(self, message: str, place: str) -> None:
        """Take the reason and the part."""
        super().__init__(message)
        self.place = place


class FormCondition(Struct, forbid_unknown_fields=True):
    """A condition on one key, or any other condition as `text`.

    `value` needs no quotes. Values of `in` are separated by commas.
    """

    key: str = ""
    operator: str = "="
    value: str = ""
    text: str = ""


class FormCalculation(Struct, forbid_unknown_fields=True):
    """A calculation, and its key if it needs one."""

    function: str
    key: str = ""


class FormOrder(Struct, forbid_unknown_fields=True):
    """A calculation or key of the query, as the language writes it."""

    term: str
    descending: bool = True


class QueryForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """A query as the controls of a page show it. Empty texts are left out of the query."""

    dataset: Dataset = "spans"
    conditions: list[FormCondition] = []
    calculations: list[FormCalculation] = []
    by: list[str] = []
    every: str = ""
    order: list[FormOrder] = []
    limit: int | None = None
    since: str = ""
    until: str = ""
    background: bool = False


class FormAnswer(Struct, kw_only=True):
    """A query in both forms."""

    query: str
    parts: Parts
    form: QueryForm
    terms: list[str]
    """What the query can be ordered by, as the language writes it."""


def form_of(query: Query) -> QueryForm:
    """Return the form of a query."""
    match query.where:
        case None:
            conditions: tuple[Condition, ...] = ()
        case AllOf(parts):
            conditions = parts
        case where:
            conditions = (where,)
    return QueryForm(
        dataset=query.dataset,
        conditions=[_row(query.dataset, one) for one in conditions],
        calculations=[FormCalculation(one.function, one.key) for one in query.calculations],
        by=list(query.by),
        every=print_value(query.every) if query.every else "",
        order=[FormOrder(print_order_term(one.term), one.descending) for one in query.order],
        limit=query.limit,
        since=print_value(query.since) if query.since else "",
        until=print_value(query.until) if query.until else "",
        background=query.background,
    )


def describe(query: Query) -> FormAnswer:
    """Return a query in both forms."""
    keys = query.by if query.calculations else LISTED[query.dataset]
    return FormAnswer(
        query=print_query(query),
        parts=parts_of(query),
        form=form_of(query),
        terms=[*map(print_calculation, query.calculations), *map(print_key, keys)],
    )


def query_of(form: QueryForm) -> Query:
    """Return the query of a form.

    Raises:
        FormError: a part is invalid.
        QueryError: the parts do not fit together.
    """
    dataset = form.dataset
    conditions = [
        _at(f"conditions.{place}", _condition, dataset, row)
        for place, row in enumerate(form.conditions)
    ]
    where = AllOf(tuple(conditions)) if len(conditions) > 1 else next(iter(conditions), None)
    query = Query(
        dataset=dataset,
        where=where,
        calculations=tuple(Calculation(one.function, one.key) for one in form.calculations),
        by=tuple(form.by),
        every=_at("every", _length, form.every) if form.every else None,
        limit=form.limit,
        since=_at("since", parse_time, form.since) if form.since else None,
        until=_at("until", parse_time, form.until) if form.until else None,
        background=form.background,
    )
    if query.by and not query.calculations:
        query = replace(query, calculations=(Calculation("count"),))
    for place, calculation in enumerate(query.calculations):
        part = Query(dataset=dataset, calculations=(calculation,))
        _at(f"calculations.{place}", check_query, part)
    for place, key in enumerate(query.by):
        _at(f"by.{place}", resolve, dataset, key)
    order = [
        _at(f"order.{place}", parse_order, query, one.term, one.descending)
        for place, one in enumerate(form.order)
    ]
    query = replace(query, order=tuple(order))
    check_query(query)
    return query


def _at(place: str, read: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Read a part of a form, and name its place if it is invalid."""
    try:
        return read(*arguments, **named)
    except QueryError as error:
        raise FormError(str(error), place) from error


def _length(text: str) -> Duration:
    time = parse_time(text)
    if not isinstance(time, Duration):
        raise QueryError("expected a duration such as 1m")
    return time


# --- conditions ----------------------------------------------------------------------------------


def _row(dataset: Dataset, condition: Condition) -> FormCondition:
    """Return a condition as a row of the form, as text if no row means the same."""
    comparison, negated = condition, False
    if isinstance(condition, Not):
        comparison, negated = condition.condition, True
    if isinstance(comparison, Comparison):
        wanted = (comparison.operator, negated)
        operator = next((name for name, one in OPERATORS.items() if one == wanted), None)
        if operator is not None:
            for write in (str, print_value):
                value = ", ".join(_written(one, write) for one in comparison.values)
                if not value and comparison.values:
                    continue  # a person could not see that there is a value
                row = FormCondition(key=comparison.key, operator=operator, value=value)
                if _means(dataset, row, condition):
                    return row
    return FormCondition(text=print_condition(condition))


def _written(value: Value, write: Callable[[Value], str]) -> str:
    return write(value) if isinstance(value, str) else print_value(value)


def _means(dataset: Dataset, row: FormCondition, condition: Condition) -> bool:
    try:
        made = _condition(dataset, row)
    except QueryError:
        return False
    # 1, 1.0 and true are equal in Python, but not in a query.
    return made == condition and repr(made) == repr(condition)


def _condition(dataset: Dataset, row: FormCondition) -> Condition:
    if row.text:
        return parse_condition(dataset, row.text)
    field = resolve(dataset, row.key)
    if row.operator not in OPERATORS:
        raise QueryError(f"{row.operator!r} is not an operator; use {', '.join(OPERATORS)}")
    operator, negated = OPERATORS[row.operator]
    is_text = operator == "contains" or (isinstance(field, Field) and field.kind in _TEXTS)
    if operator == "exists":
        values: tuple[Value, ...] = ()
    elif operator == "in":
        values = tuple(_value(one, is_text=is_text) for one in _split(row.value))
    else:
        values = (_value(row.value, is_text=is_text),)
    comparison = Comparison(row.key, operator, values)
    check_comparison(dataset, comparison)
    return Not(comparison) if negated else comparison


def _value(text: str, *, is_text: bool) -> Value:
    """Return the value of an input, where texts may have quotes or not."""
    text = text.strip()
    try:
        values = parse_values(text)
    except QueryError:
        return text
    if len(values) != 1 or (is_text and not isinstance(values[0], str)):
        return text
    return values[0]


def _split(text: str) -> list[str]:
    """Split at the commas outside of quotes."""
    return [one for one in _PARTS.findall(text) if one.strip()]


_PARTS = re.compile(r'(?:[^,"\']|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|["\'])+')
