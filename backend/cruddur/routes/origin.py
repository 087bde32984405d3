"""The public origin, and the check of the origin of requests whose only credential is a cookie."""

from quart import request

from cruddur.errors import ForbiddenError
from cruddur.routes.endpoint import resources


def public_origin() -> str:
    """Return the public origin of the service; without one, the origin of the request."""
    base = resources().settings.backend_origin
    return request.host_url.rstrip("/") if base == "*" else base


def check_origin() -> None:
    """Accept configured origins, the service's own origin, and requests that no browser sent.

    Browsers send `Origin` with every POST. A request without it comes from a program, which
    another site cannot trick into sending its cookie. `Sec-Fetch-Site`, which scripts cannot set,
    covers browsers that send no `Origin`.

    Raises:
        ForbiddenError: the request comes from a page of another origin.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        allowed = request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}
    else:
        own = f"{request.scheme}://{request.host}".lower()
        allowed = origin.lower() in {own, *resources().settings.origins}
    if not allowed:
        raise ForbiddenError
