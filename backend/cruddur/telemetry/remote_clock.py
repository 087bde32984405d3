"""Compare the clock of this machine with that of an HTTP server."""

import time
from email.utils import parsedate_to_datetime

import requests

from cruddur.telemetry.sink_clients import bound


def clock_offset(url: str, seconds: float) -> float | None:
    """Return by how many seconds the clock of this machine is ahead of that of a server.

    Args:
        url: any page of the server; the status of the response does not matter.
        seconds: time limit.

    Returns:
        The offset, off by up to a second, because HTTP dates have whole seconds. None if the
        server does not respond, or without a date.
    """
    with bound(requests.Session()) as session:
        started = time.time()
        try:
            response = session.head(url, timeout=seconds, allow_redirects=False)
        except requests.RequestException:
            return None
    middle = (started + time.time()) / 2
    try:
        return middle - 0.5 - parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return None
