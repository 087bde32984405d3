"""Names that a query can use: keys, their values, and what can follow in its text."""

from typing import Literal, TypeAlias

from msgspec import Struct

from traceview.query.completion import Completion, complete
from traceview.query.fields import ATTRIBUTE, FIELDS, TRACES, Attribute, Field, Kind, resolve
from traceview.query.model import FUNCTIONS, Dataset, Duration, Instant, QueryError, Value
from traceview.query.printer import print_key, print_value
from traceview.query.sql import (
    compile_attribute_counts,
    compile_field_counts,
    compile_values,
)
from traceview.query.traces import DATASETS_WITH_TRACES
from traceview.result import Cell
from traceview.storage.database import Database

MAX_OPTIONS = 50

NUMBERS = frozenset({"number", "duration", "histogram"})


class Key(Struct, frozen=True):
    """A key of a dataset, and how many of the newest rows have a value."""

    name: str
    text: str
    """The key as a query writes it."""
    kind: Kind | Literal["attribute"]
    unit: str
    count: int


class KeyValue(Struct, frozen=True):
    """A value of a key, as a person reads it and as a query writes it."""

    value: str
    text: str
    count: int | None


OptionKind: TypeAlias = Literal["key", "value", "function", "word"]


class Option(Struct, frozen=True):
    """What can follow in the text of a query; `count` is null for words."""

    text: str
    kind: OptionKind
    detail: str = ""
    count: int | None = None


class Completions(Struct, frozen=True):
    """The options that can replace the text from `start` to `end`, in characters."""

    start: int
    end: int
    options: list[Option]


def list_keys(database: Database, dataset: Dataset) -> list[Key]:
    """Return the fields of a dataset that have values, its attributes, and facts about traces."""
    statement = compile_field_counts(dataset)
    [counts] = database.select(statement.sql, statement.parameters)
    keys = [
        Key(name, print_key(name), field.kind, field.unit, count)
        for (name, field), count in zip(FIELDS[dataset].items(), counts, strict=True)
        if count
    ]
    statement = compile_attribute_counts(dataset)
    for name, count in database.select(statement.sql, statement.parameters):
        key = f"{ATTRIBUTE}{name}" if name in FIELDS[dataset] else name
        try:
            field = resolve(dataset, key)
        except QueryError:
            continue  # senders choose the names, and this one cannot be a key
        if isinstance(field, Attribute):
            keys.append(Key(key, print_key(key), "attribute", field.unit, count))
    if dataset in DATASETS_WITH_TRACES:
        rows = max(counts)
        keys += [Key(name, name, field.kind, field.unit, rows) for name, field in TRACES.items()]
    return keys


def list_values(database: Database, dataset: Dataset, key: str, part: str) -> list[KeyValue]:
    """Return the most frequent values of a key that contain a text.

    Raises:
        QueryError: the key cannot be a name.
    """
    statement = compile_values(dataset, key, part)
    field = resolve(dataset, key)
    return [
        KeyValue(
            value if isinstance(literal, str) else print_value(literal), print_value(literal), count
        )
        for value, count in database.select(statement.sql, statement.parameters)
        for literal in [_literal(field, value)]
    ]


def _literal(field: Field | Attribute, value: Cell) -> Value:
    """Convert a value as results show it to one that queries compare with."""
    if isinstance(field, Field) and field.kind == "duration" and isinstance(value, float):
        return Duration(round(value * 1e6))
    if isinstance(field, Field) and field.kind == "time":
        return Instant(int(str(value)))
    return "" if value is None else value


def complete_query(
    database: Database | None, text: str, position: int, condition_of: Dataset | None = None
) -> Completions:
    """Return what can follow at a position of a query, or of a condition.

    Args:
        database: where keys and values are looked up; None: only words are returned.
        text: the whole text.
        position: the offset of the cursor.
        condition_of: the dataset that the text is a condition for; None: it is a query.
    """
    found = complete(text, position, condition_of)
    if found is None:
        return Completions(position, position, [])
    options = []
    if database is not None and found.has_keys:
        options += [
            Option(key.text, "key", key.unit or key.kind, key.count)
            for key in list_keys(database, found.dataset)
            if not (found.is_number and key.kind not in NUMBERS | {"attribute"})
        ]
    if found.value_of:
        values = _values(database, found)
        options += [Option(one.text, "value", "", one.count) for one in values]
    options += [
        Option(word, "function" if word.rstrip("(") in FUNCTIONS else "word")
        for word in found.words
    ]
    return Completions(found.start, found.end, _matching(options, found.part))


def _values(database: Database | None, found: Completion) -> list[KeyValue]:
    field = resolve(found.dataset, found.value_of)
    if isinstance(field, Field) and field.kind == "boolean":
        return [KeyValue(one, one, None) for one in ("true", "false")]
    if database is None:
        return []
    return list_values(database, found.dataset, found.value_of, found.part)


def _matching(options: list[Option], part: str) -> list[Option]:
    """Return the options that contain a text, those that begin with it first."""
    part = part.lower()
    matching = [one for one in options if part in one.text.lower()]
    if [one.text for one in matching] == [part]:
        return []
    matching.sort(key=lambda one: not one.text.lower().lstrip('"`').startswith(part))
    return matching[:MAX_OPTIONS]
