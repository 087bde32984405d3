"""Log lines of the service arrive late or never, while its requests are as fast as ever.

Cause: the backend for log records accepts connections and does not respond.

Telemetry: of the metric `app.sink.items`, failed and dropped items have one value of `app.sink`,
and `app.sink.queue.size` is large for the same one. The traces have no log lines.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cruddur.settings import Settings
from fakes.sink import Sink
from scenarios.scenario import Scenario


class MissingLogs(Scenario):
    """A silent backend for log records."""

    @contextmanager
    def surroundings(self, settings: Settings) -> Iterator[Settings]:
        """Export log records to a server that does not respond."""
        with Sink() as backend:
            backend.mode = "hang"
            yield replace(settings, otlp_logs_endpoint=f"{backend.url}/v1/logs")


SCENARIO = MissingLogs
