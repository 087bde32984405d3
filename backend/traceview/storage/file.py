"""The file of traces as the application uses it: record, read back, describe."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from traceview.model import LogLine, Span
from traceview.storage.database import Database, StorageError
from traceview.storage.loader import count_items, load_traces, newest_traces
from traceview.storage.recorder import Item, Recorder
from traceview.storage.retention import FileBounds
from traceview.storage.saved_queries import SavedQueries

TRACES_AT_ONCE = 100
"""How many traces are read at once at the start."""


TRACE_ROWS = 50_000
"""Maximum number of spans, and of log lines, of a trace that are read."""


class FileStatus(Struct, frozen=True, kw_only=True):
    """Whether and where traces are stored."""

    stored: bool
    file: str = ""
    reason: str = ""
    """Why nothing is stored."""
    bytes: int = 0
    max_bytes: int = 0
    failed: int = 0
    error: str = ""


class TraceFile:
    """An open file with the thread that writes it."""

    def __init__(self, path: Path, bounds: FileBounds) -> None:
        """Open the file.

        Raises:
            StorageError: it cannot be used.
        """
        self.database = Database(path)
        self.saved = SavedQueries(self.database)
        self._bounds = bounds
        self._recorder = Recorder(self.database, bounds)

    def keep(self, item: Item) -> None:
        """Store an item soon."""
        self._recorder.keep(item)

    @property
    def is_behind(self) -> bool:
        """Whether more has arrived than can be written soon."""
        return self._recorder.is_behind

    def clear(self) -> None:
        """Delete everything that was received so far."""
        self._recorder.clear()

    async def flush(self) -> None:
        """Wait until everything received so far is stored."""
        await asyncio.wrap_future(self._recorder.flush())

    def close(self, timeout: float = 5.0) -> None:
        """Store what is waiting. The next start replays the log of writes, so this is fast."""
        self._recorder.close(timeout)

    def newest(self, count: int) -> Iterator[Span | LogLine]:
        """Yield the spans and log lines of the newest traces, the oldest trace first."""
        ids = newest_traces(self.database, count)
        for start in range(0, len(ids), TRACES_AT_ONCE):
            yield from load_traces(self.database, ids[start : start + TRACES_AT_ONCE])

    def trace(self, trace_id: str) -> list[Span | LogLine]:
        """Return the spans and log lines of a trace; empty if it is not stored."""
        return list(load_traces(self.database, [trace_id], TRACE_ROWS))

    def size_of(self, trace_id: str) -> tuple[int, int]:
        """Return how many spans and log lines of a trace are stored."""
        return count_items(self.database, trace_id)

    def status(self) -> FileStatus:
        """Return where traces are stored, and the size of the file."""
        recorder = self._recorder
        return FileStatus(
            stored=True,
            file=str(self.database.path),
            bytes=recorder.size(),
            max_bytes=self._bounds.bytes,
            failed=recorder.failed,
            error=recorder.error,
        )


def open_file(path: Path | None, bounds: FileBounds) -> tuple[TraceFile | None, FileStatus]:
    """Open the file, or return why traces are kept only in memory."""
    if path is None:
        return None, FileStatus(stored=False, reason="it was started with --in-memory")
    try:
        file = TraceFile(path, bounds)
    except StorageError as error:
        return None, FileStatus(stored=False, reason=str(error))
    return file, file.status()
