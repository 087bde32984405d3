"""The ASGI layers around the application, outermost first.

    OpenTelemetryMiddleware    the server span: METHOD /route/<with>/<params>
     └ RequestLog              the log line, and the header `traceresponse`
        └ the application

Log lines are written inside of the server span, so they have its ids.
"""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

PROBES = "/api/health-check$,/api/ready$"
"""Patterns of the URLs that have neither a span nor a log line."""

CLIENT_CLOSED_REQUEST = 499
"""The status that is logged if the client disconnects before the response."""

logger = logging.getLogger(__name__)


def wrap(app: Application, url_map: Map) -> Application:
    """Wrap an application in the layers.

    Args:
        app: the application.
        url_map: its rules, to name spans by route.
    """

    def span_details(scope: MutableMapping[str, Any]) -> tuple[str, dict[str, str]]:
        if scope["type"] != "http":
            return str(scope["type"]), {}
        try:
            adapter = url_map.bind("localhost")
            rule, _ = adapter.match(scope["path"], scope["method"], return_rule=True)
        except HTTPException:
            return str(scope["method"]), {}
        return f"{scope['method']} {rule.rule}", {"http.route": rule.rule}

    return OpenTelemetryMiddleware(
        RequestLog(app),
        default_span_details=span_details,
        excluded_urls=PROBES,
        exclude_spans=["receive", "send"],
    )


class RequestLog:
    """Logs each traced request when it ends, and sends its trace id to the client."""

    def __init__(self, app: Application) -> None:
        """Set the wrapped application."""
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """The ASGI callable."""
        ids = trace.get_current_span().get_span_context()
        if scope["type"] != "http" or not ids.is_valid:
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), CLIENT_CLOSED_REQUEST
        traceresponse = f"00-{ids.trace_id:032x}-{ids.span_id:016x}-{ids.trace_flags:02x}"

        async def send_traced(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                header = (b"traceresponse", traceresponse.encode())
                message = {**message, "headers": [*message["headers"], header]}
            await send(message)

        try:
            await self._app(scope, receive, send_traced)
        finally:
            fields = {
                "http.request.method": scope["method"],
                "url.path": scope["path"],
                "http.response.status_code": status,
                "duration_ms": round((time.monotonic() - started) * 1000, 1),
            }
            logger.info("%s %s %d", *list(fields.values())[:3], extra={"fields": fields})
