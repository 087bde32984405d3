"""Routes for probes, for the health of the telemetry, and for the keys of our tokens."""

import hmac
import os

import msgspec
from quart import request

from cruddur.errors import NotFoundError, UnauthenticatedError
from cruddur.routes.endpoint import ApiBlueprint, resources
from cruddur.wire import Health, JsonWebKeySet, Ready, ReplicaHealth, SinkHealth, TelemetryHealth

health = ApiBlueprint("health")


@health.handle("GET", "/api/health-check", summary="The process answers", probe=True)
async def health_check() -> Health:
    """Depends on nothing else, so that a database outage does not restart the service."""
    return Health()


@health.handle("GET", "/api/ready", summary="The process and its database answer", probe=True)
async def ready() -> Ready:
    """For load balancers: 503 within 2 s if the database does not answer. Replicas have no part in
    that: the primary can serve every read."""
    await resources().probe.check()
    statuses = resources().reader.statuses()
    if not statuses:
        return Ready()
    return Ready(replicas=msgspec.convert(statuses, list[ReplicaHealth], from_attributes=True))


@health.handle(
    "GET",
    "/api/health/telemetry",
    summary="The health of each telemetry sink, for operators",
    probe=True,
    errors={401: ["generic_401"], 404: ["not_found"]},
)
async def telemetry() -> TelemetryHealth:
    """Reports on the process that answers. Requires CRUDDUR_OPERATOR_TOKEN as the bearer token;
    404 if that is not set."""
    settings = resources().settings
    if not settings.operator_token:
        raise NotFoundError
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_operator = hmac.compare_digest(token.encode(), settings.operator_token.encode())
    if scheme.lower() != "bearer" or not is_operator:
        raise UnauthenticatedError
    sinks = msgspec.convert(resources().telemetry.health(), list[SinkHealth], from_attributes=True)
    return TelemetryHealth(os.getpid(), settings.sample_ratio, sinks)


@health.handle("GET", "/.well-known/jwks.json", summary="The keys of our access tokens")
async def jwks() -> JsonWebKeySet:
    """RFC 7517."""
    return resources().keys.jwks()
