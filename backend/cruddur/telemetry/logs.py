"""Log lines: JSON on standard output, or a readable form on a terminal, and for export.

A line is made of its record once, at the moment it is written, because only then the
span that it belongs to is known. Lines are scrubbed, but for records marked
`extra={"private": True}`, which are for standard output alone.
"""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from opentelemetry import trace
from opentelemetry.util.types import AttributeValue

from cruddur.telemetry.export_queue import ExportQueue
from cruddur.telemetry.operation import Failure, current_operation, error_type, stacktrace
from cruddur.telemetry.redaction import scrub

# Sinks and their libraries speak of themselves here; sending that to a sink would go on
# for ever.
UNEXPORTED = (
    "boto3",
    "botocore",
    "opentelemetry",
    "rollbar",
    "s3transfer",
    "urllib3",
    "watchtower",
)

_CHATTY = ("aiosmtplib", "boto3", "botocore", "h2", "hpack", "httpcore", "httpx", "urllib3")

_QUOTING = ("opentelemetry.trace.propagation.tracecontext", "opentelemetry.trace.span")

_COLOURS = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


class Line(msgspec.Struct, frozen=True):
    """One log record, finished.

    Attributes:
        created: Unix seconds.
        level, severity: its name and number, as `logging` has them.
        trace_id, span_id: 32 and 16 hexadecimal digits, empty outside of any span.
        trace_flags: of the span context (W3C Trace Context): whether the trace is sampled.
        stacktrace: of the exception that it tells of, or empty.
        fields: registered keys with plain values.
        is_private: not to be exported.
    """

    created: float
    level: str
    severity: int
    logger: str
    message: str
    trace_id: str
    span_id: str
    trace_flags: int
    stacktrace: str
    fields: Mapping[str, AttributeValue]
    is_private: bool


def line_of(record: logging.LogRecord) -> Line:
    """The line of a record; made once, however many handlers ask."""
    line: Line | None = getattr(record, "line", None)
    if line is None:
        line = record.line = _line(record)
    return line


def encode(
    line: Line, constants: Mapping[str, AttributeValue], *, with_xray_ids: bool = False
) -> bytes:
    """The line as one JSON object.

    Args:
        line: what to tell.
        constants: the same in each line, such as the service.
        with_xray_ids: tell the trace in X-Ray's form too, which its console searches for.
    """
    document: dict[str, Any] = {
        "timestamp": _timestamp(line.created),
        "level": line.level,
        "logger": line.logger,
        "message": line.message,
    }
    if line.trace_id:
        document["trace_id"] = line.trace_id
        document["span_id"] = line.span_id
        if with_xray_ids:
            document["xray_trace_id"] = f"1-{line.trace_id[:8]}-{line.trace_id[8:]}"
    if line.stacktrace:
        document["exception.stacktrace"] = line.stacktrace
    document.update(line.fields)
    document.update(constants)
    return msgspec.json.encode(document, enc_hook=str)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, constants: Mapping[str, AttributeValue], *, with_xray_ids: bool) -> None:
        """Take the fields that every line ends with."""
        super().__init__()
        self._constants = dict(constants)
        self._with_xray_ids = with_xray_ids

    def format(self, record: logging.LogRecord) -> str:
        """The record's line as JSON."""
        line = line_of(record)
        return encode(line, self._constants, with_xray_ids=self._with_xray_ids).decode()


