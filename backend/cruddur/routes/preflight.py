"""OPTIONS, answered on every path: a page may read a 404 only after a preflight of it passed."""

import msgspec
from quart import Quart, Response, request
from quart.globals import request_ctx


def install(app: Quart) -> None:
    """Answer OPTIONS before a route is looked for; the CORS headers are added elsewhere."""
    app.before_request(_options)


async def _options() -> Response | None:
    if request.method != "OPTIONS":
        return None
    adapter = request_ctx.url_adapter
    allowed = sorted(adapter.allowed_methods()) if adapter else []
    response = Response(msgspec.json.encode(allowed), content_type="application/json")
    response.allow.update(allowed)
    return response
