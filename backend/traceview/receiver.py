"""Receive OTLP over HTTP: decode a request, store its usable items, respond in its format."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from google.rpc import (  # type: ignore[import-untyped]  # its stubs lack the marker
    status_pb2,
)
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from quart import Blueprint, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge

from traceview import otlp
from traceview.decompression import inflate
from traceview.errors import (
    BusyError,
    MalformedError,
    RefusedError,
    TooLargeError,
    UnsupportedError,
    UnusableError,
)
from traceview.metrics import MetricTable
from traceview.model import weigh_line, weigh_point, weigh_span
from traceview.repeats import Outcome, Repeats
from traceview.storage.file import TraceFile
from traceview.storage.recorder import Item
from traceview.store import Store

ITEMS = 50_000
"""Maximum number of spans, log records or metrics in a request."""

TAKEN_BYTES = 256 * 1024 * 1024
"""Maximum estimated memory of the items of one request, in bytes."""

IN_PLACE_BYTES = 16 * 1024
"""Bodies up to this size are decompressed on the event loop, which is faster than a thread."""

WAIT_SECONDS = 5.0
"""How long a request waits if the file is behind; exporters give up after ten seconds."""

RETRY_SECONDS = 1
"""After how many seconds a sender should try again."""

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

_TURN_SECONDS = 0.05  # how long to read items before yielding to other tasks
_REST_SECONDS = 0.005  # their time: a response takes a dozen iterations of the loop


class Intake(NamedTuple):
    """A signal's endpoint: how its requests are read, stored and answered."""

    signal: otlp.Signal[Any]
    weigh: Callable[[Any], int]
    keep: Callable[[Any], None]
    answer: Callable[[], Any]
    rejected: str


class Batch(NamedTuple):
    """The usable items of a request with their estimated memory, and why others are not usable."""

    door: Intake
    items: list[Any]
    weight: int
    rejected: int
    reason: str


class Counters(msgspec.Struct):
    """Totals since the start."""

    requests: int = 0
    items: int = 0
    rejected: int = 0
    refused: int = 0


