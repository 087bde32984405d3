"""Allowed targets of a load: this machine, or a host that was named twice."""

from urllib.parse import urlsplit

from cruddur.settings.checks import is_loopback


class TargetError(Exception):
    """The target is not allowed; the message gives the reason in one line."""


def check_target(url: str, remote: str = "") -> str:
    """Return the base URL without a trailing slash.

    Raises:
        TargetError: it is invalid, or its host is neither this machine nor `remote`.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise TargetError(f"{url!r} is not a base URL such as http://127.0.0.1:4567")
    if not is_loopback(f"{host}:0") and host != remote.lower():
        raise TargetError(
            f"{host} is not this machine, and a load can take it down. If you may do that, name the"
            f" host as well: make load URL={url} REMOTE={host}"
        )
    return url.rstrip("/")
