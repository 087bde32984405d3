"""The application as a worker of `cruddur serve` loads it: `cruddur.served:app`."""

from cruddur.app import create_app
from cruddur.serving import end_streams_in_time, settle
from cruddur.settings import Settings
from cruddur.telemetry.pipeline import configure_logging

settings = Settings.from_env()
configure_logging(settings)
app = create_app(settings)
app.before_serving(settle)
end_streams_in_time(app)
