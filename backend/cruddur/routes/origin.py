"""Which pages may make a request whose only credential is a cookie."""

from quart import request

from cruddur.errors import ForbiddenError
from cruddur.routes.endpoint import resources


def check_origin() -> None:
    """Accept the configured origins, the origin that the request came to, and no browser.

    Browsers send `Origin` with every POST. A request without it is a program's, which holds its
    cookie itself, so that no other site can make it send one. `Sec-Fetch-Site`, which scripts
    cannot set, covers a browser that sends no `Origin`.

    Raises:
        ForbiddenError: a page of another origin makes the request.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        allowed = request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}
    else:
        own = f"{request.scheme}://{request.host}".lower()
        allowed = origin.lower() in {own, *resources().settings.origins}
    if not allowed:
        raise ForbiddenError
