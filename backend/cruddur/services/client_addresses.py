"""Normalize client addresses, and derive the keys of limits from them."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

UNKNOWN = "unknown"
"""Stands for a client whose address is missing or unreadable. All of them share one limit."""

_MAX_CACHED = 4096
"""Maximum number of addresses whose parsed form is cached."""

_MAX_CHARS = 64
"""Maximum length of an address with quotes, brackets, zone and port."""


class _ParsedAddress(NamedTuple):
    plain: str
    key: str
    network: str | None


def plain_address(text: str) -> str:
    """Normalize an address as a socket or a proxy reports it.

    Strips quotes, brackets, the port and the zone, and unwraps IPv4-mapped IPv6 addresses.

    Args:
        text: such as `203.0.113.9:4711`, `[2001:db8::1]:4711` or `::ffff:203.0.113.9`.

    Returns:
        The shortest standard form, or UNKNOWN if the text is not an address.
    """
    return _parsed(text[:_MAX_CHARS]).plain


def address_key(text: str) -> str:
    """Return the key of the client at an address, for limits.

    This is the address itself for IPv4 and the /64 network for IPv6, because a host of an IPv6
    network can use any of its 2^64 addresses.
    """
    return _parsed(text[:_MAX_CHARS]).key


def network_key(text: str) -> str | None:
    """Return the /48 network of an IPv6 address, which a provider assigns to one customer.

    Returns None for other addresses.
    """
    return _parsed(text[:_MAX_CHARS]).network


@lru_cache(_MAX_CACHED)
def _parsed(text: str) -> _ParsedAddress:
    address = _parse(text)
    if address is None:
        return _ParsedAddress(UNKNOWN, UNKNOWN, None)
    if isinstance(address, IPv4Address):
        return _ParsedAddress(str(address), str(address), None)
    return _ParsedAddress(str(address), _network(address, 64), _network(address, 48))


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip(' "')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _network(address: IPv6Address, bits: int) -> str:
    return str(ip_network((address, bits), strict=False))
