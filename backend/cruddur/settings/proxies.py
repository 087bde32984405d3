"""Find the proxy for an outgoing call from the variables that curl and requests also read."""

import os
from collections.abc import Mapping, MutableMapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from cruddur.settings.checks import http_url, is_loopback_host

# requests understands networks, and IPv6 addresses without brackets; urllib understands neither.
_LOOPBACK = ("localhost", "127.0.0.1", "127.0.0.0/8", "::1")


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the proxy for calls to a URL, if any. Calls to this machine are always direct.

    Raises:
        ValueError: the proxy is malformed or is not an HTTP proxy; the message begins with the
            name of its variable.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_bypassed(host, parts.port, environ.get("no_proxy") or environ.get("NO_PROXY") or ""):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            if proxy := environ.get(variable, "").strip():
                proxy = proxy if "://" in proxy else f"http://{proxy}"
                if http_url(proxy):
                    raise ValueError(
                        f"{variable} is not http://host:port, and calls to {host} need an HTTP"
                        " proxy: change it, or add the host to NO_PROXY"
                    )
                return proxy
    return None


def exempt_loopback(environ: MutableMapping[str, str] = os.environ) -> None:
    """Add the loopback addresses to NO_PROXY, for the libraries that read it."""
    named = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    missing = [host for host in _LOOPBACK if host not in named.replace(",", " ").split()]
    if missing:
        environ["no_proxy"] = environ["NO_PROXY"] = ",".join(filter(None, (named, *missing)))


def _is_bypassed(host: str, port: int | None, no_proxy: str) -> bool:
    """Return whether NO_PROXY names the host.

    It lists names, domains, addresses and networks, each with an optional port.
    """
    if is_loopback_host(host):
        return True
    for item in no_proxy.replace(",", " ").lower().split():
        if item == "*":
            return True
        try:
            if ip_address(host) in ip_network(item.strip("[]"), strict=False):
                return True
        except ValueError:
            pass
        name, colon, number = item.rpartition(":")
        if colon and number.isdigit() and not (":" in name and "]" not in name):
            if int(number) != port:
                continue
            item = name
        domain = item.strip("[]").lstrip("*").lstrip(".")
        if domain and (host == domain or host.endswith(f".{domain}")):
            return True
    return False
