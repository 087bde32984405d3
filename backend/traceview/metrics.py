"""The latest point of every series of every metric, within bounds."""

from collections import OrderedDict

import msgspec

from traceview.model import Point, weigh_origin, weigh_point

SERIES = 2_000
"""How many series are kept."""

SERIES_BYTES = 16 * 1024
"""The largest series, in estimated bytes: names and attributes are all that varies."""


class MetricTable:
    """One row per service, scope, metric and attributes."""

    def __init__(self, series: int = SERIES) -> None:
        """Take how many series are kept; the one that was silent longest goes first."""
        self._bound = series
        self._rows: OrderedDict[bytes, Point] = OrderedDict()
        self.omitted = 0
        """How many points were not kept because they are too large."""

    def __len__(self) -> int:
        """How many series are kept."""
        return len(self._rows)

    def add(self, point: Point) -> None:
        """Keep a point in the place of the last one of its series."""
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
        """The points, by service, name and attributes."""
        return sorted(
            self._rows.values(),
            key=lambda point: (point.origin.service, point.name, str(point.attributes)),
        )
