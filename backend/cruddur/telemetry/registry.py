"""Every span, attribute, metric and log field that the service emits.

The tables in docs/telemetry.md and the metrics are created from this list. A test fails when the
service emits a key that is neither in this list nor a stable one of the semantic conventions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SpanName:
    """A span: its name, its kind, and the condition for it."""

    name: str
    kind: Literal["SERVER", "CLIENT", "CONSUMER", "INTERNAL"]
    when: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """A key of ours, or one of the conventions that are not stable yet.

    `on` is its place: spans, log lines, metrics or the resource.
    """

    name: str
    type: Literal["string", "int", "double", "boolean", "string[]"]
    on: str
    why: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    `is_ours` is False for those that the ASGI instrumentation creates and records.
    """

    name: str
    instrument: Literal[
        "counter",
        "updowncounter",
        "histogram",
        "observable counter",
        "observable updowncounter",
    ]
    unit: str
    why: str
    attributes: Sequence[str] = ()
    buckets: Sequence[float] | None = None
    is_ours: bool = True


# The bounds that the conventions advise for durations.
_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)

# The attributes that the conventions advise for the metrics of requests.
_OF_REQUEST = (
    "error.type",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "network.protocol.version",
    "url.scheme",
)

SPANS = (
    SpanName(
        "{METHOD} {rule}",
        "SERVER",
        "each request, such as `GET /api/activities/@<handle>`; the method alone where no"
        " rule matches; none for the probes",
    ),
    SpanName("WS {rule}", "SERVER", "each websocket, until it closes"),
    SpanName(
        "close {rule}",
        "INTERNAL",
        "the end of a stream: a trace of its own, linked to the span that opened it",
    ),
    SpanName(
        "deliver {kind}",
        "CONSUMER",
        "an event reaches the streams of a process: in the trace of the request that caused it",
    ),
    SpanName(
        "{OPERATION} {area}.{statement}",
        "CLIENT",
        "each SQL statement, such as `SELECT activities.home`, which is the file"
        " `db/sql/activities/home.sql`",
    ),
    SpanName(
        "BEGIN",
        "CLIENT",
        "the start of a transaction of several statements; a single one commits by itself",
    ),
    SpanName("COMMIT", "CLIENT", "the end of a transaction, including the time of the disk"),
    SpanName("ROLLBACK", "CLIENT", "the end of a transaction that was refused or failed"),
    SpanName("wait for connection", "INTERNAL", "the pool had no connection for over 1 ms"),
    SpanName(
        "choose server",
        "INTERNAL",
        "with `CRUDDUR_READ_URLS`: the server of a read is chosen; once more if the replica fails",
    ),
    SpanName("{METHOD} {host}", "CLIENT", "each outgoing HTTP call"),
    SpanName("home-activities", "INTERNAL", "the home feed, as the course named it"),
    SpanName("hash password", "INTERNAL", "Argon2id, and the wait for one of its two threads"),
    SpanName("verify password", "INTERNAL", "the same, for a sign-in"),
    SpanName("convert picture", "INTERNAL", "the conversion of an uploaded picture"),
    SpanName(
        "queue previews",
        "INTERNAL",
        "a worker takes the previews that it will fetch; its own trace",
    ),
    SpanName(
        "fetch preview",
        "INTERNAL",
        "the page of a link and its picture; its own trace, linked to the request that posted it",
    ),
    SpanName("parse page", "INTERNAL", "the metadata of a linked page, and the wait for a process"),
    SpanName("doctor", "INTERNAL", "the span that `cruddur doctor` sends to check the sinks"),
    SpanName("sweep", "INTERNAL", "the removal of what has expired; the root of its own trace"),
    SpanName(
        "rebuild index",
        "INTERNAL",
        "the weekly rebuild of the search index; the root of its own trace",
    ),
    SpanName(
        "sweep pictures",
        "INTERNAL",
        "the deletion of the files of deleted pictures; the root of its own trace",
    ),
    SpanName("store picture", "INTERNAL", "the files of an uploaded picture reach the store"),
    SpanName("read picture", "INTERNAL", "a file of a picture is read from the store"),
    SpanName(
        "S3/{operation}",
        "INTERNAL",
        "each operation of S3, such as `S3/PutObject`, with all attempts",
    ),
    SpanName(
        "share rates",
        "INTERNAL",
        "the exchange of heavy clients' requests between workers; its own trace",
    ),
    SpanName("export", "INTERNAL", "an export of own data; its own trace, linked to the request"),
    SpanName("send mail", "INTERNAL", "a mail by SMTP; its own trace, linked to the request"),
    SpanName("lifespan", "INTERNAL", "a start or a stop that failed"),
    SpanName("documentLoad", "INTERNAL", "page: its load, up to the end of the load event"),
    SpanName(
        "documentFetch",
        "CLIENT",
        "page: the request of the document, linked to the span of the server",
    ),
    SpanName(
        "{event} {widget}",
        "INTERNAL",
        "page: a click, a submitted form or `popstate`, with all that it causes; none if that is"
        " neither a call nor a navigation",
    ),
    SpanName("{METHOD} {template}", "CLIENT", "page: each call, until its body has arrived"),
    SpanName("navigate {screen}", "INTERNAL", "page: from an interaction to the next page"),
    SpanName(
        "render crud",
        "INTERNAL",
        "page: from the arrival of an event to the painted card, in the trace of the event",
    ),
)

