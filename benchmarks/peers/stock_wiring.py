"""Cruddur with the stock middleware in place of its own wiring: a fair baseline for its cost.

The middleware gets the route and makes no send and receive spans. Statements have their spans as in
the service. The trace headers and the log line are missing, as the middleware has neither.
"""

from unittest.mock import patch

from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.util.http import sanitize_method

from cruddur.asgi_types import Application, Receive, Scope, Send
from cruddur.edge import layers
from cruddur.edge.tracing import Hooks
from cruddur.request_context import current_request
from cruddur.settings import Settings
from cruddur.telemetry.operation import Operation, operation_scope
from cruddur.telemetry.pipeline import Telemetry


class _StatementSpans:
    """Give the statements of a request their spans, as any wiring of the service has to."""

    def __init__(self, app: Application, telemetry: Telemetry) -> None:
        self._app = app
        self._instruments = telemetry.instruments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_recording = trace.get_current_span().is_recording()
        with operation_scope(Operation(self._instruments, is_recording, scope)):
            await self._app(scope, receive, send)


def _observe(
    app: Application,
    settings: Settings,  # noqa: ARG001  # the signature of what this replaces
    telemetry: Telemetry,
    hooks: Hooks,  # noqa: ARG001  # as above
) -> Application:
    return OpenTelemetryMiddleware(
        _StatementSpans(app, telemetry),
        default_span_details=_details,
        excluded_urls="health-check",
        exclude_spans=["receive", "send"],
        tracer_provider=telemetry.tracer_provider,
        meter_provider=telemetry.meter_provider,
    )


def _details(scope: Scope) -> tuple[str, dict[str, str]]:
    route = current_request().route
    method = sanitize_method(scope.get("method", "GET"))
    return (f"{method} {route}", {"http.route": route}) if route else (method, {})


with patch.object(layers, "observe", _observe):
    from cruddur.asgi import app as app
