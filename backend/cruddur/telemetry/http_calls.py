"""Outgoing HTTP calls, in the account of the work that makes them."""

import time
from typing import Any

import httpx

from cruddur.telemetry.operation import current_operation


class MeasuredClient(httpx.AsyncClient):
    """httpx's client, whose calls count, also those that fail."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """As httpx says."""
        operation, start = current_operation(), time.perf_counter()
        try:
            return await super().send(request, **options)
        finally:
            if operation.is_measured:
                operation.calls += 1
                operation.call_seconds += time.perf_counter() - start
