"""The public origin, and the check of the origin of requests whose only credential is a cookie."""

from collections.abc import Collection

from quart import request

from cruddur.errors import ForbiddenError


def public_origin(configured: str) -> str:
    """Return the configured origin of the service; for `*`, the origin of the request."""
    return request.host_url.rstrip("/") if configured == "*" else configured


def check_origin(configured: Collection[str]) -> None:
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
        allowed = origin.lower() in {own, *configured}
    if not allowed:
        raise ForbiddenError
