"""The latest point of every series of every metric, with limits."""

from collections import OrderedDict

import msgspec
from msgspec.structs import replace

from traceview.model import Point, weigh_origin, weigh_point

SERIES = 2_000
"""Maximum number of series."""

SERIES_BYTES = 16 * 1024
"""Maximum estimated size of a series in bytes; only names and attributes vary."""


class MetricTable:
    """One row per service, scope, metric and attributes. Buckets are only in the file."""

    def __init__(self, series: int = SERIES) -> None:
        """Take the maximum number of series; the least recently updated one is evicted first."""
        self._bound = series
        self._rows: OrderedDict[bytes, Point] = OrderedDict()
        self.omitted = 0
        """Number of points that were dropped because they are too large."""

    def __len__(self) -> int:
        """The number of series."""
        return len(self._rows)

    def add(self, point: Point) -> None:
        """Store a point, replacing the previous one of its series."""
        point = replace(point, buckets=None, exemplars=[])
        if weigh_point(point) + weigh_origin(point.origin) > SERIES_BYTES:
            self.omitted += 1
            return
        key = msgspec.json.encode(
            [
                point.origin.resource,
                point.origin.scope.name,
                point.name,
                point.kind,
                sorted(point.attributes.items()),
            ]
        )
        self._rows[key] = point
        self._rows.move_to_end(key)
        while len(self._rows) > self._bound:
            self._rows.popitem(last=False)

    def rows(self) -> list[Point]:
        """Return the points, sorted by service, name and attributes."""
        return sorted(
            self._rows.values(),
            key=lambda point: (point.origin.service, point.name, str(point.attributes)),
        )
