"""The application: OTLP in, JSON and a page out."""

from collections.abc import Collection

from quart import Quart, Response, request
from werkzeug.exceptions import HTTPException

from traceview import PRODUCT, access
from traceview.decompression import BODY_BYTES
from traceview.errors import MalformedError
from traceview.forwarding import Forwarder
from traceview.log_lines import LineBuffer
from traceview.metrics import MetricTable
from traceview.query_api import QueryApi
from traceview.receiver import Receiver
from traceview.responses import PageResponse, json_answer
from traceview.search import Index, read_filter
from traceview.storage.file import FileStatus, TraceFile
from traceview.store import Bounds, Store
from traceview.trace_api import TraceApi
from traceview.transfer_api import TransferApi
from traceview.views import show_metric

_IN_MEMORY = FileStatus(stored=False, reason="traceview was started without a file")


def create_app(
    *,
    allow_remote: bool = False,
    host_names: Collection[str] = (),
    bounds: Bounds | None = None,
    file: TraceFile | None = None,
    status: FileStatus = _IN_MEMORY,
    forwarder: Forwarder | None = None,
) -> Quart:
    """Create the application.

    Args:
        allow_remote: accept requests to any IP address, not only to a loopback address.
        host_names: names, in lower case, that clients use for this machine.
        bounds: limits of the store; the defaults if None.
        file: store everything in this file as well, and start with its newest traces.
        status: why there is no file.
        forwarder: sends everything that is received to another endpoint.
    """
    app = Quart(__name__)
    app.response_class = PageResponse
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.config["PROPAGATE_EXCEPTIONS"] = False  # an exception is a 500, in tests too
    bounds = bounds or Bounds()
    store, metrics, buffer = Store(bounds), MetricTable(), LineBuffer()
    if file is not None:
        for item in file.newest(bounds.traces):
            store.add(item)
    receiver = Receiver(
        store,
        metrics,
        file.keep if file is not None else buffer.keep,
        forwarder.offer if forwarder is not None else None,
        file,
    )
    if forwarder is not None:
        app.after_serving(forwarder.close)
    access.install(app, allow_remote=allow_remote, host_names=host_names)
    app.register_blueprint(receiver)
    app.register_blueprint(QueryApi(file, status, buffer))
    _add_api(app, store, metrics, receiver, file, buffer, forwarder)
    _add_pages(app)

    @app.errorhandler(HTTPException)
    async def fail(error: HTTPException) -> Response:
        return json_answer({"error": error.description}, error.code or 500)

    return app


def _add_api(
    app: Quart,
    store: Store,
    metrics: MetricTable,
    receiver: Receiver,
    file: TraceFile | None,
    buffer: LineBuffer,
    forwarder: Forwarder | None,
) -> None:
    index = Index(store)
    traces = TraceApi(store, index, file)
    app.register_blueprint(traces)
    app.register_blueprint(TransferApi(traces.find, receiver, file))

    @app.get("/healthz")
    async def health() -> Response:
        return json_answer(
            {
                "status": "ok",
                "product": PRODUCT,
                "traces": len(store),
                "bytes": store.weight,
                "metrics": len(metrics),
                "received": receiver.counters,
                "forward": forwarder.status() if forwarder is not None else None,
            }
        )

    @app.get("/api/traces")
    async def list_traces() -> Response:
        try:
            wanted = read_filter(request.args.to_dict())
        except MalformedError as error:
            return json_answer({"error": str(error)}, error.status)
        found = index.search(wanted)
        response = json_answer(found.traces)
        response.headers["Hidden-Traces"] = str(found.hidden)
        return response

    @app.delete("/api/traces")
    async def forget_traces() -> Response:
        receiver.forget()
        if file is not None:
            file.clear()
            await file.flush()
        buffer.clear()
        return json_answer({"deleted": store.clear()})

    @app.get("/api/metrics")
    async def list_metrics() -> Response:
        return json_answer([show_metric(point) for point in metrics.rows()])


def _add_pages(app: Quart) -> None:
    @app.get("/")
    @app.get("/query")
    @app.get("/logs")
    @app.get("/metrics")
    @app.get("/trace/<trace_id>")
    async def page(trace_id: str = "") -> Response:  # noqa: ARG001  # the page reads its address
        return await app.send_static_file("index.html")
