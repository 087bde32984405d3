"""`python -m cruddur.process.healthcheck`: check whether the service on this machine responds.

A container engine runs it every few seconds, so it imports very little. The exit code is 0 if the
service is alive, else 1. It does not check the database: restarting the service would not help.
For a load balancer, `/api/ready` checks both.
"""

import socket
import sys
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address

from cruddur.settings import Settings, SettingsError

PATH = "/api/health-check"

TIMEOUT_SECONDS = 3.0
"""Timeout of the check."""


def connect(bind: str) -> socket.socket:
    """Connect to an address of the server, `host:port` or `unix:path`.

    Raises:
        OSError: no server accepts the connection, or the address is a descriptor (`fd://3`).
    """
    if bind.startswith("unix:"):
        if sys.platform == "win32":
            raise OSError("this operating system has no Unix sockets")
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(TIMEOUT_SECONDS)
        connection.connect(bind.removeprefix("unix:"))
        return connection
    host, _, port = bind.rpartition(":")
    return socket.create_connection(
        (_connectable_host(host.strip("[]")), int(port)), TIMEOUT_SECONDS
    )


def _connectable_host(host: str) -> str:
    """Return the host to connect to: loopback if the server is bound to all addresses."""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "localhost"
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def _with_tls(connection: socket.socket) -> socket.socket:
    """Return the connection with TLS. The certificate is for another name than that of loopback."""
    import ssl  # 1.5 MB, and not needed behind a proxy

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connection)


def main() -> str | None:
    """Request the health check; return an error message, or None on success."""
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        return f"cruddur: {error}"
    problem = check(settings.binds[0], has_tls=bool(settings.certfile))
    return f"cruddur: {problem}" if problem else None


def check(bind: str, *, has_tls: bool = False) -> str | None:
    """Request the health check of the service at an address; return the problem, or None."""
    connection = HTTPConnection("localhost")  # ignores the proxies of the environment
    try:
        connection.sock = connect(bind)
        if has_tls:
            connection.sock = _with_tls(connection.sock)
        connection.request("GET", PATH)
        status = connection.getresponse().status
    except (OSError, ValueError, HTTPException) as error:
        return f"nothing answers at {bind}: {' '.join(str(error).split())}"
    finally:
        connection.close()
    return None if status == 200 else f"{bind} answers {status}"


if __name__ == "__main__":
    sys.exit(main())
