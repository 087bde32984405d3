"""The ASGI application for servers other than `cruddur serve`: `cruddur.asgi:app`."""

import logging

from cruddur.app import create_app
from cruddur.process.runtime import tune_runtime
from cruddur.settings import Settings, SettingsError
from cruddur.settings.library_variables import set_variables
from cruddur.telemetry.pipeline import configure_logging
from cruddur.telemetry.sinks import describe_sinks
from cruddur.telemetry.unused_variables import warn_of_unused_variables

settings = Settings.from_env()
if not settings.connection_url:
    raise SettingsError("CONNECTION_URL is not set; `cruddur serve` starts a server of its own")
if settings.demo_handle:
    # The other server binds the address, so this process cannot check that it is loopback.
    raise SettingsError("CRUDDUR_DEMO_HANDLE works under `cruddur serve` only")
configure_logging(settings)
logger = logging.getLogger(__name__)
logger.info("telemetry: %s", describe_sinks(settings))
for warning in settings.warnings:
    logger.warning(warning)
warn_of_unused_variables(set_variables("OTEL_"))
app = create_app(settings)
app.before_serving(tune_runtime)
