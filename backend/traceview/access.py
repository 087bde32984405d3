"""Access checks: a web page must not read or write here through a developer's browser.

A loopback address keeps out other machines, but not the browser on this one. The Host check
rejects foreign names that resolve to this machine (DNS rebinding), and the checks of Origin and
Sec-Fetch-Site reject the requests of foreign pages. Only a link to a page is followed.
"""

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from quart import Quart, Response, request

from traceview.responses import json_answer

# Only the files of the page run, and with trusted types no string can become markup or code.
POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def install(app: Quart, *, allow_remote: bool, host_names: Collection[str]) -> None:
    """Check every request, and add security headers to every response.

    Args:
        app: the application.
        allow_remote: whether clients may address this machine by an IP address of its network.
        host_names: names, in lower case, that are served in addition to those of this machine.
    """

    @app.before_request
    async def check() -> Response | None:
        address = request.headers.get("Host", "")
        host = host_of(address)
        # No page can have an IP address as its origin unless it was loaded from there.
        if not (is_loopback(host) or host in host_names or (allow_remote and _is_address(host))):
            message = "this host name is not served; use 127.0.0.1, or start with --host-name"
            return json_answer({"error": message}, 403)
        origin = request.headers.get("Origin")
        is_foreign = origin is not None and urlsplit(origin).netloc.lower() != address.lower()
        if is_foreign or _is_embedded():
            return json_answer({"error": "pages of other sites cannot access this server"}, 403)
        return None

    @app.after_request
    async def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def _is_embedded() -> bool:
    """Whether a foreign page makes the request, other than by a link (Fetch Metadata)."""
    headers = request.headers
    is_foreign = headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}
    return is_foreign and not (
        request.method == "GET"
        and headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") == "document"
    )


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


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