class Receiver(Blueprint):
    """The three OTLP endpoints."""

    def __init__(
        self,
        store: Store,
        metrics: MetricTable,
        record: Callable[[Item], None],
        forward: Callable[[str, Headers, bytes], None] | None = None,
        file: TraceFile | None = None,
    ) -> None:
        """Take what requests and their items are given to.

        Args:
            store: the traces with their log lines.
            metrics: the newest values of metrics.
            record: keeps each item, in a file or in memory.
            forward: sends an accepted request on, by its path, headers and body.
            file: what requests wait for, if it is behind.
        """
        super().__init__("receiver", __name__)
        self._record = record
        self._forward = forward
        self._file = file
        self._repeats = Repeats()
        self.counters = Counters()
        self._doors = {
            "traces": Intake(
                otlp.TRACES,
                weigh_span,
                store.add_span,
                trace_service_pb2.ExportTraceServiceResponse,
                "rejected_spans",
            ),
            "logs": Intake(
                otlp.LOGS,
                weigh_line,
                store.add_line,
                logs_service_pb2.ExportLogsServiceResponse,
                "rejected_log_records",
            ),
            "metrics": Intake(
                otlp.METRICS,
                weigh_point,
                metrics.add,
                metrics_service_pb2.ExportMetricsServiceResponse,
                "rejected_data_points",
            ),
        }
        for name, door in self._doors.items():
            self.add_url_rule(f"/v1/{name}", name, self._endpoint(door), methods=["POST"])

    def _endpoint(self, door: Intake) -> Callable[[], Any]:
        async def receive() -> Response:
            form = PROTOBUF
            try:
                form = _form(request.mimetype)
                received = await body_of_request()
                body = await inflated(received)
                outcome = self._repeats.find(body)
                if outcome is None:
                    outcome = await self._take(door, body, is_json=form == JSON)
                    if self._forward is not None:
                        self._forward(request.path, request.headers, received)
            except RefusedError as error:
                self.counters.refused += 1
                return _refuse(error, form)
            return _accept(door, form, outcome)

        return receive

    async def _take(self, door: Intake, body: bytes, *, is_json: bool) -> Outcome:
        """Store the items of a request: all usable ones, or none if the request is rejected."""
        await self._wait_for_file()
        batch = await self._read(door, body, is_json=is_json)
        if batch.rejected and not batch.items:
            raise MalformedError(batch.reason)
        return self._keep(batch, body)

    async def _wait_for_file(self) -> None:
        if self._file is None or not self._file.is_behind:
            return
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._file.flush()
        except TimeoutError:
            raise BusyError("more arrives than can be stored") from None

    def forget(self) -> None:
        """Accept again what was received before, because it was deleted."""
        self._repeats.clear()

    async def read_json(self, signal: str, body: bytes, space: int | None = None) -> Batch:
        """Read the items of a request in JSON, without storing them.

        Args:
            signal: traces, logs or metrics.
            body: the request.
            space: maximum estimated memory of the items in bytes; TAKEN_BYTES if None.

        Raises:
            MalformedError: the body is not such a request.
            TooLargeError: it contains too much.
        """
        return await self._read(self._doors[signal], body, is_json=True, space=space)

    def keep_once(self, batch: Batch, body: bytes) -> None:
        """Store the items of a request, unless it repeats one of the last."""
        if self._repeats.find(body) is None:
            self._keep(batch, body)

    def _keep(self, batch: Batch, body: bytes) -> Outcome:
        for one in batch.items:
            batch.door.keep(one)
            self._record(one)
        self.counters.requests += 1
        self.counters.items += len(batch.items)
        self.counters.rejected += batch.rejected
        outcome = Outcome(batch.rejected, batch.reason)
        self._repeats.add(body, outcome)
        return outcome

    async def _read(
        self, door: Intake, body: bytes, *, is_json: bool, space: int | None = None
    ) -> Batch:
        taken: list[Any] = []
        weight, rejected, reason = 0, 0, ""
        limit = TAKEN_BYTES if space is None else space
        turn_ends = time.monotonic() + _TURN_SECONDS
        for number, item in enumerate(otlp.read(door.signal, body, is_json=is_json), start=1):
            if number > ITEMS:
                raise TooLargeError(f"more than {ITEMS} items in one request")
            if isinstance(item, UnusableError):
                rejected, reason = rejected + 1, reason or str(item)
            else:
                taken.extend(item)
                weight += sum(map(door.weigh, item))
            if weight > limit:
                raise TooLargeError("the request would take too much memory")
            if time.monotonic() > turn_ends:
                await asyncio.sleep(_REST_SECONDS)
                turn_ends = time.monotonic() + _TURN_SECONDS
        return Batch(door, taken, weight, rejected, reason)


def _form(mimetype: str) -> str:
    if mimetype in {PROTOBUF, "application/protobuf"}:
        return PROTOBUF
    if mimetype == JSON:
        return JSON
    raise UnsupportedError(f"send {PROTOBUF} or {JSON}")


async def body_of_request() -> bytes:
    """Return the body of the request as it was received.

    Raises:
        TooLargeError: it is too large.
    """
    try:
        data = await request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise TooLargeError(
            f"the body is larger than {request.max_content_length} bytes"
        ) from error
    return data.encode() if isinstance(data, str) else data


async def inflated(body: bytes) -> bytes:
    """Return the decompressed body of the request.

    Raises:
        RefusedError: it becomes too large, or its encoding is wrong or not supported.
    """
    encoding = request.headers.get("Content-Encoding", "")
    if len(body) < IN_PLACE_BYTES:
        return inflate(body, encoding)
    return await asyncio.to_thread(inflate, body, encoding)


def _accept(door: Intake, form: str, outcome: Outcome) -> Response:
    rejected, reason = outcome
    if form == JSON:
        counts = {_camel(door.rejected): str(rejected), "errorMessage": reason}
        body = msgspec.json.encode({"partialSuccess": counts} if rejected else {})
        return Response(body, content_type=JSON)
    answer = door.answer()
    if rejected:
        setattr(answer.partial_success, door.rejected, rejected)
        answer.partial_success.error_message = reason
    return Response(answer.SerializeToString(), content_type=PROTOBUF)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


def _refuse(error: RefusedError, form: str) -> Response:
    """Return a google.rpc.Status in the request's format, as OTLP requires."""
    if form == JSON:
        body = msgspec.json.encode({"code": error.rpc_code, "message": str(error)})
    else:
        status = status_pb2.Status(code=error.rpc_code, message=str(error))
        body = status.SerializeToString()
    response = Response(body, error.status, content_type=form)
    if isinstance(error, BusyError):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
