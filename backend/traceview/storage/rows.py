"""Convert spans, log lines and points to rows, and rows back to spans and log lines."""

from hashlib import blake2b
from typing import Any

import msgspec

from traceview.model import (
    Attributes,
    Event,
    Link,
    LogLine,
    Origin,
    Point,
    Span,
    Value,
    exact,
)
from traceview.query.fields import SPAN_ATTRIBUTES

Row = dict[str, Any]

MAX_NS = 2**63 - 1

# The identities of a user in the semantic conventions, stable and older.
_USER_KEYS = ("user.id", "enduser.id", "enduser.pseudo.id")
_ENTRY_KINDS = frozenset({"SERVER", "CONSUMER"})

# Attribute → column and whether the column has numbers.
_COLUMNS = {
    name: (field.sql.removeprefix("t."), field.kind == "number")
    for name, field in SPAN_ATTRIBUTES.items()
}


class Details(msgspec.Struct, omit_defaults=True):
    """The parts of a span that queries do not use: fields of its events and links, and others."""

    events: list[tuple[str, int, dict[str, Any]]] = []
    links: list[tuple[str, str, dict[str, Any]]] = []
    dropped: dict[str, int] = {}
    ends_before_start: int = 0
    """By how many nanoseconds, if the sender's clock was set back."""


def span_row(span: Span, origin: int, received_s: int) -> Row:
    """Return the row of a span in the table `spans`."""
    attributes = dict(span.attributes)
    columns = _take_columns(attributes)
    exception = next((one for one in span.events if one.name == "exception"), None)
    details = Details(
        [(one.name, one.time_ns, _json_safe(one.attributes)) for one in span.events],
        [(one.trace_id, one.span_id, _json_safe(one.attributes)) for one in span.links],
        span.dropped,
        max(0, span.start_ns - span.end_ns),
    )
    row: Row = {
        "received_s": received_s,
        "trace_id": span.trace_id,
        "span_id": int(span.span_id, 16),
        "parent_span_id": int(span.parent_span_id, 16) if span.parent_span_id else None,
        "time_ns": min(span.start_ns, MAX_NS),
        "duration_ns": min(span.duration_ns, MAX_NS),
        "name": span.name,
        "kind": span.kind,
        "status": span.status,
        "status_message": span.status_message or None,
        "is_error": span.status == "ERROR",
        "is_root": not span.parent_span_id or span.kind in _ENTRY_KINDS,
        "is_background": span.is_background,
        "service": span.origin.service,
        "scope": span.origin.scope.name,
        "user_id": _text_of(attributes, *_USER_KEYS),
        "origin": origin,
        "attributes": _json_safe(attributes),
        **columns,
    }
    if exception is not None:
        row["exception_type"] = _text_of(exception.attributes, "exception.type")
        row["exception_message"] = _text_of(exception.attributes, "exception.message")
    if details != _NO_DETAILS:
        row["details"] = msgspec.json.encode(details).decode()
    return row


_NO_DETAILS = Details()


def _take_columns(attributes: Attributes) -> Row:
    """Move attributes to their columns.

    A value of another type than that of the column is converted if possible, and also stays where
    it is, so that a trace shows it as it was sent.
    """
    columns: Row = {}
    for name, (column, is_number) in _COLUMNS.items():
        value = attributes.get(name)
        if value is None:
            continue
        if is_number:
            if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_NS:
                columns[column] = attributes.pop(name)
            elif isinstance(value, str) and value.isascii() and value.isdecimal():
                columns[column] = int(value) if len(value) < 18 else None
        elif isinstance(value, str):
            columns[column] = attributes.pop(name)
        elif isinstance(value, bool | int | float):
            columns[column] = str(value)
    return columns


def line_row(line: LogLine, number: int, origin: int, received_s: int) -> Row:
    """Return the row of a log line in the table `logs`; `number` is that of its arrival."""
    is_text = isinstance(line.body, str)
    body = line.body if is_text else msgspec.json.encode(exact(line.body)).decode()
    return {
        "received_s": received_s,
        "id": number,
        "trace_id": line.trace_id or None,
        "span_id": int(line.span_id, 16) if line.span_id else None,
        "time_ns": min(line.time_ns, MAX_NS),
        "severity": line.severity,
        "severity_number": line.severity_number,
        "event_name": line.event_name or None,
        "body": body,
        "is_body_json": not is_text,
        "service": line.origin.service,
        "scope": line.origin.scope.name,
        "origin": origin,
        "attributes": _json_safe(line.attributes),
    }


