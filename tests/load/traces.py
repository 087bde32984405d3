"""The traces of a load: every request starts one, and the slowest are kept for the report."""

import csv
import heapq
import html
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from itertools import chain
from pathlib import Path

KEPT = 10
KEPT_OF_A_ROUTE = 3
"""A limit per route, so that one slow route, such as sign-in, does not hide all others."""

HEADING = f"The {KEPT} slowest requests (at most {KEPT_OF_A_ROUTE} of a route) and their traces"


def new_trace() -> tuple[str, str]:
    """Return the id of a new trace, and the `traceparent` that starts it (W3C Trace Context)."""
    trace_id = f"{random.randrange(1, 1 << 128):032x}"
    return trace_id, f"00-{trace_id}-{random.randrange(1, 1 << 64):016x}-01"


@dataclass(frozen=True, order=True)
class Request:
    """A request and its duration.

    Attributes:
        route: the template, not the address of one crud or user.
        began: when it was sent, in UTC.
    """

    milliseconds: float
    method: str
    route: str
    began: datetime
    trace_id: str


class Slowest:
    """The slowest requests so far."""

    def __init__(self, page: str) -> None:
        """`page`: the URL of a trace, with `{trace_id}` as a placeholder."""
        self._page = page
        self._routes: defaultdict[tuple[str, str], list[Request]] = defaultdict(list)

    def add(self, request: Request) -> None:
        """Keep a request if it is one of the slowest of its route."""
        heap = self._routes[request.method, request.route]
        heapq.heappush(heap, request)
        if len(heap) > KEPT_OF_A_ROUTE:
            heapq.heappop(heap)

    def clear(self) -> None:
        """Forget all requests."""
        self._routes.clear()

    def ordered(self) -> Sequence[Request]:
        """Return the slowest requests, the slowest first."""
        return heapq.nlargest(KEPT, chain.from_iterable(self._routes.values()))

    def address(self, request: Request) -> str:
        """Return the URL of a request's trace."""
        return self._page.replace("{trace_id}", request.trace_id)

    def text(self) -> str:
        """Return a table for the terminal."""
        lines = [
            f"{request.milliseconds:8.0f} ms  {request.began:%H:%M:%S}  {request.method:6}"
            f" {request.route:44} {self.address(request)}"
            for request in self.ordered()
        ]
        return "\n".join([HEADING, *lines])

    def page(self) -> str:
        """Return a table for the report."""
        rows = "".join(
            f"<tr><td>{request.milliseconds:.0f} ms<td>{request.began:%H:%M:%S} UTC"
            f"<td>{html.escape(f'{request.method} {request.route}')}"
            f'<td><a href="{html.escape(self.address(request))}">{request.trace_id}</a></tr>'
            for request in self.ordered()
        )
        return (
            '<section style="font-family: sans-serif; padding: 1.5rem; background: #fff;'
            f' color: #222"><h2>{HEADING}</h2><table cellpadding="6">'
            f"{rows}</table></section>"
        )

    def write(self, path: Path) -> None:
        """Write all data as CSV."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*(field.name for field in fields(Request)), "trace"])
            for request in self.ordered():
                writer.writerow([*astuple(request), self.address(request)])