_ATTRIBUTES = (
    Attribute("app.now", "string", "home-activities", "when the feed was read (ISO 8601)"),
    Attribute("app.result_length", "int", "home-activities", "cruds on the page"),
    Attribute("app.db.statements", "int", "server spans, log lines", "SQL statements so far"),
    Attribute("app.db.duration_ms", "double", "server spans, log lines", "their time", "ms"),
    Attribute(
        "app.db.pool_wait_ms",
        "double",
        "server spans, log lines",
        "time of waiting for a connection; absent if there was none",
        "ms",
    ),
    Attribute("app.db.server", "string", "choose server, metrics", "primary or replica"),
    Attribute(
        "app.db.reason",
        "string",
        "choose server, metrics",
        "fresh, or why the primary serves the read: behind, clock, unverified, busy, unavailable,"
        " conflict or failed",
    ),
    Attribute(
        "app.db.replica",
        "int",
        "choose server, metrics",
        "the number of the replica in `CRUDDUR_READ_URLS`, from 1",
    ),
    Attribute(
        "app.db.replica.lag",
        "int",
        "choose server",
        "what the least lagging replica has not replayed of the primary's log",
        "By",
    ),
    Attribute(
        "app.db.repetitions",
        "int",
        "server spans, log lines",
        "how often the request was repeated because it lost its database server; absent if never",
    ),
    Attribute("db.response.returned_rows", "int", "SQL spans", "rows that a statement returned"),
    Attribute("app.db.affected_rows", "int", "SQL spans", "rows that a write changed"),
    Attribute("app.http.calls", "int", "server spans, log lines", "outgoing calls, if any"),
    Attribute("app.http.duration_ms", "double", "server spans, log lines", "their time", "ms"),
    Attribute("app.duration_ms", "double", "log lines", "the whole request", "ms"),
    Attribute(
        "app.client_disconnected",
        "boolean",
        "server spans, log lines",
        "the client disconnected before the response was complete; not an error",
    ),
    Attribute("app.event.id", "int", "deliver spans", "the event's number in the log"),
    Attribute("app.event.kind", "string", "deliver spans, metrics", "what happened"),
    Attribute("app.event.readers", "int", "deliver spans", "streams that received it"),
    Attribute("app.stream.messages", "int", "close spans, log lines", "messages that were sent"),
    Attribute(
        "app.stream.duration_ms", "double", "close spans, log lines", "how long it was open", "ms"
    ),
    Attribute(
        "app.stream.close_reason",
        "string",
        "close spans, log lines",
        "client, server, signed_out, slow or failed",
    ),
    Attribute("app.swept", "int", "sweep", "cruds and replies, or pictures, that were removed"),
    Attribute("app.picture.store", "string", "spans of pictures", "database, directory or s3"),
    Attribute("rpc.system.name", "string", "S3 spans", "always aws-api"),
    Attribute("rpc.method", "string", "S3 spans", "the operation, such as S3/PutObject"),
    Attribute("aws.s3.bucket", "string", "S3 spans", "the bucket"),
    Attribute("aws.request_id", "string", "S3 spans", "the id that S3 gave the request"),
    Attribute(
        "app.picture.bytes", "int", "convert picture, store picture", "size of the file", "By"
    ),
    Attribute("app.page.bytes", "int", "parse page", "size of the page", "By"),
    Attribute("app.preview.attempt", "int", "fetch preview", "number of the attempt"),
    Attribute("app.preview.reason", "string", "fetch preview", "why there is no preview"),
    Attribute(
        "app.kind",
        "string",
        "counters",
        "of cruds: crud or reply; of reports: crud, profile or message; of decisions: which one",
    ),
    Attribute("app.sink", "string", "metrics of sinks", "the sink's name"),
    Attribute(
        "app.outcome",
        "string",
        "metrics of sinks, fetch preview",
        "of items: sent, failed or dropped; of previews: stored, postponed, none or failed",
    ),
    Attribute("SampleRate", "int", "spans of a sample", "how many spans this one represents"),
    Attribute("rollbar.uuid", "string", "failed spans", "the failure's item in Rollbar"),
    Attribute(
        "enduser.pseudo.id", "string", "server spans, log lines", "the uuid of the signed-in user"
    ),
    Attribute(
        "http.response.body.size",
        "int",
        "server spans, log lines",
        "bytes of the response body",
        "By",
    ),
    Attribute(
        "user_agent.synthetic.type", "string", "server spans", "bot or test, by the user agent"
    ),
    Attribute("db.client.connection.pool.name", "string", "metrics", "always cruddur"),
    Attribute("db.client.connection.state", "string", "metrics", "used or idle"),
    Attribute("cpu.mode", "string", "metrics", "user or system"),
    Attribute("session.id", "string", "spans and log lines of pages", "one visit of a page"),
    Attribute(
        "app.screen.name",
        "string",
        "spans and log lines of pages",
        "the address of the page as a pattern, such as `/:at/status/:uuid`",
    ),
    Attribute(
        "app.widget.name", "string", "interactions", "the element's tag and class; never its text"
    ),
    Attribute(
        "url.template", "string", "calls of pages", "the path as a pattern of the OpenAPI document"
    ),
    Attribute("browser.web_vital.name", "string", "web vitals", "lcp, cls, inp or ttfb"),
    Attribute("browser.web_vital.value", "double", "web vitals", "in milliseconds, except for CLS"),
    Attribute(
        "browser.web_vital.delta", "double", "web vitals", "the value: a page reports each one once"
    ),
    Attribute("browser.web_vital.id", "string", "web vitals", "a random id"),
    Attribute(
        "browser.web_vital.rating",
        "string",
        "web vitals",
        "good, needs-improvement or poor, as web.dev defines them",
    ),
    Attribute(
        "browser.web_vital.navigation_type", "string", "web vitals", "how the page was opened"
    ),
    Attribute("process.pid", "int", "resource", "the process"),
)
ATTRIBUTES = {attribute.name: attribute for attribute in _ATTRIBUTES}

