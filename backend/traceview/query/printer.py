"""The text form of a query. Parsing it returns an equal query."""

import json
import re
from datetime import UTC, datetime

from msgspec import Struct

from traceview.query.lexer import NS_PER_UNIT, RESERVED
from traceview.query.model import (
    FUNCTIONS,
    AllOf,
    AnyOf,
    Calculation,
    Comparison,
    Condition,
    Duration,
    Instant,
    Not,
    Order,
    Query,
    Time,
    Value,
)


class Parts(Struct, frozen=True, kw_only=True):
    """The clauses of a query in their order, each as text or empty.

    Those of the same place can be exchanged: joined by spaces, they are the text of a query.
    """

    source: str
    """`from …`."""
    where: str
    """The condition without `where`; ` and ` can follow it."""
    calculations: str
    """`| … by … every …`."""
    order: str
    """`order by …`."""
    limit: str
    """`limit …`."""
    range: str
    """`since … until …`."""
    background: str
    """`with background`."""


def print_query(query: Query) -> str:
    """Return the text of a query."""
    parts = parts_of(query)
    where = f"where {print_condition(query.where)}" if query.where is not None else ""
    others = (parts.calculations, parts.order, parts.limit, parts.range, parts.background)
    return " ".join(filter(None, (parts.source, where, *others)))


def parts_of(query: Query) -> Parts:
    """Return the clauses of a query."""
    calculations = []
    if query.calculations:
        calculations.append(f"| {', '.join(map(print_calculation, query.calculations))}")
    if query.by:
        calculations.append(f"by {', '.join(map(print_key, query.by))}")
    if query.every:
        calculations.append(f"every {print_value(query.every)}")
    times = []
    if query.since:
        times.append(f"since {print_value(query.since)}")
    if query.until:
        times.append(f"until {print_value(query.until)}")
    where = query.where
    condition = "" if where is None else print_condition(where)
    return Parts(
        source=f"from {query.dataset}" if query.dataset != "spans" else "",
        where=f"({condition})" if isinstance(where, AnyOf) else condition,
        calculations=" ".join(calculations),
        order=f"order by {', '.join(map(print_order, query.order))}" if query.order else "",
        limit=f"limit {query.limit}" if query.limit is not None else "",
        range=" ".join(times),
        background="with background" if query.background else "",
    )


def print_condition(condition: Condition) -> str:
    """Return the text of a condition."""
    match condition:
        case AllOf(conditions):
            return " and ".join(map(_nested, conditions))
        case AnyOf(conditions):
            return " or ".join(map(_nested, conditions))
        case Not(inner):
            return f"not {_nested(inner)}"
        case Comparison(key, "exists"):
            return f"{print_key(key)} exists"
        case Comparison(key, "in", values):
            return f"{print_key(key)} in ({', '.join(map(print_value, values))})"
        case Comparison(key, operator, (value,)):
            return f"{print_key(key)} {operator} {print_value(value)}"
        case _:
            raise ValueError(f"{condition.operator} with {len(condition.values)} values")


def _nested(condition: Condition) -> str:
    text = print_condition(condition)
    return f"({text})" if isinstance(condition, AllOf | AnyOf) else text


def print_calculation(calculation: Calculation) -> str:
    """Return the text of a calculation."""
    if not calculation.key:
        return calculation.function
    # In parentheses, no function can be meant.
    is_function = calculation.key in FUNCTIONS
    return (
        f"{calculation.function}({calculation.key if is_function else print_key(calculation.key)})"
    )


def print_key(key: str) -> str:
    """Return a key, in backticks if it is not a plain word."""
    if _PLAIN.fullmatch(key) and key not in RESERVED and key not in FUNCTIONS:
        return key
    return "`" + key.replace("`", "``") + "`"


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")


def print_value(value: Value | Time) -> str:
    """Return the text of a literal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Duration):
        units = reversed(NS_PER_UNIT.items())
        unit, size = next((unit, size) for unit, size in units if value.ns % size == 0)
        return f"{value.ns // size}{unit}" if value.ns else "0s"
    if isinstance(value, Instant):
        seconds, fraction = divmod(value.ns, 10**9)
        moment = datetime.fromtimestamp(seconds, UTC)
        decimals = f".{fraction:09d}".rstrip("0") if fraction else ""
        return f"{moment:%Y-%m-%dT%H:%M:%S}{decimals}Z"
    return repr(value)


def print_order(order: Order) -> str:
    """Return the text of a term of ORDER BY."""
    text = print_order_term(order.term)
    return text if order.descending else f"{text} asc"


def print_order_term(term: Calculation | str) -> str:
    """Return the text of a calculation or key."""
    return print_key(term) if isinstance(term, str) else print_calculation(term)
