"""Convert spans to X-Ray segment documents.

The rules are those of the X-Ray developer guide ("segment documents"); where it is silent
(the `links`, what becomes `metadata`), those of the OpenTelemetry Collector's exporter.
Attributes are read by their stable names only.
"""

import copy
import hashlib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

MAX_BYTES = 64_000
"""Maximum size of an encoded document. X-Ray accepts 64 kB; a UDP datagram has at most 65,507 bytes
with its header."""

# Limits for the parts that are not trimmed, so that every span fits: a character has up to 4 bytes.
NAME_CHARS = 200
ANNOTATION_CHARS = 1_000
TEXT_CHARS = 1_000  # of an address, a message and the like
MAX_EXCEPTIONS = 10
MAX_FRAMES = 50
MAX_LOG_GROUPS = 5
LOG_GROUP_CHARS = 512

# X-Ray indexes 50 annotations of a trace, so a span gets few; everything else is metadata.
ANNOTATIONS = {
    "http.route": "http_route",
    "error.type": "error_type",
    "db.query.summary": "db_query_summary",
}

ORIGINS = {
    "aws_ec2": "AWS::EC2::Instance",
    "aws_ecs": "AWS::ECS::Container",
    "aws_eks": "AWS::EKS::Container",
    "aws_elastic_beanstalk": "AWS::ElasticBeanstalk::Environment",
    "aws_app_runner": "AWS::AppRunner::Service",
}
ECS_ORIGINS = {"ec2": "AWS::ECS::EC2", "fargate": "AWS::ECS::Fargate"}

DEFAULT_PORTS = {"http": 80, "https": 443}

