"""Write spans and log lines as OTLP in JSON, which the explorer and other tools can read.

A file has one JSON object per line, as the file exporter of the OpenTelemetry Collector writes it:
a line of TracesData, and one of LogsData if there are log lines.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from traceview.model import Attributes, LogLine, Origin, Scope, Span, Value
from traceview.otlp import KINDS, STATUSES

Json = dict[str, Any]


def export_lines(spans: Iterable[Span], lines: Iterable[LogLine]) -> bytes:
    """Return a file with a line of spans and a line of log lines; either is left out if empty."""
    traces = _grouped(spans, _span, ("resourceSpans", "scopeSpans", "spans"))
    logs = _grouped(lines, _line, ("resourceLogs", "scopeLogs", "logRecords"))
    return b"".join(msgspec.json.encode(data) + b"\n" for data in (traces, logs) if data)


def _grouped(items: Iterable[Any], convert: Any, names: tuple[str, str, str]) -> Json:
    """Return the items by resource and scope; empty if there are none."""
    resources, scopes, listed = names
    groups: dict[bytes, tuple[Json, dict[bytes, Json]]] = {}
    keys: dict[int, tuple[bytes, bytes]] = {}
    for item in items:
        origin: Origin = item.origin
        if id(origin) not in keys:
            keys[id(origin)] = (
                msgspec.json.encode(_attributes(origin.resource)),
                msgspec.json.encode(_scope(origin.scope)),
            )
        resource, scope = keys[id(origin)]
        if resource not in groups:
            made: Json = {"resource": {"attributes": _attributes(origin.resource)}, scopes: []}
            groups[resource] = (made, {})
        holder, known = groups[resource]
        if scope not in known:
            known[scope] = {"scope": _scope(origin.scope), listed: []}
            holder[scopes].append(known[scope])
        known[scope][listed].append(convert(item))
    return {resources: [holder for holder, _ in groups.values()]} if groups else {}


def _scope(scope: Scope) -> Json:
    return {
        "name": scope.name,
        "version": scope.version,
        "attributes": _attributes(scope.attributes),
    }


def _span(span: Span) -> Json:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_span_id,
        "name": span.name,
        "kind": _number(span.kind, KINDS, "SPAN_KIND_"),
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _attributes(span.attributes),
        "droppedAttributesCount": span.dropped.get("attributes", 0),
        "events": [
            {
                "timeUnixNano": str(event.time_ns),
                "name": event.name,
                "attributes": _attributes(event.attributes),
            }
            for event in span.events
        ],
        "droppedEventsCount": span.dropped.get("events", 0),
        "links": [
            {
                "traceId": link.trace_id,
                "spanId": link.span_id,
                "attributes": _attributes(link.attributes),
            }
            for link in span.links
        ],
        "droppedLinksCount": span.dropped.get("links", 0),
        "status": {
            "code": _number(span.status, STATUSES, "STATUS_CODE_"),
            "message": span.status_message,
        },
    }


def _line(line: LogLine) -> Json:
    return {
        "timeUnixNano": str(line.time_ns),
        "severityNumber": line.severity_number,
        "severityText": line.severity,
        "eventName": line.event_name,
        "body": _value(line.body),
        "attributes": _attributes(line.attributes),
        "traceId": line.trace_id,
        "spanId": line.span_id,
    }


def _number(name: str, names: tuple[str, ...], prefix: str) -> int | str:
    """Return the number of an enum value; one that OTLP does not have stays as it was sent."""
    if name in names:
        return names.index(name)
    number = name.removeprefix(prefix)
    return int(number) if number.isascii() and number.isdecimal() else name


def _attributes(attributes: Attributes) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Value) -> Json:
    if value is None:
        return {}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if value - value == 0 else _NOT_FINITE[str(value)]}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"kvlistValue": {"values": _attributes(value)}}


_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
