"""Access checks: a web page must not read or write here through a developer's browser.

A loopback address keeps out other machines, but not the browser on this one. The Host check
rejects foreign names that resolve to 127.0.0.1, and the Origin check rejects foreign pages.
"""

import ipaddress
from urllib.parse import urlsplit

from quart import Quart, Response, request

from traceview.responses import json_answer

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'"
)


def install(app: Quart, *, allow_remote: bool) -> None:
    """Check every request, and add security headers to every response."""

    @app.before_request
    async def check() -> Response | None:
        host = request.headers.get("Host", "")
        if not allow_remote and not is_loopback(host_of(host)):
            return json_answer({"error": "this host name is not served; use 127.0.0.1"}, 403)
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return json_answer({"error": "pages of other sites cannot access this server"}, 403)
        return None

    @app.after_request
    async def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def host_of(address: str) -> str:
    """Return the host of `host`, `host:port` or `[v6]:port`; empty if it is malformed."""
    try:
        return urlsplit(f"//{address}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a name or address always means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
