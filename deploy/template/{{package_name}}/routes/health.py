"""Routes for probes."""

from ..wire import Health
from .endpoint import ApiBlueprint, resources

health = ApiBlueprint("health")


@health.handle("GET", "/api/health-check", summary="The process answers")
async def health_check() -> Health:
    """Depends on nothing else, so that a database outage does not restart the service."""
    return Health()


@health.handle("GET", "/api/ready", summary="The process and its database answer")
async def ready() -> Health:
    """For load balancers: 503 if the database does not answer."""
    await resources().database.ping()
    return Health()
