"""Rules for the telemetry of pages: what a page may send about itself.

A page is not trusted. It may describe its own work only: calls and work inside of the page, at this
time, with the attributes that are listed here. All other attributes are dropped, and free text is
redacted.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from time import time_ns
from typing import TypeVar
from urllib.parse import urlsplit

from cruddur.errors import OverloadedError
from cruddur.telemetry.browser import BrowserReceiver, PageEvent, PageSpan
from cruddur.telemetry.redaction import (
    REDACTED,
    redact_public_path,
    redact_query,
    scrub,
    scrub_quotes,
)
from cruddur.wire import (
    BrowserTelemetry,
    OtlpAttribute,
    OtlpLogRecord,
    OtlpSpan,
    OtlpValue,
    RejectedTelemetry,
)

S = TypeVar("S")
T = TypeVar("T")

Value = str | int | float
Attributes = dict[str, Value]

MAX_SPANS = 100
"""Maximum number of spans of one request; further ones are rejected."""

MAX_LOG_RECORDS = 20
"""Maximum number of log records of one request."""

MAX_EVENTS = 16
"""Maximum number of events of one span."""

MAX_AGE_SECONDS = 600
"""How long ago a span may have started. A page sends its spans within seconds."""

MAX_AHEAD_SECONDS = 60
"""How far the clock of a page may be ahead; pages correct it by the clock of the service."""

MAX_TEXT_CHARS = 300
MAX_STACK_CHARS = 4000

_INTERNAL, _CLIENT = 1, 3  # kinds of spans in OTLP
_ERROR = 2  # the status of a span in OTLP; 0 is unset, 1 is ok
_LEVELS = {"browser.web_vital": logging.INFO, "exception": logging.ERROR}
"""The log records that a page may send, by their event names."""

# The names of spans: `documentLoad`, `click button.crud-like`, `GET /api/trending`.
_SPAN_NAME = re.compile(r"[A-Za-z]{1,16}(?: [\w/:@{}*.-]{1,120})?")
_EVENT_NAME = re.compile(r"[A-Za-z]{1,32}")
_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")
_HOST = re.compile(r"([\w.-]{1,253}|\[[0-9a-f:]{2,45}\])(:\d{1,5})?")

_TEXTS: Mapping[str, re.Pattern[str]] = {
    "app.event.kind": re.compile(r"[a-z_]{1,20}"),
    "app.screen.name": re.compile(r"/[\w/:@*.-]{0,120}"),
    "app.widget.name": re.compile(r"[\w.-]{1,80}"),
    "browser.web_vital.id": re.compile(r"[\w-]{1,64}"),
    "browser.web_vital.name": re.compile(r"cls|inp|lcp|ttfb"),
    "browser.web_vital.navigation_type": re.compile(r"[a-z-]{1,20}"),
    "error.type": re.compile(r"[\w.]{1,64}"),
    "exception.type": re.compile(r"[\w$.]{1,64}"),
    "http.request.method": re.compile(r"[A-Z]{3,7}"),
    "session.id": _TRACE_ID,
    "url.template": re.compile(r"/[\w/{}.-]{0,120}"),
}
_NUMBERS: Mapping[str, range] = {
    "http.response.body.size": range(2**53),
    "http.response.status_code": range(100, 600),
}
_VITAL = "browser.web_vital.value"
_GOOD_AND_POOR = {
    "cls": (0.1, 0.25),
    "inp": (200, 500),
    "lcp": (2500, 4000),
    "ttfb": (800, 1800),
}
"""The largest good value of each web vital, and the largest that only needs improvement."""
_MAX_DOUBLE = 1e9
_MAX_DIGITS = 16

_ENGINE_ERRORS = frozenset({"RangeError", "ReferenceError", "TypeError"})
"""Errors of the engine, whose messages quote names of the program."""

# A frame of a stack trace has a place at its end: `at show (http://…/assets/index.js:1:2)`.
_FUNCTION = re.compile(r"\s*(?:at )?(?:async |new )?([\w$.<>]{1,80})(?: \(|@)")
_PLACE = re.compile(r"(/[\w./@-]{1,200}:\d{1,7}:\d{1,7})\)?$")


class InvalidItemError(Exception):
    """A span or a log record breaks a rule."""


def accept(
    receiver: BrowserReceiver, telemetry: BrowserTelemetry, user_agent: str
) -> RejectedTelemetry:
    """Pass the valid spans and log records on; return the numbers of the others.

    Args:
        receiver: queues them for the sinks.
        telemetry: what the page sent.
        user_agent: describes the browser; added to page loads and log records.

    Raises:
        OverloadedError: the sinks are behind.
    """
    if receiver.is_busy:
        raise OverloadedError
    spans = [
        span
        for group in telemetry.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]
    records = [
        record
        for group in telemetry.resource_logs
        for scope in group.scope_logs
        for record in scope.log_records
    ]
    browser: Attributes = {}
    if user_agent:
        browser["user_agent.original"] = scrub(user_agent[:MAX_TEXT_CHARS])
    page_spans = _valid(spans[:MAX_SPANS], lambda span: _span(span, browser))
    page_events = _valid(records[:MAX_LOG_RECORDS], lambda record: _event(record, browser))
    for page_span in page_spans:
        receiver.add_span(page_span)
    for page_event in page_events:
        receiver.add_event(page_event)
    return RejectedTelemetry(len(spans) - len(page_spans), len(records) - len(page_events))


def _valid(items: Iterable[S], convert: Callable[[S], T]) -> list[T]:
    converted: list[T] = []
    for item in items:
        try:
            converted.append(convert(item))
        except InvalidItemError:
            continue
    return converted


def _span(span: OtlpSpan, browser: Attributes) -> PageSpan:
    start, end = _time(span.start_time_unix_nano), _time(span.end_time_unix_nano)
    if (
        span.kind not in {_INTERNAL, _CLIENT}
        or start > end
        or len(span.events) > MAX_EVENTS
        or not _SPAN_NAME.fullmatch(span.name)
        or not all(_EVENT_NAME.fullmatch(event.name) for event in span.events)
    ):
        raise InvalidItemError
    attributes = _attributes(span.attributes)
    if span.name == "documentLoad":
        attributes |= browser
    return PageSpan(
        trace_id=_id(span.trace_id, _TRACE_ID),
        span_id=_id(span.span_id, _SPAN_ID),
        parent_span_id=_id(span.parent_span_id, _SPAN_ID) if span.parent_span_id else None,
        name=span.name,
        is_call=span.kind == _CLIENT,
        is_error=span.status.code == _ERROR,
        start=start,
        end=end,
        attributes=attributes,
        events=[(event.name, _time(event.time_unix_nano)) for event in span.events],
        links=[
            (_id(link.trace_id, _TRACE_ID), _id(link.span_id, _SPAN_ID)) for link in span.links[:1]
        ],
    )


def _event(record: OtlpLogRecord, browser: Attributes) -> PageEvent:
    level = _LEVELS.get(record.event_name)
    if level is None:
        raise InvalidItemError
    context = None
    if record.trace_id or record.span_id:
        context = _id(record.trace_id, _TRACE_ID), _id(record.span_id, _SPAN_ID)
    attributes = _attributes(record.attributes) | browser
    stack = next((i.value for i in record.attributes if i.key == "exception.stacktrace"), None)
    return PageEvent(
        name=record.event_name,
        level=level,
        message=_summary(record.event_name, attributes),
        time=_time(record.time_unix_nano),
        context=context,
        attributes=attributes,
        stacktrace=_stack(stack.string_value or "") if stack else "",
    )


def _summary(event_name: str, attributes: Attributes) -> str:
    if event_name == "exception":
        parts = (attributes.get("exception.type", "Error"), attributes.get("exception.message"))
        return ": ".join(str(part) for part in parts if part)
    keys = ("browser.web_vital.name", "browser.web_vital.value")
    return " ".join(str(attributes.get(key, "?")) for key in keys)


def _id(text: str, pattern: re.Pattern[str]) -> int:
    if not pattern.fullmatch(text):
        raise InvalidItemError
    return int(text, 16)


def _time(nanoseconds: str | int) -> int:
    time, now = int(nanoseconds), time_ns()
    if not now - MAX_AGE_SECONDS * 10**9 <= time <= now + MAX_AHEAD_SECONDS * 10**9:
        raise InvalidItemError
    return time


def _attributes(attributes: Iterable[OtlpAttribute]) -> Attributes:
    """Return the known attributes that have valid values, except for the stack trace."""
    given = {item.key: item.value for item in attributes}
    result: Attributes = {}
    for key, value in given.items():
        checked = _value(key, value)
        if checked is not None:
            result[key] = checked
    result |= _server(str(result.get("url.full", "")))
    if _VITAL in result and "browser.web_vital.name" in result:
        good, poor = _GOOD_AND_POOR[str(result["browser.web_vital.name"])]
        vital = float(result[_VITAL])
        rating = "good" if vital <= good else "needs-improvement" if vital <= poor else "poor"
        result["browser.web_vital.rating"] = rating
        result["browser.web_vital.delta"] = vital  # a page reports each vital once
    if message := given.get("exception.message"):
        text = scrub((message.string_value or "")[:MAX_TEXT_CHARS])
        is_engine = result.get("exception.type") in _ENGINE_ERRORS
        result["exception.message"] = scrub_quotes(text, keep_names=is_engine)
    return result


def _value(key: str, value: OtlpValue) -> Value | None:
    text = value.string_value
    if text is not None:
        if key == "url.full":
            return _redact_url(text)
        return text if key in _TEXTS and _TEXTS[key].fullmatch(text) else None
    if key in _NUMBERS:
        digits = str(value.int_value)
        if digits.isascii() and digits.isdecimal() and len(digits) <= _MAX_DIGITS:
            return int(digits) if int(digits) in _NUMBERS[key] else None
        return None
    number = value.double_value
    return number if key == _VITAL and number is not None and 0 <= number <= _MAX_DOUBLE else None


def _server(url: str) -> Attributes:
    """Return the server of a URL that `_redact_url` returned."""
    parts = urlsplit(url)
    if not parts.hostname:
        return {}
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"server.address": parts.hostname, "server.port": port}


def _redact_url(url: str) -> str:
    """Return a URL whose path and query show only what is public."""
    try:
        parts = urlsplit(url[: 2 * MAX_TEXT_CHARS])
        is_plain = _HOST.fullmatch(parts.netloc) and parts.port != 0
    except ValueError:
        return REDACTED
    if not is_plain or parts.scheme not in {"http", "https"}:
        return REDACTED
    path, query = redact_public_path(parts.path), redact_query(parts.query)
    return parts._replace(path=path, query=query, fragment="").geturl()


def _stack(text: str) -> str:
    """Return the frames of a stack trace, each with its function and its place.

    The stack of Chromium begins with the message, which is not a frame.
    """
    frames = []
    for line in text[:MAX_STACK_CHARS].splitlines():
        if place := _PLACE.search(line):
            function = _FUNCTION.match(line)
            frames.append(f"    at {function[1] if function else '<anonymous>'} ({place[1]})")
    return "\n".join(frames)
