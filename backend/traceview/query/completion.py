"""What can follow at a position of the text of a query.

The parser reads the text before the position. Whatever it looks for at the end of that text can
follow, so completion accepts exactly the language of the parser.
"""

import re
from typing import NamedTuple, TypeVar

from traceview.query.checks import has_operator
from traceview.query.fields import Attribute, Field, resolve
from traceview.query.lexer import tokens
from traceview.query.model import (
    OF_SERIES,
    PERCENTILES,
    WITH_KEY,
    Calculation,
    Dataset,
    Duration,
    Order,
    Query,
    QueryError,
    Time,
    Value,
)
from traceview.query.parser import Parser
from traceview.query.printer import print_order_term

T = TypeVar("T")

TIMES = ("5m", "15m", "1h", "6h", "24h", "3d")
LENGTHS = ("10s", "1m", "5m", "15m", "1h")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "contains", "in", "exists", "not")
_NUMERIC = re.compile(
    rf"\b({'|'.join(('sum', 'avg', 'min', 'max', 'heatmap', *OF_SERIES, *PERCENTILES))})\($"
)


class Completion(NamedTuple):
    """What can replace the text from `start` to `end`."""

    start: int
    end: int
    part: str
    """The beginning of a word or value before the position, without quotes."""
    dataset: Dataset
    words: tuple[str, ...]
    """Keywords and the like."""
    has_keys: bool
    """Whether a key can follow."""
    is_number: bool
    """Whether only keys with numbers can follow."""
    value_of: str
    """The key whose value can follow; empty if no value can."""


def complete(text: str, position: int, condition_of: Dataset | None = None) -> Completion | None:
    """Return what can follow at a position; None if the text before it has a mistake.

    Args:
        text: the whole text.
        position: the offset of the cursor.
        condition_of: the dataset that the text is a condition for; None: it is a query.
    """
    before = text[:position]
    start = _start(before)
    if start is None:
        return None
    parser = _Watcher(before[:start], condition_of or "spans")
    try:
        if condition_of is None:
            parser.query()
        else:
            parser.condition()
            parser.end()
    except QueryError as error:
        if error.position is not None and error.position < start and not parser.words:
            return None
    words = tuple(dict.fromkeys(parser.words))
    if parser.has_operators:
        words = _after_key(words, resolve(parser.dataset, parser.last_key))
    return Completion(
        start=start,
        end=position + len(_rest(text[position:], before[start : start + 1])),
        part=before[start:].lstrip("\"'`"),
        dataset=parser.dataset,
        words=words,
        has_keys=parser.has_keys,
        is_number=bool(_NUMERIC.search(before[:start])),
        value_of=parser.last_key if parser.has_values else "",
    )


def _start(before: str) -> int | None:
    """Return where the word or value begins that the position is in; None in a mistake."""
    try:
        found = tokens(before)
    except QueryError as error:
        at = error.position
        return at if at is not None and at < len(before) and before[at] in "\"'`" else None
    if before and not before[-1].isspace() and len(found) > 1:
        last = found[-2]
        if last.kind == "word" or (last.kind == "value" and last.text[0] not in "\"'"):
            return last.position
    return len(before)


def _rest(after: str, first: str) -> str:
    """Return what follows of the word or value whose first character is given."""
    quote = first if first and first in "\"'`" else ""
    found = re.match(rf"[\w.\-/]*{quote}", after) or re.match(r"[\w.\-]*", after)
    return found[0] if found else ""


def _after_key(words: tuple[str, ...], field: Field | Attribute) -> tuple[str, ...]:
    """Return what can follow a key in a condition: its operators, and more if it is boolean."""
    can_stand_alone = isinstance(field, Field) and field.kind == "boolean"
    return tuple(
        one
        for one in words
        if (one in OPERATORS and (one == "not" or has_operator(field, one)))
        or (one not in OPERATORS and can_stand_alone)
    )


class _Watcher(Parser):
    """A parser that records what it looks for at the end of the text."""

    def __init__(self, text: str, dataset: Dataset) -> None:
        self.words: list[str] = []
        self.has_keys = False
        self.has_values = False
        self.has_operators = False
        self.last_key = ""
        super().__init__(text, dataset)

    @property
    def _is_at_end(self) -> bool:
        return self.token.kind == "end"

    def order(self, query: Query) -> Order:
        if self._is_at_end and query.calculations:
            terms: tuple[Calculation | str, ...] = (*query.calculations, *query.by)
            self.words += map(print_order_term, terms)
            self.fail("expected a term, found")
        return super().order(query)

    def took(self, text: str) -> bool:
        if self._is_at_end and text not in {"(", ")", ","}:
            self.words.append(text)
            self.has_operators |= text == "exists"
        return super().took(text)

    def key(self) -> str:
        self.has_keys |= self._is_at_end
        self.last_key = super().key()
        return self.last_key

    def value(self) -> Value:
        self.has_values |= self._is_at_end
        return super().value()

    def choice(self, choices: tuple[T, ...], what: str) -> T:
        if self._is_at_end:
            self.words += [f"{one}(" if one in WITH_KEY else str(one) for one in choices]
        return super().choice(choices, what)

    def time(self) -> Time:
        if self._is_at_end:
            self.words += TIMES
        return super().time()

    def length(self) -> Duration:
        if self._is_at_end:
            self.words += LENGTHS
        return super().length()
