"""Outgoing HTTP calls, counted for the unit of work that makes them."""

import time
from typing import Any

import httpx

from cruddur.telemetry.operation import current_operation


class MeasuredClient(httpx.AsyncClient):
    """An httpx client that counts its calls, including those that fail, and their time."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request, as httpx does."""
        operation, start = current_operation(), time.perf_counter()
        try:
            return await super().send(request, **options)
        finally:
            if operation.is_measured:
                operation.calls += 1
                operation.call_seconds += time.perf_counter() - start