_FORBIDDEN_IN_NAMES = re.compile(r"[^A-Za-z0-9 _.:/%&#=+\-@]")
_SPACES = re.compile(r"\s+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FRAME = re.compile(r'^[ |]*File "(?P<path>.+)", line (?P<line>\d{1,9}), in (?P<label>.+)$', re.M)
_CHAINED = re.compile(
    r"^(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):$",
    re.M,
)

Document = dict[str, Any]


def segment(span: ReadableSpan) -> Document:
    """Return the document of a span, with values that JSON can represent.

    A span of kind SERVER, and one without a parent, becomes a segment, named by the
    service; every other one becomes a subsegment, named by what it called. Times are in
    seconds since 1970. A span that has not ended is `in_progress`.

    Raises:
        ValueError: the span has no ids.
    """
    context = span.get_span_context()
    if context is None or not context.is_valid:
        raise ValueError("a span without ids has no place in a trace")
    attributes = _safe_mapping(span.attributes or {})
    resource = _safe_mapping(span.resource.attributes)
    is_segment = span.kind is SpanKind.SERVER or span.parent is None
    is_remote = span.kind is SpanKind.CLIENT
    start = span.start_time or 0
    document: Document = {
        "name": _name(span, attributes, resource, is_segment=is_segment),
        "id": f"{context.span_id:016x}",
        "trace_id": trace_id(context.trace_id),
        "start_time": start / 1e9,
    }
    if span.end_time is None:
        document["in_progress"] = True
    else:
        document["end_time"] = max(start, span.end_time) / 1e9
    if span.parent is not None:
        document["parent_id"] = f"{span.parent.span_id:016x}"
    if is_segment:
        document |= _service(attributes, resource)
    else:
        document["type"] = "subsegment"
        if is_remote:
            document["namespace"] = "remote"
    document |= _failure(span, attributes)
    document |= _http(attributes)
    document |= _sql(attributes)
    if cause := _cause(span, attributes, is_remote=is_remote):
        document["cause"] = cause
    if links := _links(span):
        document["links"] = links
    document["annotations"] = _annotations(span, attributes, resource, is_segment=is_segment)
    if metadata := _metadata(span, attributes, resource, is_segment=is_segment):
        document["metadata"] = {"default": metadata}
    return document


def encode(document: Document) -> bytes | None:
    """Return the document as JSON of at most MAX_BYTES, trimmed if necessary.

    The least useful parts are removed first: stack frames, metadata, the end of the SQL text, all
    but the first exception, links. Returns None if it is still too large.
    """
    encoded = msgspec.json.encode(document)
    if len(encoded) <= MAX_BYTES:
        return encoded
    trimmed = copy.deepcopy(document)
    for trim in _TRIMMINGS:
        trim(trimmed)
        encoded = msgspec.json.encode(trimmed)
        if len(encoded) <= MAX_BYTES:
            return encoded
    return None


def trace_id(value: int) -> str:
    """Return a W3C trace id as X-Ray writes it: 1, 8 and 24 hexadecimal digits."""
    digits = f"{value:032x}"
    return f"1-{digits[:8]}-{digits[8:]}"


# --- the parts of a document ------------------------------------------------------------
# Each part removes the `attributes` that it uses; the remaining ones become metadata.


def _name(span: ReadableSpan, attributes: Document, resource: Document, *, is_segment: bool) -> str:
    candidates = [span.name]
    if is_segment:
        candidates = [str(resource.get("service.name", "")), span.name]
    elif "db.namespace" in attributes:
        parts = (attributes["db.namespace"], attributes.get("server.address"))
        candidates = ["@".join(str(part) for part in parts if part), span.name]
    elif "server.address" in attributes:
        candidates = [str(attributes["server.address"]), span.name]
    return next((name for raw in candidates if (name := _clean_name(raw))), "unnamed")


def _clean_name(raw: str) -> str:
    """Keep only the characters that X-Ray documents for a name."""
    spaced = _SPACES.sub(" ", raw)
    return _FORBIDDEN_IN_NAMES.sub("", spaced)[:NAME_CHARS].strip()


def _service(attributes: Document, resource: Document) -> Document:
    """Return the parts of a segment that describe the service."""
    part: Document = {}
    if "service.version" in resource:
        part["service"] = {"version": _text(resource["service.version"], NAME_CHARS)}
    if "enduser.pseudo.id" in attributes:
        part["user"] = _text(attributes.pop("enduser.pseudo.id"), NAME_CHARS)
    platform = resource.get("cloud.platform")
    origin = ORIGINS.get(platform) if isinstance(platform, str) else None
    if platform == "aws_ecs":
        origin = ECS_ORIGINS.get(str(resource.get("aws.ecs.launchtype")), origin)
    if origin is not None:
        part["origin"] = origin
    groups = resource.get("aws.log.group.names", [])
    if isinstance(groups, str):  # as OTEL_RESOURCE_ATTRIBUTES has to write a list
        groups = [group for group in groups.split("&") if group]
    if isinstance(groups, list) and groups:
        names = [_text(group, LOG_GROUP_CHARS) for group in groups[:MAX_LOG_GROUPS]]
        part["aws"] = {"cloudwatch_logs": [{"log_group": name} for name in names]}
    return part


def _failure(span: ReadableSpan, attributes: Document) -> Document:
    """Return the kind of failure. The HTTP status has precedence over that of the span."""
    status = _integer(attributes.get("http.response.status_code")) or 0
    if 400 <= status <= 499:
        return {"error": True, "throttle": True} if status == 429 else {"error": True}
    if 500 <= status <= 599:
        return {"fault": True}
    return {"fault": True} if span.status.status_code is StatusCode.ERROR else {}


def _http(attributes: Document) -> Document:
    if attributes.keys().isdisjoint({"http.request.method", "http.response.status_code"}):
        return {}
    request: Document = {}
    for name, field, chars in (
        ("http.request.method", "method", NAME_CHARS),
        ("client.address", "client_ip", NAME_CHARS),
        ("user_agent.original", "user_agent", TEXT_CHARS),
    ):
        if name in attributes:
            request[field] = _text(attributes.pop(name), chars)
    if url := _url(attributes):
        request["url"] = _text(url)
    response: Document = {}
    for name, field in (
        ("http.response.status_code", "status"),
        ("http.response.body.size", "content_length"),
    ):
        if (number := _integer(attributes.get(name))) is not None:
            response[field] = number
            del attributes[name]
    return _filled({"http": _filled({"request": request, "response": response})})


def _url(attributes: Document) -> str:
    """Return the address of the request: one attribute of a client span, several of a server's."""
    if "url.full" in attributes:
        return str(attributes.pop("url.full"))
    scheme, path, query = (
        str(attributes.pop(name, default))
        for name, default in (("url.scheme", "http"), ("url.path", ""), ("url.query", ""))
    )
    authority = ""
    if address := str(attributes.get("server.address", "")):
        port = attributes.get("server.port")
        host = f"[{address}]" if ":" in address and not address.startswith("[") else address
        is_usual = port is None or port == DEFAULT_PORTS.get(scheme)
        authority = f"{scheme}://{host}" if is_usual else f"{scheme}://{host}:{port}"
    return f"{authority}{path}?{query}" if query else f"{authority}{path}"


def _sql(attributes: Document) -> Document:
    system = attributes.pop("db.system.name", None)
    if system is None:
        return {}
    sql: Document = {"database_type": _text(system, NAME_CHARS)}
    address, port = attributes.get("server.address"), attributes.get("server.port")
    authority = f"{address or ''}:{port}" if port is not None else str(address or "")
    sql["url"] = _text(f"{system}://{authority}/{attributes.get('db.namespace', '')}")
    if "db.query.text" in attributes:
        sql["sanitized_query"] = str(attributes.pop("db.query.text"))
    return {"sql": sql}


def _cause(span: ReadableSpan, attributes: Document, *, is_remote: bool) -> Document | None:
    """Return the exceptions of the span with their causes, or else its status description."""
    events = [event for event in span.events if event.name == "exception"][:MAX_EXCEPTIONS]
    chains = [_exceptions(event) for event in events]
    if not chains and span.status.status_code is StatusCode.ERROR and span.status.description:
        kind = _text(attributes.get("error.type", "Error"), NAME_CHARS)
        chains = [[{"type": kind, "message": _text(_clean(span.status.description))}]]
    exceptions: list[Document] = []
    for chain in chains:
        for index, exception in enumerate(chain[: MAX_EXCEPTIONS - len(exceptions)]):
            exception["id"] = _exception_id(span, len(exceptions))
            exception["remote"] = is_remote
            if index:
                exceptions[-1]["cause"] = exception["id"]
            exceptions.append(exception)
    return {"exceptions": exceptions} if exceptions else None


def _exception_id(span: ReadableSpan, number: int) -> str:
    """Return an id of the form of a span id, always the same for the same exception."""
    context = span.get_span_context()
    seed = f"{context.span_id if context else 0}/{number}".encode()
    return hashlib.blake2b(seed, digest_size=8).hexdigest()


def _exceptions(event: Event) -> list[Document]:
    """Return an exception event, followed by the causes that its traceback names."""
    attributes = _safe_mapping(event.attributes or {})
    *earlier, traceback = _CHAINED.split(str(attributes.get("exception.stacktrace", "")))
    type_and_message = (
        attributes.get("exception.type", "Error"),
        attributes.get("exception.message", ""),
    )
    parts = [(type_and_message, traceback)] + [
        (_type_and_message(part), part) for part in reversed(earlier)
    ]
    return [
        {"type": _text(kind, NAME_CHARS), "message": _text(message), **_stack(part)}
        for (kind, message), part in parts
    ]


def _stack(traceback: str) -> Document:
    """Return the frames of a traceback, the innermost first."""
    frames = [
        {"path": frame["path"], "line": int(frame["line"]), "label": frame["label"]}
        for frame in reversed(list(_FRAME.finditer(traceback)))
    ]
    stack = _filled({"stack": frames[:MAX_FRAMES]})
    if len(frames) > MAX_FRAMES:
        stack["truncated"] = len(frames) - MAX_FRAMES
    return stack


def _type_and_message(traceback: str) -> tuple[str, str]:
    """Return class and message of the exception, which follow the innermost frame."""
    lines = traceback.strip().splitlines()
    indented = [number for number, line in enumerate(lines) if line.startswith(" ")]
    type_and_message = "\n".join(lines[indented[-1] + 1 :] if indented else lines[-1:])
    kind, _, message = type_and_message.partition(": ")
    return kind or "Error", message


def _links(span: ReadableSpan) -> list[Document]:
    return [
        _filled(
            {
                "trace_id": trace_id(link.context.trace_id),
                "id": f"{link.context.span_id:016x}",
                "attributes": _safe_mapping(link.attributes or {}),
            }
        )
        for link in span.links
    ]


def _annotations(
    span: ReadableSpan, attributes: Document, resource: Document, *, is_segment: bool
) -> Document:
    annotations: Document = {"span_name": _clean(span.name)[:ANNOTATION_CHARS]}
    for name, key in ANNOTATIONS.items():
        if name in attributes:
            annotations[key] = _text(attributes.pop(name), ANNOTATION_CHARS)
    if is_segment and "deployment.environment.name" in resource:
        environment = _text(resource["deployment.environment.name"], ANNOTATION_CHARS)
        annotations["deployment_environment"] = environment
    return annotations


def _metadata(
    span: ReadableSpan, attributes: Document, resource: Document, *, is_segment: bool
) -> Document:
    """Return the remaining attributes. Only segments describe the service."""
    metadata = dict(attributes)
    if span.kind is not SpanKind.INTERNAL:
        metadata["otel.span.kind"] = span.kind.name
    if span.status.description:
        metadata["otel.status.description"] = _clean(span.status.description)
    if events := [event for event in span.events if event.name != "exception"]:
        metadata["otel.events"] = [
            _filled(
                {
                    "name": _clean(event.name),
                    "time": event.timestamp / 1e9,
                    "attributes": _safe_mapping(event.attributes or {}),
                }
            )
            for event in events
        ]
    if is_segment:
        metadata |= {f"otel.resource.{name}": value for name, value in resource.items()}
    return metadata


# --- trimming --------------------------------------------------------


def _trim_frames(document: Document) -> None:
    for exception in document.get("cause", {}).get("exceptions", []):
        if frames := exception.pop("stack", []):
            exception["truncated"] = len(frames) + exception.get("truncated", 0)


def _trim_metadata(document: Document) -> None:
    if "metadata" in document:
        document["metadata"] = {"default": {"otel.trimmed": True}}


def _trim_query(document: Document) -> None:
    sql = document.get("sql", {})
    if "sanitized_query" in sql:
        sql["sanitized_query"] = sql["sanitized_query"][:TEXT_CHARS]


def _trim_exceptions(document: Document) -> None:
    cause = document.get("cause", {})
    if "exceptions" in cause:
        first = cause["exceptions"][0]
        first.pop("cause", None)
        cause["exceptions"] = [first]


def _trim_links(document: Document) -> None:
    document.pop("links", None)


_TRIMMINGS: tuple[Callable[[Document], None], ...] = (
    _trim_frames,
    _trim_metadata,
    _trim_query,
    _trim_exceptions,
    _trim_links,
)


# --- JSON values -----------------------------------------------------------------


def _safe_mapping(mapping: Mapping[str, Any]) -> Document:
    return {_clean(str(name)): _safe(value) for name, value in mapping.items()}


def _safe(value: Any) -> Any:
    """Return the value as JSON can represent it: no NaN, no bytes, no integer beyond 64 bits."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray):
        return _clean(bytes(value).decode("utf-8", "backslashreplace"))
    if isinstance(value, Mapping):
        return _safe_mapping(value)
    if isinstance(value, Sequence | set | frozenset):
        return [_safe(item) for item in value]
    return _clean(str(value))


def _clean(text: str) -> str:
    """Remove control characters and lone surrogates, which UTF-8 cannot encode."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.encode("utf-8", "replace").decode())


def _text(value: Any, chars: int = TEXT_CHARS) -> str:
    return str(value)[:chars]


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _filled(parts: Mapping[str, Any]) -> Document:
    """Return the parts that are not empty."""
    return {name: value for name, value in parts.items() if value}
