"""`python -m cruddur.process.healthcheck`: whether the service on this machine answers.

For a container engine, which runs it every few seconds: it imports next to nothing, and ends
with 0 where the service is alive and 1 where it is not. The database is not asked, as
without it the service is better left running; `/api/ready` tells a load balancer.
"""

import socket
import sys
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address

from cruddur.settings import Settings, SettingsError

PATH = "/api/health-check"

SECONDS = 3.0
"""How long it may take to answer."""


def connect(bind: str) -> socket.socket:
    """Connect to an address that is served on, `host:port` or `unix:path`.

    Raises:
        OSError: nothing answers there, or it cannot be connected to by name (`fd://3`).
    """
    if bind.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(SECONDS)
        connection.connect(bind.removeprefix("unix:"))
        return connection
    host, _, port = bind.rpartition(":")
    return socket.create_connection((_reachable(host.strip("[]")), int(port)), SECONDS)


def _reachable(host: str) -> str:
    """Where a server that is bound to all addresses can be reached on its own machine."""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "localhost"
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def main() -> str | None:
    """Ask the service; returns what is wrong, if anything is."""
    try:
        bind = Settings.from_env().binds[0]
    except SettingsError as error:
        return f"cruddur: {error}"
    connection = HTTPConnection("localhost")  # no proxy of the environment comes between
    try:
        connection.sock = connect(bind)
        connection.request("GET", PATH)
        status = connection.getresponse().status
    except (OSError, ValueError, HTTPException) as error:
        return f"cruddur: nothing answers at {bind}: {' '.join(str(error).split())}"
    finally:
        connection.close()
    return None if status == 200 else f"cruddur: {bind} answers {status}"


if __name__ == "__main__":
    sys.exit(main())
