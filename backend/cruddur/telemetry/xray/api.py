"""Export segment documents to X-Ray's API, for services with AWS credentials and no daemon."""

import logging
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from cruddur.telemetry.export_queue import ExportError
from cruddur.telemetry.sink_clients import boto_client
from cruddur.telemetry.xray.documents import encode, segment

logger = logging.getLogger(__name__)

MAX_DOCUMENTS = 50
"""Maximum number of documents in one call of PutTraceSegments."""


class PutTraceSegmentsExporter(SpanExporter):
    """Exports spans with PutTraceSegments. Needs boto3 (the extra `aws`), imported at first use.

    Region, credentials and endpoint come from boto3's configuration, unless a region is given.
    `oversized` counts the spans that were too large for a document.
    """

    def __init__(
        self,
        region: str | None = None,
        *,
        connect_timeout: float = 2.0,
        read_timeout: float = 5.0,
    ) -> None:
        """Set the region, and the timeouts of one attempt of a call in seconds."""
        self._region = region
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._client: Any = None
        self.oversized = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Put the spans, 50 at a time; called from a background thread.

        Raises:
            ExportError: the API cannot be reached, refused the call, or did not process some of the
                documents; the message has the reason.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        documents = self._documents(spans)
        rejected: list[dict[str, str]] = []
        try:
            client = self._open()
            for start in range(0, len(documents), MAX_DOCUMENTS):
                batch = documents[start : start + MAX_DOCUMENTS]
                answer = client.put_trace_segments(TraceSegmentDocuments=batch)
                rejected += answer.get("UnprocessedTraceSegments", [])
        except (BotoCoreError, ClientError) as error:
            raise ExportError(str(error)) from error
        if rejected:
            first = rejected[0]
            raise ExportError(
                f"X-Ray did not process {len(rejected)} of {len(documents)} documents,"
                f" the first: {first.get('ErrorCode')} {first.get('Message', '')}".rstrip()
            )
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002  # the SDK's name
        """Return at once, because nothing is buffered."""
        return True

    def _documents(self, spans: Sequence[ReadableSpan]) -> list[str]:
        documents = []
        for span in spans:
            document = encode(segment(span))
            if document is None:
                self.oversized += 1
                logger.warning("the span %r is too large for an X-Ray document", span.name)
            else:
                documents.append(document.decode())
        return documents

    def _open(self) -> Any:
        if self._client is None:
            self._client = boto_client(
                "xray",
                region=self._region,
                connect_timeout=self._connect_timeout,
                read_timeout=self._read_timeout,
            )
        return self._client
