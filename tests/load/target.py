"""Where a load may go: to this machine, or to a host that was named a second time."""

from urllib.parse import urlsplit

from cruddur.settings.checks import is_loopback


class TargetError(Exception):
    """The load stays here; the message says why in one line."""


def check_target(url: str, remote: str = "") -> str:
    """The base URL without a slash at its end.

    Raises:
        TargetError: it is none, or its host is neither this machine nor `remote`.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise TargetError(f"{url!r} is no base URL, such as http://127.0.0.1:4567")
    if not is_loopback(f"{host}:0") and host != remote.lower():
        raise TargetError(
            f"{host} is not this machine, and a load can take it down. Where that is yours to do,"
            f" name the host as well: make load URL={url} REMOTE={host}"
        )
    return url.rstrip("/")
