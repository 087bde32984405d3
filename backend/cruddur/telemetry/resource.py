"""The resource: how this process identifies itself to every sink."""

import os
from functools import lru_cache
from uuid import uuid4

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.util.types import AttributeValue

from cruddur.settings import Settings
from cruddur.version import __version__

_IN_LOG_LINES = (
    "service.name",
    "service.version",
    "service.instance.id",
    "deployment.environment.name",
)


def service_resource(settings: Settings) -> Resource:
    """Return the resource of this process, always the same one.

    OTEL_RESOURCE_ATTRIBUTES adds attributes and overrides ours; OTEL_SERVICE_NAME overrides its
    `service.name`.
    """
    return _resource(settings, os.getpid())


def log_constants(settings: Settings) -> dict[str, AttributeValue]:
    """Return the resource attributes that every JSON log line ends with."""
    result = service_resource(settings).attributes
    return {key: result[key] for key in _IN_LOG_LINES}


@lru_cache(8)
def _resource(settings: Settings, pid: int) -> Resource:
    """Build the resource once per process, because a detector may call the metadata service."""
    own = Resource.create(
        {
            "service.name": settings.service_name,
            "service.version": __version__,
            "service.instance.id": _instance_id(pid),
            "deployment.environment.name": settings.environment,
            "process.pid": pid,
        }
    )
    result = own.merge(OTELResourceDetector().detect())
    if settings.cloudwatch_log_group:
        result = result.merge(Resource({"aws.log.group.names": [settings.cloudwatch_log_group]}))
    return result


@lru_cache(2)
def _instance_id(_pid: int) -> str:
    """Return the id of this process. A forked worker has another process id and so another id.

    The command and the application log with different settings, but are one instance.
    """
    return str(uuid4())
