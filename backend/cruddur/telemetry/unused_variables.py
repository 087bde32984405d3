"""Warn about OTEL_* variables that are set but have no effect on this service."""

import logging
import re
from collections.abc import Iterable
from types import ModuleType

from opentelemetry import environment_variables as api
from opentelemetry.instrumentation import environment_variables as instrumentation
from opentelemetry.sdk import environment_variables as sdk
from opentelemetry.util import http

from cruddur.settings import declared_variables

logger = logging.getLogger(__name__)

_UNDECLARED = re.compile(r"OTEL_PYTHON_((ASGI|HTTPX)_)?EXCLUDED_URLS")
"""Variables whose names the libraries build at run time."""

_WITHOUT_EFFECT = re.compile(
    # For exporters and protocols that this service does not have.
    r"OTEL_EXPORTER_(ZIPKIN|PROMETHEUS)_.*|.*_INSECURE|OTEL_PYTHON_EXPORTER_OTLP_GRPC_.*"
    # For `opentelemetry-instrument` or a configuration file. This service wires the SDK itself.
    r"|OTEL_CONFIG_FILE|OTEL_PYTHON_(CONTEXT|ID_GENERATOR|DISTRO|CONFIGURATOR)"
    r"|OTEL_PYTHON_(TRACER|METER|LOGGER)_(PROVIDER|CONFIGURATOR)"
    r"|OTEL_PYTHON_(LOGGING_)?AUTO_INSTRUMENTATION_.*|OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
    # Declared by the SDK, and read by none of its modules.
    r"|OTEL_LOG_LEVEL"
)


def _names(module: ModuleType) -> set[str]:
    return {
        value
        for value in vars(module).values()
        if isinstance(value, str) and re.fullmatch("OTEL_[A-Z0-9_]+", value)
    }


DECLARED = frozenset().union(*map(_names, (api, sdk, instrumentation, http)))
"""The variables that the installed packages of OpenTelemetry declare."""


def has_effect(variable: str) -> bool:
    """Return whether an OTEL_* variable has an effect on this service.

    It has one if it is a setting, or if a library declares it and reads it in this service.
    """
    if variable in declared_variables():
        return True
    is_known = variable in DECLARED or _UNDECLARED.fullmatch(variable) is not None
    return is_known and _WITHOUT_EFFECT.fullmatch(variable) is None


def warn_of_unused_variables(variables: Iterable[str]) -> None:
    """Log one line with the names of the OTEL_* variables that have no effect."""
    unused = [variable for variable in variables if not has_effect(variable)]
    if unused:
        logger.warning(
            "these variables have no effect (docs/operations.md, OTEL_*): %s", ", ".join(unused)
        )
