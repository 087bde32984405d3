"""The application: OTLP in, JSON and a page out."""

import secrets

import msgspec
from quart import Quart, Response, request
from werkzeug.exceptions import HTTPException

from traceview import PRODUCT, access
from traceview.decompression import BODY_BYTES
from traceview.errors import MalformedError
from traceview.metrics import MetricTable
from traceview.query import Index, read_filter
from traceview.receiver import Receiver
from traceview.responses import json_answer
from traceview.store import Bounds, Store
from traceview.views import show_metric, show_trace


def create_app(*, allow_remote: bool = False, bounds: Bounds | None = None) -> Quart:
    """Create the application.

    Args:
        allow_remote: accept any host name, not only those of this machine.
        bounds: limits of the store; the defaults if None.
    """
    app = Quart(__name__)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.config["PROPAGATE_EXCEPTIONS"] = False  # an exception is a 500, in tests too
    store, metrics = Store(bounds), MetricTable()
    receiver = Receiver(store, metrics)
    access.install(app, allow_remote=allow_remote)
    app.register_blueprint(receiver)
    _add_api(app, store, metrics, receiver)
    _add_pages(app)

    @app.errorhandler(HTTPException)
    async def fail(error: HTTPException) -> Response:
        return json_answer({"error": error.description}, error.code or 500)

    return app


def _add_api(app: Quart, store: Store, metrics: MetricTable, receiver: Receiver) -> None:
    index = Index(store)
    # Revisions start again with each process, and a browser can outlive several.
    process = secrets.token_hex(4)

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
            }
        )

    @app.get("/api/traces")
    async def list_traces() -> Response:
        try:
            wanted = read_filter(request.args.to_dict())
        except MalformedError as error:
            return json_answer({"error": str(error)}, error.status)
        return json_answer(index.search(wanted))

    @app.delete("/api/traces")
    async def forget_traces() -> Response:
        return json_answer({"deleted": store.clear()})

    @app.get("/api/traces/<trace_id>")
    async def get_trace(trace_id: str) -> Response:
        trace = store.get(trace_id.lower())
        if trace is None:
            return json_answer({"error": "there is no such trace; it may have been evicted"}, 404)
        etag = f"{process}-{trace.revision}"
        if request.if_none_match.contains(etag):
            response = Response(b"", 304)
        else:
            shown = show_trace(trace, index.summary(trace), (one.trace_id for one in store))
            response = Response(msgspec.json.encode(shown), content_type="application/json")
        response.headers["Cache-Control"] = "no-cache"
        response.set_etag(etag)
        return response

    @app.get("/api/metrics")
    async def list_metrics() -> Response:
        return json_answer([show_metric(point) for point in metrics.rows()])


def _add_pages(app: Quart) -> None:
    @app.get("/")
    @app.get("/metrics")
    @app.get("/trace/<trace_id>")
    async def page(trace_id: str = "") -> Response:  # noqa: ARG001  # the page reads its address
        return await app.send_static_file("index.html")
