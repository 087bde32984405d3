"""Download traces as files, and upload files of OTLP in JSON."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct
from quart import Blueprint, Response, request

from traceview.csv_text import write_spans
from traceview.errors import MalformedError, RefusedError
from traceview.model import LogLine, Span
from traceview.otlp_export import export_lines
from traceview.receiver import TAKEN_BYTES, Batch, Receiver, body_of_request, inflated
from traceview.responses import (
    Download,
    csv_file,
    download_answer,
    json_answer,
    otlp_file,
)
from traceview.storage.file import TraceFile
from traceview.store import Trace
from traceview.uploads import split_file

UPLOAD_BYTES = 64 * 1024 * 1024
"""Maximum size of an uploaded file, in bytes."""

LISTED_TRACES = 20


class Upload(Struct):
    """What an uploaded file had; `traces` are the ids of some of its traces."""

    spans: int = 0
    logs: int = 0
    points: int = 0
    rejected: int = 0
    reason: str = ""
    """Why the first of the rejected items is not usable."""
    traces: list[str] = []


class TransferApi(Blueprint):
    """The endpoints of files."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[Trace | None]],
        receiver: Receiver,
        file: TraceFile | None,
    ) -> None:
        """Take what finds a trace, what stores items, and the file, if there is one."""
        super().__init__("transfer", __name__)
        self._find = find
        self._receiver = receiver
        self._file = file
        self.add_url_rule("/api/traces/<trace_id>.jsonl", "otlp", self._otlp)
        self.add_url_rule("/api/traces/<trace_id>.csv", "csv", self._csv)
        self.add_url_rule("/api/upload", "upload", self._upload, methods=["POST"])

    async def _otlp(self, trace_id: str) -> Response:
        return await self._download(trace_id, _trace_as_otlp)

    async def _csv(self, trace_id: str) -> Response:
        return await self._download(trace_id, _trace_as_csv)

    async def _download(self, trace_id: str, write: Callable[[Trace], Download]) -> Response:
        trace = await self._find(trace_id)
        if trace is None:
            return json_answer({"error": "there is no such trace; it may have been evicted"}, 404)
        return download_answer(await asyncio.to_thread(write, trace))

    async def _upload(self) -> Response:
        """Store the items of a file: all usable ones, or none if a part of it is not OTLP."""
        request.max_content_length = UPLOAD_BYTES
        try:
            parts = await self._read(await inflated(await body_of_request()))
        except RefusedError as error:
            return json_answer({"error": str(error)}, error.status)
        for batch, body in parts:
            self._receiver.keep_once(batch, body)
            if self._file is not None:
                await self._file.flush()  # so that little waits in memory
        return json_answer(_summary([batch for batch, _ in parts]))

    async def _read(self, data: bytes) -> list[tuple[Batch, bytes]]:
        parts: list[tuple[Batch, bytes]] = []
        space = TAKEN_BYTES
        for place, signal, body in await asyncio.to_thread(lambda: list(split_file(data))):
            try:
                batch = await self._receiver.read_json(signal, body, space)
            except RefusedError as error:
                raise type(error)(f"{place}: {error}" if place else str(error)) from error
            space -= batch.weight
            parts.append((batch, body))
        if not any(batch.items for batch, _ in parts):
            reason = next((batch.reason for batch, _ in parts if batch.reason), "")
            raise MalformedError(reason or "the file has no spans, log records or metrics")
        return parts


def _summary(batches: list[Batch]) -> Upload:
    upload = Upload()
    traces: dict[str, None] = {}
    for batch in batches:
        upload.rejected += batch.rejected
        upload.reason = upload.reason or batch.reason
        for item in batch.items:
            if isinstance(item, Span):
                upload.spans += 1
                traces[item.trace_id] = None
            elif isinstance(item, LogLine):
                upload.logs += 1
                traces[item.trace_id] = None
            else:
                upload.points += 1
    upload.traces = [one for one in traces if one][:LISTED_TRACES]
    return upload


def _trace_as_otlp(trace: Trace) -> Download:
    return otlp_file(f"trace-{trace.trace_id}", export_lines(trace.spans.values(), trace.lines))


def _trace_as_csv(trace: Trace) -> Download:
    return csv_file(f"trace-{trace.trace_id}", write_spans(list(trace.spans.values())))
