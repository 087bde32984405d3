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
from werkzeug.exceptions import RequestEntityTooLarge

from traceview import otlp
from traceview.decompression import BODY_BYTES, inflate
from traceview.errors import MalformedError, RefusedError, TooLargeError, UnsupportedError
from traceview.metrics import MetricTable
from traceview.model import weigh_line, weigh_point, weigh_span
from traceview.store import Store

ITEMS = 50_000
"""Maximum number of spans, log records or metrics in a request."""

TAKEN_BYTES = 256 * 1024 * 1024
"""Maximum estimated memory of the items of one request, in bytes."""

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


class Counters(msgspec.Struct):
    """Totals since the start."""

    requests: int = 0
    items: int = 0
    rejected: int = 0
    refused: int = 0


class Receiver(Blueprint):
    """The three OTLP endpoints."""

    def __init__(self, store: Store, metrics: MetricTable) -> None:
        """Take the stores of traces with log lines, and of metrics."""
        super().__init__("receiver", __name__)
        self.counters = Counters()
        doors = {
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
        for name, door in doors.items():
            self.add_url_rule(f"/v1/{name}", name, self._endpoint(door), methods=["POST"])

    def _endpoint(self, door: Intake) -> Callable[[], Any]:
        async def receive() -> Response:
            form = PROTOBUF
            try:
                form = _form(request.mimetype)
                rejected, reason = await self._take(door, is_json=form == JSON)
            except RefusedError as error:
                self.counters.refused += 1
                return _refuse(error, form)
            return _accept(door, form, rejected, reason)

        return receive

    async def _take(self, door: Intake, *, is_json: bool) -> tuple[int, str]:
        """Store the items of a request: all usable ones, or none if the request is rejected."""
        body = inflate(await _body(), request.headers.get("Content-Encoding", ""))
        taken: list[Any] = []
        weight, rejected, reason = 0, 0, ""
        turn_ends = time.monotonic() + _TURN_SECONDS
        for number, item in enumerate(otlp.read(door.signal, body, is_json=is_json), start=1):
            if number > ITEMS:
                raise TooLargeError(f"more than {ITEMS} items in one request")
            if isinstance(item, otlp.UnusableError):
                rejected, reason = rejected + 1, reason or str(item)
            else:
                taken.extend(item)
                weight += sum(map(door.weigh, item))
            if weight > TAKEN_BYTES:
                raise TooLargeError("the request would take too much memory")
            if time.monotonic() > turn_ends:
                await asyncio.sleep(_REST_SECONDS)
                turn_ends = time.monotonic() + _TURN_SECONDS
        if rejected and not taken:
            raise MalformedError(reason)
        for one in taken:
            door.keep(one)
        self.counters.requests += 1
        self.counters.items += len(taken)
        self.counters.rejected += rejected
        return rejected, reason


def _form(mimetype: str) -> str:
    if mimetype in {PROTOBUF, "application/protobuf"}:
        return PROTOBUF
    if mimetype == JSON:
        return JSON
    raise UnsupportedError(f"send {PROTOBUF} or {JSON}")


async def _body() -> bytes:
    try:
        data = await request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise TooLargeError(f"the body is larger than {BODY_BYTES} bytes") from error
    return data.encode() if isinstance(data, str) else data


def _accept(door: Intake, form: str, rejected: int, reason: str) -> Response:
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
    return Response(body, error.status, content_type=form)
