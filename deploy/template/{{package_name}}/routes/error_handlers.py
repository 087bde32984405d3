"""Convert every exception to the one error shape, problem details (RFC 9457)."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from opentelemetry import trace
from quart import Quart, Response
from werkzeug.exceptions import HTTPException

from ..errors import ServiceError, UnavailableError
from ..wire import Problem

logger = logging.getLogger(__name__)


def install(app: Quart) -> None:
    """Register a handler for each kind of exception."""
    app.register_error_handler(ServiceError, _service_error)
    app.register_error_handler(HTTPException, _framework_error)
    app.register_error_handler(Exception, _unexpected_error)


async def _service_error(error: ServiceError) -> Response:
    if isinstance(error, UnavailableError):
        _record(error)
        return _problem(error.status, error.code, "", error.headers)  # the detail is the operator's
    return _problem(error.status, error.code, str(error), error.headers)


async def _framework_error(error: HTTPException) -> Response:
    """Answer an error of the framework: an unknown path, a method, or the size of a body."""
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return _problem(error.code or 500, error.name.lower().replace(" ", "_"), "", headers)


async def _unexpected_error(error: Exception) -> Response:
    _record(error)
    return _problem(500, ServiceError.code, "", {})


def _record(error: Exception) -> None:
    """Record an exception in the server span and in the log."""
    trace.get_current_span().record_exception(error)
    logger.error("%s", type(error).__name__, exc_info=error)


def _problem(status: int, code: str, detail: str, headers: Mapping[str, str]) -> Response:
    ids = trace.get_current_span().get_span_context()
    trace_id = trace.format_trace_id(ids.trace_id) if ids.is_valid else ""
    problem = Problem(HTTPStatus(status).phrase, status, code, detail, trace_id)
    return Response(
        msgspec.json.encode(problem),
        status=status,
        headers={**headers, "Cache-Control": "no-store"},
        content_type="application/problem+json",
    )
