"""The keys of a query, and the SQL expression of each.

Every expression in this module is constant. The name of an attribute reaches the database only
as a parameter.
"""

from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from traceview.query.model import HISTOGRAM, Dataset, QueryError
from traceview.query.traces import DATASETS_WITH_TRACES

Kind: TypeAlias = Literal[
    "text",
    "number",
    "boolean",
    "duration",
    "time",
    "word",
    "trace id",
    "span id",
    "histogram",
]

RESOURCE = "resource."
"""Prefix of an attribute of the resource."""

ATTRIBUTE = "attribute."
"""Prefix of an attribute whose name is also that of a field."""

ROOT = "root."
"""Prefix of a field or an attribute of the trace's root."""


class Field(Struct, frozen=True):
    """A key that has a column.

    A word is a text in capitals, such as the kind of a span. `sql` is what conditions compare and
    what rows are grouped by; `shown` converts it, as %s, to what results contain.
    """

    sql: str
    kind: Kind = "text"
    unit: str = ""
    shown: str = "%s"
    attribute: str = ""
    """The attribute whose value the column holds."""
    part: str = ""
    """The table in traceview.query.traces that has the column; empty for the row itself."""


class Attribute(Struct, frozen=True):
    """A key without a column: an attribute in a map, by name."""

    name: str
    source: Literal["t.attributes", "o.resource", "r.attributes"]
    unit: str

    @property
    def part(self) -> str:
        """The table in traceview.query.traces that has the map; empty for another one."""
        return "r" if self.source == "r.attributes" else ""


_IDS = {
    "trace_id": Field("t.trace_id", "trace id", shown="replace(%s::VARCHAR, '-', '')"),
    "span_id": Field("t.span_id", "span id", shown="format('{:016x}', %s)"),
}
_TIME = Field("t.time_ns", "time", shown="%s::VARCHAR")
_SERVICE = Field("t.service")

SPANS: dict[str, Field] = {
    **_IDS,
    "time": _TIME,
    "parent_span_id": Field("t.parent_span_id", "span id", shown="format('{:016x}', %s)"),
    "name": Field("t.name"),
    "duration": Field("t.duration_ns", "duration", "ms", shown="%s / 1e6"),
    "kind": Field("t.kind", "word"),
    "status": Field("t.status", "word"),
    "status_message": Field("t.status_message"),
    "error": Field("t.is_error", "boolean"),
    "root": Field("t.is_root", "boolean"),
    "service": _SERVICE,
    "scope": Field("t.scope"),
    "user": Field("t.user_id"),
    "method": Field("t.http_method", attribute="http.request.method"),
    "route": Field("t.http_route", attribute="http.route"),
    "status_code": Field("t.http_status", "number", attribute="http.response.status_code"),
    "statement": Field("t.db_summary", attribute="db.query.summary"),
    "host": Field("t.server_address", attribute="server.address"),
    "exception.type": Field("t.exception_type"),
    "exception.message": Field("t.exception_message"),
    "url.path": Field("t.url_path", attribute="url.path"),
    "error.type": Field("t.error_type", attribute="error.type"),
    "client.address": Field("t.client_address", attribute="client.address"),
    "db.system.name": Field("t.db_system", attribute="db.system.name"),
}

LOGS: dict[str, Field] = {
    **_IDS,
    "time": _TIME,
    "body": Field("t.body"),
    "severity": Field("upper(t.severity)", "word"),
    "severity_number": Field("t.severity_number", "number"),
    "error": Field("(t.severity_number >= 17)", "boolean"),
    "event_name": Field("t.event_name"),
    "service": _SERVICE,
    "logger": Field("t.scope"),
}

METRICS: dict[str, Field] = {
    "time": _TIME,
    "name": Field("t.name"),
    "kind": Field("t.kind"),
    "unit": Field("t.unit"),
    "temporality": Field("t.temporality"),
    "monotonic": Field("t.is_monotonic", "boolean"),
    "value": Field("t.value", "number"),
    "count": Field("t.count", "number"),
    "sum": Field("t.sum", "number"),
    "min": Field("t.min", "number"),
    "max": Field("t.max", "number"),
    HISTOGRAM: Field("t.counts", "histogram"),
    "service": _SERVICE,
    "scope": Field("t.scope"),
}

EXEMPLARS: dict[str, Field] = {
    **_IDS,
    "time": _TIME,
    "name": Field("t.name"),
    "kind": Field("t.kind"),
    "unit": Field("t.unit"),
    "value": Field("t.value", "number"),
    "service": _SERVICE,
    "scope": Field("t.scope"),
}

TRACES: dict[str, Field] = {
    "trace.spans": Field("tf.spans", "number", part="tf"),
    "trace.errors": Field("tf.errors", "number", part="tf"),
    "trace.statements": Field("tf.statements", "number", part="tf"),
    "trace.calls": Field("tf.calls", "number", part="tf"),
    "trace.slowest_statement": Field("tf.slowest_statement", part="tf"),
    "trace.error.type": Field("tf.error_type", part="tf"),
    "trace.repetitions": Field("tp.repetitions", "number", part="tp"),
    "trace.repeated_statement": Field("tp.repeated_statement", part="tp"),
    "trace.longest_part": Field("ts.longest_part", part="ts"),
}
"""Facts about all spans of a trace, for each of its rows."""

FIELDS: dict[Dataset, dict[str, Field]] = {
    "spans": SPANS,
    "roots": SPANS,
    "logs": LOGS,
    "metrics": METRICS,
    "exemplars": EXEMPLARS,
}

SPAN_ATTRIBUTES = {field.attribute: field for field in SPANS.values() if field.attribute}
"""The attributes of spans that have a column of their own."""

TABLES: dict[Dataset, str] = {
    "spans": "spans",
    "roots": "spans",
    "logs": "logs",
    "metrics": "metrics",
    "exemplars": "exemplars",
}


def resolve(dataset: Dataset, key: str) -> Field | Attribute:
    """Return the field or the attribute that a key names.

    Raises:
        QueryError: the key is empty or cannot be a name.
    """
    if not key or key in {RESOURCE, ATTRIBUTE} or len(key) > 200:
        raise QueryError("a key has 1 to 200 characters")
    if field := FIELDS[dataset].get(key):
        return field
    if key.startswith(RESOURCE):
        name = key.removeprefix(RESOURCE)
        if name == "service.name":
            return _SERVICE
        return Attribute(name, "o.resource", unit_of(name))
    if dataset in DATASETS_WITH_TRACES:
        if field := TRACES.get(key):
            return field
        if key.startswith(ROOT):
            return _of_root(key.removeprefix(ROOT))
    name = key.removeprefix(ATTRIBUTE)
    if TABLES[dataset] == "spans" and (field := SPAN_ATTRIBUTES.get(name)):
        return field
    return Attribute(name, "t.attributes", unit_of(name))


def _of_root(key: str) -> Field | Attribute:
    if key.startswith((RESOURCE, ROOT)) or key in TRACES:
        raise QueryError(f"{ROOT} is followed by a field or an attribute of a span")
    found = resolve("spans", key)
    if isinstance(found, Attribute):
        return Attribute(found.name, "r.attributes", found.unit)
    return replace(found, sql=found.sql.replace("t.", "r.", 1), part="r")


def unit_of(attribute: str) -> str:
    """Return the unit that the name of an attribute implies, in UCUM; empty if it has none."""
    if attribute.endswith(("_ms", ".ms")):
        return "ms"
    if attribute.endswith(("_seconds", ".seconds")):
        return "s"
    if attribute.endswith((".bytes", "_bytes", ".body.size")):
        return "By"
    return ""
