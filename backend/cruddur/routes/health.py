"""Whether we answer, whether our database does, and the keys that verify our tokens."""

from cruddur.routes.endpoint import Area, resources
from cruddur.wire import Health, JsonWebKeySet, Ready

health = Area("health")


@health.handle("GET", "/api/health-check", summary="The process answers")
async def health_check() -> Health:
    """Touches nothing else: a database that is down must not restart the service."""
    return Health()


@health.handle("GET", "/api/ready", summary="The process and its database answer")
async def ready() -> Ready:
    """For a load balancer: 503 while the database does not answer."""
    await resources().database.ping()
    return Ready()


@health.handle("GET", "/.well-known/jwks.json", summary="The keys of our access tokens")
async def jwks() -> JsonWebKeySet:
    """RFC 7517."""
    return resources().keys.jwks()
