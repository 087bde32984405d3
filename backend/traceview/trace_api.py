"""The JSON API of one trace: `GET /api/traces/<id>`, its ranking."""

import asyncio
import re
import secrets
from collections.abc import Iterable

import msgspec
from quart import Blueprint, Response, request

from traceview.ranking import Ranking, rank_spans
from traceview.responses import json_answer
from traceview.search import Index
from traceview.storage.database import StatementError
from traceview.storage.file import TraceFile
from traceview.store import Bounds, Store, Trace
from traceview.views import show_trace, summarise


class TraceApi(Blueprint):
    """The endpoints of one trace, which is in memory or in the file."""

    def __init__(self, store: Store, index: Index, file: TraceFile | None) -> None:
        """Take the traces in memory, their summaries, and the file, if there is one."""
        super().__init__("trace", __name__)
        self._store = store
        self._index = index
        self._file = file
        # Revisions start again with each process, and a browser can outlive several.
        self._process = secrets.token_hex(4)
        self.add_url_rule("/api/traces/<trace_id>", "trace", self._show)
        self.add_url_rule("/api/traces/<trace_id>/ranking", "ranking", self._rank)

    async def _show(self, trace_id: str) -> Response:
        trace_id = trace_id.lower()
        etag, trace = await self._look_up(trace_id)
        if not etag:
            return _missing()
        if request.if_none_match.contains(etag):
            response = Response(b"", 304)
        else:
            trace = trace or await self._read(trace_id)
            known = [one.trace_id for one in self._store]
            body = await asyncio.to_thread(_encode, trace.copy(), known)
            response = Response(body, content_type="application/json")
        response.headers["Cache-Control"] = "no-cache"
        response.set_etag(etag)
        return response

    async def _rank(self, trace_id: str) -> Response:
        trace = await self.find(trace_id)
        if trace is None:
            return _missing()
        if self._file is None:
            return json_answer(Ranking(0, [], {}, "spans are compared only in a file"))
        await self._file.flush()
        spans = list(trace.spans.values())
        try:
            ranking = await asyncio.to_thread(rank_spans, self._file.database, spans)
        except StatementError as error:
            ranking = Ranking(0, [], {}, str(error))
        return json_answer(ranking)

    async def find(self, trace_id: str) -> Trace | None:
        """Return a copy of a trace, or None."""
        trace_id = trace_id.lower()
        etag, trace = await self._look_up(trace_id)
        if not etag:
            return None
        return (trace or await self._read(trace_id)).copy()

    async def _look_up(self, trace_id: str) -> tuple[str, Trace | None]:
        """Return the entity tag of a trace, empty if there is none, and the trace in memory.

        The trace in memory is None if the file has more of it.
        """
        kept = self._store.get(trace_id)
        is_complete = kept is not None and not self._index.summary(kept).root_missing
        if not is_complete and self._file is not None and _TRACE_ID.fullmatch(trace_id):
            await self._file.flush()
            spans, lines = await asyncio.to_thread(self._file.size_of, trace_id)
            if spans > (len(kept.spans) if kept else 0) or (kept is None and lines):
                # It has no revision, but it only grows.
                return f"{self._process}-file-{spans}-{lines}", None
        return (f"{self._process}-{kept.revision}" if kept else ""), kept

    async def _read(self, trace_id: str) -> Trace:
        """Return a trace from the file."""
        read = Store(Bounds(total_bytes=READ_BYTES))
        if self._file is not None:
            for item in await asyncio.to_thread(self._file.trace, trace_id):
                read.add(item)
        return read.get(trace_id) or Trace(trace_id)


READ_BYTES = 4 * Bounds().total_bytes
"""Maximum estimated memory of a trace from the file, times two: one trace may use half of it."""

_TRACE_ID = re.compile("[0-9a-f]{32}")


def _encode(trace: Trace, known: Iterable[str]) -> bytes:
    return msgspec.json.encode(show_trace(trace, summarise(trace), known))


def _missing() -> Response:
    return json_answer({"error": "there is no such trace; it may have been evicted"}, 404)
