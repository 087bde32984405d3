"""Ask an X-Ray daemon whether it runs, and whether X-Ray accepts its requests.

Segments go to the daemon by UDP, which it never answers. On the same port it listens by TCP, where
it signs requests of SDKs for sampling rules and forwards them to X-Ray.
"""

import contextlib
import socket
from http.client import HTTPConnection, HTTPException

from msgspec import Struct

from cruddur.settings.checks import parse_daemon_address, parse_daemon_tcp_address

UDP_SECONDS = 0.5
"""How long the system may take to report that nothing listens."""


class DaemonAnswer(Struct, frozen=True):
    """What is known about a daemon.

    Attributes:
        status: the HTTP status of X-Ray's response through the daemon; None without a response.
        is_udp_refused: whether nothing listens on the UDP port, as far as the system knows.
        problem: why there is no response.
    """

    status: int | None
    is_udp_refused: bool
    problem: str = ""


def probe_daemon(address: str, seconds: float) -> DaemonAnswer:
    """Request the sampling rules through the daemon.

    Args:
        address: as in AWS_XRAY_DAEMON_ADDRESS.
        seconds: time limit of each step.
    """
    host, port = parse_daemon_tcp_address(address)
    connection = HTTPConnection(host, port, timeout=seconds)  # without a proxy
    try:
        connection.request("POST", "/GetSamplingRules", b"{}")
        return DaemonAnswer(connection.getresponse().status, False)
    except (OSError, HTTPException) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        return DaemonAnswer(None, _is_udp_refused(address), problem)
    finally:
        connection.close()


def _is_udp_refused(address: str) -> bool:
    """Return whether the system rejects datagrams to the daemon. An empty one is ignored by it."""
    host, port = parse_daemon_address(address)
    try:
        [(family, kind, protocol, _, target), *_] = socket.getaddrinfo(
            host, port, socket.AF_INET, socket.SOCK_DGRAM
        )
    except OSError:
        return True
    with socket.socket(family, kind, protocol) as sender:
        sender.settimeout(UDP_SECONDS)
        try:
            sender.connect(target)
            sender.send(b"")
            with contextlib.suppress(TimeoutError):
                sender.recv(1)
        except OSError:
            return True
    return False
