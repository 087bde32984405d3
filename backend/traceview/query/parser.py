"""Parse the text form of a query.

[from spans|roots|logs|metrics] [where CONDITION] [| CALCULATION, …] [by KEY, …] [every TIME]
[order by TERM [asc|desc], …] [limit N] [since TIME [until TIME]] [with background]
"""

from collections.abc import Callable
from typing import NoReturn, TypeVar

from msgspec.structs import replace

from traceview.query.checks import check_calculation, check_comparison, check_order, check_size
from traceview.query.fields import resolve
from traceview.query.lexer import RESERVED, Token, tokens
from traceview.query.model import (
    DATASETS,
    FUNCTIONS,
    MAX_DEPTH,
    OF_SERIES,
    WITHOUT_KEY,
    AllOf,
    AnyOf,
    Calculation,
    Comparison,
    Condition,
    Dataset,
    Duration,
    Instant,
    Not,
    Operator,
    Order,
    Query,
    QueryError,
    Time,
    Value,
)

T = TypeVar("T")

COMPARED: dict[str, Operator] = {one: one for one in ("=", "!=", "<", "<=", ">", ">=")}


def parse(text: str) -> Query:
    """Parse a query.

    Raises:
        QueryError: the text is not a query; the error has the position of the mistake.
    """
    return Parser(text).query()


def parse_time(text: str) -> Time:
    """Parse a time of the range: `15m` (ago), or `2026-11-29T12:00:00Z`."""
    parser = Parser(text)
    time = parser.time()
    parser.end()
    return time


def parse_condition(dataset: Dataset, text: str) -> Condition:
    """Parse a condition, without `where`."""
    parser = Parser(text, dataset)
    condition = parser.condition()
    parser.end()
    return condition


def parse_values(text: str) -> tuple[Value, ...]:
    """Parse literals that are separated by commas."""
    parser = Parser(text)
    values = parser.values()
    parser.end()
    return values


def parse_order(query: Query, term: str, descending: bool) -> Order:
    """Parse a term of ORDER BY, without its direction."""
    parser = Parser(term, query.dataset)
    order = parser.order(query)
    parser.end()
    return replace(order, descending=descending)


