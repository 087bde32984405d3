"""Search in the list of traces."""

import re
from typing import NamedTuple

import msgspec
from msgspec import Struct

from traceview.errors import MalformedError
from traceview.store import Store, Trace
from traceview.views import Summary, summarise

LIMIT = 200


class Filter(Struct, forbid_unknown_fields=True):
    """The conditions of a search; a missing or empty one matches all traces."""

    trace_id: str = ""
    """The id or its beginning; also a whole `traceparent`, or X-Ray's format."""
    name: str = ""
    """A part of the root's name, route or service, ignoring case."""
    span: str = ""
    """A part of any span's name."""
    status: str = ""
    """The root's HTTP status: 404, or a class such as 5xx."""
    min_ms: float = 0
    errors: bool = False
    background: bool = False
    """Whether background work, such as sweeps, is listed; a search by id always lists it."""
    limit: int = LIMIT


class Found(NamedTuple):
    """The traces that match a search, and how many others are background work."""

    traces: list[Summary]
    hidden: int


class Index:
    """Cached summaries, one for each revision of a trace."""

    def __init__(self, store: Store) -> None:
        """Take the store to search."""
        self._store = store
        self._made: dict[str, tuple[int, Summary]] = {}

    def summary(self, trace: Trace) -> Summary:
        """Return the trace's current summary."""
        revision, summary = self._made.get(trace.trace_id, (0, None))
        if summary is None or revision != trace.revision:
            summary = summarise(trace)
            self._made[trace.trace_id] = (trace.revision, summary)
        return summary

    def search(self, wanted: Filter) -> Found:
        """Return the matching traces, the newest first."""
        self._made = {key: made for key, made in self._made.items() if self._store.get(key)}
        prefix = trace_id_in(wanted.trace_id)
        found = [
            summary
            for trace in self._store
            if trace.trace_id.startswith(prefix)
            and _has_span(trace, wanted.span)
            and _matches(summary := self.summary(trace), wanted)
        ]
        shown = [one for one in found if wanted.background or prefix or not one.background]
        shown.sort(key=lambda summary: int(summary.start_ns), reverse=True)
        return Found(shown[: wanted.limit], len(found) - len(shown))


def read_filter(arguments: dict[str, str]) -> Filter:
    """Parse a filter from a query string.

    Raises:
        MalformedError: an unknown name or an invalid value.
    """
    given = {name: value.strip() for name, value in arguments.items() if value.strip()}
    for name in given.keys() & {"errors", "background"}:
        given[name] = given[name].lower()
    try:
        wanted = msgspec.convert(given, Filter, strict=False)
    except msgspec.ValidationError as error:
        raise MalformedError(str(error)) from error
    if wanted.status and not _STATUS.fullmatch(wanted.status):
        raise MalformedError("status must be a number such as 404, or a class such as 5xx")
    if not wanted.min_ms >= 0 or wanted.limit < 1:
        raise MalformedError("min_ms must be at least 0, and limit at least 1")
    return wanted


_STATUS = re.compile(r"[1-5]([0-9]{2}|xx)", re.IGNORECASE)


def trace_id_in(text: str) -> str:
    """Return the trace id, or its beginning, from pasted text."""
    text = text.strip().lower()
    if match := _TRACEPARENT.match(text) or _XRAY.match(text):
        return "".join(match.groups())
    return text


_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-")
_XRAY = re.compile(r"(?:root=)?1-([0-9a-f]{8})-([0-9a-f]{24})")


def _has_span(trace: Trace, part: str) -> bool:
    part = part.lower()
    return not part or any(part in span.name.lower() for span in trace.spans.values())


def _matches(summary: Summary, wanted: Filter) -> bool:
    part = wanted.name.lower()
    texts = (summary.name, summary.route or "", summary.service)
    return (
        any(part in text.lower() for text in texts)
        and _matches_status(summary.status, wanted.status.lower())
        and summary.duration_ms >= wanted.min_ms
        and (summary.error or not wanted.errors)
    )


def _matches_status(status: int | None, wanted: str) -> bool:
    if wanted.endswith("xx"):
        return status is not None and str(status // 100) == wanted[0]
    return not wanted or str(status) == wanted
