"""Format log lines: JSON on standard output, text on a terminal, and lines for export.

A line is created once per record, when the record is logged, because only then is its span known.
Lines are scrubbed, except for records with `extra={"private": True}`, which are written to standard
output only.
"""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.util.types import AttributeValue

from cruddur.telemetry.export_queue import ExportQueue
from cruddur.telemetry.operation import Failure, current_operation, error_type, stacktrace
from cruddur.telemetry.redaction import scrub

# Loggers of the sinks and their libraries. Exporting their lines would produce more lines, in an
# endless loop.
UNEXPORTED_LOGGERS = (
    "boto3",
    "botocore",
    "opentelemetry",
    "rollbar",
    "s3transfer",
    "urllib3",
    "watchtower",
)

_VERBOSE_LOGGERS = (
    "aiosmtplib",
    "boto3",
    "botocore",
    "fido2",
    "h2",
    "hpack",
    "httpcore",
    "httpx",
    "urllib3",
)

_QUOTING_LOGGERS = ("opentelemetry.trace.propagation.tracecontext", "opentelemetry.trace.span")

_COLORS = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


class Line(msgspec.Struct, frozen=True):
    """One formatted log record.

    Attributes:
        created: Unix seconds.
        level, severity: its name and number, as `logging` has them.
        trace_id, span_id: 32 and 16 hexadecimal digits, empty outside of any span.
        trace_flags: of the span context (W3C Trace Context): whether the trace is sampled.
        stacktrace: of the exception, or empty.
        fields: registered keys with plain values.
        is_private: whether it is written to standard output only.
        event_name: the name of an event (OpenTelemetry's), or empty.
        resource: the resource that it is about, if that is not this process.
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
    event_name: str = ""
    resource: Resource | None = None


def log_line(logger: logging.Logger, line: Line) -> None:
    """Pass a line that was not created from a record to the handlers of a logger."""
    if logger.isEnabledFor(line.severity):
        record = logger.makeRecord(
            line.logger, line.severity, "", 0, line.message, (), None, extra={"line": line}
        )
        logger.handle(record)


def line_of(record: logging.LogRecord) -> Line:
    """Return the line of a record. All handlers share one."""
    line: Line | None = getattr(record, "line", None)
    if line is None:
        line = record.line = _line(record)
    return line


def encode(
    line: Line, constants: Mapping[str, AttributeValue], *, with_xray_ids: bool = False
) -> bytes:
    """Return the line as one JSON object.

    Args:
        line: the line.
        constants: fields that are the same in each line, such as the service.
        with_xray_ids: whether to add the trace id in X-Ray's form, which its console searches for.
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
    if line.resource is not None:
        document.update({k: v for k, v in line.resource.attributes.items() if k in constants})
        document.pop("service.instance.id", None)
    return msgspec.json.encode(document, enc_hook=str)


class JsonFormatter(logging.Formatter):
    """Formats each record as one line with a JSON object."""

    def __init__(self, constants: Mapping[str, AttributeValue], *, with_xray_ids: bool) -> None:
        """Set the fields at the end of every line."""
        super().__init__()
        self._constants = dict(constants)
        self._with_xray_ids = with_xray_ids

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record as JSON."""
        line = line_of(record)
        return encode(line, self._constants, with_xray_ids=self._with_xray_ids).decode()


class TextFormatter(logging.Formatter):
    """Formats records for a terminal: time, level, message, costs, and the link to the trace."""

    def __init__(self, *, is_colored: bool, trace_url: str) -> None:
        """Set the URL of a trace, with the placeholder `{trace_id}`; empty: the id is shown."""
        super().__init__()
        self._is_colored = is_colored
        self._trace_url = trace_url

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record as text."""
        line = line_of(record)
        time = datetime.fromtimestamp(line.created, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
        parts = [self._dim(time), self._colored(line.level), line.message]
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

    def _colored(self, level: str) -> str:
        padded = f"{level:<7}"
        return f"\x1b[{_COLORS.get(level, '0')}m{padded}\x1b[0m" if self._is_colored else padded

    def _dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self._is_colored else text


class ExportHandler(logging.Handler):
    """Queues exported lines for a sink. Never waits, and never raises."""

    def __init__(self, export_queue: ExportQueue[Line]) -> None:
        """Set the export queue."""
        super().__init__()
        self.addFilter(_Once())
        self._export_queue = export_queue

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line of a record, unless it is private or the sink's own."""
        try:
            line = line_of(record)
        except Exception:  # the record cannot be formatted
            self.handleError(record)
            return
        if not line.is_private and not record.name.startswith(UNEXPORTED_LOGGERS):
            self._export_queue.put(line)


def write_lines(
    level: str,
    *,
    form: str = "auto",
    constants: Mapping[str, AttributeValue],
    with_xray_ids: bool = False,
    trace_url: str = "",
) -> None:
    """Write the lines of all loggers to standard output, in one form.

    Args:
        level: the minimum level.
        form: `json`, `text`, or `auto`: text on a terminal.
        constants, with_xray_ids: for JSON lines; see `encode`.
        trace_url: the URL of a trace, with the placeholder `{trace_id}`.

    Raises:
        ValueError: there is no such level.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_Once())
    if is_text(form):
        is_terminal = sys.stdout.isatty()
        handler.setFormatter(TextFormatter(is_colored=is_terminal, trace_url=trace_url))
    else:
        handler.setFormatter(JsonFormatter(constants, with_xray_ids=with_xray_ids))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    _disable_unused_record_fields()
    logging.captureWarnings(True)
    # They log every call, and at DEBUG its headers.
    for name in _VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    # They log a warning with the value of every malformed header.
    for name in _QUOTING_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)


def _disable_unused_record_fields() -> None:
    """Do not collect the source line, the thread and the process of records.

    No line contains them, and they take half of the time of a record (logging HOWTO, Optimization).
    """
    for name in ("_srcfile", "logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"):
        setattr(logging, name, None)


def is_text(form: str) -> bool:
    """Return whether lines are written as text, not as JSON."""
    return form == "text" or (form == "auto" and sys.stdout.isatty())


class _Once(logging.Filter):
    """Drops further records of an exception that `report` has logged."""

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
        # Its messages quote exceptions, which may contain private data.
        message = message.partition("\n")[0]
        stack = stacktrace(error, current_operation(), with_texts=False) if error else ""
    else:
        operation = current_operation()
        stack = stacktrace(error, operation) if error else ""
        if not is_private:
            # The messages of lines with fields contain only public values.
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
    """Return the text with lone surrogates as escapes, because UTF-8 cannot encode them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _timestamp(created: float) -> str:
    seconds, milliseconds = divmod(int(created * 1000), 1000)
    return f"{_format_second(seconds)}.{milliseconds:03}Z"


@lru_cache(8)
def _format_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
