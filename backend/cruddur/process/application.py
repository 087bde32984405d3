"""The application as a worker of `cruddur serve` loads it: `cruddur.process.application:app`."""

from cruddur.app import create_app
from cruddur.edge.connections import ConnectionLimits
from cruddur.process.hypercorn import install
from cruddur.process.server import tune_runtime
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import configure_logging

settings = Settings.from_env()
configure_logging(settings)
app = create_app(settings)
app.before_serving(tune_runtime)
install(
    ConnectionLimits.of(settings),
    has_h2c=settings.cleartext == "h2c",
    # Streams have no end of their own, and Hypercorn waits for responses to be complete.
    on_stop=lambda: app.extensions["cruddur"].live.close(),
    refuse=app.extensions["cruddur.shedding"].refuse if settings.overload_delay else None,
)
