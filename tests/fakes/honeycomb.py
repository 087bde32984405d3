"""Honeycomb's OTLP endpoint on a loopback socket: traces, metrics and logs."""

import json

from fakes.otlp import Metric, OtlpSink
from fakes.sink import Received, Response

# https://docs.honeycomb.io/api: the response to `GET /1/auth`
ACCOUNT = {
    "id": "FL_xMM5LapLC",
    "type": "ingest",
    "api_key_access": {"events": True, "createDatasets": True},
    "environment": {"name": "Bootcamp", "slug": "bootcamp"},
    "team": {"name": "Cruddur", "slug": "cruddur-team"},
}

KEY_HEADER = "x-honeycomb-team"
DATASET_HEADER = "x-honeycomb-dataset"


class FakeHoneycomb(OtlpSink):
    """Accepts exports with the right ingest key, or any export if no key is set."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__()
        self.key = key

    def respond(self, request: Received) -> Response:
        if self.key is not None and request.headers.get(KEY_HEADER) != self.key:
            return self.refusal(401, "missing or unknown API key")
        if request.method == "GET" and request.path == "/1/auth":
            return Response(200, json.dumps(ACCOUNT).encode())
        return super().respond(request)

    def dataset(self, metric: Metric) -> str:
        """Return the dataset of a metric. Only spans are filed by `service.name`."""
        return metric.headers.get(DATASET_HEADER, "unknown_metrics")
