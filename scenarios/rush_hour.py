"""At quiet times all requests are equally fast; with many users, some take several times as long.

Cause: the database is in another data center, 40 ms away, and the pool has a single connection. It
is in use for 40 ms by each statement, so requests wait for each other.

Telemetry: among the slow requests, `app.db.pool_wait_ms` is large, and the span `wait for
connection` takes most of the time. The statements themselves take as long as in fast requests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from cruddur.settings import Settings
from relay import relaying
from scenarios.scenario import Scenario
from scenarios.threads import in_thread

ONE_WAY_SECONDS = 0.02


class RushHour(Scenario):
    """A distant database and one connection to it.

    Attributes:
        one_way_seconds: how long data travels in one direction.
    """

    def __init__(self, one_way_seconds: float = ONE_WAY_SECONDS) -> None:
        """Set the distance."""
        self.one_way_seconds = one_way_seconds

    @contextmanager
    def surroundings(self, settings: Settings) -> Iterator[Settings]:
        """Relay the connections of the pool, with a delay."""
        dsn = settings.connection_url
        with in_thread(relaying(dsn, delay=self.one_way_seconds)) as relay:
            yield replace(settings, connection_url=relay.dsn(dsn), direct_url=dsn, pool_size=1)


SCENARIO = RushHour
