"""Answer OPTIONS on every path: a page can read a 404 only if its preflight succeeds."""

import msgspec
from quart import Quart, Response, current_app, request


def install(app: Quart) -> None:
    """Answer OPTIONS before a route is matched; quart-cors adds the CORS headers."""
    app.before_request(_options)


async def _options() -> Response | None:
    if request.method != "OPTIONS":
        return None
    adapter = current_app.create_url_adapter(request)
    allowed = sorted(adapter.allowed_methods()) if adapter else []
    response = Response(msgspec.json.encode(allowed), content_type="application/json")
    response.allow.update(allowed)
    return response
