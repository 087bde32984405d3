"""Decide which addresses belong to the public internet, and look up those of a host."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Protocol, TypeAlias

from cruddur.concurrency.thread_pool import BoundedThreadPool

Address: TypeAlias = IPv4Address | IPv6Address

# What `is_global` of some Python versions lacks, and addresses that mean something else on the
# machines of cloud providers. https://www.iana.org/assignments/iana-ipv4-special-registry
_SPECIAL_IPV4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network; 0.0.0.0 is this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 has the metadata of Alibaba Cloud
        "127.0.0.0/8",
        "168.63.129.16/32",  # the host of a virtual machine in Azure
        "169.254.0.0/16",  # link-local; 169.254.169.254 has the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 has the metadata of Oracle Cloud
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112: answers for private addresses
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)

# The only global unicast addresses of IPv6 that exist so far. Others are special, and some contain
# an IPv4 address: ::ffff:0:0/96, ::/96, 64:ff9b::/96 and 64:ff9b:1::/48 (NAT64).
# https://www.iana.org/assignments/iana-ipv6-special-registry
_GLOBAL_IPV6 = ip_network("2000::/3")
_SPECIAL_IPV6 = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # protocol assignments, such as Teredo (2001::/32) and ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: contains an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

_LOOKUP_THREADS = 4
_MAX_WAITING_LOOKUPS = 16


class Network(Protocol):
    """The way to hosts of the internet. Tests have one that ends at their own servers."""

    async def resolve(self, host: str) -> Sequence[str]:
        """Return the addresses of a host.

        Raises:
            OSError: the host is unknown, or the name servers do not respond.
            OverloadedError: too many look-ups are waiting.
        """

    def endpoint(self, address: Address, port: int) -> tuple[str, int]:
        """Return the address and the port to connect to for an address that was checked."""

    def close(self) -> None:
        """Stop looking up hosts."""


class Internet:
    """The real network."""

    def __init__(self) -> None:
        """Create the threads for look-ups.

        The operating system offers no look-up that can be cancelled, and a slow name server may
        belong to an attacker. So look-ups have threads of their own, and do not delay others.
        """
        self._lookups = BoundedThreadPool(
            "preview names", threads=_LOOKUP_THREADS, waiting=_MAX_WAITING_LOOKUPS
        )

    async def resolve(self, host: str) -> Sequence[str]:
        """Look up a host, as `Network` says."""
        found = await self._lookups.run(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        return [str(sockaddr[0]) for *_, sockaddr in found]

    def endpoint(self, address: Address, port: int) -> tuple[str, int]:
        """Return the address and the port themselves."""
        return str(address), port

    def close(self) -> None:
        """Drop the look-ups that wait."""
        self._lookups.close()


def is_public(address: Address) -> bool:
    """Return whether an address belongs to a host of the public internet.

    Special ranges are excluded, and so are addresses that contain another address (IPv4-mapped,
    6to4, NAT64, Teredo), because a gateway could translate them to a private one.
    """
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    return address in _GLOBAL_IPV6 and not any(address in network for network in _SPECIAL_IPV6)


def public_addresses(found: Sequence[str]) -> list[Address]:
    """Return the public ones of some addresses, without duplicates, in their order."""
    addresses = dict.fromkeys(ip_address(address) for address in found)
    return [address for address in addresses if is_public(address)]


async def look_up(network: Network, host: str) -> list[Address]:
    """Return the public addresses of a host.

    Raises:
        OSError, OverloadedError: as `Network.resolve` says.
    """
    try:
        return public_addresses(await network.resolve(host))
    except UnicodeError as error:  # a label is empty or too long
        raise OSError(f"not a host name: {host!r}") from error