class Parser:
    """Reads a query, or a part of one, from left to right."""

    def __init__(self, text: str, dataset: Dataset = "spans") -> None:
        """Split a text into tokens."""
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0
        self.dataset: Dataset = dataset

    # --- clauses ---------------------------------------------------------------------------------

    def query(self) -> Query:
        """Read a whole query."""
        if self.took("from"):
            self.dataset = self.choice(DATASETS, "a dataset")
        where = self.condition() if self.took("where") else None
        start = self.token.position
        calculations = self._list(self._calculation) if self.took("|") else ()
        by = self._list(self.key) if self.took("by") else ()
        every = self.length() if self.took("every") else None
        query = Query(
            dataset=self.dataset, where=where, calculations=calculations, by=by, every=every
        )
        if by and not calculations:
            query = replace(query, calculations=(Calculation("count"),))
        if self.took("order"):
            self._expect("by")
            query = replace(query, order=self._list(lambda: self.order(query)))
        if self.took("limit"):
            query = replace(query, limit=self._integer())
        self._checked(check_size, query, at=start)
        query = self._range(query)
        if self.took("with"):
            self._expect("background")
            query = replace(query, background=True)
        self.end()
        return query

    def _range(self, query: Query) -> Query:
        if self.took("since"):
            query = replace(query, since=self.time())
            if self.took("until"):
                query = replace(query, until=self.time())
        return query

    def end(self) -> None:
        """Check that nothing follows."""
        if self.token.kind != "end":
            self.fail("unexpected")

    # --- conditions ------------------------------------------------------------------------------

    def condition(self) -> Condition:
        """Read a condition."""
        return self._connected("or", AnyOf, lambda: self._connected("and", AllOf, self._negation))

    def _connected(
        self, word: str, kind: type[AllOf] | type[AnyOf], part: Callable[[], Condition]
    ) -> Condition:
        conditions = [part()]
        while self.took(word):
            conditions.append(part())
        return kind(tuple(conditions)) if len(conditions) > 1 else conditions[0]

    def _negation(self) -> Condition:
        start = self.token.position
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QueryError(f"a condition is nested at most {MAX_DEPTH} times", start)
        condition: Condition
        if self.took("not"):
            condition = Not(self._negation())
        elif self.took("("):
            condition = self.condition()
            self._expect(")")
        else:
            condition = self._comparison()
        self._depth -= 1
        return condition

    def _comparison(self) -> Condition:
        key_token = self.token
        key = self.key()
        is_negated = self.took("not")
        values: tuple[Value, ...]
        operator: Operator
        if self.took("exists"):
            operator, values, at = "exists", (), key_token
        elif self.took("in"):
            self._expect("(")
            at = self.token
            operator, values = "in", self.values()
            self._expect(")")
        elif self.took("contains"):
            at = self.token
            operator, values = "contains", (self.value(),)
        elif is_negated:
            self.fail("expected exists, in or contains after `not`, found")
        elif compared := next(filter(self.took, COMPARED), None):
            at = self.token
            operator, values = COMPARED[compared], (self.value(),)
        else:
            operator, values, at = "=", (True,), key_token
        comparison = Comparison(key, operator, values)
        self._checked(check_comparison, self.dataset, comparison, at=at.position)
        return Not(comparison) if is_negated else comparison

    # --- calculations ----------------------------------------------------------------------------

    def _calculation(self) -> Calculation:
        start = self.token.position
        function = self.choice(FUNCTIONS, "a calculation")
        key = ""
        if function not in WITHOUT_KEY or (function in OF_SERIES and self.token.text == "("):
            self._expect("(")
            start = self.token.position
            key = self.key()
            self._expect(")")
        calculation = Calculation(function, key)
        self._checked(check_calculation, self.dataset, calculation, at=start)
        return calculation

    def order(self, query: Query) -> Order:
        """Read a term of ORDER BY of a query."""
        start = self.token.position
        is_calculation = self.token.kind == "word" and self.token.text in FUNCTIONS
        term = self._calculation() if is_calculation else self.key()
        is_ascending = self.took("asc")
        if not is_ascending:
            self.took("desc")
        order = Order(term, descending=not is_ascending)
        self._checked(check_order, query, order, at=start)
        return order

    # --- words and literals ----------------------------------------------------------------------

    def key(self) -> str:
        token = self.token
        if token.kind != "quoted key" and (token.kind != "word" or token.text in RESERVED):
            self.fail("expected a key, found")
        self._at += 1
        self._checked(resolve, self.dataset, token.text, at=token.position)
        return token.text

    def value(self) -> Value:
        token = self.token
        if token.kind == "value" and token.value is not None:
            self._at += 1
            return token.value
        if token.kind == "word" and token.text in {"true", "false"}:
            self._at += 1
            return token.text == "true"
        if token.kind == "word" and token.text not in RESERVED:
            self._at += 1
            return token.text
        return self.fail("expected a value, found")

    def values(self) -> tuple[Value, ...]:
        """Read literals that are separated by commas."""
        return self._list(self.value)

    def time(self) -> Time:
        """Read a time of the range."""
        value = self.token.value
        if not isinstance(value, Duration | Instant):
            self.fail("expected a time such as 15m or 2026-11-29T12:00:00Z, found")
        self._at += 1
        return value

    def length(self) -> Duration:
        value = self.token.value
        if not isinstance(value, Duration):
            self.fail("expected a duration such as 1m, found")
        self._at += 1
        return value

    def _integer(self) -> int:
        value = self.token.value
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail("expected a whole number, found")
        self._at += 1
        return value

    def choice(self, choices: tuple[T, ...], what: str) -> T:
        chosen = next((one for one in choices if one == self.token.text), None)
        if chosen is None or self.token.kind != "word":
            self.fail(f"expected {what} ({', '.join(map(str, choices))}), found")
        self._at += 1
        return chosen

    # --- tokens ----------------------------------------------------------------------------------

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    def took(self, text: str) -> bool:
        token = self.token
        is_it = token.kind in {"word", "symbol"} and token.text == text
        self._at += is_it
        return is_it

    def _expect(self, text: str) -> None:
        if not self.took(text):
            self.fail(f"expected {text}, found")

    def _list(self, part: Callable[[], T]) -> tuple[T, ...]:
        parts = [part()]
        while self.took(","):
            parts.append(part())
        return tuple(parts)

    def fail(self, message: str) -> NoReturn:
        token = self.token
        found = "the end" if token.kind == "end" else token.text[:40]
        raise QueryError(f"{message} {found}", token.position)

    @staticmethod
    def _checked(check: Callable[..., object], *arguments: object, at: int) -> None:
        try:
            check(*arguments)
        except QueryError as error:
            raise QueryError(str(error), at) from error