def point_row(point: Point, origin: int, received_s: int) -> Row:
    """Return the row of a point in the table `metrics`."""
    buckets = point.buckets
    row: Row = {
        "received_s": received_s,
        "series": series_of(point),
        "start_ns": min(point.start_ns, MAX_NS) or None,
        "time_ns": min(point.time_ns, MAX_NS),
        "name": point.name,
        "kind": point.kind,
        "unit": point.unit,
        "description": point.description or None,
        "temporality": point.temporality,
        "is_monotonic": point.is_monotonic,
        "value": _finite(point.value),
        "count": None if point.count is None else min(point.count, MAX_NS),
        "sum": _finite(point.sum),
        "min": _finite(point.min),
        "max": _finite(point.max),
        "service": point.origin.service,
        "scope": point.origin.scope.name,
        "origin": origin,
        "attributes": _json_safe(point.attributes),
    }
    if buckets is not None:
        row["counts"] = buckets.counts
        row["bounds"] = buckets.bounds
    if buckets is not None and buckets.scale is not None:
        row["scale"] = buckets.scale
        row["counts_from"] = buckets.offset
        row["zero_count"] = min(buckets.zero_count, MAX_NS)
        row["zero_threshold"] = buckets.zero_threshold
        row["negative_counts"] = buckets.negative_counts
        row["negative_from"] = buckets.negative_offset
    return row


def exemplar_rows(point: Point, origin: int, received_s: int) -> list[Row]:
    """Return the rows of the exemplars of a point in the table `exemplars`."""
    series = series_of(point) if point.exemplars else 0
    return [
        {
            "received_s": received_s,
            "series": series,
            "time_ns": min(one.time_ns, MAX_NS),
            "name": point.name,
            "kind": point.kind,
            "unit": point.unit,
            "value": one.value,
            "trace_id": one.trace_id,
            "span_id": int(one.span_id, 16) if one.span_id else None,
            "service": point.origin.service,
            "scope": point.origin.scope.name,
            "origin": origin,
            "attributes": _json_safe({**point.attributes, **one.attributes}),
        }
        for one in point.exemplars
    ]


def series_of(point: Point) -> int:
    """Return a hash of the identity of a point's series.

    The identity is that of the data model of OpenTelemetry: resource, scope, name, kind, unit,
    temporality and monotonicity, and the attributes of the point.
    """
    kind = (point.name, point.kind, point.unit, point.temporality, point.is_monotonic)
    identity = _sorted.encode((point.origin, kind, point.attributes))
    return int.from_bytes(blake2b(identity, digest_size=8).digest(), "big")


_sorted = msgspec.json.Encoder(order="deterministic")


def origin_row(origin: Origin, identity: int) -> Row:
    """Return the row of a source in the table `origins`."""
    return {
        "id": identity,
        "scope": origin.scope.name,
        "scope_version": origin.scope.version,
        "scope_attributes": msgspec.json.encode(_json_safe(origin.scope.attributes)).decode(),
        "resource": _json_safe(origin.resource),
    }


def read_span(row: Row, origin: Origin) -> Span:
    """Return the span of a row; ids and attributes are text, as the loader selects them."""
    details = msgspec.json.decode(row["details"] or "{}", type=Details)
    attributes: Attributes = {
        name: row[column] for name, (column, _) in _COLUMNS.items() if row[column] is not None
    }
    attributes.update(msgspec.json.decode(row["attributes"] or "{}"))
    return Span(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_span_id=row["parent_span_id"] or "",
        name=row["name"],
        kind=row["kind"],
        start_ns=row["time_ns"],
        end_ns=row["time_ns"] + row["duration_ns"] - details.ends_before_start,
        status=row["status"],
        status_message=row["status_message"] or "",
        attributes=attributes,
        events=[Event(*one) for one in details.events],
        links=[Link(*one) for one in details.links],
        dropped=details.dropped,
        origin=origin,
    )


def read_line(row: Row, origin: Origin) -> LogLine:
    """Return the log line of a row."""
    return LogLine(
        trace_id=row["trace_id"] or "",
        span_id=row["span_id"] or "",
        time_ns=row["time_ns"],
        severity=row["severity"],
        severity_number=row["severity_number"],
        event_name=row["event_name"] or "",
        body=msgspec.json.decode(row["body"]) if row["is_body_json"] else row["body"],
        attributes=msgspec.json.decode(row["attributes"] or "{}"),
        origin=origin,
    )


def _json_safe(attributes: Attributes) -> Attributes:
    return {key: _exact(value) for key, value in attributes.items()}


def _exact(value: Value) -> Value:
    # Most values are texts, which JSON represents as they are.
    return value if isinstance(value, str) else exact(value)


def _text_of(attributes: Attributes, *names: str) -> str | None:
    values = (attributes.get(name) for name in names)
    return next((str(one) for one in values if isinstance(one, str | int)), None)


def _finite(number: int | float | None) -> int | float | None:
    return number if number is not None and number - number == 0 else None
