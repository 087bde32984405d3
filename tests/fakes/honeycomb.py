"""Honeycomb's OTLP endpoint on a loopback socket: traces, metrics and logs."""

from fakes.otlp import Metric, OtlpSink
from fakes.sink import Answer, Received

KEY_HEADER = "x-honeycomb-team"
DATASET_HEADER = "x-honeycomb-dataset"


class FakeHoneycomb(OtlpSink):
    """Accepts exports with the right ingest key, or with any when none is demanded."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__()
        self.key = key

    def answer(self, request: Received) -> Answer:
        if self.key is not None and request.headers.get(KEY_HEADER) != self.key:
            return self.refusal(401, "missing or unknown API key")
        return super().answer(request)

    def dataset(self, metric: Metric) -> str:
        """Where Honeycomb would file the metric: spans go by `service.name`, metrics do not."""
        return metric.headers.get(DATASET_HEADER, "unknown_metrics")
