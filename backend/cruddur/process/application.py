"""Create the application for a worker of `cruddur serve`."""

from quart import Quart

from cruddur.app import create_app
from cruddur.edge.connections import ConnectionLimits
from cruddur.process.hypercorn import install
from cruddur.process.runtime import tune_runtime
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import configure_logging


def create_application(settings: Settings) -> Quart:
    """Create the application, and install our connections in Hypercorn."""
    configure_logging(settings)
    app = create_app(settings)
    app.before_serving(tune_runtime)

    def begin_stop() -> None:
        resources = app.extensions["cruddur"]
        resources.telemetry.begin_stop()
        # Hypercorn waits for responses to be complete, and event streams have no end of their own.
        resources.live.close()

    install(
        ConnectionLimits.from_settings(settings),
        http1=settings.http1,
        has_h2c=settings.cleartext == "h2c",
        on_stop=begin_stop,
        refuse=app.extensions["cruddur.shedding"].refuse if settings.overload_delay else None,
    )
    return app
