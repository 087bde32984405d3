"""Checks for the text of single settings: URLs, addresses, networks, rates and tokens.

A check returns None for a valid text. Otherwise it returns the problem, as the rest of a sentence
that begins with the name of the variable.
"""

import re
from ipaddress import ip_address, ip_network
from logging import getLevelNamesMapping
from urllib.parse import urlsplit

from cruddur.operating_system import HAS_UNIX_SOCKETS
from cruddur.settings.declaration import Check

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_DAEMON_ADDRESS = re.compile(r"(?:(tcp|udp):)?(\[[0-9A-Fa-f:.]+\]|[^:\s\[\]]+):(\d{1,5})")


def url(*schemes: str, wildcard: bool = False) -> Check:
    """Return a check for URLs with one of these schemes; `wildcard` also permits `*`."""
    forms = " or ".join(f"{scheme}://host" for scheme in schemes)

    def check(text: str) -> str | None:
        if wildcard and text == "*":
            return None
        try:
            parts = urlsplit(text)
            is_url = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:  # the port is not a number
            is_url = False
        return None if is_url else f"is not a URL of the form {forms}"

    return check


http_url = url("http", "https")


def picture_store(text: str) -> str | None:
    """Check `file:///directory` or `s3://bucket/prefix`."""
    parts = urlsplit(text)
    is_directory = parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
    is_bucket = parts.scheme == "s3" and bool(_BUCKET.fullmatch(parts.netloc))
    if (is_directory or is_bucket) and not parts.query and not parts.fragment:
        return None
    return "is not of the form file:///directory or s3://bucket/prefix"


def trace_url(text: str) -> str | None:
    """Check a URL with the placeholder `{trace_id}`."""
    return http_url(text) or (None if "{trace_id}" in text else "has no place for {trace_id}")


def bind(text: str) -> str | None:
    """Check a comma-separated list of addresses to serve on, each with or without a port."""
    for part in filter(None, map(str.strip, text.split(","))):
        if not (is_bind(part) or is_address(part)):
            return f"has {part!r}, which is not an address to serve on"
        if part.startswith("unix:") and not HAS_UNIX_SOCKETS:
            return f"has {part!r}, and this operating system has no Unix sockets: use host:port"
    return None


def host_and_port(text: str) -> str | None:
    """Check one address of the form `host:port`."""
    return None if is_bind(text) else "is not of the form host:port"


def log_level(text: str) -> str | None:
    """Check the name of a log level, in any case."""
    return None if text.upper() in getLevelNamesMapping() else f"is not a log level: {text!r}"


def boolean(text: str) -> str | None:
    """Check `true` or `false`, in any case, as the OpenTelemetry specification defines them."""
    return None if text.lower() in {"true", "false"} else "is neither true nor false"


def header_value(text: str) -> str | None:
    """Check a token that is sent in a header."""
    is_valid = text.isascii() and text.isprintable()
    return None if is_valid else "has a character that is not allowed in a header"


def rates(text: str) -> str | None:
    """Check requests per minute by class, `read=1200,write=120`."""
    try:
        parsed = parse_pairs(text)
    except ValueError:
        return "is not of the form read=1200,write=120"
    if not all(1 <= rate <= 1_000_000 for rate in parsed.values()):
        return "must lie between 1 and 1000000"
    return None


def secret_texts(text: str) -> str | None:
    """Check secrets that are separated by spaces: each has at least 32 characters."""
    if all(len(part) >= 32 for part in text.split()):
        return None
    return "has a text of less than 32 characters"


def networks(text: str) -> str | None:
    """Check a comma-separated list of addresses and networks."""
    try:
        for part in filter(None, map(str.strip, text.split(","))):
            ip_network(part)
    except ValueError as error:
        return f"is not a list of addresses and networks: {error}"
    return None


def daemon_address(text: str) -> str | None:
    """Check the address of an X-Ray daemon."""
    try:
        parse_daemon_address(text)
    except ValueError as error:
        return str(error)
    return None


def parse_pairs(text: str) -> dict[str, int]:
    """Parse `name=number,name=number`. Raises ValueError for anything else."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): int(number) for name, _, number in pairs}


def parse_daemon_address(text: str) -> tuple[str, int]:
    """Return host and UDP port of AWS_XRAY_DAEMON_ADDRESS.

    Args:
        text: `host:port`, or `tcp:host:port udp:host:port` in either order.

    Raises:
        ValueError: the text has another form.
    """
    return _daemon_addresses(text)["udp"]


def parse_daemon_tcp_address(text: str) -> tuple[str, int]:
    """Return host and TCP port of AWS_XRAY_DAEMON_ADDRESS, as `parse_daemon_address` does."""
    addresses = _daemon_addresses(text)
    return addresses.get("tcp", addresses["udp"])


def _daemon_addresses(text: str) -> dict[str, tuple[str, int]]:
    form = "has to be host:port or tcp:host:port udp:host:port"
    parsed: dict[str, tuple[str, int]] = {}
    for part in text.split():
        match = _DAEMON_ADDRESS.fullmatch(part)
        if match is None or not 0 < int(match[3]) < 65536 or (match[1] or "udp") in parsed:
            raise ValueError(f"{form}, and it is {text!r}")
        parsed[match[1] or "udp"] = match[2].strip("[]"), int(match[3])
    if "udp" not in parsed:
        raise ValueError(f"{form}, and it is {text!r}")
    return parsed


def is_bind(text: str) -> bool:
    """Return whether a text is `host:port`, `unix:path` or `fd://number`."""
    host, _, port = text.rpartition(":")
    if host in {"unix", "fd"} or text.startswith("unix:"):
        return True
    return port.isdigit() and int(port) <= 65535 and ":" in text


def is_address(text: str) -> bool:
    """Return whether a text is an IP address without a port. IPv6 needs brackets."""
    try:
        return ip_address(text.strip("[]")).version == (6 if text.startswith("[") else 4)
    except ValueError:
        return False


def is_ip_address(host: str) -> bool:
    """Return whether a host name is an IP address without brackets."""
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def is_loopback(bind: str) -> bool:
    """Return whether only this machine can reach an address of the server."""
    if bind.startswith("unix:"):
        return True
    return is_loopback_host(bind.rpartition(":")[0].strip("[]") or bind)


def is_loopback_host(host: str) -> bool:
    """Return whether a host name, or an address without brackets, is that of this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
