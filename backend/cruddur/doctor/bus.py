"""Check the server of CRUDDUR_BUS."""

from importlib.util import find_spec
from urllib.parse import urlsplit

from cruddur.doctor.findings import Finding
from cruddur.doctor.verification import explain_rejection
from cruddur.settings import Settings


async def check_bus(settings: Settings) -> list[Finding]:
    """Connect to the server, if one is set. The check of the extras finds a missing package."""
    if not settings.bus or find_spec("redis") is None:
        return []
    from cruddur.live import redis  # an extra

    if not (reason := await redis.problem(settings.bus)):
        return [Finding("bus", "ok", "the server of CRUDDUR_BUS answers")]
    rejection = explain_rejection(
        reason,
        host=urlsplit(settings.bus).hostname or "localhost",
        variable="CRUDDUR_BUS",
        authorities="SSL_CERT_FILE",
    )
    other = (
        f"the server of CRUDDUR_BUS cannot be used: {reason}",
        "Check host, port and password in CRUDDUR_BUS; with TLS it begins with rediss://.",
    )
    return [Finding("bus", "fault", *(rejection or other))]
