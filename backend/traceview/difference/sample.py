"""Read a sample of the selected rows and of the other rows, with everything known about each.

A row has its own fields and attributes, those of its resource, facts about its trace, and, if it is
not a root, the fields and attributes of the root. A sample of a side is exact if the side is not
larger. Otherwise it has SIZE rows, so that a share is off by at most 1.8 percentage points, 95
times out of 100.
"""

import math
from typing import Any, NamedTuple, TypeAlias

import msgspec
from msgspec import Struct

from traceview.difference.tally import Fact, JsonText, Tally, Total
from traceview.query.fields import (
    ATTRIBUTE,
    FIELDS,
    RESOURCE,
    ROOT,
    SPANS,
    TABLES,
    TRACES,
    Attribute,
    Field,
    resolve,
)
from traceview.query.model import DATASETS, Dataset, QueryError
from traceview.query.sql import Statement
from traceview.query.traces import DATASETS_WITH_TRACES, PARTS
from traceview.storage.database import Select

SIZE = 3_000
"""Maximum number of rows of a side that are read."""

COMPARED_ROWS = 1_000
"""How many rows of each side are read to find attributes with the same information."""

MAX_KEYS = 1_000
"""Maximum number of keys; an attribute whose name is a value is not compared."""

Facts: TypeAlias = dict[str, Fact]


class Side(Struct):
    """The selected rows, or the other rows."""

    rows: int = 0
    ids: list[int] = []


class Sample(Struct):
    """The counts of all values, the sizes of both sides, and some rows with all their facts."""

    selection: Side
    rest: Side
    total: Total
    tally: Tally
    rows: list[Facts]

    @property
    def margin(self) -> float:
        """By how much a share can be off, with a probability of 95 %."""
        sizes = [len(one.ids) for one in (self.selection, self.rest) if len(one.ids) < one.rows]
        return 1.96 * math.sqrt(0.25 / min(sizes)) if sizes else 0.0


def read_sample(select: Select, dataset: Dataset, statement: Statement) -> Sample:
    """Read a sample.

    Args:
        select: executes statements in one snapshot.
        dataset: whose rows are compared.
        statement: returns the ids of both sides; see compile_sides.

    Raises:
        StatementError: a statement failed.
    """
    found = {
        side: Side(rows, ids) for side, rows, ids in select(statement.sql, statement.parameters)
    }
    selection, rest = found.get(True, Side()), found.get(False, Side())
    sample = Sample(selection, rest, Total(len(selection.ids), len(rest.ids)), Tally(), [])
    if selection.ids and rest.ids:
        _Reader(select, dataset, sample).read()
    return sample


class _Row(NamedTuple):
    id: int
    is_selected: bool
    trace: int
    origin: int
    facts: Facts