_METRICS = (
    Metric(
        "http.server.request.duration",
        "histogram",
        "s",
        "requests, except for the probes and the streams",
        _OF_REQUEST,
        is_ours=False,
    ),
    Metric(
        "http.server.active_requests",
        "updowncounter",
        "{request}",
        "requests in progress",
        ("http.request.method", "url.scheme"),
        is_ours=False,
    ),
    Metric(
        "http.server.request.body.size",
        "histogram",
        "By",
        "request bodies, by their Content-Length",
        _OF_REQUEST,
        is_ours=False,
    ),
    Metric(
        "http.server.response.body.size",
        "histogram",
        "By",
        "response bodies, by their Content-Length",
        _OF_REQUEST,
        is_ours=False,
    ),
    Metric(
        "app.requests.refused",
        "counter",
        "{request}",
        "requests refused with 503 because the worker was overloaded; they have no span",
    ),
    Metric(
        "app.requests.limit",
        "updowncounter",
        "{request}",
        "requests that may be in flight before others are refused",
    ),
    Metric("app.cruds.created", "counter", "{crud}", "cruds and replies posted", ("app.kind",)),
    Metric("app.cruds.expired", "counter", "{crud}", "cruds and replies swept"),
    Metric("app.pictures.stored", "counter", "{picture}", "pictures uploaded for cruds"),
    Metric("app.pictures.removed", "counter", "{picture}", "pictures whose files were deleted"),
    Metric(
        "app.preview.duration",
        "histogram",
        "s",
        "fetches of previews, with their pictures",
        ("app.outcome",),
        _SECONDS,
    ),
    Metric("app.messages.sent", "counter", "{message}", "messages between people"),
    Metric("app.reports.created", "counter", "{report}", "reports by members", ("app.kind",)),
    Metric(
        "app.moderation.decisions",
        "counter",
        "{decision}",
        "decisions of moderators",
        ("app.kind",),
    ),
    Metric("app.accounts.confirmed", "counter", "{account}", "accounts opened"),
    Metric("app.sessions.opened", "counter", "{session}", "sign-ins that succeeded"),
    Metric("app.streams.open", "updowncounter", "{stream}", "streams that are open"),
    Metric(
        "app.streams.dropped",
        "counter",
        "{stream}",
        "streams that were closed because the client was too slow",
    ),
    Metric("app.events.delivered", "counter", "{event}", "events, once for each stream"),
    Metric(
        "app.event.delay",
        "histogram",
        "s",
        "from an event to its delivery to all streams of a process",
        ("app.event.kind",),
        _SECONDS,
    ),
    Metric(
        "app.event_loop.lag",
        "histogram",
        "s",
        "delay of a timer of the event loop",
        buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
    ),
    Metric(
        "db.client.operation.duration",
        "histogram",
        "s",
        "SQL statements",
        ("db.system.name", "db.query.summary", "error.type"),
        _SECONDS,
    ),
    Metric(
        "db.client.connection.wait_time",
        "histogram",
        "s",
        "the wait for a connection of the pool",
        ("db.client.connection.pool.name",),
        _SECONDS,
    ),
    Metric(
        "db.client.connection.count",
        "observable updowncounter",
        "{connection}",
        "connections of the pool",
        ("db.client.connection.pool.name", "db.client.connection.state"),
    ),
    Metric(
        "db.client.connection.max",
        "observable updowncounter",
        "{connection}",
        "maximum of open connections",
        ("db.client.connection.pool.name",),
    ),
    Metric(
        "app.db.reads",
        "counter",
        "{read}",
        "with `CRUDDUR_READ_URLS`: reads by the server that was chosen; a failed replica and the"
        " primary after it count both",
        ("app.db.server", "app.db.reason"),
    ),
    Metric(
        "app.db.replica.lag",
        "observable updowncounter",
        "By",
        "what a replica has not replayed of the primary's log; absent while it is unavailable",
        ("app.db.replica",),
    ),
    Metric("process.cpu.time", "observable counter", "s", "processor time", ("cpu.mode",)),
    Metric("process.memory.usage", "observable updowncounter", "By", "resident memory"),
    Metric(
        "app.sink.queue.size",
        "observable updowncounter",
        "{item}",
        "items that wait for a sink",
        ("app.sink",),
    ),
    Metric(
        "app.sink.items",
        "observable counter",
        "{item}",
        "items by outcome",
        ("app.sink", "app.outcome"),
    ),
)
METRICS = {metric.name: metric for metric in _METRICS}

LOG_FIELDS = (
    Attribute("timestamp", "string", "every line", "ISO 8601 in UTC, to the millisecond"),
    Attribute("level", "string", "every line", "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    Attribute(
        "logger", "string", "every line", "name of the logger; `cruddur.request` for requests"
    ),
    Attribute("message", "string", "every line", "what happened, as a sentence"),
    Attribute("trace_id", "string", "lines inside a trace", "32 hexadecimal digits"),
    Attribute("span_id", "string", "lines inside a trace", "16 hexadecimal digits"),
    Attribute(
        "xray_trace_id",
        "string",
        "lines inside a trace, with X-Ray",
        "the trace id as X-Ray writes it",
    ),
)
