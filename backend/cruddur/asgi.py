"""The ASGI callable that any server can load: `cruddur.asgi:app`."""

import os

from cruddur.app import create_app
from cruddur.settings import Settings, SettingsError
from cruddur.telemetry.logs import configure_logging

settings = Settings.from_env()
if not settings.connection_url:
    raise SettingsError("CONNECTION_URL is not set; `cruddur serve` starts a server of its own")
if settings.demo_handle and not os.environ.get("CRUDDUR_BIND"):
    # Another server bound the address, so we cannot tell whether it is loopback.
    raise SettingsError("CRUDDUR_DEMO_HANDLE works under `cruddur serve` only")
configure_logging(settings.log_level)
app = create_app(settings)
