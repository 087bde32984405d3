"""The course's test route for Rollbar: each request sends one item."""

from quart import Blueprint, Response

from cruddur.errors import NotFoundError
from cruddur.routes.endpoint import resources
from cruddur.telemetry.error_reporting import report

rollbar = Blueprint("rollbar", __name__)


class RollbarTestError(Exception):
    """The test route was called; this is not a failure."""


@rollbar.get("/rollbar/test")
async def rollbar_test() -> Response:
    """Send an item with the trace of this request. Off in production by default."""
    if not resources().settings.is_rollbar_test_on:
        raise NotFoundError
    try:
        raise RollbarTestError("Hello World!")
    except RollbarTestError as error:
        report(error)
    return Response("Hello World!", content_type="text/plain; charset=utf-8")
