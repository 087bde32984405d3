"""Decide which URLs may be fetched at all."""

import re
from collections.abc import Collection

import httpx

MAX_URL_BYTES = 2000

PORTS = {"http": 80, "https": 443}

_HOST = re.compile(r"[a-z0-9._:-]+")


class RefusedError(httpx.TransportError):
    """The URL, or the host behind it, must not be fetched."""


def public_url(text: str) -> httpx.URL:
    """Return a URL in normal form: in ASCII, with a path, and without the port of its scheme.

    Raises:
        RefusedError: it is no HTTP URL, is too long, contains credentials or has another port than
            80 and 443.
    """
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError) as error:
        raise RefusedError("it is not a valid URL") from error
    if url.scheme not in PORTS or not _HOST.fullmatch(host):
        raise RefusedError("it is not an HTTP URL")
    if url.userinfo:
        raise RefusedError("it contains credentials")
    if port_of(url) not in PORTS.values():
        raise RefusedError("its port is neither 80 nor 443")
    if len(str(url)) > MAX_URL_BYTES:
        raise RefusedError(f"it is longer than {MAX_URL_BYTES} bytes")
    port = None if url.port == PORTS[url.scheme] else url.port
    return url.copy_with(port=port, raw_path=url.raw_path)


def names_host(url: httpx.URL, hosts: Collection[str]) -> bool:
    """Return whether the host of a URL is one of these, which are in lower case."""
    return url.host.rstrip(".") in hosts


def port_of(url: httpx.URL) -> int:
    """Return the port of an HTTP URL, also if it is the default."""
    return url.port or PORTS[url.scheme]
