"""Convert every exception to the error format of the API."""

from collections.abc import Mapping, Sequence

import msgspec
from quart import Quart, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestTimeout

from cruddur.db.pool import DatabaseUnavailableError, DeletedMeanwhileError, condition
from cruddur.errors import (
    GENERIC_CODES,
    CruddurError,
    MalformedError,
    NotFoundError,
    OverloadedError,
    UnavailableError,
)
from cruddur.picture_stores.store import StoreError
from cruddur.telemetry.error_reporting import Outages, report


def install(app: Quart) -> None:
    """Register a handler for each kind of exception."""
    outages = Outages("the database")
    store_outages = Outages("the picture store")

    async def database_unavailable(error: Exception) -> Response:
        outages.report(error, condition(error))
        return _unavailable()

    async def store_unavailable(error: Exception) -> Response:
        store_outages.report(error, "")
        return _unavailable()

    app.register_error_handler(CruddurError, _client_error)
    app.register_error_handler(DatabaseUnavailableError, database_unavailable)
    app.register_error_handler(StoreError, store_unavailable)
    app.register_error_handler(DeletedMeanwhileError, _deleted_meanwhile)
    app.register_error_handler(HTTPException, framework_error)
    app.register_error_handler(Exception, _unexpected_error)


def is_outage(error: Exception) -> bool:
    """Return whether an exception means that the database does not respond."""
    return isinstance(error, DatabaseUnavailableError)


async def _client_error(error: CruddurError) -> Response:
    if error.status >= 500 and not isinstance(error, OverloadedError):
        report(error)
    return _error_response(error.status, error.codes, error.headers)


def _unavailable() -> Response:
    error = UnavailableError()
    return _error_response(error.status, error.codes, error.headers)


async def _deleted_meanwhile(_: DeletedMeanwhileError) -> Response:
    return await _client_error(NotFoundError())


async def framework_error(error: HTTPException) -> Response:
    """Return the response to an error of the framework: a path, a method or a body."""
    if isinstance(error, RequestTimeout):  # the body was not complete in time
        return await _client_error(MalformedError())
    status = error.code or 500
    if status >= 500:
        report(error)
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return _error_response(status, [GENERIC_CODES.get(status, f"generic_{status}")], headers)


async def _unexpected_error(error: Exception) -> Response:
    report(error)
    return _error_response(500, [GENERIC_CODES[500]], {})


def _error_response(status: int, codes: Sequence[str], headers: Mapping[str, str]) -> Response:
    return Response(
        msgspec.json.encode(codes),
        status=status,
        headers={**headers, "Cache-Control": "no-store"},
        content_type="application/json",
    )