class TextFormatter(logging.Formatter):
    """For people: time, level, message, what it cost, and the way to its trace."""

    def __init__(self, *, is_coloured: bool, trace_url: str) -> None:
        """`trace_url` has a place for `{trace_id}`; empty: the id is shown."""
        super().__init__()
        self._is_coloured = is_coloured
        self._trace_url = trace_url

    def format(self, record: logging.LogRecord) -> str:
        """The record's line as text."""
        line = line_of(record)
        time = datetime.fromtimestamp(line.created, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
        parts = [self._dim(time), self._coloured(line.level), line.message]
        if not line.fields:
            parts.insert(2, self._dim(f"{line.logger}:"))
        parts += [
            self._dim(f"{key.removeprefix('app.')}={value!s}")
            for key, value in line.fields.items()
            if key.startswith("app.") or key == "error.type"
        ]
        if line.trace_id:
            url = self._trace_url.replace("{trace_id}", line.trace_id)
            parts.append(self._dim(url or f"trace={line.trace_id}"))
        text = " ".join(parts)
        return f"{text}\n{line.stacktrace.rstrip()}" if line.stacktrace else text

    def _coloured(self, level: str) -> str:
        padded = f"{level:<7}"
        return f"\x1b[{_COLOURS.get(level, '0')}m{padded}\x1b[0m" if self._is_coloured else padded

    def _dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self._is_coloured else text


class ExportHandler(logging.Handler):
    """Hands exported lines to a sink's export queue; never waits, never raises."""

    def __init__(self, export_queue: ExportQueue[Line]) -> None:
        """Take the export queue."""
        super().__init__()
        self.addFilter(_Once())
        self._export_queue = export_queue

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line, unless it is private or a sink's own."""
        try:
            line = line_of(record)
        except Exception:  # a record that cannot be formatted, as any handler meets it
            self.handleError(record)
            return
        if not line.is_private and not record.name.startswith(UNEXPORTED):
            self._export_queue.put(line)


def write_lines(
    level: str,
    *,
    form: str = "auto",
    constants: Mapping[str, AttributeValue],
    with_xray_ids: bool = False,
    trace_url: str = "",
) -> None:
    """Send every logger's lines to standard output, one form for all.

    Args:
        level: the least severe that is written.
        form: `json`, `text`, or `auto`: text on a terminal.
        constants, with_xray_ids: of the JSON lines, as `encode` says.
        trace_url: where a trace is shown, with a place for `{trace_id}`.

    Raises:
        ValueError: there is no such level.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_Once())
    if is_text(form):
        is_terminal = sys.stdout.isatty()
        handler.setFormatter(TextFormatter(is_coloured=is_terminal, trace_url=trace_url))
    else:
        handler.setFormatter(JsonFormatter(constants, with_xray_ids=with_xray_ids))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    _collect_less()
    logging.captureWarnings(True)
    # They tell every call, and at DEBUG the headers too; ours tell what matters.
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # They warn of every malformed header of a caller, and quote it.
    for quoting in _QUOTING:
        logging.getLogger(quoting).setLevel(logging.ERROR)


def _collect_less() -> None:
    """No line tells where in the code it was written, or in which thread and process: to find
    that out takes half of a record's time (logging HOWTO, Optimization)."""
    for name in ("_srcfile", "logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"):
        setattr(logging, name, None)


def is_text(form: str) -> bool:
    """Whether lines are for people."""
    return form == "text" or (form == "auto" and sys.stdout.isatty())


class _Once(logging.Filter):
    """Lets nobody tell once more of an exception that `report` has told of."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not getattr(error, "is_reported", False) or hasattr(record, "failure")


def _line(record: logging.LogRecord) -> Line:
    span = trace.get_current_span().get_span_context()
    fields: dict[str, AttributeValue] = dict(getattr(record, "fields", ()))
    message, stack, is_private = record.getMessage(), "", getattr(record, "private", False)
    failure: Failure | None = getattr(record, "failure", None)
    error = failure.error if failure else record.exc_info[1] if record.exc_info else None
    if error is not None:
        fields.setdefault("error.type", error_type(error))
    if failure is not None:
        stack = failure.stacktrace
    elif record.name == "asyncio":
        # It quotes exceptions of which nobody knows what they are about.
        message = message.partition("\n")[0]
        stack = stacktrace(error, current_operation(), with_texts=False) if error else ""
    else:
        operation = current_operation()
        stack = stacktrace(error, operation) if error else ""
        if not is_private:
            # A line with fields is made of what may be seen.
            message = scrub(message) if fields else operation.scrub(message)
    return Line(
        created=record.created,
        level=record.levelname,
        severity=record.levelno,
        logger=record.name,
        message=_encodable(message),
        trace_id=trace.format_trace_id(span.trace_id) if span.is_valid else "",
        span_id=trace.format_span_id(span.span_id) if span.is_valid else "",
        trace_flags=span.trace_flags,
        stacktrace=_encodable(stack),
        fields=fields,
        is_private=is_private,
    )


def _encodable(text: str) -> str:
    """The text with lone surrogates, which UTF-8 has no bytes for, written as escapes."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _timestamp(created: float) -> str:
    seconds, milliseconds = divmod(int(created * 1000), 1000)
    return f"{_to_the_second(seconds)}.{milliseconds:03}Z"


@lru_cache(8)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
