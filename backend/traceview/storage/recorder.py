"""Write spans, log lines and points to the file, in batches, in one thread."""

import logging
import queue
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeAlias

import msgspec

from traceview.model import LogLine, Origin, Point, Span
from traceview.storage.database import Database, is_out_of_memory
from traceview.storage.retention import FULL_SHARE, FileBounds, sweep
from traceview.storage.rows import (
    Row,
    exemplar_rows,
    line_row,
    origin_row,
    point_row,
    span_row,
)
from traceview.storage.schema import TABLES, insert_statement

GATHER_SECONDS = 0.25
"""How long an item waits for others to be written with it."""

BATCH_ITEMS = 2_500
"""Maximum number of items of a transaction."""

WAITING_ITEMS = 5_000
"""If more items wait to be written, further requests have to wait."""

SWEEP_SECONDS = 30.0
"""How often the bounds are enforced; the size also after a batch that exceeds it."""

ORIGINS = 10_000
"""Maximum number of sources that are remembered between two batches."""

MIN_LINE_BYTES = 1 << 20

logger = logging.getLogger(__name__)

Item: TypeAlias = Span | LogLine | Point


class Clear:
    """The request to delete everything that was received before it."""


class Recorder:
    """Accepts items without waiting, and writes them soon after."""

    def __init__(self, database: Database, bounds: FileBounds) -> None:
        """Take the open file and its bounds, and start the thread."""
        self._cursor = database.cursor()
        self._bounds = bounds
        self._file = Path(f"{database.path}.batch")
        self._paths = (database.path, Path(f"{database.path}.wal"))
        self._items: queue.SimpleQueue[Item | Clear | Future[None]] = queue.SimpleQueue()
        self._urgent = threading.Event()
        self._is_closed = threading.Event()
        self._origins: dict[bytes, int] = {}
        self._next_origin = self._first_free("origins")
        # Numbers also grow if a file is deleted, because an open page can outlive it.
        self._next_line = max(self._first_free("logs"), time.time_ns() // 10**6)
        self._swept_at = 0.0
        self.failed = 0
        """How many items could not be written."""
        self.error = ""
        """The last error of a write."""
        # The log of writes is part of the size; the default is 16 MiB.
        self._cursor.execute(
            "SET GLOBAL wal_autocheckpoint = $size",
            {"size": f"{min(16_000_000, bounds.bytes // 10)} bytes"},
        )
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def keep(self, item: Item) -> None:
        """Write an item soon."""
        self._items.put(item)

    @property
    def is_behind(self) -> bool:
        """Whether more items wait than should."""
        return self._items.qsize() > WAITING_ITEMS

    def size(self) -> int:
        """Return the size of the file and of its log of writes, in bytes."""
        return sum(one.stat().st_size for one in self._paths if one.exists())

    def clear(self) -> None:
        """Delete everything that was received so far."""
        self._items.put(Clear())

    def flush(self) -> "Future[None]":
        """Return a future that ends when everything received so far is written."""
        done: Future[None] = Future()
        self._items.put(done)
        self._urgent.set()
        return done

    def close(self, timeout: float) -> None:
        """Write what is waiting and stop. Takes at most `timeout` seconds."""
        self._is_closed.set()
        self.flush()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._is_closed.is_set() or not self._items.empty():
            first = self._items.get()
            if not isinstance(first, Future) and self._items.qsize() < BATCH_ITEMS:
                self._urgent.wait(GATHER_SECONDS)
            self._urgent.clear()
            self._take([first, *self._waiting()])
            self._sweep_if_due()
        self._file.unlink(missing_ok=True)

    def _waiting(self) -> Iterable[Item | Clear | Future[None]]:
        for _ in range(min(self._items.qsize(), BATCH_ITEMS - 1)):
            yield self._items.get()

    def _take(self, taken: list[Item | Clear | Future[None]]) -> None:
        batch: list[Item] = []
        for one in taken:
            if isinstance(one, Span | LogLine | Point):
                batch.append(one)
                if len(batch) < BATCH_ITEMS:
                    continue
            self._attempt(batch)
            batch = []
            if isinstance(one, Clear):
                self._delete_all()
            elif isinstance(one, Future) and one.set_running_or_notify_cancel():
                one.set_result(None)
        self._attempt(batch)

    def _attempt(self, batch: list[Item]) -> None:
        if not batch:
            return
        try:
            self._write(batch)
        except Exception as error:  # the thread must survive, whatever failed
            if is_out_of_memory(error) and len(batch) > 1:  # long texts, such as statements
                middle = len(batch) // 2
                self._attempt(batch[:middle])
                self._attempt(batch[middle:])
                return
            self._fail(error)
            self.failed += len(batch)

    def _fail(self, error: Exception) -> None:
        text = str(error).splitlines()[0]
        if text != self.error:
            logger.warning("traceview: cannot write %s: %s", self._file.stem, text)
        self.error = text

    def _write(self, batch: list[Item]) -> None:
        now = int(time.time())
        rows: dict[str, list[Row]] = {table: [] for table in TABLES}
        for item in batch:
            origin = self._origin(item.origin, rows["origins"])
            if isinstance(item, Span):
                rows["spans"].append(span_row(item, origin, now))
            elif isinstance(item, LogLine):
                rows["logs"].append(line_row(item, self._next_line, origin, now))
                self._next_line += 1
            else:
                rows["metrics"].append(point_row(item, origin, now))
                rows["exemplars"].extend(exemplar_rows(item, origin, now))
        self._cursor.execute("BEGIN")
        try:
            for table, made in rows.items():
                if made:
                    self._insert(table, made)
            self._cursor.execute("COMMIT")
        except BaseException:
            self._cursor.execute("ROLLBACK")
            self._origins.clear()
            raise

    def _insert(self, table: str, rows: list[Row]) -> None:
        lines = [msgspec.json.encode(row) for row in rows]
        self._file.write_bytes(b"\n".join(lines))
        longest = max(map(len, lines))
        self._cursor.execute(
            insert_statement(table),
            {"file": str(self._file), "most": max(MIN_LINE_BYTES, 2 * longest)},
        )

    def _first_free(self, table: str) -> int:
        [(last,)] = self._cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchall()
        return int(last) + 1

    def _origin(self, origin: Origin, rows: list[Row]) -> int:
        key = msgspec.json.encode(origin)
        known = self._origins.get(key)
        if known is None:
            if len(self._origins) >= ORIGINS:
                self._origins.clear()
            known = self._origins[key] = self._next_origin
            self._next_origin += 1
            rows.append(origin_row(origin, known))
        return known

    def _delete_all(self) -> None:
        try:
            for table in TABLES:
                self._cursor.execute(f"DELETE FROM {table}")
            self._cursor.execute("CHECKPOINT")
        except Exception as error:  # as above
            self._fail(error)
        self._origins.clear()

    def _sweep_if_due(self) -> None:
        now = time.monotonic()
        if now - self._swept_at < SWEEP_SECONDS and self.size() <= FULL_SHARE * self._bounds.bytes:
            return
        self._swept_at = now
        try:
            if sweep(self._cursor, self._bounds, time.time()):
                self._origins.clear()
        except Exception as error:
            self._fail(error)
