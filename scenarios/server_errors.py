"""Some members get an error on every page, once they have signed in.

Cause: the service adds a header to its responses to clients that are too old, and reads their
version as three numbers. One client is a release candidate, whose version ends in `-rc.1`.

Telemetry: among the errors, `user_agent.original` is always the same. `error.type` is ValueError,
and the exception event has the stack trace.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from quart import Quart, Response, request

from scenarios.scenario import Scenario

CLIENT = re.compile(r"Cruddur-\w+/(\S+)")

OLDEST = (3, 0, 0)

AREAS = ("activities", "messages", "notifications", "reactions", "users")


class ServerErrors(Scenario):
    """A check of the client's version after the handlers."""

    def extend(self, app: Quart) -> None:
        """Wrap the handlers of the feeds and messages."""
        for name, view in list(app.view_functions.items()):
            if name.partition(".")[0] in AREAS:
                app.view_functions[name] = _checking(view)


def _checking(view: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(view)
    async def checking(**arguments: Any) -> Response:
        response: Response = await view(**arguments)
        if found := CLIENT.match(request.headers.get("User-Agent", "")):
            major, minor, patch = map(int, found[1].split("."))
            if (major, minor, patch) < OLDEST:
                response.headers["Deprecation"] = "true"
        return response

    return checking


SCENARIO = ServerErrors
