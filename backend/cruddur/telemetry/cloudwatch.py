"""CloudWatch Logs: the exported log lines as JSON, sent with WatchTower.

WatchTower calls AWS when it is constructed, waits for minutes when AWS is silent, and
gives lines up with a warning, so it works behind an export queue and is asked how it went.
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
_ATTEMPTS = 2  # of WatchTower: one, and one more when the stream had to be created first

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
# An export queue's batch is always below the other limit, 10,000 events.
_BATCH_BYTES = 1024 * 1024
_EVENT_BYTES = 256 * 1024
_EVENT_OVERHEAD = 26
_LONGEST_TEXT = 20_000  # characters of a line that is too long; JSON takes up to 6 bytes each


class CloudWatchLogs:
    """Sends log lines to one stream of a log group.

    Attributes:
        export_queue: to be fed, started and closed by whoever made this. A batch of more than
            1 MiB takes several calls; when one of them fails, all its lines count as failed.
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
        """Take where lines go; nothing is imported, asked or sent.

        Args:
            log_group: made if there is none, with the retention, in days, that AWS knows.
            retention_days: 0 leaves it as it is, which is for ever in a new group.
            constants: the fields that every line ends with.
            with_xray_ids: whether trace ids are told in X-Ray's form too, which is the one
                that its console searches the log for.
            stream: what to call the stream of this process, from `{machine}` and `{pid}`.
            region: of AWS; None: from boto3's own chain, as credentials and endpoint.
            connect_timeout, read_timeout: seconds that one attempt of a call may take.
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
                # WatchTower's own queue would wait for it in a thread that nobody can ask,
                # and hold up the end of the process; without it, every line is a call.
                handler._submit_batch(batch, self._stream, max_retries=_ATTEMPTS)
                if client.outcome is not None:
                    raise client.outcome
        except (BotoCoreError, ClientError) as error:
            self._handler = None  # the group may be gone: begin anew with the next batch
            raise ExportError(str(error)) from None

    def _open(self) -> tuple["_Client", Any]:
        """The client and WatchTower's handler; the latter makes sure of the log group."""
        import watchtower

        if self._client is None:
            # They say less than the outcome, and as log lines they would be sent as well.
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
            # It joins no logger. Without queues `logging.shutdown`, which calls every
            # handler there is at the end of the process, finds nothing to wait for.
            handler = watchtower.CloudWatchLogHandler(
                log_group_name=self._log_group,
                log_group_retention_days=self._retention_days,
                log_stream_name=self._stream,
                use_queues=False,
                boto3_client=self._client,
            )
            handler.sequence_tokens[self._stream] = None  # which `emit` would do
            self._handler = handler
        return self._client, self._handler

    def _event(self, line: Line) -> dict[str, Any]:
        document = self._encoded(line)
        if len(document) > _EVENT_BYTES - _EVENT_OVERHEAD:
            short = msgspec.structs.replace(
                line,
                message=line.message[:_LONGEST_TEXT],
                stacktrace=line.stacktrace[-_LONGEST_TEXT:],
                fields={},
            )
            document = self._encoded(short)
        return {"timestamp": int(line.created * 1000), "message": document.decode()}

    def _encoded(self, line: Line) -> bytes:
        return encode(line, self._constants, with_xray_ids=self._with_xray_ids)


class _Client:
    """boto3's client, which remembers how PutLogEvents went: WatchTower does not tell.

    Attributes:
        outcome: what was wrong with the last batch; None before it and when it was taken.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.outcome: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def put_log_events(self, **arguments: Any) -> dict[str, Any]:
        """As boto3's; events that AWS did not keep are an error.

        WatchTower calls again after any error; only a missing stream is mended by then,
        and what the network did not bring botocore has tried often enough.
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
    """The events in as few parts as AWS takes."""
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