class _Reader:
    def __init__(self, select: Select, dataset: Dataset, sample: Sample) -> None:
        self._select = select
        self._dataset = dataset
        self._sample = sample
        self._ids = {"ids": [*sample.selection.ids, *sample.rest.ids]}
        self._keys: dict[tuple[str, str], str] = {}

    def read(self) -> None:
        sample, add = self._sample, self._sample.tally.add
        rows, resources, traces = self._rows(), self._resources(), self._traces()
        weights: dict[int, list[int]] = {}
        for row in rows:
            selection, rest = int(row.is_selected), int(not row.is_selected)
            trace = 2 * row.trace + selection
            add(row.facts, selection, rest, trace)
            add(resources.get(row.origin, {}), selection, rest, trace)
            weights.setdefault(row.trace, [0, 0])[rest] += 1
        for trace, facts in traces.items():
            selection, rest = weights.get(trace, (0, 0))
            add(facts, selection, rest, trace)
        sample.total.selection_traces = sum(weight[0] > 0 for weight in weights.values())
        sample.total.rest_traces = sum(weight[1] > 0 for weight in weights.values())
        compared = {*sample.selection.ids[:COMPARED_ROWS], *sample.rest.ids[:COMPARED_ROWS]}
        sample.rows = [
            {**resources.get(row.origin, {}), **traces.get(row.trace, {}), **row.facts}
            for row in rows
            if row.id in compared
        ]

    def _rows(self) -> list[_Row]:
        dataset = self._dataset
        fields = _compared(FIELDS[dataset])
        trace = "hash(t.rowid)"
        if dataset in DATASETS_WITH_TRACES:
            trace = f"CASE WHEN t.trace_id IS NULL THEN {trace} ELSE hash(t.trace_id) END"
        selected = set(self._sample.selection.ids)
        found = self._select(
            f"SELECT t.rowid, {trace}, t.origin, t.attributes::JSON::VARCHAR, {_listed(fields)} "
            f"FROM {TABLES[dataset]} AS t WHERE t.rowid IN (SELECT unnest($ids::BIGINT[]))",
            self._ids,
        )
        rows = [
            _Row(row[0], row[0] in selected, row[1], row[2], self._facts(dataset, fields, row[3:]))
            for row in found
        ]
        return sorted(rows, key=lambda row: (row.is_selected, row.trace))

    def _resources(self) -> dict[int, Facts]:
        found = self._select(
            "SELECT id, resource::JSON::VARCHAR FROM origins WHERE id IN (SELECT t.origin "
            f"FROM {TABLES[self._dataset]} AS t "
            "WHERE t.rowid IN (SELECT unnest($ids::BIGINT[])))",
            self._ids,
        )
        return {identity: self._attributes(RESOURCE, text) for identity, text in found}

    def _traces(self) -> dict[int, Facts]:
        """Return the facts about each trace, and those of its root if the rows are not roots."""
        dataset = self._dataset
        if dataset not in DATASETS_WITH_TRACES:
            return {}
        picked = (
            "WITH picked AS MATERIALIZED (SELECT DISTINCT t.trace_id "
            f"FROM {TABLES[dataset]} AS t WHERE t.rowid IN (SELECT unnest($ids::BIGINT[]))) "
        )
        tables = {
            name: sql.format(among="s.trace_id IN (FROM picked)") for name, sql in PARTS.items()
        }
        facts = _listed(TRACES)
        joined = " LEFT JOIN ".join(
            f"{tables[part]} AS {part}" + (" USING (trace_id)" if part != "tf" else "")
            for part in ("tf", "tp", "ts")
        )
        rows = self._select(f"{picked}SELECT hash(trace_id), {facts} FROM {joined}", self._ids)
        traces: dict[int, Facts] = {
            trace: {
                key: value for key, value in zip(TRACES, values, strict=True) if value is not None
            }
            for trace, *values in rows
        }
        if dataset == "roots":
            return traces
        of_root = _compared(SPANS)
        for trace, *values in self._select(
            f"{picked}SELECT hash(t.trace_id), t.attributes::JSON::VARCHAR, {_listed(of_root)} "
            f"FROM {tables['r']} AS t",
            self._ids,
        ):
            facts_of_root = self._facts("spans", of_root, values)
            traces.setdefault(trace, {}).update(
                {ROOT + key: value for key, value in facts_of_root.items()}
            )
        return traces

    def _facts(self, dataset: Dataset, fields: dict[str, Field], values: Any) -> Facts:
        """Return the values of the fields and of the attributes, which are JSON and come first."""
        facts = self._attributes(dataset, values[0])
        for key, value in zip(fields, values[1:], strict=True):
            if value is not None:
                facts[key] = ("true" if value else "false") if isinstance(value, bool) else value
        return facts

    def _attributes(self, of: str, text: str | None) -> Facts:
        """Return attributes by their keys; `of` is a dataset or the prefix of a resource."""
        found = {}
        for name, value in msgspec.json.decode(text or "{}").items():
            key = self._keys.get((of, name))
            if key is None:
                key = self._keys[of, name] = _key(of, name) if len(self._keys) < MAX_KEYS else ""
            if key and value is not None:
                found[key] = value if isinstance(value, str) else _fact(value)
        return found


def _compared(fields: dict[str, Field]) -> dict[str, Field]:
    """Return the fields whose values more than one row can have."""
    return {
        key: field for key, field in fields.items() if field.kind not in {"trace id", "span id"}
    }


def _listed(fields: dict[str, Field]) -> str:
    return ", ".join(field.sql for field in fields.values())


_IGNORED = frozenset({"client.port", "network.peer.port"})
"""A port of a client only says which connection it was: each connection has another one."""


def _key(of: str, name: str) -> str:
    """Return the key of an attribute; empty if it is ignored or has a column, or no query can name
    it."""
    if name in _IGNORED:
        return ""
    is_resource = of == RESOURCE
    source = "o.resource" if is_resource else "t.attributes"
    dataset: Dataset = next((one for one in DATASETS if one == of), "spans")
    for key in (RESOURCE + name,) if is_resource else (name, ATTRIBUTE + name):
        try:
            field = resolve(dataset, key)
        except QueryError:
            return ""
        if isinstance(field, Attribute) and (field.name, field.source) == (name, source):
            return key
    return ""


def _fact(value: Any) -> Fact:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    return JsonText(msgspec.json.encode(value).decode())
