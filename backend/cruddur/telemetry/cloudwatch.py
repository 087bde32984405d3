"""CloudWatch Logs: the exported log lines as JSON, sent with WatchTower.

WatchTower calls AWS in its constructor, waits for minutes when AWS does not respond, and drops
lines with only a warning. Therefore it runs in the thread of an export queue, and our client
reports the outcome to the queue.
"""

import os
import platform
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from opentelemetry.util.types import AttributeValue

from cruddur.telemetry.export_queue import ExportError, ExportQueue
from cruddur.telemetry.logs import Line, encode
from cruddur.telemetry.sink_clients import boto_client

_CAPACITY = 4096  # lines; each is some kilobytes at most
_ATTEMPTS = 2  # of WatchTower: the second is for a stream that had to be created first

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
# A batch of an export queue is always below the other limit, 10,000 events.
_BATCH_BYTES = 1024 * 1024
_EVENT_BYTES = 256 * 1024
_EVENT_OVERHEAD = 26
_MAX_TEXT_CHARS = 20_000  # characters of a line that is too long; JSON takes up to 6 bytes each


class CloudWatchLogs:
    """Sends log lines to one stream of a log group.

    Attributes:
        export_queue: the owner puts lines into it, and starts and closes it. A batch of more than
            1 MiB takes several calls. If one of them fails, all lines of the batch count as failed.
    """

    def __init__(
        self,
        *,
        log_group: str,
        retention_days: int,
        constants: Mapping[str, AttributeValue],
        with_xray_ids: bool,
        stream: str = "{machine}/{pid}",
        region: str | None = None,
        connect_timeout: float = 2.0,
        read_timeout: float = 5.0,
    ) -> None:
        """Configure the log group; nothing is imported or sent.

        Args:
            log_group: created if it does not exist.
            retention_days: one of the values that AWS allows; 0: unchanged, and unlimited for a new
                group.
            constants: the fields at the end of every line.
            with_xray_ids: whether to add trace ids in X-Ray's form, which its console searches for.
            stream: the name of the stream, with placeholders `{machine}` and `{pid}`.
            region: the AWS region; None: from boto3's configuration, like credentials and endpoint.
            connect_timeout, read_timeout: timeouts of one attempt of a call, in seconds.
        """
        self._log_group = log_group
        self._retention_days = retention_days
        self._constants = dict(constants)
        self._with_xray_ids = with_xray_ids
        self._stream = stream.format(machine=platform.node() or "unknown", pid=os.getpid())
        self._region = region
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._client: _Client | None = None
        self._handler: Any = None
        self.export_queue = ExportQueue[Line]("CloudWatch", self._deliver, capacity=_CAPACITY)

    # --- in the export queue's thread --------------------------------------------------------

    def _deliver(self, lines: Sequence[Line]) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        events = [self._event(line) for line in lines]
        try:
            client, handler = self._open()
            for batch in _batches(events):
                client.outcome = None
                # WatchTower's own queue does not report the outcome and delays the exit of the
                # process. Without its queue, the public method calls AWS for every line.
                handler._submit_batch(batch, self._stream, max_retries=_ATTEMPTS)
                if client.outcome is not None:
                    raise client.outcome
        except (BotoCoreError, ClientError) as error:
            self._handler = None  # the group may have been deleted: create it before the next batch
            raise ExportError(str(error)) from None

    def _open(self) -> tuple["_Client", Any]:
        """Return the client and WatchTower's handler, which creates the log group."""
        import watchtower

        if self._client is None:
            # The warnings contain less than the outcome, and as log lines they would be exported.
            warnings.filterwarnings("ignore", category=watchtower.WatchtowerWarning)
            self._client = _Client(
                boto_client(
                    "logs",
                    region=self._region,
                    connect_timeout=self._connect_timeout,
                    read_timeout=self._read_timeout,
                )
            )
        if self._handler is None:
            # No logger has this handler. Without queues, `logging.shutdown` does not wait for it
            # at the end of the process.
            handler = watchtower.CloudWatchLogHandler(
                log_group_name=self._log_group,
                log_group_retention_days=self._retention_days,
                log_stream_name=self._stream,
                use_queues=False,
                boto3_client=self._client,
            )
            handler.sequence_tokens[self._stream] = None  # as `emit` does
            self._handler = handler
        return self._client, self._handler

    def _event(self, line: Line) -> dict[str, Any]:
        document = self._encoded(line)
        if len(document) > _EVENT_BYTES - _EVENT_OVERHEAD:
            truncated = msgspec.structs.replace(
                line,
                message=line.message[:_MAX_TEXT_CHARS],
                stacktrace=line.stacktrace[-_MAX_TEXT_CHARS:],
                fields={},
            )
            document = self._encoded(truncated)
        return {"timestamp": int(line.created * 1000), "message": document.decode()}

    def _encoded(self, line: Line) -> bytes:
        return encode(line, self._constants, with_xray_ids=self._with_xray_ids)


class _Client:
    """A boto3 client that stores the outcome of PutLogEvents, which WatchTower does not report.

    Attributes:
        outcome: the error of the last batch; None before the first, and after a success.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.outcome: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_log_events(self, **arguments: Any) -> dict[str, Any]:
        """Call PutLogEvents; events that AWS rejects are an error.

        WatchTower retries after any error. Only after a missing stream can the second attempt
        succeed: botocore has retried network errors already.
        """
        exceptions = self._client.exceptions
        if self.outcome and not isinstance(self.outcome, exceptions.ResourceNotFoundException):
            raise self.outcome
        try:
            response: dict[str, Any] = self._client.put_log_events(**arguments)
        except Exception as error:
            self.outcome = error
            raise
        rejected = response.get("rejectedLogEventsInfo")
        self.outcome = ExportError(f"rejected: {rejected}") if rejected else None
        return response


def _batches(events: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the events in as few batches as AWS accepts."""
    batch: list[dict[str, Any]] = []
    size = 0
    for event in events:
        length = len(event["message"].encode()) + _EVENT_OVERHEAD
        if batch and size + length > _BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch
