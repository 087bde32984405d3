"""JSON responses."""

import msgspec
from quart import Response


def json_answer(content: object, status: int = 200) -> Response:
    """Return a JSON response that must not be cached."""
    response = Response(msgspec.json.encode(content), status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
