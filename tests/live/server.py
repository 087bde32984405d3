"""A database server of a test's own, which the test can kill."""

import os
import signal
from pathlib import Path

from cruddur.db.embedded import EmbeddedPostgres, EmbeddedPostgresError


class Server:
    """A database server that the test can kill.

    A killed process loses only what it has not yet written to the kernel, so the server needs no
    `fsync`: the database waits for the write-ahead log to be written.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._postgres = EmbeddedPostgres(directory, durable=False)
        self.dsn = self._postgres.dsn("cruddur")

    def start(self) -> None:
        while True:
            try:
                self._postgres.start()
                break
            except EmbeddedPostgresError:  # processes of the killed server are still exiting
                self._postgres.stop()
        self._postgres.create_database("cruddur")

    def kill(self) -> None:
        """Kill it without a shutdown."""
        postmaster = (self._directory / "data" / "postmaster.pid").read_text().split()[0]
        os.kill(int(postmaster), signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        self._postgres.stop()
