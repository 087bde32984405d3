"""Outgoing HTTP calls, in the account of the work that makes them."""

import time
from typing import Any

import httpx

from cruddur.telemetry.operation import current_work


class MeasuredClient(httpx.AsyncClient):
    """httpx's client, whose calls count, also those that fail."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """As httpx says."""
        work, start = current_work(), time.perf_counter()
        try:
            return await super().send(request, **options)
        finally:
            if work.is_measured:
                work.calls += 1
                work.call_seconds += time.perf_counter() - start
