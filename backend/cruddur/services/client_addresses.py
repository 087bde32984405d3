"""Client addresses: normalize them, and derive the keys that limits count by."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

UNKNOWN = "unknown"
"""Stands for a client whose address is missing or unreadable. All of them share one limit."""

_CACHED = 4096
"""Addresses whose parsed form is cached."""

_LONGEST = 64
"""Characters of the longest address with quotes, brackets, zone and port."""


class _Forms(NamedTuple):
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
    return _forms(text[:_LONGEST]).plain


def address_key(text: str) -> str:
    """Return the key under which limits count the client at an address.

    This is the address itself for IPv4 and the /64 network for IPv6, because a host of an IPv6
    network can use any of its 2^64 addresses.
    """
    return _forms(text[:_LONGEST]).key


def network_key(text: str) -> str | None:
    """Return the /48 network of an IPv6 address, which is what a provider gives one customer.

    Returns None for other addresses.
    """
    return _forms(text[:_LONGEST]).network


@lru_cache(_CACHED)
def _forms(text: str) -> _Forms:
    address = _parse(text)
    if address is None:
        return _Forms(UNKNOWN, UNKNOWN, None)
    if isinstance(address, IPv4Address):
        return _Forms(str(address), str(address), None)
    return _Forms(str(address), _network(address, 64), _network(address, 48))


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
