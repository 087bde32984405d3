"""The query of the readiness probe."""

from .database import Connection
from .statements import load

_PING = load("health.ping")


async def ping(conn: Connection) -> None:
    """Run a statement that needs nothing but the server."""
    await _PING.rows(conn)
